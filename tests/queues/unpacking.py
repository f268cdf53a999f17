"""Queues of other MTAs, made by the real programs and packed with what these printed of them."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.queues.entry import QueueEntry, Spool

DATA: Final = Path(__file__).parents[1] / "data" / "queues"
UTC_ZONE: Final = ZoneInfo("UTC")
MUTATIONS: Final = 3400  # of each MTA's files: 10,000 and more together


def unpacked(name: str, place: Path) -> Path:
    """A packed queue, in a directory of its own."""
    with tarfile.open(DATA / f"{name}.tar.xz") as packed:
        packed.extractall(place, filter="tar")
    return place


def spool(place: Path, now: float, *queues: str, told: list[str] | None = None) -> Spool:
    """What a reader is asked; without ``told``, what does not fit fails the test."""

    def refuse(words: str) -> None:
        raise AssertionError(words)

    return Spool(place, now, refuse if told is None else told.append, queues, UTC_ZONE)


def by_id(entries: Iterator[QueueEntry]) -> dict[str, QueueEntry]:
    """Entries by their ids."""
    return {entry.queue_id: entry for entry in entries}


def mutated(samples: list[bytes], read: Callable[[bytes], object]) -> None:
    """Read many damaged copies of files: none may crash."""
    random = Random(15)
    for _ in range(MUTATIONS):
        data = bytearray(random.choice(samples))
        for _ in range(random.randrange(1, 12)):
            at = random.randrange(len(data) + 1)
            piece = random.choice(
                (b"", b"\0", b"\n", b"Y", b"9" * 12, b"<", b":", bytes([random.randrange(256)]))
            )
            data[at : at + random.choice((0, 1, 1, 30))] = piece
        read(bytes(data))

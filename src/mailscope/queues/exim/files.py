"""Which files an Exim spool has: of its queue and of named ones, split into directories or not.

Source: queue_get_spool_list() of queue.c and spool_fname() of spool_in.c, Exim 4.96.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailscope.queues.entry import Spool
from mailscope.queues.exim.header import MOST_BYTES, Header, parse
from mailscope.vocabulary.errors import InputError

# 16 characters; 23 since Exim 4.97.
_NAME: Final = re.compile(
    r"([0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4})-H"
)
_PART: Final = re.compile(r"[0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Message:
    """``named``: the named queue, "" for the usual one; ``part``: its directory where the spool is split."""

    queue_id: str
    named: str
    part: str
    place: Path

    def path(self, kind: str) -> str:
        """Its -H, -D or -J file."""
        return os.path.join(self.place, self.named, "input", self.part, f"{self.queue_id}-{kind}")

    @property
    def log(self) -> str:
        """Its message log."""
        return os.path.join(self.place, self.named, "msglog", self.part, self.queue_id)

    def read(self) -> Header:
        """Its envelope.  Raises OSError."""
        with open(self.path("H"), "rb") as file:
            return parse(file.read(MOST_BYTES), f"{self.queue_id}-H".encode())


def messages(spool: Spool) -> Iterator[Message]:
    """All messages, queue by queue, in the order in which they came.  Raises InputError for no queue."""
    if not os.access(spool.place / "input", os.R_OK | os.X_OK, effective_ids=True):
        there = (spool.place / "input").is_dir()
        what = "no permission to read its queue (input)" if there else "it has no directory 'input'"
        raise InputError(what, str(spool.place), "run as root, or name a spool of Exim with --spool")
    for named in ("", *_named(spool)):
        yield from sorted(_of(spool, named), key=_came)


def _came(message: Message) -> tuple[str, str]:
    """Seconds and what is below them of an id (merge_queue_lists())."""
    return message.queue_id[:6], message.queue_id.rpartition("-")[2]


def _named(spool: Spool) -> list[str]:
    return sorted(name for name in _listed(spool, spool.place) if os.path.isdir(spool.place / name / "input"))


def _of(spool: Spool, named: str) -> Iterator[Message]:
    directory = spool.place / named / "input"
    for name in _listed(spool, directory):
        if _PART.fullmatch(name) and os.path.isdir(directory / name):
            for inner in _listed(spool, directory / name):
                if found := _NAME.fullmatch(inner):
                    yield Message(found[1], named, name, spool.place)
        elif found := _NAME.fullmatch(name):
            yield Message(found[1], named, "", spool.place)


def _listed(spool: Spool, directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError as error:
        spool.tell(f"{directory}: {error.strerror}")
        return []

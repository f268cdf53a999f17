"""Makes our report within the test's own process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from mailscope.reports.compat.pflogsumm.options import settings
from mailscope.reports.compat.pflogsumm.reading import summarise
from mailscope.reports.compat.pflogsumm.text import report

# So that days, queue ids and connections go over the ends of chunks, but a chunk has its cost.
CHUNKS = 3


def made(release: str, arguments: Sequence[str], now: str) -> str:
    """The report as Latin-1 text."""
    wanted = settings(arguments, release, datetime.fromisoformat(now))
    return "".join(report(summarise(chunks(wanted.files), wanted)))


def chunks(files: Sequence[str]) -> Iterator[bytes]:
    for name in files:
        text = lines(Path(name).read_bytes())
        step = len(text) // CHUNKS + 1
        for first in range(0, len(text), step):
            yield b"".join(text[first : first + step])


def lines(text: bytes) -> list[bytes]:
    """The lines of a log, each with its end."""
    whole = text.split(b"\n")
    return [line + b"\n" for line in whole[:-1]] + [line for line in whole[-1:] if line]

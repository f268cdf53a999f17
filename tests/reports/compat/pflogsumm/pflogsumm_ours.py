"""Makes our report within the test's own process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from mailscope.reports.compat.pflogsumm.options import settings
from mailscope.reports.compat.pflogsumm.reading import summarise
from mailscope.reports.compat.pflogsumm.text import report

CHUNK_LINES = 700  # so that days, queue ids and connections go over the ends of chunks


def made(release: str, arguments: Sequence[str], now: str, chunk_lines: int = CHUNK_LINES) -> str:
    """The report as Latin-1 text."""
    wanted = settings(arguments, release, datetime.fromisoformat(now))
    return "".join(report(summarise(chunks(wanted.files, chunk_lines), wanted)))


def chunks(files: Sequence[str], lines: int) -> Iterator[bytes]:
    for name in files:
        whole = Path(name).read_bytes().split(b"\n")
        text = [line + b"\n" for line in whole[:-1]] + [line for line in whole[-1:] if line]
        for first in range(0, len(text), lines):
            yield b"".join(text[first : first + lines])

"""The header of a message in qmail's queue: mess holds the message as it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mailscope.queues.content import Content

# A header is not longer than this, or nobody reads it.
MOST_BYTES: Final = 1 << 20


def content(path: Path) -> Content:
    """Read a file of mess."""
    found = Content()
    try:
        with path.open("rb") as file:
            found.take_header(file.read(MOST_BYTES).split(b"\n"))
    except OSError as error:
        found.problems.append(f"{path}: {error.strerror}")
    return found

"""The header of a message in Exim's queue, and how it came in: both stand in its -H file."""

from __future__ import annotations

from pathlib import Path

from mailscope.queues.content import Content
from mailscope.queues.exim.header import MOST_BYTES, parse


def content(path: Path) -> Content:
    """Read a -H file."""
    found = Content()
    try:
        with path.open("rb") as file:
            header = parse(file.read(MOST_BYTES), path.name.encode())
    except OSError as error:
        found.problems.append(f"{path}: {error.strerror}")
        return found
    text = {
        name.decode("ascii", "replace"): value.decode("utf-8", "surrogateescape")
        for name, value in header.options.items()
    }
    found.attributes = {name: value for name, value in text.items() if value}
    found.take_header(b"".join(header.lines).split(b"\n"))
    return found

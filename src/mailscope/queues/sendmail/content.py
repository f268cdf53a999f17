"""The header of a message in Sendmail's queue: it stands in the control file, the body in another."""

from __future__ import annotations

from pathlib import Path

from mailscope.queues.content import Content
from mailscope.queues.sendmail.control import MOST_BYTES, parse


def content(path: Path) -> Content:
    """Read a control file."""
    found = Content()
    try:
        with path.open("rb") as file:
            found.take_header(b"\n".join(parse(file.read(MOST_BYTES)).header).split(b"\n"))
    except OSError as error:
        found.problems.append(f"{path}: {error.strerror}")
    return found

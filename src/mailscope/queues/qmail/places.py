"""Where a queue of qmail keeps what: directories that are split by the message's number, and others.

Source: fmtqfn.c and readsubdir.c of notqmail 1.09; INTERNALS.md, section 2.  A number is the inode of the
message's file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

LOCAL, REMOTE = "local", "remote"
SPLIT: Final = ("mess", "info", LOCAL, REMOTE)
FLAT: Final = ("todo", "intd", "bounce", "pid")
# conf-split as qmail is shipped.
USUAL_SPLIT: Final = 23
MOST_DIGITS: Final = 20
Tell = Callable[[str], None]


def split_of(place: Path) -> int:
    """Into how many directories the numbers are parted (conf-split, compiled into qmail)."""
    try:
        names = [name for name in os.listdir(place / "mess") if is_number(name) and len(name) <= 6]
    except OSError:
        return USUAL_SPLIT
    return max(map(int, names), default=USUAL_SPLIT - 1) + 1


def is_number(name: str) -> bool:
    """Whether a name is a message's number (or a directory's)."""
    return name.isascii() and name.isdecimal() and len(name) <= MOST_DIGITS


def path_of(place: Path, kind: str, number: int, split: int) -> str:
    """The file of a kind that a message has."""
    return f"{place}/{kind}/{number % split}/{number}" if kind in SPLIT else f"{place}/{kind}/{number}"


def numbers(place: Path, kind: str, tell: Tell) -> Iterator[tuple[int, int, str]]:
    """The messages that have a file of a kind: number, directory (-1: flat) and path, as readdir gives them.

    Names that are no numbers are told, as are directories that cannot be read.
    """
    if kind not in SPLIT:
        yield from ((number, -1, path) for number, path in _in(place / kind, tell))
        return
    for part in _parts(place / kind, tell):
        yield from ((number, part, path) for number, path in _in(place / kind / str(part), tell))


def _parts(directory: Path, tell: Tell) -> list[int]:
    found = []
    for name in _names(directory, tell):
        if is_number(name):
            found.append(int(name))
        else:
            tell(f"{directory / name}: its name is no number")
    return sorted(found)


def _in(directory: Path, tell: Tell) -> Iterator[tuple[int, str]]:
    # Big todo: patches split todo and intd, too.
    for name in _names(directory, tell):
        path = os.path.join(directory, name)
        if not is_number(name):
            tell(f"{path}: its name is no number")
        elif directory.name in FLAT and os.path.isdir(path):
            yield from _in_part(path, tell)
        else:
            yield int(name), path


def _in_part(directory: str, tell: Tell) -> Iterator[tuple[int, str]]:
    for name in _names(Path(directory), tell):
        if is_number(name):
            yield int(name), os.path.join(directory, name)


def _names(directory: Path, tell: Tell) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError as error:
        tell(f"{directory}: {error.strerror}")
        return []

"""The script: what is done with each line, in order.

    +pattern  select the line, if it is not       t     stamp lines (first of all only)
    -pattern  deselect it, if it is               sN nN size of files, how many (of directories behind it)
    e         the first 200 bytes to stderr       !cmd  processor of finished files (likewise)
    =file     the first 1000 bytes into a file    ./dir /dir  write it into a directory

Each line is selected at first.  Arguments that begin otherwise mean nothing, as to the original.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mailscope.syslog.multilog.matching import pattern

SIZE, SMALLEST, LARGEST = 99_999, 4096, 16_777_215
NUMBER, FEWEST = 10, 2
# Bytes of a line that are looked at, and those that an "e" shows.
LOOKED_AT: Final = 1000
SHOWN: Final = 200
_WORD: Final = (1 << 64) - 1  # of an unsigned long, in which numbers are read
_DIGITS: Final = re.compile(rb"[0-9]+")


@dataclass(frozen=True)
class Place:
    """A directory that the script names, with what holds for it."""

    name: bytes
    size: int
    number: int
    processor: bytes | None


@dataclass(frozen=True)
class Script:
    """A script, read.

    ``steps``: what a line meets in turn: ``("+", pattern)``, ``("-", pattern)``, ``("e", None)``,
    ``("=", number of the file)``, ``("/", number of the directory)``.
    """

    stamped: bool
    places: tuple[Place, ...]
    files: tuple[bytes, ...]
    steps: tuple[tuple[str, re.Pattern[bytes] | int | None], ...]

    @property
    def plain(self) -> bool:
        """Whether every line goes into every directory, and nowhere else."""
        return all(kind == "/" for kind, _ in self.steps)


def parse(arguments: Sequence[bytes]) -> Script:
    """Read the arguments.  Nothing in them can be wrong: numbers are brought within their bounds."""
    size, number, processor = SIZE, NUMBER, None
    places: list[Place] = []
    files: list[bytes] = []
    steps: list[tuple[str, re.Pattern[bytes] | int | None]] = []
    for argument in arguments:
        kind, rest = argument[:1], argument[1:]
        if kind in (b"+", b"-"):
            steps.append((kind.decode(), pattern(rest)))
        elif kind == b"e":
            steps.append(("e", None))
        elif kind == b"=":
            steps.append(("=", len(files)))
            files.append(rest)
        elif kind == b"s":
            size = min(max(_number(rest, size), SMALLEST), LARGEST)
        elif kind == b"n":
            number = max(_number(rest, number), FEWEST)
        elif kind == b"!":
            processor = rest
        elif kind in (b".", b"/"):
            steps.append(("/", len(places)))
            places.append(Place(argument, size, number, processor))
    stamped = bool(arguments) and arguments[0].startswith(b"t")
    return Script(stamped, tuple(places), tuple(files), tuple(steps))


def _number(text: bytes, otherwise: int) -> int:
    """What scan_ulong finds: the digits in front; it leaves 0 where there are none."""
    found = _DIGITS.match(text)
    return int(found[0]) & _WORD if found else 0


Chooser = Callable[[bytes], Sequence[int]]


def chooser(script: Script, show: Callable[[bytes], None], keep: Callable[[int, bytes], None]) -> Chooser:
    """A function that takes a line through the script and says which directories take it.

    In: the line's first 1000 bytes, stamp and all.  ``show``: writes to standard error; ``keep``: replaces
    what a file of ``script.files`` holds.
    """
    every = tuple(range(len(script.places)))
    if script.plain:
        return lambda line: every
    steps = [(kind, what.fullmatch if isinstance(what, re.Pattern) else what) for kind, what in script.steps]

    def choose(line: bytes) -> Sequence[int]:
        selected = True
        taken = []
        for kind, what in steps:
            if kind == "+":
                if not selected and what(line):  # type: ignore[operator,misc]
                    selected = True
            elif not selected:
                continue
            elif kind == "-":
                selected = not what(line)  # type: ignore[operator,misc]
            elif kind == "/":
                taken.append(what)
            elif kind == "e":
                show(line + b"\n" if len(line) <= SHOWN else line[:SHOWN] + b"...\n")
            else:
                keep(what, line.ljust(LOOKED_AT + 1, b"\n"))  # type: ignore[arg-type]
        return taken  # type: ignore[return-value]

    return choose

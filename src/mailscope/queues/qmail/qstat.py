"""The two lines of qmail-qstat, without qmail.

Source: qmail-qstat.sh of notqmail 1.09: everything below mess, less its directories; everything in todo.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailscope.queues.entry import Spool


def lines(spool: Spool, words: Sequence[str]) -> Iterator[bytes]:
    """The counts."""
    # echo queue/mess/* counts what does not begin with a dot.
    directories = sum(not name.startswith(".") for name in os.listdir(spool.place / "mess"))
    found = sum(_below(spool.place / "mess" / name) for name in os.listdir(spool.place / "mess"))
    yield b"messages in queue: %d" % (found - directories)
    yield b"messages in queue but not yet preprocessed: %d" % (_below(spool.place / "todo") - 1)


def _below(place: Path) -> int:
    """What find prints of a place: itself and all below it."""
    return 1 + sum(len(directories) + len(names) for _, directories, names in os.walk(place))

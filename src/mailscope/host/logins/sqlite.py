"""SQLite files that follow wtmp and lastlog: opened for reading only, told by their first bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, Final
from urllib.parse import quote

from mailscope.intake.rotation import shown
from mailscope.vocabulary.errors import InputError

_BEGINS: Final = b"SQLite format 3\0"


def is_database(path: str) -> bool:
    """Whether a file is one of SQLite; what cannot be read is none."""
    with suppress(OSError), open(path, "rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS
    return False


def select(path: str, query: str, what: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query.

    In: ``what``, as people call such a file.  Raises InputError where the file is none, or is damaged.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as connection:
            # Texts may hold any bytes.
            connection.text_factory = bytes
            yield from connection.execute(query)
    except sqlite3.Error as error:
        raise InputError(f"it is no {what}, or is damaged ({error})", shown(path)) from error

"""Which reader a file of logins needs, by its first bytes."""

from __future__ import annotations

from mailscope.host.logins.records import LoginFile
from mailscope.host.logins.sqlite import is_database
from mailscope.host.logins.wtmpdb import Database


def opened(path: str) -> LoginFile | Database:
    """The file, ready to be read.  Raises InputError where it cannot be, or is of neither kind."""
    return Database(path) if is_database(path) else LoginFile(path)

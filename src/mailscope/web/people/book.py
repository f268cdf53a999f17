"""Where accounts, sessions, tokens and failed logins are kept: an SQLite file beside the store.

It holds no password, session or token, only what proves that one is the right one.  The daemon and
``mailscope people`` use it side by side; a change counts from the next request on.  Instants are whole
seconds since 1970.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final

from mailscope.store.places import PEOPLE, same_owner
from mailscope.vocabulary.errors import InputError

FILE: Final = PEOPLE
MODE: Final = 0o600
VERSION: Final = 1
PATIENCE_S: Final = 10.0
SCHEMA: Final = """
create table accounts (
    name text primary key, role text not null, domains text not null, language text not null,
    zone text not null, password text not null, second_factor text not null, last_step integer not null,
    disabled integer not null, created integer not null
) strict, without rowid;
create table sessions (
    proof text primary key, account text not null references accounts on delete cascade,
    begun integer not null, seen integer not null, address text not null
) strict, without rowid;
create table tokens (
    proof text primary key, account text not null references accounts on delete cascade,
    title text not null, scope text not null, created integer not null, expires integer not null,
    used integer not null
) strict, without rowid;
create table links (
    proof text primary key, account text not null references accounts on delete cascade,
    expires integer not null
) strict, without rowid;
create table failures (at integer not null, account text not null, address text not null) strict;
create index failures_at on failures (at);
create table secrets (name text primary key, value blob not null) strict, without rowid;
"""


class Book:
    """The file, opened; any thread may use it.  Raises InputError where it cannot be used."""

    def __init__(self, directory: Path, now: Callable[[], float] = time.time) -> None:
        self.path = directory / FILE
        self._now = now
        self._lock = threading.RLock()
        try:
            made = not self.path.exists()
            self.path.touch(MODE)
            if made:
                same_owner(self.path, directory)
            self._connection = sqlite3.connect(
                self.path, PATIENCE_S, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("pragma foreign_keys = on")
            self._prepare()
        except OSError as error:
            raise InputError.from_os_error(error, self.path) from error
        except sqlite3.Error as error:
            raise InputError(f"the accounts cannot be read ({error})", str(self.path), REMEDY) from error

    def _prepare(self) -> None:
        with self.change():
            (version,) = self._connection.execute("pragma user_version").fetchone()
            if version > VERSION:
                raise InputError(
                    f"the accounts are of a newer Mailscope (version {version})",
                    str(self.path),
                    "update this one",
                )
            if version < VERSION:
                for statement in SCHEMA.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"pragma user_version = {VERSION}")

    @property
    def now(self) -> int:
        """This instant."""
        return int(self._now())

    @contextmanager
    def change(self) -> Iterator[None]:
        """All changes within count together, or none does."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a statement."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row, if any."""
        found = self.rows(statement, *values)
        return found[0] if found else None

    def run(self, statement: str, *values: Any) -> int:
        """Change something; gives how many rows were changed."""
        with self._lock:
            return self._connection.execute(statement, values).rowcount

    def secret(self, name: str) -> bytes:
        """A secret of this host, made when it is first asked for."""
        with self.change():
            self.run("insert or ignore into secrets values (?, ?)", name, token_urlsafe(32).encode())
            found = self.row("select value from secrets where name = ?", name)
        assert found is not None
        return bytes(found["value"])

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._connection.close()


REMEDY: Final = (
    "run as the store's owner or root; a damaged one can be moved away: accounts are made anew then"
)


def proof(secret: str) -> str:
    """What is kept of a session, token or link: it is random, so that a plain hash cannot be turned back."""
    return sha256(secret.encode()).hexdigest()

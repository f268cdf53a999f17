"""``lastlog``: when each account was last logged in to, from lastlog or from lastlog2's database.

    struct lastlog (bits/utmp.h)   int32 ll_time; char ll_line[32]; char ll_host[256]      292 bytes, at 292 *
    uid Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT)

The file is sparse and says nothing but numbers of accounts: names come from passwd.  Rows are those of
shadow's lastlog.c (4.13).  Seconds are read without sign, so that they last until 2106.  Nothing is ever
changed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailscope.host.accounts import Account, Accounts
from mailscope.host.binary import Binary
from mailscope.host.clock import DAYS, MONTHS, Clock
from mailscope.host.logins.sqlite import is_database, select
from mailscope.host.texts import as_text
from mailscope.vocabulary.errors import InputError, UsageError

RECORD: Final = struct.Struct("<I32s256s")
DAY_S: Final = 86_400
HOST_COLUMNS: Final = 42
HEADING: Final = b"Username         Port     From%*sLatest\n" % (HOST_COLUMNS - 3, b" ")
_QUERY: Final = "SELECT Name, Time, TTY, RemoteHost, Service FROM Lastlog2 ORDER BY Name"


@dataclass(frozen=True, slots=True)
class Last:
    """The last login to an account; ``seconds`` is 0 where there was none.  ``uid``: None in lastlog2."""

    user: bytes
    uid: int | None
    seconds: int
    line: bytes
    host: bytes
    service: bytes = b""


@dataclass(frozen=True)
class Asked:
    """Which accounts: from ``low`` to ``high`` (numbers; None: open), of what age."""

    now: int
    low: int | None = None
    high: int | None = None
    name: bytes | None = None
    before_days: int | None = None
    within_days: int | None = None

    def holds(self, last: Last) -> bool:
        """Whether it is asked for."""
        age = self.now - last.seconds
        recent = self.within_days is None or age <= self.within_days * DAY_S
        return recent and (self.before_days is None or age >= self.before_days * DAY_S)


def lasts(path: str, accounts: Accounts, asked: Asked) -> Iterator[Last]:
    """The rows, in the order of passwd, or by name of lastlog2.  Raises InputError."""
    found = _stored(path, accounts, asked) if is_database(path) else _read(path, accounts, asked)
    return (last for last in found if asked.holds(last))


def chosen(text: str, accounts: Accounts, asked: Asked) -> Asked:
    """What is asked for, with a user: a name, a number, or a range of them (5, 5-9, -9, 5-)."""
    name = text.encode("utf-8", "surrogateescape")
    uid = accounts.uid(name)
    if uid is not None:
        return Asked(asked.now, uid, uid, name, asked.before_days, asked.within_days)
    low, dash, high = text.partition("-")
    numbers = all(part.isascii() and part.isdigit() for part in (low, high) if part)
    if not numbers or not (low or high):
        if dash or not text or text[0].isdigit():
            raise UsageError(
                f"no such user or range: {text}", "--user", "give a name, a number, or 1000-2000"
            )
        # lastlog2 knows names that passwd may have forgotten.
        return Asked(asked.now, None, None, name, asked.before_days, asked.within_days)
    first = int(low) if low else None
    last = int(high) if high else (None if dash else first)
    return Asked(asked.now, first, last, None, asked.before_days, asked.within_days)


def text(found: Iterator[Last], clock: Clock) -> Iterator[bytes]:
    """The rows as ``lastlog`` writes them; the heading only if there are any."""
    heading = HEADING
    for last in found:
        when = b"**Never logged in**" if not last.seconds else _time(last.seconds, clock)
        host = last.host.ljust(HOST_COLUMNS)
        yield heading + b"%-16b %-8b %b%b\n" % (last.user, last.line[:8], host, when)
        heading = b""


NAMES: Final = ("user", "uid", "tty", "host", "service", "time")


def values(found: Iterator[Last], clock: Clock) -> Iterator[dict[str, Any]]:
    """The rows as plain values."""
    for last in found:
        yield {
            "user": as_text(last.user),
            "uid": last.uid,
            "tty": as_text(last.line) or None,
            "host": as_text(last.host) or None,
            "service": as_text(last.service) or None,
            "time": clock.iso_one(last.seconds) if last.seconds else None,
        }


def _read(path: str, accounts: Accounts, asked: Asked) -> Iterator[Last]:
    with Binary(path) as file:
        _refuse_others(file)
        for account in _wanted(accounts, asked):
            data = file.read(account.uid * RECORD.size, RECORD.size)
            # Beyond the end of a sparse file nobody has logged in.
            seconds, line, host = RECORD.unpack(data) if len(data) == RECORD.size else (0, b"", b"")
            yield Last(account.name, account.uid, seconds, line.partition(b"\0")[0], host.partition(b"\0")[0])


def _refuse_others(file: Binary) -> None:
    head = file.read(0, 4096)
    if head and b"\0" not in head and len(head) >= 64:
        raise InputError(
            "it is text and no lastlog", file.name, "name a lastlog file, or lastlog2's database"
        )


def _wanted(accounts: Accounts, asked: Asked) -> Sequence[Account]:
    if asked.low is not None and asked.low == asked.high:
        # Of several names with one number, the one that is found first.
        return [Account(asked.name or accounts.name(asked.low), asked.low)] if accounts.has(asked.low) else []
    if asked.name is not None:
        raise UsageError(
            f"no such user: {as_text(asked.name)}", "--user", "give a name that passwd has, or a number"
        )
    return [
        account
        for account in accounts.all
        if (asked.low is None or account.uid >= asked.low)
        and (asked.high is None or account.uid <= asked.high)
    ]


def _stored(path: str, accounts: Accounts, asked: Asked) -> Iterator[Last]:
    for name, seconds, tty, host, service in select(path, _QUERY, "database of lastlog2"):
        user = name if isinstance(name, bytes) else str(name).encode()
        uid = accounts.uid(user)
        if asked.name is not None:
            mine = user == asked.name
        else:
            low, high = asked.low or 0, asked.high
            mine = (asked.low is None and high is None) or (
                uid is not None and uid >= low and (high is None or uid <= high)
            )
        if mine:
            yield Last(user, uid, int(seconds or 0), tty or b"", host or b"", service or b"")


def _time(seconds: int, clock: Clock) -> bytes:
    when = clock.at(seconds)
    day = f"{DAYS[when.weekday()]} {MONTHS[when.month - 1]} {when.day:2d}"
    return f"{day} {when:%H:%M:%S %z} {when.year}".encode()

"""``ac``: for how long users were logged in, in hours; in all, by user, by day.

The rules are those of GNU acct 6.6.4 (ac.c, al_share.cpp, utmp_rd.c): a login ends with the next logout on
its line, with a shutdown or at midnight, where it begins anew; a boot without a shutdown, a login on a line
that is still in use and a jump of the clock give the time since nobody, unless that is asked for.  Users come
in the order of GNU's hash table.

In: records in the file's order.  Out: days with the seconds of each user; problems as GNU's ``--complain``
tells them, and all of it as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mailscope.host.clock import DAYS, EPOCH, MONTHS, Clock
from mailscope.host.hashtable import Table
from mailscope.host.layouts.utmp import (
    BOOT_TIME,
    DEAD_PROCESS,
    INIT_PROCESS,
    LOGIN_PROCESS,
    NEW_TIME,
    OLD_TIME,
    RUN_LVL,
    USER_PROCESS,
    Record,
)
from mailscope.host.texts import as_text
from mailscope.vocabulary.errors import InputError

NAME_BYTES: Final = 32
MOST_TYPE: Final = 8  # utmp_rd.h's UTMAXTYPE
_DOWN: Final = (ord("0"), ord("6"))
_DASHES: Final = b"-" * 75


@dataclass(frozen=True)
class Asked:
    """What a person asked ``ac`` for; the spans of time in seconds."""

    now: int
    by_day: bool = False
    by_user: bool = False
    all_days: bool = False
    year: bool = False
    zeros: bool = False
    reboots: bool = False
    supplants: bool = False
    time_warps: bool = False
    complain: bool = False
    debug: bool = False
    leniency_s: int = 60
    suspicious_s: int = 31_536_000
    users: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Day:
    """The seconds of each user until a midnight; ``until``: that midnight, None for the last day."""

    until: int | None
    seconds: list[tuple[bytes, int]]


@dataclass
class Counter:
    """Records as they come, and who is logged in where."""

    asked: Asked
    clock: Clock
    said: list[bytes] = field(default_factory=list)  # since it was last asked for
    last: int = 0

    def __post_init__(self) -> None:
        self._users: Table[int] = Table()
        self._lines: Table[tuple[bytes, int]] = Table()
        self._midnight: int | None = None
        self._clock_before: int | None = None
        self._where = (b"", 0)
        self.warps = 0

    def count(self, name: bytes, records: Iterator[Record]) -> Iterator[Day]:
        """Go through the records of a file; each day as it ends."""
        for number, record in enumerate(records, start=1):
            self._where = (name, number)
            yield from self._take(record)

    def finish(self) -> Iterator[Day]:
        """The days until now, or until the last record where that is later."""
        now = max(self.asked.now, self.last)
        if self._midnight is None:
            self._midnight = 0
        yield from self._days(now, update=True, change=True, why=b"midnight logout")
        self._everyone_out(now, update=True, change=False, why=b"catch-up")
        yield self._day(None)

    def _take(self, record: Record) -> Iterator[Day]:
        asked = self.asked
        if asked.debug:
            self.said.append(_DASHES + b"\nCURRENT REC: " + shown(record, self.clock))
        fixed = _fixed(record)
        if asked.debug and fixed is not record:
            self.said.append(b" MUNGED REC: " + shown(fixed, self.clock))
        record, seconds = fixed, fixed.seconds
        if self._midnight is None:
            self._midnight = self._next_midnight(seconds)
        late = seconds + asked.leniency_s < self.last or seconds > self.last + asked.suspicious_s
        if record.type != NEW_TIME and late:
            yield from self._warp(seconds)
        self.last = seconds
        if record.type != NEW_TIME:
            yield from self._days(seconds, update=True, change=True, why=b"midnight logout")
        _TAKERS.get(record.type, Counter._ignore)(self, record)
        if asked.debug:
            for line, (user, since) in self._lines.items():
                when = self._ctime(since)
                self.said.append(b"**\t%-32b %-32b %b\n" % (line, user, when))

    def _warp(self, seconds: int) -> Iterator[Day]:
        self.warps += 1
        self._complain(b"time warp (%b -> %b)", self._ctime(self.last), self._ctime(seconds))
        assert self._midnight is not None
        yield from self._days(
            self._midnight + 1, update=self.asked.time_warps, change=False, why=b"time warp"
        )
        self._midnight = self._next_midnight(seconds)

    def _days(self, until: int, *, update: bool, change: bool, why: bytes) -> Iterator[Day]:
        """Let the days pass that end before an instant."""
        assert self._midnight is not None
        while self._midnight < until:
            self._everyone_out(self._midnight, update=update, change=change, why=why)
            if self.asked.by_day:
                yield self._day(self._midnight)
            each = self.asked.by_day and self.asked.all_days
            self._midnight = self._next_midnight(self._midnight if each else until)

    def _day(self, until: int | None) -> Day:
        day = Day(until, list(self._users.items()))
        self._users.clear()
        return day

    def _everyone_out(self, seconds: int, *, update: bool, change: bool, why: bytes) -> None:
        for line, (user, since) in self._lines.items():
            if update:
                self._charge(user, seconds - since, why)
            if change:
                self._lines.put(line, (user, seconds))
        if not change:
            self._lines.clear()

    def _log_in(self, record: Record) -> None:
        if not record.line:
            self._complain(b"trying to hash rec with ut_line == NULL")
            return
        known = self._lines.get(record.line)
        if known is not None:
            self._complain(b"duplicate record for line `%b'", record.line)
            if self.asked.supplants:
                self._charge(known[0], record.seconds - known[1], b"supplant")
        self._lines.put(record.line, (record.user, record.seconds))

    def _log_out(self, record: Record) -> None:
        if not record.line:
            self._complain(b"trying to hash rec with ut_line == NULL")
            return
        known = self._lines.get(record.line)
        if known is None:
            self._complain(b"missing login record for `%b'", record.line)
            return
        self._charge(known[0], record.seconds - known[1], b"logout")
        self._lines.remove(record.line)

    def _user_process(self, record: Record) -> None:
        (self._log_in if record.user else self._log_out)(record)

    def _dead(self, record: Record) -> None:
        if record.line:
            self._log_out(record)

    def _boot(self, record: Record) -> None:
        if record.user == b"shutdown":
            self._shutdown(record)
        else:
            self._everyone_out(record.seconds, update=self.asked.reboots, change=False, why=b"reboot")

    def _level(self, record: Record) -> None:
        if record.user == b"shutdown" or record.pid & 255 in _DOWN:
            self._shutdown(record)

    def _shutdown(self, record: Record) -> None:
        self._everyone_out(record.seconds, update=True, change=False, why=b"shutdown")

    def _new_time(self, record: Record) -> None:
        if self._clock_before is None:
            self._complain(b"unpaired time record (ignored)")
            return
        shift = record.seconds - self._clock_before
        for line, (user, since) in self._lines.items():
            self._lines.put(line, (user, since + shift))
        self._clock_before = None
        self._midnight = self._next_midnight(record.seconds)

    def _old_time(self, record: Record) -> None:
        self._clock_before = record.seconds

    def _unknown(self, record: Record) -> None:
        if not record.line:
            self._complain(b"empty record")
        else:
            self._user_process(record)

    def _ignore(self, record: Record) -> None:
        pass

    def _charge(self, user: bytes, seconds: int, why: bytes) -> None:
        if seconds < 0:
            file, number = self._where
            raise InputError(
                f"a session of {as_text(user)} would have lasted {seconds} seconds",
                f"{as_text(file)}, record {number}",
                "the clock was set back; give a smaller --tw-leniency",
            )
        if self.asked.debug and (not self.asked.users or user in self.asked.users):
            self.said.append(b"\t\t\t\t\t%32.2f %-32b (%b)\n" % (seconds / 3600.0, user, why))
        self._users.put(user, (self._users.get(user) or 0) + seconds)

    def _complain(self, what: bytes, *parts: bytes) -> None:
        if self.asked.complain or self.asked.debug:
            self.said.append(b"%b:%d: problem: " % self._where + what % parts + b"\n")

    def _ctime(self, seconds: int) -> bytes:
        return ctime(seconds, self.clock)

    def _next_midnight(self, seconds: int) -> int:
        """The first midnight after an instant."""
        day = self.clock.at(seconds).replace(tzinfo=None)
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.clock.zone) + timedelta(days=1)
        return int((midnight.astimezone(UTC) - EPOCH).total_seconds())


_TAKERS: Final[dict[int, Callable[[Counter, Record], None]]] = {
    0: Counter._ignore,
    RUN_LVL: Counter._level,
    BOOT_TIME: Counter._boot,
    NEW_TIME: Counter._new_time,
    OLD_TIME: Counter._old_time,
    INIT_PROCESS: Counter._ignore,
    LOGIN_PROCESS: Counter._ignore,
    USER_PROCESS: Counter._user_process,
    DEAD_PROCESS: Counter._dead,
}


def _fixed(record: Record) -> Record:
    """fix_ut_type_field() of utmp_rd.c: the type that a record should have."""
    kind = record.type
    begin = record.line[:1]
    if begin == b"|":
        return replace(record, type=OLD_TIME)
    if begin == b"{":
        return replace(record, type=NEW_TIME)
    if begin == b"~":
        kind = {b"reboot": BOOT_TIME, b"shutdown": RUN_LVL}.get(record.user, kind)
    if kind == RUN_LVL and record.user == b"reboot":
        kind = BOOT_TIME
    if kind == BOOT_TIME and record.user == b"shutdown":
        kind = RUN_LVL
    if kind == USER_PROCESS and not record.user:
        kind = DEAD_PROCESS
    if not 1 <= kind <= MOST_TYPE and record.line:
        kind = USER_PROCESS if record.user else DEAD_PROCESS
    return record if kind == record.type else replace(record, type=kind)


def text(day: Day, asked: Asked, clock: Clock) -> bytes:
    """A day, or the whole, as ``ac`` writes it."""
    tab = b"\t\t" if asked.year else b"\t"
    out, total = b"", 0
    for user, seconds in day.seconds:
        if asked.users and user not in asked.users:
            continue
        total += seconds
        if asked.by_user and (seconds or asked.zeros):
            out += b"%b%-32b %8.2f\n" % (tab, user, seconds / 3600.0)
    if not asked.by_day:
        return out + b"%btotal %11.2f\n" % (tab, total / 3600.0)
    return (
        out + b"%b\ttotal %11.2f\n" % (label(day, asked, clock), total / 3600.0)
        if total or asked.zeros
        else out
    )


def label(day: Day, asked: Asked, clock: Clock) -> bytes:
    """What a day is called."""
    if day.until is None:
        return b"Today\t" if asked.year else b"Today"
    when = clock.at(day.until - 10)
    year = f" {when.year:4d}" if asked.year else ""
    return f"{MONTHS[when.month - 1]} {when.day:2d}{year}".encode()


NAMES: Final = ("day", "user", "seconds", "hours")


def values(day: Day, asked: Asked, clock: Clock) -> Iterator[dict[str, Any]]:
    """The same as plain values: a row for each user where that was asked for, and one for the total."""
    rows = [(user, seconds) for user, seconds in day.seconds if not asked.users or user in asked.users]
    date = (
        clock.at(asked.now if day.until is None else day.until - 10).date().isoformat()
        if asked.by_day
        else None
    )
    if asked.by_user:
        for user, seconds in rows:
            if seconds or asked.zeros:
                yield _value(date, as_text(user), seconds)
    total = sum(seconds for _user, seconds in rows)
    if total or asked.zeros or not asked.by_day:
        yield _value(date, None, total)


def _value(day: str | None, user: str | None, seconds: int) -> dict[str, Any]:
    return {"day": day, "user": user, "seconds": seconds, "hours": round(seconds / 3600.0, 4)}


def ctime(seconds: int, clock: Clock) -> bytes:
    """``Wed Oct 28 07:58:00 2026``."""
    when = clock.at(seconds)
    day = f"{DAYS[when.weekday()]} {MONTHS[when.month - 1]} {when.day:2d}"
    return f"{day} {when:%H:%M:%S} {when.year}".encode()


def shown(record: Record, clock: Clock) -> bytes:
    """print_utmp_record() of utmp_rd.c."""
    name = b"".join(bytes([byte]) if 32 <= byte < 127 else b"?" for byte in record.id)
    parts = (b"%-32b" % record.user, b"%-32b" % record.line, b"%d" % record.type, b"%-4b" % name)
    rest = (b"%5d" % record.pid, b"%-256b" % record.host, ctime(record.seconds, clock))
    return b"|".join((*parts, *rest)) + b"\n"

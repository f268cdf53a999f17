"""Times as people type them, for --since and --until.

In: the words, the present instant, and the zone they are meant in (``--tz``).  Out: an instant in UTC.
A window is half open: since <= time < until.

    2026-03-29   2026-03-29 14:00   2026-03-29T14:00:05.5Z   2026-03-29 14:00+02:00   20260329140005
    now   today   yesterday   tomorrow   monday   last monday   (a day may be followed by a time: monday 9:30)
    14:00   14:00:05                     today at that time
    2 hours ago   30 min ago   3 days ago   1h 30min ago   -5days   +5min
    @1774792800                          seconds since 1970

What a word means for the two options:

- ``--since`` DAY is the start of that day, ``--until`` DAY its end: the start of the next day, which does
  not belong to the window any more.  So ``--since monday --until monday`` is one whole day.  Anything with a
  time of day is that very instant for both.
- ``monday`` is the latest Monday, today included; ``last monday`` is the one before today.
- Seconds, minutes and hours are counted as elapsed time; days, weeks, months and years by the calendar, at
  the same time of day.  On the day the clocks change, ``1 day ago`` is therefore 23 or 25 hours back.
- When the clocks are set back, a time of day happens twice: ``--since`` takes the first, ``--until`` the
  second, so that the window holds both.  A time that the clocks jump over is moved by the jump (02:30
  becomes 03:30).

The spellings follow ``date -d``, ``journalctl --since`` and util-linux ``last`` (lib/timeutils.c).  Month or
day first (``3/4``) is refused: half of the world reads it the other way.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from mailscope.vocabulary.errors import UsageError

ALLOWED: Final = (
    "2026-03-29, '2026-03-29 14:00', 14:00, now, today, yesterday, tomorrow, monday, 'yesterday 14:00', "
    "'2 hours ago', '3 days ago', -5days, +5min or @1774792800"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What was typed: an instant on the wall clock or in UTC, and whether it named a whole day."""

    at: datetime  # aware
    whole_day: bool = False


def parse_when(text: str, now: datetime, tz: tzinfo) -> datetime:
    """Give the instant that the words mean, in UTC; of a whole day, its start.

    In: ``now`` aware, in any zone; ``tz`` the zone of words that name none.
    Errors: UsageError that lists what is allowed, when the words mean no time.
    """
    return _utc(_read(text, now, tz), text)


def parse_since(text: str, now: datetime, tz: tzinfo) -> datetime:
    """Give the first instant of the window: the start of a day, or the instant itself.  As parse_when."""
    return parse_when(text, now, tz)


def parse_until(text: str, now: datetime, tz: tzinfo) -> datetime:
    """Give the first instant after the window: the start of the next day, or the instant itself."""
    moment = _read(text, now, tz)
    if not moment.whole_day:
        # The second of two equal wall-clock times; without effect on any other instant.
        return _utc(Moment(moment.at.replace(fold=1) if _is_repeated(moment.at) else moment.at), text)
    try:
        following = moment.at.date() + timedelta(days=1)
    except OverflowError:
        raise _wrong(text, "the year is out of range") from None
    return _utc(Moment(datetime.combine(following, time(), moment.at.tzinfo)), text)


def _read(text: str, now: datetime, tz: tzinfo) -> Moment:
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    words = " ".join(text.lower().split())
    try:
        for reader in (_read_day, _read_calendar, _read_compact, _read_epoch, _read_relative):
            moment = reader(words, now.astimezone(tz), tz)
            if moment is not None:
                return moment
    except OverflowError:
        raise _wrong(text, "the year is out of range") from None
    except ValueError as error:  # the 30th of February, 25 o'clock
        raise _wrong(text, str(error)) from None
    raise _wrong(text)


_CLOCK: Final = r"(?P<h>[0-9]{1,2}):(?P<m>[0-9]{2})(?::(?P<s>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
_CLOCK_RE: Final = re.compile(_CLOCK)
_ZONE: Final = r"(?P<zone>z|utc|[+-][0-9]{2}:?[0-9]{2})"
_CALENDAR_RE: Final = re.compile(rf"(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[t ]{_CLOCK} ?{_ZONE}?)?")
_COMPACT_RE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")
_EPOCH_RE: Final = re.compile(r"@(-?[0-9]{1,12})(?:\.([0-9]{1,9}))?")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PART_RE: Final = re.compile(r"([0-9]{1,9}) ?([a-z]+)")
_RELATIVE_RE: Final = re.compile(
    r"(?P<sign>[+-])? ?(?P<span>[0-9]{1,9} ?[a-z]+(?: ?[0-9]{1,9} ?[a-z]+)*?)(?P<ago> ago)?"
)
_UNITS: Final = {  # a plural s is taken off before the look-up
    **dict.fromkeys(("s", "sec", "second"), ("seconds", 1)),
    **dict.fromkeys(("m", "min", "minute"), ("seconds", 60)),
    **dict.fromkeys(("h", "hr", "hour"), ("seconds", 3600)),
    **dict.fromkeys(("d", "day"), ("days", 1)),
    **dict.fromkeys(("w", "week"), ("days", 7)),
    **dict.fromkeys(("month",), ("months", 1)),
    **dict.fromkeys(("y", "year"), ("months", 12)),
}
_DAYS: Final = {"today": 0, "yesterday": -1, "tomorrow": 1}


def _clock(match: re.Match[str]) -> time:
    micros = int((match["f"] or "0")[:6].ljust(6, "0"))
    return time(int(match["h"]), int(match["m"]), int(match["s"] or 0), micros)


def _read_day(words: str, now: datetime, tz: tzinfo) -> Moment | None:
    """``now``, a word for a day, and a time of day with or without such a word before it."""
    if words == "now":
        return Moment(now.astimezone(UTC))
    clock = _CLOCK_RE.search(words)
    if clock is not None and clock.end() != len(words):
        return None
    name = words[: clock.start()].rstrip() if clock else words
    day = now.date() if clock and not name else _day_named(name, now.date())
    if day is None:
        return None
    if clock is None:
        return Moment(datetime.combine(day, time(), tz), whole_day=True)
    return Moment(datetime.combine(day, _clock(clock), tz))


def _day_named(name: str, today: date) -> date | None:
    if name in _DAYS:
        return today + timedelta(days=_DAYS[name])
    weekday, last = name.removeprefix("last "), name.startswith("last ")
    for number, full_name in enumerate(_WEEKDAYS):
        if weekday in (full_name, full_name[:3]):
            back = (today.weekday() - number) % 7
            return today - timedelta(days=7 if last and back == 0 else back)
    return None


def _read_calendar(words: str, now: datetime, tz: tzinfo) -> Moment | None:
    """ISO 8601 / RFC 3339: a date, or a date and a time with or without a zone."""
    match = _CALENDAR_RE.fullmatch(words)
    if match is None:
        return None
    day = date.fromisoformat(match["date"])
    if match["h"] is None:
        return Moment(datetime.combine(day, time(), tz), whole_day=True)
    zone = tz if match["zone"] is None else _zone(match["zone"])
    return Moment(datetime.combine(day, _clock(match), zone))


def _zone(name: str) -> tzinfo:
    if name in ("z", "utc"):
        return UTC
    zone = datetime.strptime(name, "%z").tzinfo
    if zone is None:
        raise ValueError(f"no such zone: {name}")
    return zone


def _read_compact(words: str, now: datetime, tz: tzinfo) -> Moment | None:
    """YYYYMMDDhhmmss, as ``last --since`` takes it."""
    match = _COMPACT_RE.fullmatch(words)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    return Moment(datetime(year, month, day, hour, minute, second, tzinfo=tz))


def _read_epoch(words: str, now: datetime, tz: tzinfo) -> Moment | None:
    match = _EPOCH_RE.fullmatch(words)
    if match is None:
        return None
    micros = int((match[2] or "0")[:6].ljust(6, "0"))
    sign = -1 if match[1].startswith("-") else 1
    span = timedelta(seconds=int(match[1]), microseconds=sign * micros)
    return Moment(datetime(1970, 1, 1, tzinfo=UTC) + span)


def _read_relative(words: str, now: datetime, tz: tzinfo) -> Moment | None:
    """A span from now: with a sign in front, or with ``ago`` behind."""
    match = _RELATIVE_RE.fullmatch(words)
    if match is None or (match["sign"] is None) == (match["ago"] is None):
        return None
    sign = 1 if match["sign"] == "+" else -1
    months, days, seconds = 0, 0, 0
    for number, unit in _PART_RE.findall(match["span"]):
        kind, size = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s")) or ("", 0)
        if not kind:
            raise ValueError(f"no such unit of time: {unit}")
        months += int(number) * size if kind == "months" else 0
        days += int(number) * size if kind == "days" else 0
        seconds += int(number) * size if kind == "seconds" else 0
    elapsed = timedelta(seconds=sign * seconds)
    if not months and not days:
        return Moment(now.astimezone(UTC) + elapsed)
    shifted = datetime.combine(_months_from(now.date(), sign * months), now.time(), tz)
    shifted += timedelta(days=sign * days)
    return Moment(shifted.astimezone(UTC) + elapsed if elapsed else shifted)


def _months_from(day: date, months: int) -> date:
    """The same day of another month, or that month's last one: a month before 31 March is 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _is_repeated(at: datetime) -> bool:
    """Whether the clocks show this time of day twice (and not: jump over it)."""
    first, second = at.replace(fold=0).utcoffset(), at.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


def _utc(moment: Moment, text: str) -> datetime:
    try:
        return moment.at.astimezone(UTC)
    except OverflowError:
        raise _wrong(text, "the year is out of range") from None


def _wrong(text: str, reason: str = "") -> UsageError:
    what = f"no such time: {text!r}" + (f" ({reason})" if reason else "")
    return UsageError(what, what_to_do=f"say for example {ALLOWED}")

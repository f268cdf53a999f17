"""The tallies that a store keeps of each hour: of all it holds, of a span, or of a day, week or month.

No line is read for them.  A message counts for the hour in which it arrived, whenever its fate was known: one
that arrived at five to midnight has the fate that it met after midnight, where files would show it as open on
the one day and as *before the log* on the next.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.instants import naive_now

if TYPE_CHECKING:
    from mailscope.cli.counting import Part
    from mailscope.cli.inputs import Inputs
    from mailscope.store.asking import Door
    from mailscope.tallies.ledger import Ledger
    from mailscope.vocabulary.calendar import Calendar, Span

# Before any log: what has no instant is kept under hour 0.
ANY: Final = datetime(1970, 1, 2)
# Tallies are kept for three years, unless the settings say otherwise.
WEEKS: Final = 160


def kept(inputs: Inputs, part: Part | None, domains: Collection[str]) -> Ledger | None:
    """What is asked for, where it is the sum of hours that the store keeps; None where lines must be counted.

    A unit that has no line gives a ledger of nothing.
    """
    door = inputs.door
    if door is None or domains or inputs.hosts or not _same_zone(inputs.zone):
        return None
    from mailscope.store.refusals import DamagedError

    try:
        return _summed(door, inputs, part)
    except DamagedError:
        # It was said when the store was opened; the lines of sealed files are there.
        return None


def _summed(door: Door, inputs: Inputs, part: Part | None) -> Ledger | None:
    if part is None:
        since, until = inputs.since_utc, inputs.until_utc
        if not all(edge is None or _whole(edge) for edge in (since, until)):
            return None
        return _asked(door, since, until, inputs.zone)
    calendar, wanted = part
    wanted = wanted or _last_whole(door, calendar)
    if wanted is None or not (_whole(wanted.start) and _whole(wanted.end)):
        return None
    ledger = _asked(door, wanted.start, wanted.end, calendar.zone)
    # Of files, too, the history is all that is there.
    ledger.history = _asked(door, ANY, None, calendar.zone, by_time=True).by_time()
    ledger.reported = wanted
    return ledger


def _last_whole(door: Door, calendar: Calendar) -> Span | None:
    """The last unit that is over, or else the last one; None where there is nothing at all."""
    from mailscope.periods import ended

    told = door.status()["last"]
    if told is None:
        return None
    last = datetime.fromisoformat(told)
    newest = calendar.of(last)
    if ended(newest, last, naive_now()):
        return newest
    before = _asked(door, ANY, newest.start, calendar.zone, by_time=True).last
    return calendar.of(before) if isinstance(before, datetime) else newest


def _asked(
    door: Door, since: datetime | None, until: datetime | None, zone: ZoneInfo, *, by_time: bool = False
) -> Ledger:
    from mailscope.tallies.kept import from_bytes

    return from_bytes(door.tallies(since, until, by_time=by_time), zone)


def _whole(edge: datetime) -> bool:
    """Whether it is a whole hour of UTC, as most zones' midnights are."""
    return edge == edge.replace(minute=0, second=0, microsecond=0)


def _same_zone(zone: ZoneInfo) -> bool:
    """Whether the days of a zone are those that the daemon's tallies tell apart."""
    from mailscope.cli.inputs import zone as named
    from mailscope.cli.stores import settings

    try:
        theirs = named(settings().time_zone or None)
    except MailscopeError:
        # Whose settings may not be read is told the truth from the lines.
        return False
    now = datetime.now(UTC)
    weeks = (now - timedelta(weeks=number) for number in range(WEEKS))
    # A zone has several names.
    return all(each.astimezone(zone).utcoffset() == each.astimezone(theirs).utcoffset() for each in weeks)

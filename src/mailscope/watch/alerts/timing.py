"""When something may be told: after a wait, not in quiet hours, with the digest.  Instants are naive UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailscope.vocabulary.instants import naive
from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.deciding import reaches
from mailscope.watch.finding import Severity


def due(
    route: Route, severity: Severity, now: datetime, zone: ZoneInfo, *, gathered: bool, first: bool
) -> datetime:
    """The first instant at which news of a severity may be told on a route.

    ``first``: it is the first that is heard of it there, for which some routes wait.
    """
    if gathered:
        return next_digest(route, now, zone)
    at = now + timedelta(seconds=route.after_s if first else 0)
    quiet = route.quiet_from and (severity == route.quiet_up_to or not reaches(severity, route.quiet_up_to))
    return end_of_quiet(route, at, zone) if quiet else at


def end_of_quiet(route: Route, now: datetime, zone: ZoneInfo) -> datetime:
    """The end of the quiet hours that an instant is in; the instant itself where it is in none."""
    begin, end = time.fromisoformat(route.quiet_from), time.fromisoformat(route.quiet_until)
    local = _local(now, zone)
    clock = local.time()
    over_midnight = end <= begin
    within = clock >= begin or clock < end if over_midnight else begin <= clock < end
    if not within:
        return now
    day = local.date() + timedelta(days=1 if over_midnight and clock >= begin else 0)
    return _utc(datetime.combine(day, end), zone)


def next_digest(route: Route, now: datetime, zone: ZoneInfo) -> datetime:
    """When what is gathered now is told."""
    local = _local(now, zone)
    midnight = datetime.combine(local.date(), time())
    if route.digest_every_h:
        hours = range(route.digest_every_h, 24, route.digest_every_h)
        clocks = [midnight + timedelta(hours=hour) for hour in (0, *hours)]
    else:
        clocks = [datetime.combine(local.date(), time.fromisoformat(route.digest_at))]
    both = [clock + timedelta(days=day) for day in (0, 1) for clock in clocks]
    return next(instant for clock in both if (instant := _utc(clock, zone)) > now)


def _local(now: datetime, zone: ZoneInfo) -> datetime:
    return now.replace(tzinfo=UTC).astimezone(zone)


def _utc(clock: datetime, zone: ZoneInfo) -> datetime:
    return naive(clock.replace(tzinfo=zone))

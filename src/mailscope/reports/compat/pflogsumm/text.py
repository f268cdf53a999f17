"""The report, section after section, as each release writes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mailscope.reports.compat.pflogsumm import details, numbers, tables
from mailscope.reports.compat.pflogsumm.connections import Connections
from mailscope.reports.compat.pflogsumm.picked import (
    BOUNCED,
    DEFERRED,
    DISCARDED,
    EXPIRED,
    FATAL,
    HELD,
    MASTER,
    PANICS,
    REJECTED,
    SCREENED,
    SMTP,
    SMTP_OLDER,
    TLS_ERRORS,
    TLS_LEVELS,
    WARNED,
    WARNINGS,
)  # fmt: skip
from mailscope.reports.compat.pflogsumm.stamps import MONTHS, Day
from mailscope.reports.compat.pflogsumm.summary import Summary

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def report(summary: Summary) -> Iterator[str]:
    """The whole report but for the mail queue, in pieces."""
    settings = summary.settings
    current = settings.current
    yield from _title(summary)
    yield from _totals(summary)
    yield "\n"
    first = settings.has("problems-first")
    if first:
        yield from _problems(summary)
    hours, hosts = "per-hour" not in settings.suppressed, "host/domain" not in settings.suppressed
    if hours:
        if len(summary.runs) > 1:
            yield from tables.by_day(summary)
        yield from tables.by_hour(summary)
    if hosts:
        yield from tables.recipient_hosts(summary)
        yield from tables.sender_hosts(summary)
    if summary.smtpd is not None:
        if hours:
            if len(summary.runs) > 1:
                yield from tables.connections_by_day(summary, summary.smtpd)
            yield from tables.connections_by_hour(summary, summary.smtpd)
        if hosts:
            yield from tables.connections_by_host(summary, summary.smtpd)
    if current and settings.has("ssl-tls-stats"):
        yield from details.section(summary, TLS_LEVELS, settings.limit("host-cnt"))
    for measure, words in (("number", "count"), ("size", "size")):
        if measure == "size" and "size-detail" in settings.suppressed:
            continue
        yield from tables.users(summary, summary.senders, f"Senders by message {words}", measure)
        yield from tables.users(summary, summary.recipients, f"Recipients by message {words}", measure)
    yield from details.unsized(summary)
    if not first:
        yield from _problems(summary)
    if settings.has("extended-detail"):
        yield from details.messages(summary)


def _title(summary: Summary) -> Iterator[str]:
    settings = summary.settings
    if not settings.current:
        if settings.days is not None:
            day = settings.days[0]
            yield f"Postfix log summaries for {MONTHS[day.month - 1]} {day.day:2d}\n"
        return
    yield "Postfix Log Summaries"
    if summary.first is not None and summary.last is not None:
        yield f" for {_named(summary.first)}"
        if summary.first != summary.last:
            yield f" through {_named(summary.last)}"
    yield "\n"
    if settings.deprecated:
        yield "\n" + "".join(f"{line}\n" for line in settings.deprecated)


def _named(day: Day) -> str:
    try:
        weekday = _WEEKDAYS[date(day.year, day.month + 1, day.day).weekday()]
    except ValueError:  # a stamp that names no day of the calendar
        return f"{day.year}-{day.month + 1:02d}-{day.day:02d}"
    return f"{weekday}, {MONTHS[day.month]} {day.day} {day.year}"


def _totals(summary: Summary) -> Iterator[str]:
    found, current = summary.numbers, summary.settings.current
    decided = (found["delivered"], found[REJECTED], found[DISCARDED])
    deferrals = f"  ({numbers.count(found['deferred'], 0)} deferrals)" if found["deferred"] else ""
    yield tables.heading("Grand Totals") + "messages\n\n"
    yield _total(found["received"], "received")
    yield _total(found["delivered"], "delivered")
    yield _total(found["forwarded"], "forwarded")
    yield _total(found["messages deferred"], f"deferred{deferrals}")
    yield _total(found["bounced"], "bounced")
    if current:
        yield _total(found["cancelled"], "removed (canceled)")
        yield _total(found["expired"], "expired")
    yield _total(found[REJECTED], f"rejected ({numbers.percent(found[REJECTED], decided)}%)")
    yield _total(found[WARNED], "reject warnings")
    yield _total(found[HELD], "held")
    yield _total(found[DISCARDED], f"discarded ({numbers.percent(found[DISCARDED], decided)}%)")
    yield "\n"
    yield _total(found["bytes received"], "bytes received")
    yield _total(found["bytes delivered"], "bytes delivered")
    yield _total(len(summary.senders), "senders")
    yield _total(len(summary.sender_hosts), "sending hosts/domains")
    yield _total(len(summary.recipients), "recipients")
    yield _total(
        sum(1 for host in summary.recipient_hosts.values() if host.number), "recipient hosts/domains"
    )
    if summary.smtpd is not None:
        yield from _connections("smtpd", "hosts/domains", summary.smtpd)
    if summary.screened is not None and summary.settings.has("pscrn-stats"):
        yield from _connections("postscreen", "IP addresses", summary.screened)


def _total(value: int, what: str) -> str:
    return f" {numbers.count(value)}  {what}\n"


def _connections(name: str, hosts: str, connections: Connections) -> Iterator[str]:
    number, total, _ = connections.all
    yield f"\n{name}\n\n"
    yield f"  {numbers.count(number)}  connections\n"
    yield f"  {numbers.count(len(connections.hosts))}  {hosts}\n"
    yield f"  {numbers.mean(total, number):6d}   avg. connect time (seconds)\n"
    yield f" {numbers.clock(total)}  total connect time\n"


def _problems(summary: Summary) -> Iterator[str]:
    settings = summary.settings
    current = settings.current
    limited = [(DEFERRED, "deferral-detail"), (BOUNCED, "bounce-detail")]
    if current:
        limited.append((EXPIRED, "expired-detail"))
    limited += [(title, "reject-detail") for title in (REJECTED, WARNED, HELD, DISCARDED)]
    if not current:
        limited.append((SMTP_OLDER, "smtp-detail"))
    for title, option in limited:
        if settings.limit(option) != 0:
            yield from details.section(summary, title, settings.limit(option))
    if current:
        if settings.has("ssl-tls-stats"):
            yield from details.section(summary, TLS_ERRORS, settings.limit("host-cnt"))
        yield from details.section(summary, SMTP, 0)
    if settings.limit("warning-detail") != 0:
        yield from details.section(summary, WARNINGS, settings.limit("warning-detail"))
    if current and settings.limit("pscrn-detail") != 0:
        yield from details.section(summary, SCREENED, settings.limit("pscrn-detail"))
    for title in (FATAL, PANICS, MASTER):
        yield from details.section(summary, title, 0)

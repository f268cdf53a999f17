"""Causes that need a person: our address is refused, mail runs in circles, recipients that are not there.

What each means and what to do about it is told by the catalogue of causes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.causes.catalogue import INCOMING, OUTGOING, Direction, get
from mailscope.language.choice import ENGLISH, LANGUAGES
from mailscope.language.phrase import Phrase, Told
from mailscope.reports.problems.problem import Problem, Severity
from mailscope.reports.problems.view import View

RELAY: Final = re.compile(r"relay=([^\[, ]+)\[|host ([^\[ ]+)\[")


@dataclass(frozen=True)
class Watched:
    """A cause, how bad it is, and from how many attempts or refusals a day on."""

    cause: str
    severity: Severity
    a_day: int = 1


# Our address is refused: one line is enough, as it is refused to everybody there.
OUTGOING_CAUSES: Final = (
    Watched("local_disk", "critical"),
    Watched("ip_blocklisted", "serious"),
    Watched("ip_blocked", "serious"),
    Watched("dynamic_ip", "serious"),
    Watched("loop", "serious"),
    # These depend on the message, or pass by themselves: a few of them are everyday life.
    Watched("poor_reputation", "serious", 5),
    Watched("no_reverse_dns", "serious", 5),
    Watched("filter_unavailable", "serious", 5),
    Watched("local_resources", "serious", 5),
    Watched("network_unreachable", "serious", 20),
    Watched("spf_failed", "serious", 10),
    Watched("dkim_failed", "serious", 10),
    Watched("dmarc_failed", "serious", 10),
    Watched("auth_failed", "serious", 5),
    Watched("rate_limited", "notice", 100),
    Watched("too_many_connections", "notice", 100),
    Watched("mailbox_full", "notice", 50),
    Watched("unknown_recipient", "notice", 200),
)
# What we refuse for these is mail for domains of our own.
INCOMING_CAUSES: Final = (
    Watched("filter_unavailable", "serious", 5),
    Watched("local_resources", "serious", 5),
    Watched("mailbox_full", "notice", 50),
    Watched("unknown_recipient", "notice", 1_000),
)


def outgoing(view: View) -> Iterator[Problem]:
    """Causes of deliveries that failed."""
    yield from _each(view, OUTGOING_CAUSES, "causes", "attempts", OUTGOING)


def incoming(view: View) -> Iterator[Problem]:
    """Causes of refusals by us."""
    yield from _each(view, INCOMING_CAUSES, "reject_causes", "rejects", INCOMING)


def _each(
    view: View, watched: tuple[Watched, ...], section: str, number: str, direction: Direction
) -> Iterator[Problem]:
    for each in watched:
        rows = view.rows(section).filter(pl.col("cause") == each.cause)
        if not len(rows) or rows[number].sum() < each.a_day * view.days:
            continue
        title = _told(each.cause, direction, "title")
        where = ", ".join(_named(view.samples(section, number, rows))) if direction == OUTGOING else ""
        told = (
            Phrase("attempts failed: {cause} ({hosts})", cause=title, hosts=where)
            if where
            else Phrase("attempts failed: {cause}", cause=title)
            if direction == OUTGOING
            else Phrase("refusals: {cause}", cause=title)
        )
        meaning, advice = _told(each.cause, direction, "meaning"), _told(each.cause, direction, "advice")
        yield view.problem(
            each.severity, each.cause, told, meaning, advice, section=section, number=number, rows=rows
        )


def _told(cause: str, direction: Direction, part: str) -> Told:
    """A text of the catalogue, which has its own translations."""
    told = {language: getattr(get(cause).text(language, direction), part) for language in LANGUAGES}
    return Told(told[ENGLISH], told)


def _named(samples: list[str]) -> list[str]:
    """The hosts that the lines name."""
    found = (RELAY.search(line) for line in samples)
    return list(dict.fromkeys(match[1] or match[2] for match in found if match))

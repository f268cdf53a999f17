"""All checks: the one place where one is entered; and how one is measured in a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailscope.vocabulary.errors import MailscopeError
from mailscope.watch.checks.bounces import BOUNCES
from mailscope.watch.checks.check import STALE_S, Check, Facts, Question, ago
from mailscope.watch.checks.coverage import COVERAGE
from mailscope.watch.checks.daemon import DAEMON
from mailscope.watch.checks.delays import DELAYS
from mailscope.watch.checks.deliveries import DELIVERIES
from mailscope.watch.checks.findings import DNSBL, OPEN_FINDINGS
from mailscope.watch.checks.logins import LOGINS
from mailscope.watch.checks.plugin import Measured
from mailscope.watch.checks.queue import QUEUE

CHECKS: Final[Mapping[str, Check]] = {
    each.name: each
    for each in (QUEUE, DELIVERIES, BOUNCES, LOGINS, DELAYS, DNSBL, DAEMON, COVERAGE, OPEN_FINDINGS)
}


def measured(check: Check, facts: Facts, asked: Question) -> Measured:
    """What a check finds.  Raises MailscopeError where the store tells nothing of now."""
    if check.of_lines:
        from mailscope.vocabulary.tables import EVENTS

        newest = facts.looking.span(EVENTS)[1]
        since_s = None if newest is None else (facts.now - newest).total_seconds()
        if since_s is None or since_s > max(STALE_S, getattr(asked, "window_s", 0.0)):
            told = "no line" if since_s is None else f"no line since {ago(since_s)}"
            raise MailscopeError(f"the store has {told}", "", "see 'mailscope check daemon'")
    return check.measure(facts, asked)

"""What needs a person today, in order: one small rule per file, each over sections of the report.

In: the tallies, as the report's sections show them.  Out: problems with their evidence: how many, some of the
lines, and the command that lists them all.  To add one, write a file with a ``find`` and name it in
``RULES``; within a severity, problems stand in the order of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from mailscope.reports.problems import (
    accounts,
    attacks,
    balance,
    blocked,
    changed,
    configuration,
    destinations,
    double_bounces,
    expired,
    failures,
    lost_lines,
    queue,
    refusals,
    saturated,
    tls,
    unknown_lines,
    warnings,
)
from mailscope.reports.problems.problem import ORDER, Problem
from mailscope.reports.problems.view import View

RULES: Final[tuple[Callable[[View], Iterator[Problem]], ...]] = (
    balance.find,
    failures.panics,
    failures.disk,
    configuration.find,
    failures.fatal,
    lost_lines.find,
    accounts.find,
    destinations.domains,
    destinations.relays,
    blocked.outgoing,
    blocked.incoming,
    failures.filters,
    failures.names,
    queue.find,
    double_bounces.find,
    expired.find,
    changed.find,
    attacks.by_client,
    attacks.on_account,
    tls.find,
    refusals.find,
    saturated.find,
    unknown_lines.find,
    warnings.find,
)


def problems(view: View) -> list[Problem]:
    """All problems, the most pressing first."""
    found = [problem for rule in RULES for problem in rule(view)]
    return sorted(found, key=lambda problem: ORDER.index(problem.severity))

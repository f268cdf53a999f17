"""What detections of guessed passwords have in common.

Rows are those of ``logins.attempts``: failed logins, what was said of them, and logins that brought a user to
a network for the first time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.watch.finding import Line, Severity
from mailscope.watch.places import Places
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, Measure, told

TRIED: Final = ~pl.col("entered")
FAILURES: Final = Measure("failures", where=TRIED & ~pl.col("verdict"))
VERDICTS: Final = Measure("verdicts", where=TRIED & pl.col("verdict"))
# Keys that are told of in one batch, those with most; and signals of one batch that have lines.
MOST_TOLD: Final = 20
MOST_SHOWN: Final = 20
# Failures that are told of as a warning whatever was tried.
LOUD: Final = 2_000
# Days of history after which an account that never logged in counts as one that is not used.
ENOUGH_DAYS: Final = 3.0
MOST_NAMED: Final = 5


@dataclass
class Evidence:
    """The lines of the first signals of a batch; looking for those of thousands would take too long."""

    seen: Seen
    left: int = MOST_SHOWN

    def of(self, rows: pl.DataFrame, *which: pl.Expr) -> tuple[Line, ...]:
        """The lines of the rows that fit: failures before verdicts."""
        self.left -= 1
        if self.left < 0:
            return ()
        rows = rows.filter(*which)
        if not len(rows):
            return ()
        return self.seen.evidence(rows.filter(~pl.col("verdict")) if not rows["verdict"].all() else rows)


def telling(found: pl.DataFrame, keys: Sequence[str], by: str, quiet_s: int) -> pl.DataFrame:
    """Of what reached its limits, that which tells of it (``window.told``), and the first row after each
    login among the failures; with ``tries``, failures or verdicts, whichever are more (they are the same
    logins).
    """
    if not len(found):
        return found
    found = found.with_columns(pl.max_horizontal("failures", "verdicts").alias("tries"))
    picked = told(found, keys, by, quiet_s)
    entered = found.filter(pl.col("entered") > 0).unique(
        [*keys, "entered"], keep="first", maintain_order=True
    )
    picked = pl.concat([picked, entered]).unique(maintain_order=True).sort(LAST, maintain_order=True)
    if len(picked) <= MOST_TOLD:
        return picked
    most = picked.group_by(keys).agg(pl.col(by).max()).sort([by, *keys], descending=True).head(MOST_TOLD)
    return picked.join(most.select(keys), on=keys, how="semi", maintain_order="left")


def unused(users: Sequence[str], places: Places, at: datetime) -> Phrase | None:
    """That none of these accounts is one that is used; None where one is, or too little is known."""
    if places.days(at) < ENOUGH_DAYS or not users or any(places.knows(user, at) for user in users):
        return None
    return Phrase(
        "nobody has logged in to what was tried within the {days} days that are known",
        days=int(places.days(at)),
    )


def entered(users: Iterable[str]) -> Phrase:
    """That a login succeeded where others had failed."""
    return Phrase("a login succeeded after the failures: {users}", users=named(sorted(set(users))))


def severity(count: int, no_account: Phrase | None, got_in: object) -> Severity:
    """Critical where somebody got in; little where no account that was tried is used."""
    if got_in:
        return "critical"
    return "info" if no_account is not None and count < LOUD else "warning"


def named(users: Sequence[str]) -> str:
    """Some users in words."""
    more = len(users) - MOST_NAMED
    return ", ".join(users[:MOST_NAMED]) + (f" (+{more})" if more > 0 else "")


def reasons(*each: Phrase | None) -> tuple[Phrase, ...]:
    """Those that hold."""
    return tuple(reason for reason in each if reason is not None)


def minutes(seconds: float) -> float:
    """Seconds in minutes, as they are told."""
    told_minutes = round(seconds / 60, 1)
    return int(told_minutes) if told_minutes == int(told_minutes) else told_minutes

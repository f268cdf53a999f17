"""What rules look at: the sections' rows, and the lines behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports import row_numbers
from mailscope.reports.comparison.days import compared
from mailscope.reports.problems.problem import Problem, Severity
from mailscope.reports.section import Section
from mailscope.reports.sections import BY_NAME
from mailscope.tallies.ledger import Ledger

PLACE: Final = "row"
# So many rows are named one by one in a command.
MOST_ROWS: Final = 40


@dataclass
class View:
    """The tallies of a report; ``again``: the options and files that ask for the same once more."""

    ledger: Ledger
    zone: ZoneInfo
    again: str | None = None
    # The rows of sections as they are, and with their numbers.
    sections: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    _rows: dict[str, pl.DataFrame] = field(default_factory=dict)

    def rows(self, section: str) -> pl.DataFrame:
        """All rows of a section, with their number in ``row``."""
        if section not in self._rows:
            found = self.sections.get(section)
            if found is None:
                found = BY_NAME[section].rows(self.ledger, str(self.zone))
            self._rows[section] = found.with_row_index(PLACE, offset=1)
        return self._rows[section]

    @property
    def days(self) -> float:
        """How many days the lines span, at least one: thresholds are for a day."""
        first, last = self.ledger.first, self.ledger.last
        if not isinstance(first, datetime) or not isinstance(last, datetime):
            return 1.0
        return max(1.0, (last - first) / timedelta(days=1))

    @property
    def compared(self) -> str:
        """The name of the day (week, month) that is compared with those before."""
        days = compared(self.ledger, self.zone)
        return days.span.name if days is not None else ""

    def total(self, section: str, number: str) -> int:
        """The sum of a number over all rows."""
        return int(self.rows(section)[number].sum())

    def matching(self, section: str, label: str, pattern: str) -> pl.DataFrame:
        """The rows whose label contains a pattern, whatever the case."""
        return self.rows(section).filter(pl.col(label).str.contains(f"(?i){pattern}").fill_null(False))

    def problem(
        self,
        severity: Severity,
        kind: str,
        title: Phrase,
        meaning: Phrase,
        advice: Phrase,
        *,
        section: str,
        number: str,
        rows: pl.DataFrame,
        count: int | None = None,
    ) -> Problem:
        """A problem that some rows of a section show by one of their numbers."""
        places = rows[PLACE].to_list()
        return Problem(
            severity,
            kind,
            title,
            int(rows[number].sum()) if count is None else count,
            meaning,
            advice,
            section,
            places[0] if len(places) == 1 else None,
            self.samples(section, number, rows),
            self.command(section, number, places),
        )

    def samples(self, section: str, number: str, rows: pl.DataFrame) -> list[str]:
        """Some of the lines that were counted in a number of some rows."""
        shown = BY_NAME[section]
        measure = next(each for each in shown.numbers if each.name == number)
        if not len(rows) or number not in shown.openable:
            return []
        rows = rows.drop(PLACE)
        keys = shown.opened(self.ledger, str(self.zone), measure, rows)
        return self.ledger.samples.of(shown.tally(measure, rows), keys)

    def command(self, section: str, number: str, places: Sequence[int]) -> str:
        """The command that lists the lines."""
        shown: Section = BY_NAME[section]
        if number not in shown.openable or self.again is None:
            return ""
        which = (
            ""
            if len(places) == len(self.rows(section)) or len(places) > MOST_ROWS
            else row_numbers.written(places)
        )
        asked = ":".join(
            filter(None, (section, which, "" if number == next(iter(shown.openable)) else number))
        )
        return f"mailscope report --evidence {asked} {self.again}".rstrip()

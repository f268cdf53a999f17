"""The log lines behind a number of the report.

In: the name of a section, of one of its rows and of one of its numbers; a pipeline that can be run again.
Out: the raw lines, in order.  Where a number counts lines, as many lines come out (a line that stands for
several comes once); where it counts messages or recipients, every line of those messages that names its
queue id.

The same tallies are computed again, over the same tables; the keys of the rows that were asked for
select the rows of the tables, and those the lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import polars as pl

from mailscope.pipeline import Pipeline
from mailscope.recognise.events import Events
from mailscope.reports import row_numbers
from mailscope.reports.section import Number, Section
from mailscope.reports.sections import BY_NAME as SECTIONS
from mailscope.tallies.domain import DomainView
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.lines import counted, lines_table, queue_rows, raw_lines
from mailscope.tallies.registry import BY_NAME, LINES
from mailscope.tallies.tables import TABLES_OF_LINES, tables
from mailscope.tallies.tally import Tally
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.errors import UsageError

OPTION: Final = "--evidence"
ALL: Final = "all"
SPAN: Final = ("host", "queue_id", "first_time", "last_time")


@dataclass(frozen=True)
class Opening:
    """What is to be opened: a section, its rows (as shown, those that were asked for) and one number."""

    section: Section
    number: Number
    rows: pl.DataFrame

    def tally(self) -> Tally:
        """The tally that the number is a measure of."""
        return BY_NAME[self.section.tally(self.number, self.rows)]


def parse(asked: str, ledger: Ledger, zone: str) -> Opening:
    """What ``SECTION[:ROW][:NUMBER]`` means.

    ROW is a row's number as shown, from 1, several of them with commas between, or the text of its first
    label; without it, all rows are meant.
    NUMBER names one of the section's numbers, the first by default.  Raises UsageError, which lists what
    there is.
    """
    name, _, rest = asked.partition(":")
    section = SECTIONS.get(name)
    if section is None:
        raise UsageError(f"there is no section '{name}'", OPTION, f"sections: {', '.join(sorted(SECTIONS))}")
    rows = section.rows(ledger, zone)
    numbers = section.openable
    number = next(iter(numbers.values()))
    found = _find(section, rows, rest)
    head, _, last = rest.rpartition(":")
    if found is None and last in numbers:
        # A name may hold colons (an IPv6 address), so the whole text is looked for first.
        number, found = numbers[last], _find(section, rows, head)
    if found is None and rest in numbers:
        number, found = numbers[rest], rows
    if found is None:
        raise UsageError(
            f"section '{name}' has no row '{rest}'",
            OPTION,
            f"name a row by its number (1 to {len(rows)}) or its {section.labels[0].title.lower()}, "
            f"or one of its numbers: {', '.join(numbers)}",
        )
    return Opening(section, number, found)


def _find(section: Section, rows: pl.DataFrame, text: str) -> pl.DataFrame | None:
    if text in ("", ALL):
        return rows
    places = row_numbers.read(text, len(rows))
    if places:
        return rows[[place - 1 for place in places]]
    by_label = rows.filter(_label(section) == text)
    return by_label if len(by_label) else None


def _label(section: Section) -> pl.Expr:
    first = section.labels[0]
    if first.unit == "hour":
        return pl.col(first.name).dt.strftime("%Y-%m-%dT%H:%M:%S%:z")
    return pl.col(first.name).cast(pl.String)


def lines(pipeline: Pipeline, opening: Opening, ledger: Ledger, zone: str) -> Iterator[str]:
    """The raw lines behind a number; the pipeline is run once or twice more."""
    seen = _seen(pipeline, ledger.view)
    tally = opening.tally()
    wanted = opening.section.opened(ledger, zone, opening.number, opening.rows)
    if tally.table == LINES.table:
        found = _of_lines(pipeline, wanted)
    elif tally.table in TABLES_OF_LINES:
        found = _of_table(pipeline, tally, wanted, zone, seen)
    else:
        found = _of_messages(pipeline, _spans(pipeline, tally, wanted, zone, seen))
    return chain.from_iterable(found)


def _seen(pipeline: Pipeline, view: DomainView | None) -> DomainView | None:
    """The view with all messages that count known beforehand, which takes one more run."""
    if view is None:
        return None
    first = DomainView(view.domains)
    for batch, outcome in pipeline.follow():
        first.restrict(dict(tables(batch, outcome, addresses=True)))
    return DomainView(view.domains, first.matched)


def _of_lines(pipeline: Pipeline, wanted: pl.DataFrame) -> Iterator[pl.Series]:
    for batch in pipeline.batches():
        yield raw_lines(batch, counted(LINES, lines_table(batch), wanted)["order"])


def _of_table(
    pipeline: Pipeline, tally: Tally, wanted: pl.DataFrame, zone: str, seen: DomainView | None
) -> Iterator[pl.Series]:
    for batch, outcome in pipeline.follow():
        rows = _rows(tally, batch, outcome, wanted, zone, seen)
        if rows is not None and len(rows):
            yield raw_lines(batch, rows["order"])


def _rows(
    tally: Tally,
    batch: list[Events],
    outcome: Outcome,
    wanted: pl.DataFrame,
    zone: str,
    seen: DomainView | None,
) -> pl.DataFrame | None:
    found = dict(tables(batch, outcome, addresses=seen is not None))
    frame = (found if seen is None else seen.restrict(found)[1]).get(tally.table)
    return None if frame is None else counted(tally, frame, wanted, zone)


def _spans(
    pipeline: Pipeline, tally: Tally, wanted: pl.DataFrame, zone: str, seen: DomainView | None
) -> pl.DataFrame:
    """Host, queue id, first and last instant of the messages that rows were counted from."""
    found = [pl.DataFrame(schema=dict.fromkeys(SPAN, pl.String))]
    for batch, outcome in pipeline.follow():
        rows = _rows(tally, batch, outcome, wanted, zone, seen)
        if rows is not None and len(rows):
            found.append(outcome.messages.join(rows.select("trail").unique(), on="trail").select(SPAN))
    return pl.concat(found, how="vertical_relaxed") if len(found) == 1 else pl.concat(found[1:])


def _of_messages(pipeline: Pipeline, spans: pl.DataFrame) -> Iterator[pl.Series]:
    """The lines that name the messages' queue ids, while the messages lasted."""
    if not len(spans):
        return
    during = (pl.col("time") >= pl.col("first_time")) & (pl.col("time") <= pl.col("last_time"))
    for batch, outcome in pipeline.follow():
        # qmail names a delivery by number alone when it ends; its queue id is known from its start.
        named = [queue_rows(batch)] if batch else []
        if len(outcome.deliveries):
            named.append(outcome.deliveries.select("order", "time", "host", "queue_id"))
        if named:
            rows = pl.concat(named).join(spans, on=["host", "queue_id"], nulls_equal=True).filter(during)
            if len(rows):
                yield raw_lines(batch, rows["order"].unique())

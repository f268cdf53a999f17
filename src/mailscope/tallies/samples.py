"""Some of the log lines that rows of tallies were counted from, kept while counting.

A problem in a report shows lines as its evidence, and standard input cannot be read twice.  So the first
few lines of each distinct reason, warning, refusal ... are kept, for a bounded number of them: beyond it,
those are given up of which the fewest lines were met.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.tallies.keys import DOUBLE_BOUNCE, column, key
from mailscope.tallies.lines import alive_rows, ranks_of
from mailscope.tallies.tally import Tally
from mailscope.vocabulary.columns import take

# Lines kept of each combination of keys; combinations of which any are kept; and of how many a batch may
# add lines, the most frequent in it.
EACH: Final = 3
KEYS: Final = 1_000
OF_A_BATCH: Final = 100
# A longer line is cut: one line of a megabyte must not be kept for each reason.
LONGEST: Final = 2_000
UNSENT: Final = ("deferred", "bounced", "expired")

Key = tuple[Any, ...]
Lines = dict[Key, list[str]]


@dataclass(frozen=True, slots=True)
class Sampled:
    """Of which rows of a tally lines are kept: of those that ``only`` lets pass, by ``keys``."""

    tally: str
    keys: tuple[str, ...]
    only: pl.Expr | None = None

    def told(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows that have the tally's keys, with those that lines are kept by."""
        rows = rows if self.only is None else rows.filter(self.only)
        derived = [key(name) for name in self.keys if column(name) not in rows.columns]
        return rows.with_columns(derived) if derived else rows

    @property
    def columns(self) -> list[str]:
        """The columns that the keys stand in."""
        return [column(name) for name in self.keys]


SAMPLED: Final[tuple[Sampled, ...]] = (
    Sampled("reasons", ("status", "dsn_status", "shape")),
    Sampled("recipients", ("domain:recipient", "outcome"), pl.col("outcome").is_in(UNSENT)),
    Sampled("senders", ("sender", "internal"), DOUBLE_BOUNCE),
    Sampled("relays", ("relay_host", "outcome"), pl.col("outcome").is_in(UNSENT)),
    Sampled("verdicts", ("event", "action", "stage", "reply_code", "shape")),
    Sampled("verdict_clients", ("client_host", "client_ip", "event")),
    Sampled("problems", ("event", "program", "shape")),
    Sampled("login_failures", ("service", "client_ip", "user")),
    Sampled("users", ("sasl_user",)),
    Sampled("losses", ("program", "shape")),
    Sampled("concurrency", ("local_full", "remote_full")),
    # From every line that counts, not from a table.
    Sampled("lines", ("program", "known")),
)
BY_TALLY: Final[dict[str, Sampled]] = {sampled.tally: sampled for sampled in SAMPLED}


@dataclass
class Samples:
    """Lines by tally and combination of keys, in the order of the log."""

    kept: dict[str, Lines] = field(default_factory=dict)

    @contextmanager
    def taking(self, batch: list[Events]) -> Iterator[Sampler]:
        """Take lines of a batch; their texts are fetched at the end, all at once."""
        sampler = Sampler(self, batch)
        yield sampler
        sampler.fetch()

    def merge(self, later: Samples) -> None:
        """Add the lines of a later part of the log."""
        for name, lines in later.kept.items():
            self.put(name, lines)

    def put(self, tally: str, lines: Lines) -> None:
        """Keep lines as far as there is room."""
        kept = self.kept.setdefault(tally, {})
        for place, found in lines.items():
            known = kept.get(place)
            if known is None:
                kept[place] = found[:EACH]
            elif len(known) < EACH:
                kept[place] = [*known, *found][:EACH]
        if len(kept) > KEYS:
            # The sort is stable: of those with equally many lines, the earliest stay.
            best = sorted(kept, key=lambda place: -len(kept[place]))[: KEYS // 2]
            self.kept[tally] = {place: kept[place] for place in best}

    def of(self, tally: str, rows: pl.DataFrame, most: int = EACH) -> list[str]:
        """Lines of some rows of a tally (a frame with its keys), at most so many, the first ones of each."""
        sampled, kept = BY_TALLY.get(tally), self.kept.get(tally)
        if sampled is None or kept is None or not len(rows):
            return []
        wanted = sampled.told(rows).select(sampled.columns).unique(maintain_order=True)
        found = [kept[place] for place in wanted.iter_rows() if place in kept]
        return [lines[nth] for nth in range(EACH) for lines in found if nth < len(lines)][:most]


@dataclass
class Sampler:
    """Takes lines of one batch: notes their ranks first, and fetches them at the end."""

    samples: Samples
    batch: list[Events]
    ranks: dict[str, dict[Key, list[int]]] = field(default_factory=dict)

    def take(self, tally: Tally, frame: pl.DataFrame) -> None:
        """Note the first rows of each combination of keys of which there are not enough lines yet."""
        sampled = BY_TALLY.get(tally.name)
        if sampled is not None and len(frame) and self.batch:
            self._note(sampled, sampled.told(frame))

    def take_unrecognised(self) -> None:
        """Note the first lines of each program that no pattern knows."""
        for events in self.batch:
            unknown = events.unrecognised
            if len(unknown):
                order = unknown if events.order is None else take(events.order, unknown)
                program = events.tagged("program", unknown).fill_null("")
                rows = pl.DataFrame([order.alias("order"), program.alias("program")])
                self._note(BY_TALLY["lines"], rows.with_columns(pl.lit(False).alias("known")))

    def _note(self, sampled: Sampled, rows: pl.DataFrame) -> None:
        groups = rows.group_by(sampled.columns)
        first = groups.agg(pl.len().alias("_rows"), pl.col("order").head(EACH))
        if len(first) > OF_A_BATCH:
            first = first.top_k(OF_A_BATCH, by="_rows")
        first = first.drop("_rows")
        kept = self.samples.kept.get(sampled.tally, {})
        noted = self.ranks.setdefault(sampled.tally, {})
        for *place, ranks in first.iter_rows():
            room = EACH - len(kept.get(tuple(place), ()))
            if room > 0:
                noted[tuple(place)] = [*noted.get(tuple(place), ()), *ranks][:room]

    def fetch(self) -> None:
        """Fetch the texts of the lines that were noted, and keep them."""
        wanted = {rank for noted in self.ranks.values() for ranks in noted.values() for rank in ranks}
        if not wanted:
            return
        ranks = pl.Series(sorted(wanted), dtype=pl.UInt32)
        texts = dict(pair for events in self.batch for pair in _texts(events, ranks))
        for tally, noted in self.ranks.items():
            # The earliest first, so that what is kept does not depend on the order of groups.
            ordered = sorted(noted.items(), key=lambda item: item[1][:1])
            self.samples.put(tally, {place: [texts[rank] for rank in found] for place, found in ordered})


def _texts(events: Events, ranks: pl.Series) -> Iterator[tuple[int, str]]:
    """The lines with some ranks, as texts of their own."""
    order = ranks_of(events)
    if events.alive is None and len(order) and order[-1] - order[0] + 1 == len(order):
        # One source alone: its lines stand in order.
        mine = ranks.filter((ranks >= order[0]) & (ranks <= order[-1]))
        rows = mine - order[0]
    else:
        numbers, order = alive_rows(events)
        at = order.is_in(ranks.implode())
        mine, rows = order.filter(at), numbers.filter(at)
    yield from zip(mine.to_list(), take(events.raw, rows).str.slice(0, LONGEST).to_list(), strict=True)

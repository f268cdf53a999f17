"""What one task makes of a bin: the lines of its places become rows of the store's tables, and tallies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from mailscope.cluster.batches import batches, in_order
from mailscope.cluster.rows import (
    CLAIMS,
    HOUR,
    MESSAGES,
    OPEN,
    SPELLINGS,
    STATE,
    UNDER_WAY,
    as_arrow,
    results,
)
from mailscope.cluster.setup import Setup, engine, secret
from mailscope.cluster.staging import Staging, instant, micros
from mailscope.cluster.tracking import PlaceTracker, tracker
from mailscope.recognise.events import Events
from mailscope.store import state
from mailscope.store.rows import delivery_rows, event_rows, link_rows, rows_of_messages, session_rows
from mailscope.store.spellings import spellings
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.bundles import packed
from mailscope.vocabulary.tables import DELIVERIES, EVENTS, LINKS
from mailscope.vocabulary.tables import MESSAGES as MESSAGE_ROWS
from mailscope.vocabulary.tables import SESSIONS as SESSION_ROWS

# Of a message, what deliveries of other hosts are held against (``trails/hops.py``).
TOLD: Final = (
    "trail_id", "queue_id", "host", "first_time", "last_time", "message_id", "client_host", "sender", "ended",
)  # fmt: skip


@dataclass
class Following:
    """A bin that is being followed.  ``sets``: source -> its set; ``last``: place -> its last bin."""

    setup: Setup
    sets: Mapping[str, str]
    last: Mapping[str, int]
    staging: Staging = field(init=False)
    hours: Hours = field(init=False)

    def __post_init__(self) -> None:
        self.staging = Staging(self.setup.staging, secret(self.setup), self.setup.run)
        self.hours = Hours(self.setup.timezone)
        self._spelled: list[pl.DataFrame] = []
        self._claims: list[pl.DataFrame] = []
        self._messages: list[pl.DataFrame] = []

    def place(
        self, name: str, number: int, lines: pl.DataFrame, kept_state: bytes | None, apart: bool | None
    ) -> None:
        """Follow the lines of one place; ``number``: of the bin; ``apart``: as in STATES."""
        lines = in_order(lines)
        following, goes_on = tracker(kept_state, instant(lines["key"].min()))
        known = following.ids["trail_id"]
        for batch in batches(lines, engine(self.setup), self.sets):
            self._take(batch, following)
        if number != self.last[name]:
            # The next bin of the place goes on with what is under way.
            return
        if goes_on and not apart:
            self._under_way(name, following, known)
        else:
            outcome = following.finish()
            self._keep(outcome, following)
            self._messages.append(following.named(outcome.messages).select(TOLD))

    def close(self) -> pl.DataFrame:
        """What the bin came to, as RESULTS."""
        rows = self.staging.close()
        rows += [
            {"kind": HOUR, "hour": micros(hour), "data": kept.to_bytes(ledger)}
            for hour, ledger in self.hours.ledgers.items()
        ]
        for kind, frames in (
            (SPELLINGS, self._spelled), (CLAIMS, self._claims), (MESSAGES, self._messages)
        ):  # fmt: skip
            if frames and len(whole := pl.concat(frames)):
                rows.append({"kind": kind, "data": packed(whole.unique() if kind == SPELLINGS else whole)})
        return results(rows)

    def _take(self, batch: list[Events], following: PlaceTracker) -> None:
        outcome = following.feed(batch)
        self.hours.add(batch, outcome)
        events = event_rows(batch, following)
        self.staging.add(EVENTS, events)
        self._spelled.append(spellings(events))
        self._claims.append(following.claims_told())
        self._messages.append(following.named(outcome.messages).select(TOLD))
        self._rows(outcome, following)
        following.forget(outcome.messages)

    def _keep(self, outcome: Outcome, following: PlaceTracker) -> None:
        self.hours.add([], outcome)
        self._rows(outcome, following)

    def _rows(self, outcome: Outcome, following: PlaceTracker) -> None:
        self.staging.add(MESSAGE_ROWS, rows_of_messages(outcome.messages, following, over=True))
        self.staging.add(DELIVERIES, delivery_rows(outcome, following))
        self.staging.add(LINKS, link_rows(outcome, following))
        self.staging.add(SESSION_ROWS, session_rows(following))

    def _under_way(self, name: str, following: PlaceTracker, known: pl.Series) -> None:
        """What is under way at the end of a place's lines: its state, the rows of it, what it would add."""
        self._messages.append(following.named(following.open).select(TOLD))
        rows = rows_of_messages(following.open, following, over=False)
        ended = Hours(self.setup.timezone)
        ended.add([], following.as_if_ended())
        told: list[dict[str, object]] = [
            {"kind": STATE, "place": name, "data": state.to_bytes(following)},
            # Those that were under way before, and those that are so now.
            {"kind": OPEN, "place": name, "name": "before", "data": packed(pl.DataFrame([known]))},
            {"kind": OPEN, "place": name, "name": "now", "data": packed(rows)},
        ]
        for hour, ledger in ended.ledgers.items():
            data = kept.to_bytes(ledger)
            told.append({"kind": UNDER_WAY, "place": name, "hour": micros(hour), "data": data})
        self.staging.results += told


def follower(
    setup: Setup, sets: Mapping[str, str], last: Mapping[str, int], before: Mapping[int, int]
) -> Callable[[Any, Any, Any], Any]:
    """What a task does with a bin's lines and the states they are followed from.

    ``before``: of each piece of a file, how many lines stand in the pieces before it.
    """

    def follow(_: Any, lines: Any, states: Any) -> Any:
        number = int(lines.column("bin")[0].as_py())
        kept_states = {each["place"]: (each["state"], each["apart"]) for each in states.to_pylist()}
        found = Following(setup, sets, last)
        for (place,), rows in placed(lines, before):
            found.place(place, number, rows, *kept_states.get(place, (None, None)))
        return as_arrow(found.close())

    return follow


def placed(lines: Any, before: Mapping[int, int]) -> list[tuple[Any, pl.DataFrame]]:
    """The lines of a bin by place, with their numbers in the whole file."""
    frame = pl.from_arrow(lines)
    assert isinstance(frame, pl.DataFrame)
    more = pl.col("piece").replace_strict(before, default=0, return_dtype=pl.Int64) if before else pl.lit(0)
    frame = frame.with_columns(pl.col("number") + more)
    return list(frame.partition_by("place", as_dict=True, maintain_order=True).items())

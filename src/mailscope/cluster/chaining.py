"""What is under way where a large place is cut in time, so that its bins can be followed side by side.

    bins --digest (side by side)--> steps and lines of sessions --chain (in order)--> the state at each cut

Recognising lines is most of the work and needs no order.  What needs it, following messages, looks at few
columns of few lines: these go through one task in the order of time, bin after bin, and it tells the state at
the beginning of each.  The bins are then followed from these states as if they came one after the other.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

import polars as pl

from mailscope.cluster.batches import batches, in_order
from mailscope.cluster.following import placed
from mailscope.cluster.rows import DIGEST_TYPES, STATE_TYPES, as_arrow
from mailscope.cluster.setup import Setup, engine
from mailscope.cluster.staging import instant
from mailscope.cluster.tracking import tracker
from mailscope.store import state
from mailscope.trails.sessions.tracker import session_lines
from mailscope.trails.steps import steps


def digester(setup: Setup, sets: Mapping[str, str], before: Mapping[int, int]) -> Callable[[Any, Any], Any]:
    """What a task makes of a bin's lines: DIGESTS, one for each batch."""

    def digest(_: Any, lines: Any) -> Any:
        number = int(lines.column("bin")[0].as_py())
        rows: list[tuple[int, str, int, bytes]] = []
        for (place,), part in placed(lines, before):
            part = in_order(part)
            first = instant(part["key"].min())
            for at, batch in enumerate(batches(part, engine(setup), sets)):
                found = first, steps(batch, detail=True), session_lines(batch)
                rows.append((number, place, at, pickle.dumps(found)))
        return as_arrow(pl.DataFrame(rows, schema=DIGEST_TYPES, orient="row"))

    return digest


def chainer(kept: Mapping[str, bytes]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What a task does with the digests of places, in their order: STATES at the beginning of each bin.

    ``kept``: the states that the store has, by place.
    """

    def chain(tables: Iterator[Any]) -> Iterator[Any]:
        for place, digests in groupby(_digests(tables), key=lambda row: row[0]):
            following, apart = None, False
            for number, rows in groupby(digests, key=lambda row: row[1]):
                if following is not None:
                    yield _state(number, place, state.to_bytes(following), apart=apart)
                elif place in kept:
                    yield _state(number, place, kept[place], apart=None)
                for _, _, data in rows:
                    first, found, of_sessions = pickle.loads(data)
                    if following is None:
                        following, goes_on = tracker(kept.get(place), first)
                        apart = not goes_on
                    outcome = following.advance(found, of_sessions)
                    following.forget(outcome.messages)

    return chain


def _digests(tables: Iterator[Any]) -> Iterator[tuple[str, int, bytes]]:
    for table in tables:
        for place, number, data in zip(
            *(table.column(name) for name in ("place", "bin", "digest")), strict=True
        ):
            yield place.as_py(), number.as_py(), data.as_py()


def _state(number: int, place: str, data: bytes, *, apart: bool | None) -> Any:
    row = pl.DataFrame([(number, place, data, apart)], schema=STATE_TYPES, orient="row")
    return as_arrow(row).to_batches()[0]

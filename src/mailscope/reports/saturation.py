"""Whether qmail-send had more to deliver than it may deliver at once, and what to do about it.

While there is more to do than places, qmail-send fills each place as soon as it is free, so that about
every second status line shows all places taken (``status: local 10/10 remote 3/20``).

Sources: qmail-send(8) and qmail-control(5) (concurrencylocal, default 10; concurrencyremote, default 20;
both at most the number in conf-spawn, 120 by default, and never over 255), qmail-log(5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tally import SLOT_S

# A slot is saturated if it has this many status lines and this share of them is full.
FEWEST_LINES: Final = 20
FULL_SHARE: Final = 0.4
# Saturation lasts if it goes on for this many slots, or for this share of those with any deliveries.
FEWEST_SLOTS: Final = 2
LASTING_SHARE: Final = 0.5
CONTROL: Final = {"local": "concurrencylocal", "remote": "concurrencyremote"}
CONF_SPAWN: Final = 120
KINDS: Final = {"local": Phrase("local deliveries"), "remote": Phrase("remote deliveries")}
ONE_PLACE: Final = Phrase(
    "The only place for {deliveries} taken in {slots} of {active} quarters of an hour with deliveries"
)
ALL_PLACES: Final = Phrase(
    "All {limit} places for {deliveries} taken in {slots} of {active} quarters of an hour with deliveries"
)
RAISE: Final = Phrase(
    "if the host has memory and network to spare, raise {control} (now {limit}) and restart qmail-send"
)
RAISE_FURTHER: Final = Phrase(
    "if the host has memory and network to spare, raise {control} (now {limit}) and restart qmail-send (over "
    "{most}, qmail must be compiled with a larger conf-spawn)"
)


@dataclass(frozen=True)
class Saturation:
    """For how long all places were taken.

    ``kind``: local or remote; ``limit``: the places; ``slots``: quarters of an hour that were saturated, of
    ``active`` ones with any status lines; ``longest``: the longest run of them.
    """

    kind: str
    limit: int
    slots: int
    active: int
    longest: int

    @property
    def lasting(self) -> bool:
        """Whether it went on for long enough to be more than a burst."""
        return bool(self.slots) and (
            self.longest >= FEWEST_SLOTS or self.slots >= LASTING_SHARE * self.active
        )

    @property
    def advice(self) -> Phrase:
        """What to do about it."""
        taken = ONE_PLACE if self.limit == 1 else ALL_PLACES
        figures = {
            "deliveries": KINDS[self.kind],
            "limit": self.limit,
            "slots": self.slots,
            "active": self.active,
        }
        todo = RAISE_FURTHER if self.limit >= CONF_SPAWN else RAISE
        return Phrase(
            "{what}: {todo}.",
            what=Phrase(taken, **figures),
            todo=Phrase(todo, control=CONTROL[self.kind], limit=self.limit, most=CONF_SPAWN),
        )

    def as_data(self) -> dict[str, Any]:
        """The finding as plain data."""
        return {
            "kind": self.kind,
            "limit": self.limit,
            "saturated_slots": self.slots,
            "active_slots": self.active,
            "longest_s": self.longest * SLOT_S,
            "advice": self.advice,
        }


def lasting(ledger: Ledger) -> list[Saturation]:
    """The kinds of delivery that were saturated for long."""
    rows = ledger.result("concurrency")
    found = []
    for kind in CONTROL:
        slots = (
            rows.group_by("slot")
            .agg(
                pl.col("count").sum().alias("lines"),
                pl.col("count").filter(pl.col(f"{kind}_full")).sum().alias("full"),
                pl.col(f"{kind}_limit").max().alias("limit"),
            )
            .sort("slot")
        )
        enough = (pl.col("lines") >= FEWEST_LINES) & (pl.col("full") >= FULL_SHARE * pl.col("lines"))
        saturated = slots.filter(enough)
        if not len(saturated):
            continue
        # Consecutive slots have the same difference to their position.
        runs = saturated.with_row_index("position").group_by(pl.col("slot") - pl.col("position")).len()
        limit, longest = saturated["limit"].max(), runs["len"].max()
        assert isinstance(limit, int)
        assert isinstance(longest, int)
        finding = Saturation(kind, limit, len(saturated), len(slots), longest)
        if finding.lasting:
            found.append(finding)
    return found

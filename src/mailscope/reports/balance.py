"""The balance sheet: what came in must be what came out, and what is missing is shown.

    lines read         = recognised + unrecognised + blank + duplicate
    queue ids given    = received + requeued + refused + incomplete
    messages accepted  = finished + open
    recipients         = sent + bounced + expired + deleted + discarded + queued + probed + unknown

The two sides are counted independently: lines that patterns took against lines read, acceptance lines
against messages that were followed to their end, fates by name against all recipients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from mailscope.tallies.keys import NOT_FROM_OUTSIDE
from mailscope.tallies.ledger import Ledger
from mailscope.trails.story import INTERNAL, REQUEUED

ORIGIN: Final = pl.col("origin")
SEEN: Final = ORIGIN.is_not_null()
OUTSIDE: Final = SEEN & ~ORIGIN.is_in(NOT_FROM_OUTSIDE)
WENT: Final = pl.col("went")
TAKEN: Final = SEEN & ~WENT.is_in(["refused", "incomplete"])
# A requeued message goes on under a new queue id, and is counted there.
ACCEPTED: Final = TAKEN & (WENT != REQUEUED)
FINISHED: Final = WENT.is_in(["removed", "deleted", "discarded"])
# Name in the report -> the fates that it holds.
FATES: Final = {
    "sent": ("sent",),
    "bounced": ("bounced",),
    "expired": ("expired",),
    "deleted": ("deleted",),
    "discarded": ("discarded",),
    # Still in the queue: put off, or not tried yet.
    "queued": ("queued", "deferred"),
    # Address checks (sendmail -bv, reject_unverified_recipient): nothing was to be delivered.
    "probed": ("deliverable", "undeliverable"),
    # The message left the queue and the log does not say what became of them.
    "unknown": ("unknown",),
}


@dataclass(frozen=True)
class Equation:
    """A whole and its parts; ``remainder`` is what does not add up."""

    name: str
    whole: int
    parts: dict[str, int]

    @property
    def remainder(self) -> int:
        """The whole less its parts: 0 where all is accounted for."""
        return self.whole - sum(self.parts.values())

    def as_data(self) -> dict[str, Any]:
        """The equation as plain data."""
        return {"name": self.name, "whole": self.whole, "parts": self.parts, "remainder": self.remainder}


def lines(ledger: Ledger) -> dict[str, int]:
    """Lines read and what became of them."""
    names = ("read", "recognised", "unrecognised", "blank", "duplicate")
    return {name: ledger.totals.get(name, 0) for name in names}


def messages(ledger: Ledger) -> dict[str, int]:
    """Messages: how many came in, how, and how they left.

    ``accepted``: came into the queue, ``received`` from outside or ``internal``, made here (notifications,
    forwarded mail); ``finished`` or still ``open`` (``held`` of them on hold).  A message that was requeued
    (postsuper -r) goes on under a new queue id and counts once; ``requeued`` says how many ids it left.
    Not among the accepted are the ``refused`` (turned away after they had a queue id), the ``incomplete``
    (the client broke off) and those from ``before_log``.  ``passes`` is all of these, one for each time
    through the queue; ``as_messages`` counts a message once that a content filter brought back
    (``second_passes``).
    """
    rows = ledger.result("messages")

    def total(condition: pl.Expr, measure: str = "count") -> int:
        return int(rows.filter(condition)[measure].sum())

    accepted = total(ACCEPTED)
    second = total(ACCEPTED & pl.col("filtered"))
    return {
        "accepted": accepted,
        "finished": total(ACCEPTED & FINISHED),
        "open": total(ACCEPTED & (WENT == "open")),
        "bytes": total(ACCEPTED, "bytes"),
        "received": total(TAKEN & OUTSIDE),
        "received_bytes": total(TAKEN & OUTSIDE, "bytes"),
        "internal": total(TAKEN & (ORIGIN == INTERNAL)),
        "requeued": total(SEEN & (WENT == REQUEUED)),
        "held": total(ACCEPTED & (WENT == "open") & pl.col("held")),
        "deferred": total(pl.col("deferred")),
        "expired": total(pl.col("expired")),
        "deleted": total(WENT == "deleted"),
        "discarded": total(WENT == "discarded"),
        "refused": total(SEEN & (WENT == "refused")),
        "incomplete": total(SEEN & (WENT == "incomplete")),
        "before_log": total(~SEEN),
        "passes": total(pl.lit(True)),
        "second_passes": second,
        "as_messages": accepted - second,
    }


def recipients(ledger: Ledger) -> dict[str, int]:
    """Recipients of messages by their final fate, and all of them.

    ``deferred`` of the ``queued`` were put off at least once and will be tried again.
    """
    rows = ledger.result("fates")
    by_fate = dict(rows.select("fate", "recipients").iter_rows())
    told = {name: sum(int(by_fate.get(fate, 0)) for fate in fates) for name, fates in FATES.items()}
    deferred = int(by_fate.get("deferred", 0))
    return {"total": int(rows["recipients"].sum()), **told, "deferred": deferred}


def equations(ledger: Ledger) -> list[Equation]:
    """The balance sheet."""
    line, message, recipient = lines(ledger), messages(ledger), recipients(ledger)
    rows = ledger.result("messages").filter(SEEN & (ORIGIN != INTERNAL))

    def total(condition: pl.Expr) -> int:
        return int(rows.filter(condition)["count"].sum())

    given = {
        "received": total(OUTSIDE & TAKEN),
        "requeued": total((ORIGIN == REQUEUED) & TAKEN),
        "refused": total(WENT == "refused"),
        "incomplete": total(WENT == "incomplete"),
    }
    accepted = {name: message[name] for name in ("finished", "open")}
    # They are among the queued.
    recipient.pop("deferred")
    return [
        Equation("lines read", line.pop("read"), line),
        Equation("queue ids given", int(ledger.result("arrivals")["count"].sum()), given),
        Equation("messages accepted", message["accepted"], accepted),
        Equation("recipients", recipient.pop("total"), recipient),
    ]

"""Destinations that take hardly any of our mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View
from mailscope.tallies.keys import domain_of

# One message that is tried again and again makes many attempts: so the recipients must be several as well.
FEWEST_ATTEMPTS: Final = 20
FEWEST_RECIPIENTS: Final = 5
# So many are told one by one.
MOST: Final = 4
MEANING: Final = Phrase("Of the mail to this destination, most was put off or refused.")
ADVICE: Final = Phrase(
    "The reasons stand in the lines: if they speak of blocking or of our address, act on that; if the host "
    "does not answer, tell its postmaster by another way, or wait."
)
RELAY_ADVICE: Final = Phrase(
    "If the relay is one of ours (a smart host, a mailbox server), look whether it runs and what it says; "
    "if not, the reasons stand in the lines."
)


def domains(view: View) -> Iterator[Problem]:
    """Recipient domains."""
    rows = _failing(view.rows("recipient_domains"), "domain")
    several = (
        view.ledger.result("recipients")
        .filter(pl.col("outcome").is_in(["deferred", "bounced", "expired"]))
        .group_by(domain_of("recipient").alias("domain"))
        .agg(pl.col("recipient").n_unique().alias("several"))
        .filter(pl.col("several") >= FEWEST_RECIPIENTS)
    )
    rows = rows.join(several, on="domain", how="semi", maintain_order="left")
    yield from _each(view, rows, "recipient_domains", "domain", "domain_failing", ADVICE)


def relays(view: View) -> Iterator[Problem]:
    """Next hops that are not just those of a domain told already."""
    known = _failing(view.rows("recipient_domains"), "domain")["domain"].to_list()
    rows = _failing(view.rows("relays"), "relay").filter(pl.col("relay") != "none")
    told = [any(str(relay).lower().endswith(domain) for domain in known) for relay in rows["relay"]]
    rows = rows.filter(~pl.Series(told, dtype=pl.Boolean))
    yield from _each(view, rows, "relays", "relay", "relay_failing", RELAY_ADVICE)


def _failing(rows: pl.DataFrame, label: str) -> pl.DataFrame:
    """Rows of which most attempts failed, those with the most failures first."""
    enough = (pl.col("failed") >= FEWEST_ATTEMPTS) & (pl.col("failed") > pl.col("sent"))
    return rows.filter(enough & pl.col(label).is_not_null()).sort(
        "failed", descending=True, maintain_order=True
    )


def _each(
    view: View, rows: pl.DataFrame, section: str, label: str, kind: str, advice: Phrase
) -> Iterator[Problem]:
    """A problem for each of the worst, and one for all others."""
    alone = len(rows) if len(rows) <= MOST else MOST - 1
    for place in range(alone):
        row = rows.slice(place, 1)
        title = Phrase(
            "attempts for {name} failed ({sent} succeeded)", name=row[label][0], sent=int(row["sent"][0])
        )
        yield view.problem(
            "serious", kind, title, MEANING, advice, section=section, number="failed", rows=row
        )
    if len(rows) > alone:
        rest = rows.slice(alone)
        title = Phrase("attempts for {n} other destinations failed", n=len(rest))
        yield view.problem(
            "serious", kind, title, MEANING, advice, section=section, number="failed", rows=rest
        )

"""One domain's view: the rows of tables that are of mail from or to some domains.

In: the tables of batch after batch.  Out: those of their rows that count.  A message counts if its sender or
one of its recipients is of such a domain; a delivery or recipient if it is itself, or the message's sender; a
refusal if it names such a sender or recipient; a login if its name has such a domain.  What cannot be laid
to a domain (warnings, connections, lost lines) does not count: it may tell of others' mail.

Whether a message counts may be known only when its recipients are.  Its rows in ``arrivals`` and ``sized``
wait until then, or until the message ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from mailscope.tallies.keys import domain_of

Tables = dict[str, pl.DataFrame]
# Tables of a message's first lines, and the column that may tell at once that it counts.
WAITING: Final = ("arrivals", "sized")
SENDER, RECIPIENT, USER = "sender", "recipient", "user"
NO_TRAILS: Final = pl.Series("trail", [], dtype=pl.UInt64)


@dataclass
class DomainView:
    """Chooses rows; ``domains`` in lower case.

    ``known``: which messages count, where that is known from an earlier run over the same lines (None: it
    is found out).
    """

    domains: Collection[str]
    known: pl.Series | None = None
    _matched: pl.Series = field(default_factory=NO_TRAILS.clone)
    _waiting: Tables = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.known is not None:
            self._matched = self.known

    @property
    def matched(self) -> pl.Series:
        """The trails of the messages that count, as far as they are known."""
        return self._matched

    def merge(self, later: DomainView) -> None:
        """Take over what is known, and what waits, of the messages of a later part of the log."""
        self._matched = pl.concat([self._matched, later.matched]).unique()
        for name, rows in later._waiting.items():
            kept = self._waiting.get(name)
            self._waiting[name] = rows if kept is None else pl.concat([kept, rows], how="diagonal_relaxed")

    def restrict(self, tables: Mapping[str, pl.DataFrame]) -> tuple[Tables, Tables]:
        """Rows of earlier batches that turn out to count, and the rows of this batch that count."""
        found: Tables = {}
        if "deliveries" in tables:
            found["deliveries"] = tables["deliveries"].filter(self._of(RECIPIENT) | self._of(SENDER))
            self._match(found["deliveries"])
        if "sized" in tables:
            self._match(tables["sized"].filter(self._of(SENDER)))
        ended = NO_TRAILS
        if "messages" in tables:
            self._match(tables["messages"].filter(self._of(SENDER)))
            ended = tables["messages"]["trail"]
            found["messages"] = tables["messages"].filter(self._counts())
        if "recipients" in tables:
            senders = (
                tables["messages"].filter(self._of(SENDER))["trail"] if "messages" in tables else NO_TRAILS
            )
            ours = pl.col("trail").is_in(senders.implode())
            found["recipients"] = tables["recipients"].filter(self._of(RECIPIENT) | ours)
        for name, columns in (("verdicts", (SENDER, RECIPIENT)), ("logins", (USER,))):
            if name in tables:
                found[name] = tables[name].filter(pl.any_horizontal(map(self._of, columns)))
        late = self._release(ended)
        for name in WAITING:
            if name in tables:
                found[name] = tables[name].filter(self._counts())
                self._wait(name, tables[name].filter(~self._counts()), ended)
        return late, {name: frame for name, frame in found.items() if len(frame)}

    def _of(self, address: str) -> pl.Expr:
        return domain_of(address).is_in(list(self.domains)).fill_null(False)

    def _counts(self) -> pl.Expr:
        return pl.col("trail").is_in(self._matched.implode()).fill_null(False)

    def _match(self, rows: pl.DataFrame) -> None:
        if self.known is None and len(rows):
            self._matched = pl.concat([self._matched, rows["trail"].drop_nulls()]).unique()

    def _wait(self, name: str, rows: pl.DataFrame, ended: pl.Series) -> None:
        """Keep rows that may count yet.  With everything known, none may."""
        rows = rows.filter(~pl.col("trail").is_in(ended.implode()))
        if self.known is None and len(rows):
            kept = self._waiting.get(name)
            self._waiting[name] = rows if kept is None else pl.concat([kept, rows], how="diagonal_relaxed")

    def _release(self, ended: pl.Series) -> Tables:
        """Rows that waited and count now; those of messages that have ended without it are let go."""
        late = {name: rows.filter(self._counts()) for name, rows in self._waiting.items()}
        gone = self._counts() | pl.col("trail").is_in(ended.implode())
        self._waiting = {name: rows.filter(~gone) for name, rows in self._waiting.items()}
        return {name: rows for name, rows in late.items() if len(rows)}

"""From what a person looks for to the lines that tell of it: with the ids, then Message-IDs, that they name.

What is found is more than enough: ``trails/search`` then looks at these lines as it does at a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

import polars as pl

from mailscope.store.asking import Asked
from mailscope.store.database import Queries
from mailscope.vocabulary.fields import FIELDS
from mailscope.vocabulary.tables import EVENTS

ROUNDS: Final = 12
MOST_IDS: Final = 4_000
# Lines of one message are not further apart (a queue's lifetime, and a day for clocks).
REACH: Final = timedelta(days=8)
# A session's lines stand so near to the line that belongs to a message.
SESSION: Final = timedelta(minutes=30)
MOST_SESSIONS: Final = 300
ADDRESSES: Final = tuple(
    each.name
    for each in FIELDS
    if each.privacy == "address" and each.name not in ("recipients", "lookup_key", "addresses")
)
IPS: Final = tuple(each.name for each in FIELDS if each.name.endswith("_ip"))
NAMING: Final = ("queue_id", "next_queue_id", "orig_queue_id")
# What a line is known by, and what is asked of each.
LINE: Final = ("source", "batch", "line_number", "raw")
COLUMNS: Final = ", ".join((*LINE, "time", "host", "pid", "event", "qp", *NAMING, "message_id", "trail_id"))
# qmail's notification comes into the queue right after the line that tells of it.
SOON: Final = timedelta(minutes=10)

Values = list[Any]


@dataclass
class Seed:
    """Which lines: those that bear one of some names in a column, and those that fit a condition."""

    names: dict[str, set[str]] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    values: Values = field(default_factory=list)

    def bear(self, columns: Iterable[str], names: set[str]) -> None:
        """Also those with such a name in one of some columns."""
        for column in columns:
            self.names[column] = self.names.get(column, set()) | names

    def fit(self, condition: str, *values: str) -> None:
        """Also those that fit an SQL condition with its values."""
        self.conditions.append(condition)
        self.values += values


@dataclass(frozen=True)
class Within:
    """Rows to look through: their relation, a condition on their span and hosts, and its values."""

    relation: str
    span: str
    bounds: Values


@dataclass
class Search:
    """One search in the store."""

    database: Queries
    asked: Asked
    ids: set[str] = field(default_factory=set)
    message_ids: set[str] = field(default_factory=set)
    trails: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    _found: list[pl.DataFrame] = field(default_factory=list)

    def lines(self) -> Iterator[pl.DataFrame]:
        """The lines, in order of time."""
        seed = self._seed()
        relation, span, bounds = self._span(self.asked.since, self.asked.until)
        hosts = (
            f" and lower(host) in {_list(name.lower() for name in self.asked.hosts)}"
            if self.asked.hosts
            else ""
        )
        within = Within(relation, f"{span}{hosts}", bounds)
        # More than are told, so that it can be said how many more there are.
        most = 10 * self.asked.limit
        begun = self._bearing(seed, within, 50 * most)
        self._take(begun, most)
        self._close()
        yield self._all()

    def _seed(self) -> Seed:
        """What the lines bear that are themselves about what is looked for."""
        text = (self.asked.about or "").strip()
        bare = text.removeprefix("<").removesuffix(">")
        seed = Seed()
        for kind in self.asked.kinds:
            if kind == "queue-id":
                seed.bear(NAMING, {text})
            elif kind == "message-id":
                seed.bear(("message_id",), {bare})
            elif kind == "address":
                seed.bear(ADDRESSES, self._spellings(bare))
                seed.fit("recipients is not null and contains(lower(recipients), ?)", bare.lower())
            elif kind == "user":
                seed.fit("contains(lower(raw), ?)", text.lower())
            elif kind == "domain":
                # Wherever a line names it, as in a file; only ids and addresses have columns of their own.
                seed.fit("contains(lower(raw), ?)", text.removesuffix(".").lower())
            elif kind == "ip":
                address = ip_address(text.strip("[]"))
                for form in sorted({str(address), address.exploded, text.strip("[]")}):
                    seed.fit("contains(lower(raw), ?)", form.lower())
            elif kind == "network":
                # Addresses are texts here; which are within is told by whoever asked.
                seed.fit(" or ".join(f"{name} is not null" for name in IPS))
            elif kind == "delivery":
                seed.bear(("delivery_id",), {"".join(filter(str.isdigit, text))})
        return seed

    def _spellings(self, text: str) -> set[str]:
        """An address or name as it may have been logged: case does not matter."""
        rows = self.database.connection.execute(
            "select spelling from own.spellings where lower = ?", [text.lower()]
        ).fetchall()
        return {text, text.lower(), *(spelling for (spelling,) in rows)}

    def _span(self, since: datetime | None, until: datetime | None) -> tuple[str, str, Values]:
        """The rows that may be of a span, the condition that they are, and its values."""
        files, values = [], []
        condition = ""
        if since is not None:
            files.append("last >= ?")
            condition += " and time >= ?"
            values.append(since)
        if until is not None:
            files.append("first < ?")
            condition += " and time < ?"
            values.append(until)
        return self.database.relation(EVENTS, " and ".join(files) or "true", tuple(values)), condition, values

    def _take(self, rows: pl.DataFrame, most: int = MOST_IDS) -> tuple[set[str], set[str], set[str]]:
        """Note ids, Message-IDs and messages of lines, and when they were; gives those that are new."""
        ids: set[str] = set()
        for name in NAMING:
            ids |= set(rows[name].drop_nulls().unique(maintain_order=True).head(most))
        message_ids = (
            set(rows["message_id"].drop_nulls().unique()) if len(self.message_ids) < MOST_IDS else set()
        )
        new, new_message_ids = ids - self.ids, message_ids - self.message_ids
        if len(self.ids) + len(new) > MOST_IDS:
            new = set(sorted(new)[: MOST_IDS - len(self.ids)])
        trails = set(rows["trail_id"].drop_nulls().unique(maintain_order=True).head(most))
        new_trails = trails - self.trails if len(self.trails) < MOST_IDS else set()
        self.ids |= new
        self.message_ids |= new_message_ids
        self.trails |= new_trails
        if len(rows):
            first, last = rows["time"].min(), rows["time"].max()
            if isinstance(first, datetime) and isinstance(last, datetime):
                self.first = first if self.first is None else min(first, self.first)
                self.last = last if self.last is None else max(last, self.last)
        return new, new_message_ids, new_trails

    def _close(self) -> None:
        """Look for what the lines found so far name, until nothing new comes."""
        ids, message_ids, trails = set(self.ids), set(self.message_ids), set(self.trails)
        for _ in range(ROUNDS):
            if not (ids or message_ids or trails) or self.first is None or self.last is None:
                return
            relation, span, bounds = self._span(self.first - REACH, self.last + REACH)
            named = _naming(ids, message_ids, trails)
            rows = self._bearing(named, Within(relation, span, bounds))
            rows = pl.concat([rows, self._notified(rows)])
            ids, message_ids, trails = self._take(rows)

    def _notified(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Where qmail made a notification: the lines that bring it into the queue, by its process."""
        made = rows.filter((pl.col("event") == "bounced_to_sender") & pl.col("qp").is_not_null())
        if not len(made) or self.first is None or self.last is None:
            return rows.clear()
        relation, span, bounds = self._span(self.first, self.last + SOON)
        return self._beside(
            made.select("qp", "time").unique(),
            f"select {COLUMNS} from ({relation}) as line where event = 'queued'{span} and exists ("
            "select 1 from anchors where anchors.qp = line.qp and epoch(line.time) - epoch(anchors.time) "
            f"between -1 and {SOON.total_seconds()})",
            bounds,
        )

    def _beside(self, anchors: pl.DataFrame, statement: str, values: Values) -> pl.DataFrame:
        """An answer for which some rows are at hand as ``anchors``."""
        connection = self.database.connection
        connection.register("anchors", anchors)
        try:
            return self.database.frame(statement, values)
        finally:
            connection.unregister("anchors")

    def _bearing(self, seed: Seed, within: Within, most: int | None = None) -> pl.DataFrame:
        """The lines that bear one of some names or fit a condition; where there is a limit, the earliest.

        Each column is looked through by itself: so whole row groups without the name are passed over, by
        their Bloom filters, and other columns are read of those lines only.  A line can be there twice.
        """
        tail = "" if most is None else f" order by time limit {most}"
        begin = f"select {COLUMNS} from ({within.relation}) where"
        parts = [
            self.database.frame(
                f"{begin} {name} in (select unnest(?::varchar[])){within.span}{tail}",
                [sorted(names), *within.bounds],
            )
            for name, names in seed.names.items()
        ]
        if seed.conditions:
            where = " or ".join(seed.conditions)
            parts.append(
                self.database.frame(f"{begin} ({where}){within.span}{tail}", [*seed.values, *within.bounds])
            )
        found = pl.concat(parts).unique(LINE, keep="first", maintain_order=True)
        if most is not None:
            found = found.sort("time", maintain_order=True).head(most)
        self._found.append(found)
        return found

    def _all(self) -> pl.DataFrame:
        """All lines that were found on the way, with their sessions."""
        found = pl.concat(self._found)
        found = pl.concat([found, self._sessions(found)]).unique(LINE, keep="first")
        sets = self.database.frame("select source, set_id from own.sources")
        return (
            found.sort("time", "batch", "line_number")
            .join(sets, on="source", how="left", maintain_order="left")
            .select("source", "set_id", "time", "raw")
        )

    def _sessions(self, found: pl.DataFrame) -> pl.DataFrame:
        """The lines around acceptances and refusals that the same process wrote."""
        begun = found.filter(pl.col("event").is_in(["accepted", "rejected"]) & pl.col("pid").is_not_null())
        if not len(begun) or len(begun) > MOST_SESSIONS:
            return found.clear()
        anchors = begun.select("host", "pid", "time").unique()
        first, last = anchors["time"].min(), anchors["time"].max()
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        relation, span, bounds = self._span(first - SESSION, last + SESSION)
        return self._beside(
            anchors,
            f"select {COLUMNS} from ({relation}) as line where queue_id is null{span} and exists ("
            "select 1 from anchors where anchors.pid = line.pid and anchors.host is not distinct from "
            f"line.host and abs(epoch(anchors.time) - epoch(line.time)) <= {SESSION.total_seconds()})",
            bounds,
        )


def _naming(ids: set[str], message_ids: set[str], trails: set[str]) -> Seed:
    """Lines that bear one of these names."""
    seed = Seed()
    for columns, names in ((NAMING, ids), (("message_id",), message_ids), (("trail_id",), trails)):
        if names:
            seed.bear(columns, names)
    return seed


def _list(values: Iterable[str]) -> str:
    """Texts as an SQL list of literals."""
    return "(" + ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values)) + ")"

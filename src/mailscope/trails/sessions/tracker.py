"""Following sessions from batch to batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.trails.sessions.lines import LISTS, SCHEMA, SUMS, TIME, lines
from mailscope.vocabulary.columns import own

# A session is given up only when no line can come any more that would still belong to it.
SLACK: Final = timedelta(minutes=10)
OWN_EVERY: Final = 8
# The table: one row per session.
TABLE: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "session": pl.UInt64,
    "host": pl.String,
    "service": pl.String,
    "kind": pl.String,
    "pid": pl.Int64,
    "start": TIME,
    # Null while its end has not been seen.
    "end": TIME,
    "last_time": TIME,
    "client_ip": pl.String,
    "client_host": pl.String,
    "client_port": pl.Int64,
    "server_port": pl.Int64,
    "user": pl.String,
    "mechanism": pl.String,
    "result": pl.String,
    "logins": pl.UInt32,
    "login_failures": pl.UInt32,
    "messages": pl.UInt32,
    "queue_ids": pl.List(pl.String),
    "refusals": pl.UInt32,
    "bytes_in": pl.Int64,
    "bytes_out": pl.Int64,
    "tls_protocol": pl.String,
    "tls_cipher": pl.String,
    "ended": pl.String,
    "reason": pl.String,
}
# tcpserver does not name the service that it starts.
PORTS: Final = {
    25: "smtp",
    465: "smtps",
    587: "submission",
    110: "pop3",
    995: "pop3s",
    143: "imap",
    993: "imaps",
}
_SPAN: Final = ("start", "last_time")


@dataclass
class SessionTracker:
    """The sessions under way.  Feed it batches in order, then ``finish``.

    ``placed``: of the batch fed last, which line (``order``) belongs to which ``session``.
    """

    open: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    placed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame())
    next_session: int = 1
    _fed: int = 0

    def feed(self, batch: list[Events]) -> pl.DataFrame:
        """The sessions that are over now, in the order in which they began; TABLE."""
        return self.follow(session_lines(batch))

    def follow(self, found: pl.DataFrame) -> pl.DataFrame:
        """The same for a batch's lines that sessions are made of (``session_lines``)."""
        if not len(found):
            self.placed = _no_places()
            return table(self.open.clear())
        rows = _parted(_aliased(pl.concat([self.open, found])))
        sessions = self._numbered(_added_up(rows))
        numbers = sessions.select("part", "session")
        self.placed = (
            rows.filter(pl.col("order") >= 0)
            .select("order", "part")
            .join(numbers, on="part", how="inner")
            .select("order", "session")
        )
        now = found.sort("order")["last_time"].drop_nulls()
        # One process, one client: the next session of a key ends the one before, seen or not.
        over = pl.col("ends") | pl.col("superseded")
        if len(now) and isinstance(now[-1], datetime):
            # Not the latest ever: one wrong stamp must not close everything from then on.
            over |= (pl.col("last_time") + pl.col("quiet") < now[-1] - SLACK).fill_null(False)
        closed = sessions.filter(over)
        self.open = (
            sessions.filter(~over).with_columns(pl.lit(-1, pl.Int64).alias("order")).select(list(SCHEMA))
        )
        self._fed += 1
        if self._fed % OWN_EVERY == 0:
            self.open = own(self.open.rechunk())
        return table(closed)

    def finish(self) -> pl.DataFrame:
        """The log has ended: the sessions whose end was not seen."""
        rest, self.open = self.open, self.open.clear()
        self.placed = _no_places()
        return table(rest)

    def _numbered(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """Sessions in order of their number; new ones are numbered in the order of their first lines."""
        sessions = sessions.sort(pl.col("session").fill_null(1 << 63), "order")
        new = sessions["session"].is_null()
        fresh = (new.cum_sum() + (self.next_session - 1)).cast(pl.UInt64)
        self.next_session += int(new.sum())
        return sessions.with_columns(
            pl.when(pl.lit(new)).then(pl.lit(fresh)).otherwise("session").alias("session")
        )


def session_lines(batch: list[Events]) -> pl.DataFrame:
    """The lines of a batch that sessions are made of; SCHEMA."""
    return pl.concat([lines(events) for events in batch]) if batch else pl.DataFrame(schema=SCHEMA)


def _no_places() -> pl.DataFrame:
    return pl.DataFrame(schema={"order": pl.Int64, "session": pl.UInt64})


def _aliased(rows: pl.DataFrame) -> pl.DataFrame:
    """Lines that know only the client's address and port get the key of the session of that peer."""
    # Of a line: a session under way keeps the key with which it began.
    loose = rows.select(
        (pl.col("key") == pl.col("peer")).fill_null(False) & (pl.col("order") >= 0) & ~pl.col("ends")
    ).to_series()
    kinds = rows.filter(loose)["kind"].unique()
    tied = rows.filter(~loose & rows["kind"].is_in(kinds.implode()) & rows["peer"].is_not_null())
    if not len(tied) or not len(kinds):
        return rows
    parted = _parted(rows.filter(~loose & rows["kind"].is_in(kinds.implode())))
    key, order = pl.col("key"), pl.col("order")
    lives = parted.group_by("part", maintain_order=True).agg(
        key.first(), order.first().alias("first"), order.filter(pl.col("ends")).last().alias("end")
    )
    following = pl.when(key == key.shift(-1)).then(pl.col("first").shift(-1))
    lives = lives.select("part", pl.coalesce("end", following).alias("until"))
    named = (
        parted.join(lives, on="part", maintain_order="left")
        .filter(pl.col("peer").is_not_null())
        .select("peer", "order", key.alias("named"), "until")
        .sort("order", maintain_order=True)
    )
    found = (
        rows.filter(loose)
        .sort("order", maintain_order=True)
        .join_asof(named, on="order", by="peer", strategy="backward", check_sortedness=False)
        .with_columns(
            pl.when((order < pl.col("until")).fill_null(True))
            .then(pl.coalesce("named", "key"))
            .otherwise("key")
            .alias("key")
        )
    )
    return pl.concat([rows.filter(~loose), found.select(rows.columns)])


def _parted(rows: pl.DataFrame) -> pl.DataFrame:
    """Lines by session (``part``): in order, cut where one begins, after its end, and where it cannot go on.

    A line with no tie is kept only if it tells of a whole session; it is one by itself.
    """
    rows = rows.filter(pl.col("key").is_not_null() | pl.col("ends"))
    rows = rows.sort("key", "order", maintain_order=True)
    key, client = pl.col("key"), pl.col("client_ip")
    cut = (
        (key != key.shift(1)).fill_null(True)
        | key.is_null()
        | pl.col("begins")
        | pl.col("ends").shift(1).fill_null(False)
        | (pl.col("last_time") - pl.col("last_time").shift(1) > pl.col("quiet")).fill_null(False)
    )
    rows = rows.with_columns(cut.cum_sum().alias("part"))
    # Another client than so far, where neither the end of one session nor the beginning of the next was seen.
    part = pl.col("part")
    before = client.forward_fill().over("part").shift(1)
    other = (part == part.shift(1)) & (client != before)
    return rows.with_columns((part + other.fill_null(False).cum_sum()).alias("part"))


def _added_up(rows: pl.DataFrame) -> pl.DataFrame:
    """The lines of each part as one row."""
    first = [name for name in SCHEMA if name not in (*SUMS, *LISTS, *_SPAN, "begins", "ends", "order")]
    return (
        rows.group_by("part", maintain_order=True)
        .agg(
            pl.col(first).first(ignore_nulls=True),
            pl.col("order").first(),
            pl.col(list(SUMS)).sum(),
            pl.col(list(LISTS)).explode(empty_as_null=False),
            pl.col("start").min(),
            pl.col("last_time").max(),
            pl.lit(False).alias("begins"),
            pl.col("ends").any(),
        )
        .with_columns((pl.col("key") == pl.col("key").shift(-1)).fill_null(False).alias("superseded"))
    )


def table(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sessions as others see them; TABLE."""
    # A database is asked for each try; of several, the one that was asked most often counts the tries.
    tries = (
        pl.col("refused_by")
        .list.eval(pl.element().value_counts().struct.field("count"))
        .list.max()
        .fill_null(0)
        .cast(pl.UInt32)
    )
    failures = pl.when(pl.col("login_failures") > 0).then("login_failures").otherwise(tries)
    result = (
        pl.when(pl.col("ended") == "denied")
        .then(pl.lit("denied"))
        .when(pl.col("messages") > 0)
        .then(pl.lit("accepted"))
        .when(pl.col("logins") > 0)
        .then(pl.lit("logged_in"))
        .when(pl.col("login_failures") > 0)
        .then(pl.lit("login_failed"))
        .when(pl.col("refusals") > 0)
        .then(pl.lit("rejected"))
        .otherwise(pl.lit("nothing"))
    )
    by_port = pl.col("server_port").replace_strict(PORTS, default="tcpserver", return_dtype=pl.String)
    return (
        sessions.with_columns(
            failures.alias("login_failures"), pl.coalesce("service", by_port).alias("service")
        )
        .with_columns(
            pl.when("ends").then("last_time").alias("end"),
            pl.coalesce("user", "tried").alias("user"),
            result.alias("result"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in TABLE.items())
    )

"""The fate of each recipient of each message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "trail": pl.UInt64,
    "who": pl.UInt64,
    "recipient": pl.String,
    "status": pl.String,
    "time": pl.Datetime("us"),
    "attempts": pl.UInt32,
}
ODD: Final = 0x9E3779B97F4A7C15
# Which recipient of which message.
WHO: Final = (pl.col("recipient").hash() ^ (pl.col("trail") * ODD)).alias("who")


@dataclass
class Recipients:
    """Last status and number of attempts for the recipients of messages under way."""

    open: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))

    def add(self, deliveries: pl.DataFrame) -> None:
        """Take in the attempts of a batch, in order."""
        if not len(deliveries):
            return
        fresh = deliveries.select(
            "trail",
            WHO,
            "recipient",
            "status",
            "time",
            pl.lit(1, pl.UInt32).alias("attempts"),
        )
        touched = fresh["who"]
        again = self.open["who"].is_in(touched.implode()) if len(self.open) else None
        if again is not None and again.any():
            fresh = pl.concat([self.open.filter(again), fresh])
            self.open = self.open.filter(~again)
        if fresh["who"].is_duplicated().any():
            fresh = fresh.group_by("who", maintain_order=True).agg(
                pl.col("trail").last(),
                pl.col("recipient").last(),
                # A recipient once served stays served, whatever a late line about another try says.
                pl.when((pl.col("status") == "sent").any())
                .then(pl.lit("sent"))
                .otherwise(pl.col("status").last())
                .alias("status"),
                pl.col("time").last(),
                pl.col("attempts").sum(),
            )
        self.open = pl.concat([self.open, fresh.select(list(SCHEMA))])

    def settle(self, closed: pl.DataFrame) -> pl.DataFrame:
        """The recipients of messages whose story is over, each with its ``fate``.

        One row per recipient that was tried, and one for the recipients of a message of which no
        attempt was seen (``recipients`` says how many a row stands for).
        """
        mine = self.open["trail"].is_in(closed["trail"].implode()) if len(closed) else None
        if mine is None:
            return settled(self.open.clear(), closed)
        rows = self.open.filter(mine)
        self.open = self.open.filter(~mine)
        return settled(rows, closed)


def settled(rows: pl.DataFrame, closed: pl.DataFrame) -> pl.DataFrame:
    """Recipients with their fate: trail, time, recipient, fate, attempts, recipients.

    ``deferred`` is one that was put off and will be tried again, ``queued`` one that has not been tried.
    Those whom a requeued message had not reached yet are left to the message under its new id.
    """
    known = closed.select("trail", "host", "ended", "expired", "refused", "recipient_count", "last_time")
    moved = (pl.col("ended") == "requeued").fill_null(False)
    tried = rows.join(known, on="trail", how="inner").filter(~moved | (pl.col("status") != "deferred"))
    tried = tried.with_columns(
        pl.when(~pl.col("status").is_in(["deferred"]))
        .then(pl.col("status"))
        .when(pl.col("expired"))
        .then(pl.lit("expired"))
        .when(pl.col("ended") == "deleted")
        .then(pl.lit("deleted"))
        .when(pl.col("ended") == "discarded")
        .then(pl.lit("discarded"))
        .when(pl.col("ended").is_null())
        .then(pl.lit("deferred"))
        .otherwise(pl.lit("unknown"))
        .alias("fate"),
        pl.lit(1, pl.Int64).alias("recipients"),
    )
    count = rows.group_by("trail").agg(pl.len().cast(pl.Int64).alias("seen"))
    untried = (
        known.join(count, on="trail", how="left")
        .with_columns(
            (pl.col("recipient_count").fill_null(0) - pl.col("seen").fill_null(0)).alias("recipients")
        )
        .filter((pl.col("recipients") > 0) & ~pl.col("refused") & ~moved)
        .with_columns(
            pl.when(pl.col("ended").is_null())
            .then(pl.lit("queued"))
            .when(pl.col("ended").is_in(["deleted", "discarded"]))
            .then(pl.col("ended"))
            .when(pl.col("expired"))
            .then(pl.lit("expired"))
            .otherwise(pl.lit("unknown"))
            .alias("fate"),
            pl.lit(None, pl.String).alias("recipient"),
            pl.lit(0, pl.UInt32).alias("attempts"),
            pl.col("last_time").alias("time"),
        )
    )
    columns = ["trail", "host", "time", "recipient", "fate", "attempts", "recipients"]
    return pl.concat([tried.select(columns), untried.select(columns)])

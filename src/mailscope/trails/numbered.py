"""qmail's deliveries: ``starting delivery D: msg M to ...`` and, later, ``delivery D: success: ...``.

The second line names only the delivery; the number is given anew from 1 at each start of qmail-send.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

CARRIED = ("delivery_key", "queue_id", "key", "recipient", "transport", "time", "host")


@dataclass
class Deliveries:
    """The deliveries that have started and not yet ended."""

    open: pl.DataFrame = field(default_factory=pl.DataFrame)

    def resolve(self, started: pl.DataFrame, attempted: pl.DataFrame) -> pl.DataFrame:
        """Attempts with queue id, recipient, relay and delay of the start that each one ends.

        A delivery that ends without a start (the log begins in its middle) keeps null there.
        """
        if "delivery_key" not in attempted.columns:
            self._remember(started, None)
            return attempted
        mine = attempted.filter(pl.col("queue_id").is_null() & pl.col("delivery_id").is_not_null())
        if not len(mine):
            self._remember(started, None)
            return attempted.drop("delivery_key")
        starts = self._starts(started)
        if not len(starts):
            return attempted.drop("delivery_key")
        joined = mine.sort("order").join_asof(
            starts.sort("order", maintain_order=True).with_row_index("start"),
            on="order",
            by="delivery_key",
            strategy="backward",
            suffix="_start",
            check_sortedness=False,
        )
        if joined["start"].drop_nulls().is_duplicated().any():
            # A delivery ends once; of what says so again, nobody knows the start.
            ended = [name for name in joined.columns if name.endswith("_start") or name == "transport"]
            again = ~pl.col("start").is_first_distinct()
            joined = joined.with_columns(pl.when(~again).then(pl.col(name)).alias(name) for name in ended)
        resolved = joined.with_columns(
            pl.coalesce("queue_id", "queue_id_start").alias("queue_id"),
            pl.when(pl.col("key_start").is_not_null()).then("key_start").otherwise("key").alias("key"),
            pl.coalesce("recipient", "recipient_start").alias("recipient"),
            pl.coalesce("relay_host", "transport").alias("relay_host"),
            # From the start of this attempt: qmail does not tell the message's age in this line.
            ((pl.col("time") - pl.col("time_start")).dt.total_microseconds() / 1e6).alias("delay_transmit_s"),
        )
        self._remember(started, resolved.select("delivery_key", "order"))
        others = attempted.filter(~(pl.col("queue_id").is_null() & pl.col("delivery_id").is_not_null()))
        return pl.concat([others, resolved.select(attempted.columns)]).sort("order").drop("delivery_key")

    def _starts(self, started: pl.DataFrame) -> pl.DataFrame:
        frames = []
        if len(self.open):
            frames.append(self.open.with_columns(pl.lit(0, pl.UInt32).alias("order")))
        if "delivery_key" in started.columns and len(started):
            frames.append(started.select(*CARRIED, "order"))
        return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()

    def _remember(self, started: pl.DataFrame, ended: pl.DataFrame | None) -> None:
        """Keep the newest start of each delivery number that no later line has ended."""
        starts = self._starts(started)
        if not len(starts):
            return
        newest = starts.sort("order", maintain_order=True).unique(
            "delivery_key", keep="last", maintain_order=True
        )
        if ended is not None:
            last = ended.group_by("delivery_key").agg(pl.col("order").max().alias("ended"))
            newest = newest.join(last, on="delivery_key", how="left").filter(
                pl.col("ended").is_null() | (pl.col("ended") < pl.col("order"))
            )
        self.open = newest.select(CARRIED)

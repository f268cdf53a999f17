"""Deliveries take far longer than usual, and where the time goes: queue, connection, transmission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import SlowDelivery as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.mailflow import attempts, with_provider
from mailscope.watch.pulses import PULSE, Pulses
from mailscope.watch.samples import Samples
from mailscope.watch.seen import Seen
from mailscope.watch.shares import Share, Shares, certain
from mailscope.watch.window import LAST, SINCE

ALL: Final = "*"
QUEUE, CONNECT, TRANSMIT = "queue", "connect", "transmit"
DELAYS: Final = {QUEUE: "delay_in_queue_s", CONNECT: "delay_connect_s", TRANSMIT: "delay_transmit_s"}
STAGES: Final = {
    QUEUE: Phrase("Mail waits in our queue: {seconds} s on average before it is sent"),
    CONNECT: Phrase("It takes {seconds} s on average until a connection stands"),
    TRANSMIT: Phrase("It takes {seconds} s on average to hand a message over"),
}
# Where one destination has so much of what is slow, it is told of by itself.
OWN_SHARE: Final = 0.5
CERTAIN: Final = 5.0
# Deliveries that a usual share must rest on, and hours around the same time of day that are looked at.
FEWEST, NEAR_H = 100, 1
SLOW, SUM = "_slow", "_sum"
VALUES: Final = ("n", *(stage + SLOW for stage in DELAYS), *(stage + SUM for stage in DELAYS))


class SlowDelivery:
    """Counts, of first attempts that went well, those slow in each stage, in all and by destination."""

    about: ClassVar[About] = About(
        name="slow_delivery",
        sees="Most deliveries of the last half hour were slow in one stage: in our queue, until a "
        "connection stood, or while the message was handed over; in all, or to one destination.",
        why="Mail comes late before it does not come at all: this host is overloaded, its disk or DNS is "
        "slow, or the other side is.",
        false_positives="A large mailing that fills the queue for a while; a destination that makes "
        "strangers wait on purpose.",
        advice="Our queue: look at the load, the disk and content filters, and whether one destination "
        "holds all delivery processes (Postfix: qshape, default_process_limit). Connection: look at DNS and "
        "the network. Transmission: the other side is slow; nothing is lost.",
        commands=("mailscope report --domain {destination}",),
    )
    needs = FIELDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._slow_s = {stage: float(getattr(settings, f"{stage}_s")) for stage in DELAYS}
        self._pulses = Pulses(("key",), VALUES, settings.window_s)
        self._shares = {stage: Shares() for stage in DELAYS}
        self._samples = Samples()

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = self._rows(seen)
        self._pulses.add(rows)
        slow = rows.filter(pl.sum_horizontal(stage + SLOW for stage in DELAYS) > 0) if len(rows) else rows
        self._samples.add(seen, slow, "key")
        pulses = self._pulses.ended(seen.now)
        if not len(pulses):
            return
        for stage, shares in self._shares.items():
            shares.add(pulses, "key", "n_own", f"{stage}{SLOW}_own")
            for row in pulses.filter(self._much(stage, pulses)).iter_rows(named=True):
                usual = shares.usual(row["key"], row[PULSE], NEAR_H)
                if self._far(stage, row, usual):
                    yield self._signal(seen, stage, row, usual, slow)

    def _much(self, stage: str, pulses: pl.DataFrame) -> pl.Expr:
        """Slow enough, and not one destination told of as all, or the other way about."""
        name, everything = stage + SLOW, pl.col("key") == ALL
        part = pl.when(everything).then(self.settings.share).otherwise(self.settings.share_destination)
        least = (
            pl.when(everything).then(self.settings.deliveries).otherwise(self.settings.deliveries_destination)
        )
        enough = (pl.col("n") >= least) & (pl.col(name) / pl.col("n") >= part)
        if stage == QUEUE:
            return enough & everything
        largest = pl.when(~everything).then(name).max().over(PULSE)
        together = pl.when(everything).then(name).max().over(PULSE)
        one = largest >= OWN_SHARE * together
        return enough & pl.when(everything).then(~one.fill_null(False)).otherwise(one.fill_null(True))

    def _far(self, stage: str, row: dict[str, Any], usual: Share) -> bool:
        share = row[stage + SLOW] / row["n"]
        if usual.cases < FEWEST:
            return True
        far = share >= min(self.settings.times * usual.share, (1 + usual.share) / 2)
        return bool(far and certain(row[stage + SLOW], row["n"], usual.share) >= CERTAIN)

    def _signal(
        self, seen: Seen, stage: str, row: dict[str, Any], usual: Share, slow: pl.DataFrame
    ) -> Signal:
        key, count = str(row["key"]), round(row[stage + SLOW])
        seconds = round(row[stage + SUM] / row["n"], 1)
        reasons = [
            Phrase(
                "{count} of {deliveries} deliveries took longer than {seconds} s in this stage",
                count=count,
                deliveries=round(row["n"]),
                seconds=round(self._slow_s[stage]),
            )
        ]
        if usual.cases >= FEWEST:
            reasons.append(
                Phrase(
                    "usual share: {percent} %, of {cases} deliveries on {days} days",
                    percent=round(100 * usual.share, 1),
                    cases=usual.cases,
                    days=usual.days,
                )
            )
        title = Phrase(STAGES[stage].template, seconds=seconds)
        if key != ALL:
            title = Phrase("Slow delivery to {destination}. {what}", destination=key, what=title)
        subject = {"stage": stage} | ({} if key == ALL else {"destination": key})
        return Signal(
            subject=subject,
            time=row[LAST],
            since=row[SINCE],
            severity="warning" if key == ALL else "info",
            title=title,
            figures={
                "deliveries": round(row["n"]),
                "slow": count,
                "mean_s": seconds,
                "usual_share": round(usual.share, 4),
            },
            reasons=tuple(reasons),
            lines=self._samples.lines(seen, slow, "key", key, row[SINCE], row[LAST]),
        )

    def _rows(self, seen: Seen) -> pl.DataFrame:
        """First attempts that went well, by destination and once more in all: ``VALUES``."""
        rows = attempts(seen, self.site)
        if not len(rows):
            return rows
        rows = rows.filter(pl.col("status") == "sent", pl.col("first")).with_columns(
            # qmail tells no stages: all is its queue's.
            pl.coalesce("delay_in_queue_s", "delay_s").alias("delay_in_queue_s")
        )
        seconds = {stage: pl.col(name).fill_null(0.0) for stage, name in DELAYS.items()}
        rows = with_provider(rows).select(
            "time",
            "order",
            pl.when("away").then("provider").alias("key"),
            pl.lit(1.0).alias("n"),
            *(
                (delay >= self._slow_s[stage]).cast(pl.Float64).alias(stage + SLOW)
                for stage, delay in seconds.items()
            ),
            *(delay.alias(stage + SUM) for stage, delay in seconds.items()),
        )
        everything = rows.with_columns(pl.lit(ALL).alias("key"))
        return pl.concat([rows.filter(pl.col("key").is_not_null()), everything])

    def state(self) -> Frames:
        """What it remembers."""
        kept = {**self._pulses.state(), **self._samples.state()}
        for stage, shares in self._shares.items():
            kept |= shares.state(stage)
        return kept

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._pulses.resume(state)
        self._samples.resume(state)
        for stage, shares in self._shares.items():
            shares.resume(state, stage)

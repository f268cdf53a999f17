"""One network, or many together, try many recipients that do not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import DirectoryHarvest as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import EVERYWHERE, Signal
from mailscope.watch.hourly import Hourly, Limit
from mailscope.watch.mailflow import REFUSALS, arrivals, attempts, refusals, strangers
from mailscope.watch.seen import Seen
from mailscope.watch.window import BUCKET, LAST, SINCE, Measure, Window, told

UNKNOWN: Final = "unknown_recipient"
KEYS: Final = ("network",)
MEASURES: Final = (
    Measure("recipients", "distinct", "recipient"),
    Measure("refused", where=pl.col("recipient").is_not_null()),
    Measure("accepted", where=pl.col("recipient").is_null()),
)
COLUMNS: Final = ("time", "order", "network", "recipient")
# Robots of many networks share the work, a few names each.  They are told of together where none of them
# tries so much of all.
ALL: Final = "*"
OWN_SHARE: Final = 0.4


class DirectoryHarvest:
    """Counts unknown recipients by network and in all, refused at once or returned later."""

    about: ClassVar[About] = About(
        name="directory_harvest",
        blockable=True,
        sees="One network tries many recipients that do not exist, and hardly any that does; or many "
        "networks try far more of them together than is usual at such an hour.",
        why="Somebody finds out which addresses there are, to sell them or to write to them.",
        false_positives="A newsletter to an old list of your users; an old domain of yours whose users have "
        "gone.",
        advice="Block the network. Refuse unknown recipients at once, and let a client go after a few "
        "(Postfix: smtpd_soft_error_limit, smtpd_hard_error_limit).",
        commands=("mailscope about {network}",),
    )
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {**FIELDS, **REFUSALS}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, MEASURES, settings.window_s)
        least = float(settings.recipients_together)
        self._usual = Hourly(least / 4, least, least * settings.gross, settings.times, settings.history_h)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = self._rows(seen)
        if not len(rows):
            self._usual.add(seen, rows)
            return
        together = _together(rows)
        self._usual.add(seen, together.select("time", pl.col("network").alias("key"), pl.lit(1.0).alias("n")))
        least = min(self.settings.recipients, self.settings.recipients_together)
        found = self._window.add(pl.concat([rows, together]), {"recipients": least})
        if not len(found):
            return
        yield from self._of_many(seen, found.filter(pl.col("network") == ALL), together)
        found = found.filter(pl.col("network") != ALL, pl.col("recipients") >= self.settings.recipients)
        found = found.filter(pl.col("accepted") <= self.settings.known_share * pl.col("recipients"))
        for row in told(found, KEYS, "recipients", self.about.quiet_s).iter_rows(named=True):
            count, network = round(row["recipients"]), row["network"]
            yield Signal(
                subject={"network": network},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{network} tried {count} recipients that do not exist", network=network, count=count
                ),
                figures={
                    "recipients": count,
                    "refused": round(row["refused"]),
                    "accepted": round(row["accepted"]),
                    "window_s": self.settings.window_s,
                },
                lines=seen.evidence(
                    rows.filter(
                        pl.col("network") == network,
                        pl.col("recipient").is_not_null(),
                        pl.col("time").is_between(row[SINCE], row[LAST]),
                    )
                ),
            )

    def _of_many(self, seen: Seen, found: pl.DataFrame, rows: pl.DataFrame) -> Iterator[Signal]:
        """What many networks tried together, none of them most of it."""
        limits: dict[datetime, Limit] = {}
        networks: dict[datetime, int] = {}
        for row in found.filter(pl.col("recipients") >= self.settings.recipients_together).iter_rows(
            named=True
        ):
            limit = self._usual.limit(ALL, row[LAST])
            if row["recipients"] >= limit.value:
                limits[row[BUCKET]] = limit
                networks[row[BUCKET]] = self._networks(row)
        found = found.filter(
            pl.col(BUCKET).is_in([at for at, count in networks.items() if count >= self.settings.networks])
        )
        for row in told(found, KEYS, "recipients", self.about.quiet_s).iter_rows(named=True):
            count = round(row["recipients"])
            yield Signal(
                subject={EVERYWHERE: "many"},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{networks} networks tried {count} recipients that do not exist",
                    networks=networks[row[BUCKET]],
                    count=count,
                ),
                figures={
                    "recipients": count,
                    "refused": round(row["refused"]),
                    "networks": networks[row[BUCKET]],
                    "limit": round(limits[row[BUCKET]].value),
                    "window_s": self.settings.window_s,
                },
                reasons=limits[row[BUCKET]].reasons,
                lines=seen.evidence(rows.filter(pl.col("time").is_between(row[SINCE], row[LAST]))),
            )

    def _networks(self, row: dict[str, Any]) -> int:
        """How many networks there are in some time; 0 where one of them tried much of all."""
        kept = self._window.kept("sums").filter(
            pl.col("network") != ALL,
            pl.col("refused") > 0,
            pl.col(LAST) >= row[SINCE],
            pl.col(SINCE) <= row[LAST],
        )
        sums = kept.group_by("network").agg(pl.col("refused").sum())["refused"]
        largest = sums.max()
        if not isinstance(largest, int | float) or largest >= OWN_SHARE * row["refused"]:
            return 0
        return len(sums)

    def _rows(self, seen: Seen) -> pl.DataFrame:
        """Unknown recipients by network, and messages that were taken in (without recipient)."""
        frames = []
        refused = refusals(seen, self.site)
        if len(refused):
            frames.append(refused.filter(pl.col("cause") == UNKNOWN, pl.col("recipient").is_not_null()))
        later = attempts(seen, self.site)
        if len(later):
            returned = later.filter(
                pl.col("cause") == UNKNOWN, ~pl.col("away"), pl.col("sasl_user").is_null()
            )
            frames.append(strangers(returned, self.site))
        taken = arrivals(seen, self.site)
        if len(taken):
            frames.append(taken.with_columns(pl.lit(None, pl.String).alias("recipient")))
        frames = [frame.select(COLUMNS) for frame in frames if len(frame)]
        return pl.concat(frames).sort("time", "order") if frames else pl.DataFrame()

    def state(self) -> Frames:
        """What it remembers."""
        return {**self._window.state(), **self._usual.state()}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)
        self._usual.resume(state)


def _together(rows: pl.DataFrame) -> pl.DataFrame:
    """The recipients that do not exist once more, as those of all networks."""
    return rows.filter(pl.col("recipient").is_not_null()).with_columns(pl.lit(ALL).alias("network"))

"""One network tries many recipients that do not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import DirectoryHarvest as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.mailflow import REFUSALS, arrivals, attempts, refusals, strangers
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

UNKNOWN: Final = "unknown_recipient"
KEYS: Final = ("network",)
MEASURES: Final = (
    Measure("recipients", "distinct", "recipient"),
    Measure("refused", where=pl.col("recipient").is_not_null()),
    Measure("accepted", where=pl.col("recipient").is_null()),
)
COLUMNS: Final = ("time", "order", "network", "recipient")


class DirectoryHarvest:
    """Counts unknown recipients by network, refused at once or returned later."""

    about: ClassVar[About] = About(
        name="directory_harvest",
        blockable=True,
        sees="One network tries many recipients that do not exist, and hardly any that does.",
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

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = self._rows(seen)
        if not len(rows):
            return
        found = self._window.add(rows, {"recipients": self.settings.recipients})
        if not len(found):
            return
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
        return self._window.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)

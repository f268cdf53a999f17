"""A program's lines used to be known, and many are not any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.columns import own
from mailscope.vocabulary.settings.detections.host import CoverageFalling as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.seen import Seen

# A program counts as known after so many lines on so many days ...
KNOWN_LINES, KNOWN_DAYS = 200, 1
# ... of which so large a part was known.
KNOWN_SHARE: Final = 0.95
MOST_PROGRAMS: Final = 2_000
HOUR: Final = timedelta(hours=1)
BEFORE: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "program": pl.String, "first": pl.Datetime("us"), "lines": pl.Int64, "unknown": pl.Int64
}  # fmt: skip
HOURS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "program": pl.String, "hour": pl.Datetime("us"), "lines": pl.Int64, "unknown": pl.Int64,
    "since": pl.Datetime("us"), "last": pl.Datetime("us"),
}  # fmt: skip


class CoverageFalling:
    """Counts, hour by hour, the lines of each program and those that no pattern knows."""

    about: ClassVar[About] = About(
        name="coverage_falling",
        sees="Lines of a program that no pattern knows, many and suddenly, where nearly all were known "
        "before.",
        why="The program was updated or set to log otherwise: from now on numbers may be too small, "
        "and other detections may miss what happens.",
        false_positives="A program in debug mode for a while.",
        advice="Look at the shapes of the unknown lines (mailscope coverage), write a pattern for them "
        "in /etc/mailscope/patterns.d, and report them.",
        commands=("mailscope coverage --since '1 day ago'",),
        quiet_s=3 * 3_600,
    )
    needs: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        # What is known of hours that are over, and the hours that are not.
        self._before = pl.DataFrame(schema=BEFORE)
        self._hours = pl.DataFrame(schema=HOURS)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        lines = seen.lines
        if not len(lines):
            return
        new = (
            lines.filter(pl.col("program").is_not_null() & (pl.col("program") != ""))
            .group_by("program", pl.col("time").dt.truncate("1h").alias("hour"))
            .agg(
                pl.len().cast(pl.Int64).alias("lines"),
                (~pl.col("known")).sum().cast(pl.Int64).alias("unknown"),
                pl.col("time").filter(~pl.col("known")).min().alias("since"),
                pl.col("time").filter(~pl.col("known")).max().alias("last"),
            )
        )
        together = (
            pl.concat([self._hours, own(new)])
            .group_by("program", "hour")
            .agg(pl.col("lines", "unknown").sum(), pl.col("since").min(), pl.col("last").max())
        )
        self._hours = together.select(HOURS.keys())
        for row in self._suspicious(new).iter_rows(named=True):
            mine = lines.filter(pl.col("program") == row["program"], ~pl.col("known"))
            share = row["unknown"] / row["lines"]
            yield Signal(
                subject={"program": row["program"]},
                time=row["last"],
                since=row["since"],
                severity="warning",
                title=Phrase(
                    "{count} lines of {program} within an hour are not known any more ({percent} %)",
                    count=row["unknown"], program=row["program"], percent=round(100 * share),
                ),
                figures={"lines": row["lines"], "unrecognised": row["unknown"]},
                lines=seen.evidence(mine),
            )  # fmt: skip
        self._pass(seen.now.replace(minute=0, second=0, microsecond=0))

    def _suspicious(self, new: pl.DataFrame) -> pl.DataFrame:
        """The hours of this batch in which too many lines are unknown of a program that was known."""
        hours = self._hours.join(new.select("program", "hour"), on=["program", "hour"], how="semi")
        many = hours.filter(
            pl.col("unknown") >= self.settings.lines,
            pl.col("unknown") * 100 >= pl.col("lines") * self.settings.share_percent,
        )
        # Within one chunk of a log, the hours before count as well.
        known = self._known_before()
        joined = many.join(known, on="program").filter(
            pl.col("known_lines") >= KNOWN_LINES,
            pl.col("known_unknown") <= pl.col("known_lines") * (1 - KNOWN_SHARE),
            pl.col("hour") - pl.col("first") >= timedelta(days=KNOWN_DAYS),
        )
        return joined.sort("last")

    def _known_before(self) -> pl.DataFrame:
        calm = self._hours.filter(pl.col("unknown") < self.settings.lines)
        whole = pl.concat(
            [self._before, calm.select("program", pl.col("hour").alias("first"), "lines", "unknown")]
        )
        return whole.group_by("program").agg(
            pl.col("first").min(),
            pl.col("lines").sum().alias("known_lines"),
            pl.col("unknown").sum().alias("known_unknown"),
        )

    def _pass(self, hour: datetime) -> None:
        """Add hours that are over to what is known; those with too many unknown lines are not the norm."""
        over = pl.col("hour") < hour - HOUR
        calm = self._hours.filter(over, pl.col("unknown") < self.settings.lines)
        if len(calm):
            whole = pl.concat(
                [self._before, calm.select("program", pl.col("hour").alias("first"), "lines", "unknown")]
            )
            whole = whole.group_by("program").agg(pl.col("first").min(), pl.col("lines", "unknown").sum())
            self._before = whole.sort("lines", descending=True).head(MOST_PROGRAMS).select(BEFORE.keys())
        self._hours = self._hours.filter(~over)

    def state(self) -> Frames:
        """What it remembers."""
        return {"before": self._before, "hours": self._hours}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        before, hours = state.get("before"), state.get("hours")
        if before is not None and hours is not None and before.schema == BEFORE and hours.schema == HOURS:
            self._before, self._hours = before, hours

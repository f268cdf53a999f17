"""Lines that were lost before anybody read them, and clocks that jump."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.host import LogLoss as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

LOST: Final = "lines_lost"
# A line that stands for several is no loss: they are counted.
REPEATED: Final = r"(?i)message repeated"
CLOCK: Final = (
    r"(?i)time (?:just )?moved (?:backwards|forwards) by (?<a>[0-9.]+)"
    r"|clock (?:was )?(?:stepped|jumped)(?: by)? (?<b>-?[0-9.]+)"
    r"|time (?:stepped|reset) (?:by )?(?<c>[+-]?[0-9.]+)"
    r"|system clock was stepped by (?<d>-?[0-9.]+)"
)
KEYS: Final = ("host", "who")
MEASURES: Final = (Measure("lines", "sum", "value"), Measure("uncounted", where=pl.col("uncounted")))


class LogLoss:
    """Adds up what loggers say that they threw away."""

    about: ClassVar[About] = About(
        name="log_loss",
        sees="Lines that rsyslog, journald, syslog-ng, the kernel or our own receiver say were "
        "dropped, and clocks that were set by much.",
        why="What is not logged cannot be found: every number of that time is too small. A clock that "
        "jumps puts lines in the wrong order, and delays come out wrong.",
        false_positives="A burst of a program in debug mode loses lines of its own only.",
        advice="Raise the limits of the logger (rsyslog: imuxsock and imjournal RateLimit, journald: "
        "RateLimitBurst), or calm the program that logs so much; for clocks, see chronyc tracking or "
        "ntpq -p.",
        commands=("mailscope events --event lines_lost",),
        quiet_s=3_600,
    )
    needs: ClassVar = {LOST: ("value", "reason", "subject_service"), "noted": (), "warned": (), "failed": ()}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self._lost = Window(KEYS, MEASURES, settings.window_s)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        yield from self._losses(seen)
        yield from self._clocks(seen)

    def _losses(self, seen: Seen) -> Iterator[Signal]:
        rows = seen.events((LOST,), ("value", "reason", "subject_service", "text"))
        if not len(rows):
            return
        rows = rows.filter(~pl.col("text").str.contains(REPEATED)).with_columns(
            # Where no number is told, some were lost.
            pl.col("value").is_null().alias("uncounted"),
            pl.col("value").cast(pl.Float64).fill_null(self.settings.lines),
            pl.coalesce("subject_service", "program").fill_null("").alias("who"),
            pl.col("host").fill_null(""),
        )
        found = self._lost.add(rows, {"lines": self.settings.lines})
        for row in told(found, KEYS, "lines", self.about.quiet_s).iter_rows(named=True):
            mine = rows.filter(pl.col("host") == row["host"], pl.col("who") == row["who"])
            count = round(row["lines"])
            yield Signal(
                subject={"host": row["host"], "program": row["who"]},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=_title(row["host"], row["who"], None if row["uncounted"] else count),
                figures={"window_s": self.settings.window_s} | ({} if row["uncounted"] else {"lines": count}),
                lines=seen.evidence(mine),
            )  # fmt: skip

    def _clocks(self, seen: Seen) -> Iterator[Signal]:
        rows = seen.events(("noted", "warned", "failed"), ("text",))
        if not len(rows):
            return
        jump = pl.coalesce(pl.col("text").str.extract(CLOCK, group) for group in (1, 2, 3, 4))
        rows = rows.with_columns(
            jump.str.strip_chars_end(".").cast(pl.Float64, strict=False).abs().alias("jump")
        )
        for row in rows.filter(pl.col("jump") >= self.settings.clock_jump_s).iter_rows(named=True):
            host = row["host"] or ""
            mine = rows.filter(pl.col("order") == row["order"])
            yield Signal(
                subject={"host": host, "clock": "jumped"},
                time=row["time"],
                since=row["time"],
                severity="warning",
                title=Phrase(
                    "{host}: the clock was set by {seconds} s", host=host, seconds=round(row["jump"], 1)
                ),
                figures={"seconds": row["jump"]},
                lines=seen.evidence(mine),
            )

    def state(self) -> Frames:
        """What it remembers."""
        return self._lost.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._lost.resume(state)


def _title(host: str, program: str, count: int | None) -> Phrase:
    if count is None:
        return Phrase("{host}: log lines of {program} were lost", host=host, program=program)
    return Phrase("{host}: {count} log lines of {program} were lost", host=host, count=count, program=program)

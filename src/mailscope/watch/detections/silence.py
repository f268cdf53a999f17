"""No lines of a host, no mail, or a program that stopped logging."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.host import Silence as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Severity, Signal
from mailscope.watch.seen import Seen
from mailscope.watch.usual import HOUR, Usual

# So often it is asked whether something is missing.
STEP: Final = timedelta(minutes=5)
# So many times the longest pause of such hours is no accident.
PAUSES: Final = 2
# Kinds of key: all lines of a host, messages taken in, lines of one program.
LINES, MAIL, PROGRAM = "lines", "mail", "program"
MAIL_EVENT: Final = "queued"
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "key": pl.String, "last": pl.Datetime("us"), "count": pl.Int64, "pause": pl.Int64, "silent": pl.Boolean
}  # fmt: skip
NUL: Final = "\0"


class Silence:
    """Knows how much comes at each hour on a quiet day, and misses what should have come."""

    about: ClassVar[About] = About(
        name="silence",
        sees="No line of a host, no message, or no line of a program, for so long that even on a quiet "
        "day many would have come.",
        why="The service may be down, the way to it broken, the disk full, or the logger dead: nothing "
        "tells of it but that nothing is told.",
        false_positives="A holiday, or a maintenance. It needs at least three days of the same kind "
        "(working days, week-ends) before it says anything.",
        advice="Look whether the program runs (systemctl status) and whether the logger does; send a "
        "message through the server and see where it stays.",
        commands=("systemctl --failed", "mailscope report --since '3 hours ago'"),
        # It says itself when it is over.
        quiet_s=7 * 86_400,
    )
    needs: ClassVar = {MAIL_EVENT: ()}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self._usual = Usual()
        self._last: dict[str, datetime] = {}
        self._counts: Counter[str] = Counter()
        self._silent: set[str] = set()
        # The longest pause of each key in each hour, in seconds: what comes in bursts pauses for long, too.
        self._pauses = Usual()
        self._longest: Counter[str] = Counter()
        self._at: datetime | None = None

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        steps = self._steps(seen)
        at = self._at or (min(steps) if steps else None)
        if at is None:
            return
        end = seen.now.replace(minute=seen.now.minute - seen.now.minute % 5, second=0, microsecond=0)
        # A clock that jumps far ahead is not followed step by step.
        if end - at > timedelta(days=7):
            at = end - timedelta(days=7)
        while at < end:
            yield from self._come(steps.pop(at, {}))
            at += STEP
            if at.minute == 0:
                self._usual.add(at - HOUR, self._counts)
                self._counts = Counter()
                self._note_pauses(at)
            yield from self._missing(at)
        self._at = at
        # What is left is of the step that is not over, or came late.
        for counts in steps.values():
            yield from self._come(counts)

    def _steps(self, seen: Seen) -> dict[datetime, dict[str, tuple[int, datetime, datetime]]]:
        """By step and key: lines, and the first and last of their instants."""
        lines = seen.lines
        if not len(lines):
            return {}
        host = pl.col("host").fill_null("")
        tagged = lines.select("time", host.alias("host"), pl.col("program").fill_null("").alias("program"))
        frames = [
            tagged.select("time", pl.concat_str(pl.lit(LINES), "host", separator=NUL).alias("key")),
            tagged.filter(pl.col("program") != "").select(
                "time", pl.concat_str(pl.lit(PROGRAM), "host", "program", separator=NUL).alias("key")
            ),
        ]
        mail = seen.events((MAIL_EVENT,), ())
        if len(mail):
            frames.append(mail.select("time", pl.concat_str(pl.lit(MAIL), host, separator=NUL).alias("key")))
        counted = (
            pl.concat(frames)
            .group_by("key", pl.col("time").dt.truncate("5m").alias("step"))
            .agg(pl.len(), pl.col("time").min().alias("first"), pl.col("time").max().alias("last"))
        )
        found: dict[datetime, dict[str, tuple[int, datetime, datetime]]] = {}
        for key, step, count, first, last in counted.sort("step", "key").iter_rows():
            found.setdefault(step, {})[key] = (count, first, last)
        return found

    def _come(self, counts: dict[str, tuple[int, datetime, datetime]]) -> Iterator[Signal]:
        for key, (count, first, last) in counts.items():
            self._counts[key] += count
            if key in self._silent:
                self._silent.discard(key)
                yield self._signal(key, first, over=True)
            elif key in self._last:
                self._pause(key, first)
            self._last[key] = max(last, self._last.get(key, last))

    def _pause(self, key: str, until: datetime) -> None:
        self._longest[key] = max(self._longest[key], round((until - self._last[key]).total_seconds()))

    def _note_pauses(self, at: datetime) -> None:
        """Enter the pauses of the hour that ended; a silence that was told of is not the norm."""
        for key in self._last:
            if key not in self._silent:
                self._pause(key, at)
        self._pauses.add(at - HOUR, self._longest)
        self._longest = Counter()

    def _missing(self, at: datetime) -> Iterator[Signal]:
        least = timedelta(seconds=self.settings.least_s)
        quiet_hosts = {key.split(NUL)[1] for key in self._silent if key.startswith(LINES)}
        for key in sorted(self._last, key=lambda each: (not each.startswith(LINES), each)):
            since = self._last[key]
            if key in self._silent or at - since < least:
                continue
            # A host that says nothing at all is told of once, not program by program.
            if not key.startswith(LINES) and key.split(NUL)[1] in quiet_hosts:
                continue
            missed = self._usual.missed(key, since, at)
            usual = timedelta(seconds=PAUSES * self._pauses.most(key, at))
            if missed is not None and missed >= self.settings.expected and at - since > usual:
                self._silent.add(key)
                if key.startswith(LINES):
                    quiet_hosts.add(key.split(NUL)[1])
                yield self._signal(key, at, missed=missed)
            elif at - since > timedelta(days=14):
                # It was taken out of service.
                del self._last[key]
                return

    def _signal(self, key: str, at: datetime, *, missed: float = 0.0, over: bool = False) -> Signal:
        kind, host, *program = key.split(NUL)
        since = self._last.get(key, at)
        minutes = round((at - since).total_seconds() / 60)
        severity: Severity = "critical"
        if kind == LINES:
            title = Phrase("{host}: no log line for {minutes} minutes", host=host, minutes=minutes)
        elif kind == MAIL:
            title = Phrase("{host}: no message for {minutes} minutes", host=host, minutes=minutes)
        else:
            severity = "warning"
            title = Phrase(
                "{host}: {program} has logged nothing for {minutes} minutes", host=host, program=program[0],
                minutes=minutes,
            )  # fmt: skip
        return Signal(
            subject={"host": host, "missing": program[0] if program else kind},
            time=at,
            since=since,
            severity=severity,
            title=title,
            figures={"expected_lines": round(missed), "seconds": (at - since).total_seconds()},
            over=over,
        )

    def state(self) -> Frames:
        """What it remembers."""
        keys = sorted(set(self._last) | set(self._counts))
        rows = [
            (key, self._last.get(key), self._counts[key], self._longest[key], key in self._silent)
            for key in keys
        ]
        at = pl.DataFrame({"at": [self._at]}, schema={"at": pl.Datetime("us")})
        pauses = self._pauses.state()["usual"]
        return {
            **self._usual.state(),
            "pauses": pauses,
            "last": pl.DataFrame(rows, schema=SCHEMA, orient="row"),
            "at": at,
        }

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._usual.resume(state)
        if "pauses" in state:
            self._pauses.resume({"usual": state["pauses"]})
        frame, at = state.get("last"), state.get("at")
        if frame is None or at is None or frame.schema != SCHEMA:
            return
        self._at = at["at"][0]
        for key, last, count, pause, silent in frame.iter_rows():
            if last is not None:
                self._last[key] = last
            if count:
                self._counts[key] = count
            if pause:
                self._longest[key] = pause
            if silent:
                self._silent.add(key)

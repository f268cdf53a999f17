"""Disks that are full or fail, memory that ran out, panics, programs that die again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.host import SystemTrouble as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Severity, Signal
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

KINDS: Final = ("failed", "panicked", "warned", "delivery_attempted", "rejected", "noted")
# What lines say, in the words of errno(3), the kernel and the MTAs -> what it is, and how bad.
WORDS: Final[tuple[tuple[str, str, Severity], ...]] = (
    (
        "disk_full",
        r"(?i)no space left on device|disk (?:is )?full|insufficient system storage|not enough free space"
        r"|no free inodes",
        "critical",
    ),
    (
        "disk_errors",
        r"(?i)\bI/O error|Input/output error|read-only file ?system"
        r"|(?:EXT4|XFS|BTRFS)[^:]*(?: error|: corrupt)"
        r"|critical medium error",
        "critical",
    ),
    ("memory", r"(?i)out of memory|oom-kill|cannot allocate memory|invoked oom", "critical"),
    ("file_limit", r"(?i)too many open files|file table overflow", "warning"),
)
TITLES: Final = {
    "disk_full": Phrase("a disk is full"),
    "disk_errors": Phrase("a disk fails, or is read-only"),
    "memory": Phrase("memory ran out"),
    "file_limit": Phrase("too many files are open"),
    "panic": Phrase("a program panicked"),
    "fatal": Phrase("a program gives up again and again"),
}
KEYS: Final = ("host", "program", "trouble")
# Of one trouble that several programs tell of, a line of each is enough.
SUBJECT: Final = ("host", "trouble")


class SystemTrouble:
    """Looks for the words of trouble in what programs say."""

    about: ClassVar[About] = About(
        name="system_trouble",
        sees="Lines that tell of a full or failing disk, of memory that ran out, of panics, or of a "
        "program that dies again and again.",
        why="Mail is put off or lost when there is no room for it, and a service that dies does not answer.",
        false_positives="A remote server that says its own disk is full is not meant: only what "
        "programs here say of themselves counts.",
        advice="Look at the host: free space and inodes (df -h, df -i), the kernel's messages (dmesg), "
        "and the program's own lines before it gave up.",
        commands=("df -h", "df -i", "mailscope events --program {program}"),
        quiet_s=3_600,
        most_apart=8,
    )
    needs: ClassVar = dict.fromkeys(KINDS, ("reason",))

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self._fatal = Window(KEYS, (Measure("lines"),), settings.window_s)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = seen.events(KINDS, ("reason", "text", "relay_host"))
        if not len(rows):
            return
        # What a remote server says of itself is no trouble here.
        rows = rows.filter(
            ~pl.col("event").is_in(["delivery_attempted", "rejected"])
            | (pl.col("relay_host").is_null() & ~pl.col("text").str.contains(r"\bsaid: |host \S+\["))
        )
        panic = pl.when(pl.col("event") == "panicked").then(pl.lit("panic"))
        words = (
            pl.when(pl.col("text").str.contains(pattern)).then(pl.lit(name)) for name, pattern, _ in WORDS
        )
        rows = rows.with_columns(pl.coalesce(panic, *words).alias("trouble"), pl.col("host").fill_null(""))
        yield from self._named(seen, rows.filter(pl.col("trouble").is_not_null()))
        fatal = rows.filter(pl.col("trouble").is_null(), pl.col("event") == "failed")
        yield from self._dying(seen, fatal.with_columns(pl.lit("fatal").alias("trouble")))

    def _named(self, seen: Seen, rows: pl.DataFrame) -> Iterator[Signal]:
        severities = {name: severity for name, _, severity in WORDS}
        for (host, trouble), mine in rows.group_by(SUBJECT, maintain_order=True):
            spans = mine.with_columns(
                (pl.col("time").diff() >= pl.duration(seconds=self.about.quiet_s))
                .fill_null(False)
                .cum_sum()
                .alias("_run")
            )
            for _, run in spans.group_by("_run", maintain_order=True):
                for end in (run.head(1), run.tail(1)) if len(run) > 1 else (run,):
                    yield Signal(
                        subject={"host": str(host), "trouble": str(trouble)},
                        time=end["time"][0],
                        since=run["time"][0],
                        severity=severities.get(str(trouble), "critical"),
                        title=Phrase("{host}: {what}", host=str(host), what=TITLES[str(trouble)]),
                        figures={"lines": len(run)},
                        lines=seen.evidence(run),
                    )

    def _dying(self, seen: Seen, rows: pl.DataFrame) -> Iterator[Signal]:
        found = self._fatal.add(rows, {"lines": self.settings.fatal})
        for row in told(found, KEYS, "lines", self.about.quiet_s).iter_rows(named=True):
            mine = rows.filter(pl.col("host") == row["host"], pl.col("program") == row["program"])
            yield Signal(
                subject={"host": row["host"], "program": row["program"], "trouble": "fatal"},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{host}: {program} gave up {count} times", host=row["host"], program=row["program"],
                    count=round(row["lines"]),
                ),
                figures={"lines": round(row["lines"]), "window_s": self.settings.window_s},
                lines=seen.evidence(mine),
            )  # fmt: skip

    def state(self) -> Frames:
        """What it remembers."""
        return self._fatal.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._fatal.resume(state)

"""A mailbox flooded from everywhere, lists misused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import ListAbuse as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.hourly import Hourly
from mailscope.watch.mailflow import attempts, domain_of
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

HOUR_S: Final = 3_600
BOMBING, REQUESTS, EXPANSION = "bombing", "requests", "expansion"
MEASURES: Final = {
    BOMBING: (Measure("n"), Measure("domains", "distinct", "sender_domain")),
    REQUESTS: (Measure("n"),),
    EXPANSION: (Measure("n", "sum", "n"), Measure("messages")),
}
TITLES: Final = {
    BOMBING: Phrase("{count} messages of {domains} senders' domains to {key} in an hour"),
    REQUESTS: Phrase("{count} messages in an hour to join or leave the list {key}"),
    EXPANSION: Phrase("{key} sends to {count} recipients in an hour, with {messages} messages to many"),
}
SUBJECTS: Final = {BOMBING: "recipient", REQUESTS: "list", EXPANSION: "sender"}
# A list's addresses for commands, as Mailman, ezmlm, Majordomo and Sympa have them.
COMMANDS: Final = (
    r"^(.+?)[-+](?:subscribe|unsubscribe|join|leave|confirm|request|owner-subscribe|sc\.[^@]*|uc\.[^@]*)"
    r"(?:[-+][^@]*)?(@[^@]+)$"
)
# A message to so many recipients is one to a list.
MANY: Final = 50


class ListAbuse:
    """Counts, by mailbox, list and sender."""

    about: ClassVar[About] = About(
        name="list_abuse",
        sees="Messages of very many senders' domains to one mailbox, many requests to join or leave a list, "
        "or one sender's messages to far more recipients than usual.",
        why="Someone signs a victim up to hundreds of newsletters (often to hide one message, such as a "
        "bank's), a list's members are thrown off, or a list is used for spam.",
        false_positives="An address that was published that day; a newsletter that goes out for the first "
        "time.",
        advice="Bombing: ask the user what important message may hide in it, and filter by the words of "
        "sign-up confirmations. Lists: ask for confirmation by mail, moderate the sender.",
        commands=("mailscope about {recipient}", "mailscope about {sender}"),
    )
    needs = FIELDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._windows = {kind: Window(("key",), measures, HOUR_S) for kind, measures in MEASURES.items()}
        self._least: dict[str, dict[str, float]] = {
            BOMBING: {"n": settings.messages, "domains": settings.sender_domains},
            REQUESTS: {"n": settings.requests},
            EXPANSION: {"n": settings.expanded},
        }
        self._usual = {kind: self._usually(self._least[kind]["n"]) for kind in (BOMBING, EXPANSION)}

    def _usually(self, floor: float) -> Hourly:
        settings = self.settings
        return Hourly(floor / 4, floor, floor * settings.gross, settings.times, settings.history_h)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        for kind, rows in self._rows(seen).items():
            if kind in self._usual:
                self._usual[kind].add(seen, _counted(rows))
            if not len(rows):
                continue
            found = self._windows[kind].add(rows, self._least[kind])
            if kind in self._usual and len(found):
                far = [
                    row["n"] >= self._usual[kind].limit(row["key"], row[LAST]).value
                    for row in found.iter_rows(named=True)
                ]
                found = found.filter(pl.Series(far, dtype=pl.Boolean))
            for row in told(found, ("key",), "n", self.about.quiet_s).iter_rows(named=True):
                yield self._signal(seen, kind, row, rows)

    def _signal(self, seen: Seen, kind: str, row: dict[str, Any], rows: pl.DataFrame) -> Signal:
        key = str(row["key"])
        count = round(row["n"])
        figures = {"messages_to_many" if kind == EXPANSION else "messages": count}
        values = {name: round(row[name]) for name in ("domains", "messages") if name in row}
        reasons = self._usual[kind].limit(key, row[LAST]).reasons if kind in self._usual else ()
        mine = rows.filter(pl.col("key") == key, pl.col("time").is_between(row[SINCE], row[LAST]))
        return Signal(
            subject={"kind": kind, SUBJECTS[kind]: key},
            time=row[LAST],
            since=row[SINCE],
            severity="warning",
            title=Phrase(TITLES[kind].template, key=key, count=count, **values),
            figures=figures | values,
            reasons=reasons,
            lines=seen.evidence(mine),
        )

    def _rows(self, seen: Seen) -> dict[str, pl.DataFrame]:
        found = dict.fromkeys(MEASURES, pl.DataFrame())
        rows = attempts(seen, self.site)
        if len(rows):
            rows = rows.filter(pl.col("status") == "sent", pl.col("recipient").is_not_null()).select(
                "time", "order", "away", "recipient", "sender"
            )
            named = rows.filter(pl.col("sender") != "")
            kept = named.filter(~pl.col("away"))
            recipient = pl.col("recipient").str.to_lowercase()
            found[BOMBING] = kept.with_columns(
                recipient.alias("key"), domain_of("sender").alias("sender_domain")
            ).filter(pl.col("sender_domain") != pl.col("key").str.extract(r"@(.+)$", 1))
            found[REQUESTS] = rows.with_columns(_list_of(rows["recipient"])).filter(
                pl.col("key").is_not_null()
            )
        submitted = seen.outcome.sized
        if len(submitted):
            found[EXPANSION] = submitted.filter(
                pl.col("time").is_not_null(), pl.col("recipient_count") >= MANY, pl.col("sender") != ""
            ).select(
                "time",
                "order",
                pl.col("sender").alias("key"),
                pl.col("recipient_count").cast(pl.Float64).alias("n"),
            )
        return found

    def state(self) -> Frames:
        """What it remembers."""
        kept: dict[str, pl.DataFrame] = {}
        for kind, window in self._windows.items():
            kept |= window.state(f"{kind}.window")
        for kind, usual in self._usual.items():
            kept |= usual.state(f"{kind}.usual")
        return kept

    def resume(self, state: Frames) -> None:
        """Remember that."""
        for kind, window in self._windows.items():
            window.resume(state, f"{kind}.window")
        for kind, usual in self._usual.items():
            usual.resume(state, f"{kind}.usual")


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    if not len(rows):
        return rows
    n = pl.col("n") if "n" in rows.columns else pl.lit(1.0)
    return rows.select("time", "key", n.alias("n"))


def _list_of(recipients: pl.Series) -> pl.Series:
    """The list that a command goes to; null for other addresses."""
    known = recipients.unique()
    lower = known.str.to_lowercase()
    table = pl.DataFrame(
        {
            "recipient": known,
            "key": pl.select(lower.str.extract(COMMANDS, 1) + lower.str.extract(COMMANDS, 2)).to_series(),
        }
    )
    return pl.DataFrame({"recipient": recipients}).join(
        table, on="recipient", how="left", maintain_order="left"
    )["key"]

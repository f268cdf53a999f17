"""Mail goes round in circles: refused for that, the same message again and again, answers to answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import MailLoop as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.mailflow import REFUSALS, attempts, domain_of, refusals
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

LOOP: Final = "loop"
REFUSED: Final = (Measure("refused"),)
# ``pass``: a number for message and recipient, as the words of an hour's mail are too many to keep.
PASSES: Final = (Measure("passes"),)
# Answers that two programs write: each is a new message, so they are told by who writes to whom.
ANSWERS: Final = (Measure("there", where=pl.col("there")), Measure("back", where=~pl.col("there")))
PAIR: Final = ("one", "two")
# Messages of a batch that are told of; what loops is by recipient, and one shows it.
MOST_TOLD: Final = 200
COLUMNS: Final = ("time", "order", "domain", "reason")


class MailLoop:
    """Counts returned mail whose cause is a loop, by domain, the passes of each message by recipient, and
    the messages between each two addresses.
    """

    about: ClassVar[About] = About(
        name="mail_loop",
        sees='Mail is returned as it went through too many hosts or "loops back to myself", or the same '
        "message is delivered to the same recipient again and again, or two addresses answer each other "
        "without end.",
        why="Two hosts or two forwards send the same mail to each other, or two programs answer each other's "
        "answers. It fills queue and mailboxes, and "
        "the mail never arrives.",
        false_positives="A program that sends all its mail with the same Message-ID.",
        advice="Look at the way of one message and find the two that forward to each other: an alias or "
        ".forward, a domain whose MX is this host but that this host does not know (Postfix: mydestination, "
        "relay_domains). Where two programs answer each other, switch one off; an automatic answer must have "
        "an empty sender.",
        commands=("mailscope trace {message_id}",),
    )
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {**FIELDS, **REFUSALS}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._refused = Window(("domain",), REFUSED, settings.window_s)
        self._passes = Window(("pass",), PASSES, settings.window_s)
        self._answers = Window(PAIR, ANSWERS, settings.window_s)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        yield from self._returned(seen)
        yield from self._circling(seen)
        yield from self._answered(seen)

    def _returned(self, seen: Seen) -> Iterator[Signal]:
        frames = []
        tried = attempts(seen, self.site)
        if len(tried):
            frames.append(tried.filter(pl.col("cause") == LOOP))
        refused = refusals(seen, self.site)
        if len(refused):
            frames.append(
                refused.filter(pl.col("cause") == LOOP).with_columns(domain_of("recipient").alias("domain"))
            )
        frames = [frame.select(COLUMNS) for frame in frames if len(frame)]
        if not frames:
            return
        rows = pl.concat(frames).sort("time", "order")
        found = self._refused.add(rows, {"refused": self.settings.refused})
        for row in told(found, ("domain",), "refused", self.about.quiet_s).iter_rows(named=True):
            domain, count = row["domain"], round(row["refused"])
            mine = rows.filter(pl.col("domain") == domain, pl.col("time").is_between(row[SINCE], row[LAST]))
            yield Signal(
                subject={"domain": domain},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "Mail to {domain} loops: {count} messages were returned for it",
                    domain=domain,
                    count=count,
                ),
                figures={"refused": count, "window_s": self.settings.window_s},
                lines=seen.evidence(mine),
            )

    def _circling(self, seen: Seen) -> Iterator[Signal]:
        rows = attempts(seen, self.site)
        if not len(rows):
            return
        rows = rows.filter(
            pl.col("message_id").is_not_null(), pl.col("recipient").is_not_null(), pl.col("status") == "sent"
        )
        number = pl.col("message_id").hash(1) ^ pl.col("recipient").str.to_lowercase().hash(2)
        rows = rows.with_columns(number.alias("pass"))
        found = self._passes.add(rows.select("time", "pass"), {"passes": self.settings.passes})
        for row in told(found, ("pass",), "passes", self.about.quiet_s).head(MOST_TOLD).iter_rows(named=True):
            mine = rows.filter(
                pl.col("pass") == row["pass"], pl.col("time").is_between(row[SINCE], row[LAST])
            )
            if not len(mine):
                continue
            # The address that forwards, if there is one, is the one to look at.
            recipient = mine["orig_recipient"][0] or mine["recipient"][0]
            message_id, count = mine["message_id"][0], round(row["passes"])
            sizes = mine["size_bytes"].drop_nulls()
            grows = len(sizes) > 1 and sizes[-1] > sizes[0]
            yield Signal(
                subject={"recipient": recipient},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "The same message came by {count} times for {recipient}: {message_id}",
                    count=count,
                    recipient=recipient,
                    message_id=message_id,
                ),
                figures={"passes": count, "message_id": message_id, "window_s": self.settings.window_s},
                reasons=(Phrase("it grows each time, as forwarded mail does"),) if grows else (),
                lines=seen.evidence(mine),
            )

    def _answered(self, seen: Seen) -> Iterator[Signal]:
        rows = attempts(seen, self.site)
        if not len(rows):
            return
        rows = _pairs(rows.filter(pl.col("status") == "sent", pl.col("sender") != ""))
        least = {"there": self.settings.answers, "back": self.settings.answers}
        found = self._answers.add(rows, least)
        for row in told(found, PAIR, "there", self.about.quiet_s).iter_rows(named=True):
            one, two = str(row["one"]), str(row["two"])
            mine = rows.filter(
                pl.col("one") == one, pl.col("two") == two, pl.col("time").is_between(row[SINCE], row[LAST])
            )
            count = round(row["there"] + row["back"])
            yield Signal(
                subject={"sender": one, "recipient": two},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{one} and {two} answer each other: {count} messages", one=one, two=two, count=count
                ),
                figures={"messages": count, "window_s": self.settings.window_s},
                lines=seen.evidence(mine),
            )

    def state(self) -> Frames:
        """What it remembers."""
        return self._refused.state("refused") | self._passes.state("passes") | self._answers.state("answers")

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._refused.resume(state, "refused")
        self._passes.resume(state, "passes")
        self._answers.resume(state, "answers")


def _pairs(rows: pl.DataFrame) -> pl.DataFrame:
    """Messages between two addresses, whichever wrote: ``one`` and ``two``; ``there`` says which way."""
    sender, recipient = pl.col("sender").str.to_lowercase(), pl.col("recipient").str.to_lowercase()
    rows = rows.filter(sender != recipient)
    one, two = pl.min_horizontal(sender, recipient), pl.max_horizontal(sender, recipient)
    return rows.with_columns(one.alias("one"), two.alias("two"), (sender == one).alias("there"))

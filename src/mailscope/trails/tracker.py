"""Following messages from batch to batch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.trails import singleline, story
from mailscope.trails.hops import held, hop, no_claims
from mailscope.trails.identity import GRACE, LIFETIME, Assignment, assign
from mailscope.trails.links import link
from mailscope.trails.numbered import Deliveries
from mailscope.trails.recipients import Recipients
from mailscope.trails.steps import Steps, steps
from mailscope.vocabulary.columns import own

SLACK: Final = timedelta(minutes=10)
LONG_SLACK: Final = timedelta(days=1)
# What is kept from batch to batch must not keep the batches' texts in memory.
OWN_EVERY: Final = 8


@dataclass(frozen=True)
class Outcome:
    """What a batch adds to the stories.

    ``deliveries``: the attempts, with sender and size of their message; ``arrivals``: messages that
    began; ``sized``: messages whose sender and size became known; ``messages`` and ``recipients``:
    those whose fate is certain now; ``links``: from one message to the next.
    """

    deliveries: pl.DataFrame
    arrivals: pl.DataFrame
    sized: pl.DataFrame
    messages: pl.DataFrame
    recipients: pl.DataFrame
    links: pl.DataFrame


@dataclass
class Tracker:
    """The messages under way.  Feed it batches in order, then ``finish``.

    ``detail``: also what only a person who looks at one message wants (Message-ID, client, program).
    """

    detail: bool = True
    open: pl.DataFrame = field(default_factory=story.empty)
    deliveries: Deliveries = field(default_factory=Deliveries)
    recipients: Recipients = field(default_factory=Recipients)
    # Deliveries to other hosts whose message there is not looked for yet.
    claims: pl.DataFrame = field(default_factory=no_claims)
    next_trail: int = 1
    now: datetime | None = None
    _fed: int = 0

    def feed(self, batch: list[Events]) -> Outcome:
        """Follow the messages of one batch."""
        return self.follow(self.prepare(steps(batch, detail=self.detail)))

    def follow(self, found: Steps) -> Outcome:
        """Follow the messages of a batch whose steps are prepared."""
        known = self.open.with_row_index("state_row").select(
            "key",
            "state_row",
            story.life(),
            pl.col("size_bytes").is_not_null().alias("sized"),
            "last_time",
            "superseded",
        )
        known = known.filter(~pl.col("superseded")).drop("superseded")
        slots = assign(found, known)
        touched = story.tell(found, slots, self.open, self.next_trail, detail=self.detail)
        self.next_trail += slots.count
        self._placed(found, slots, touched)
        deliveries = story.with_message(found, found["delivery_attempted"], slots, touched)
        untouched = self.open
        if len(slots.carried):
            gone = pl.Series([True]).new_from_index(0, len(self.open))
            untouched = self.open.filter(gone.scatter(slots.carried["state_row"], False))
        messages = pl.concat([untouched, touched])
        found_links, messages, onward = link(found, slots, messages, deliveries, detail=self.detail)
        found, slots, deliveries = self._own(found, slots, touched, deliveries, found_links)
        self.recipients.add(deliveries)
        if isinstance(found.last_time, datetime):
            # Not the latest ever: one wrong stamp must not close everything from then on.
            self.now = found.last_time
        if self.detail:
            found_links = pl.concat([found_links, self._hop(onward, messages)])
        closed, self.open = self._close(messages)
        closed = singleline.ended(self._told(closed), self.recipients.open)
        self._fed += 1
        if self._fed % OWN_EVERY == 0:
            self.open = own(self.open.rechunk())
            self.recipients.open = own(self.recipients.open.rechunk())
        return Outcome(
            deliveries=deliveries,
            arrivals=story.arrivals(found, slots, touched),
            sized=story.sized(found, slots, touched),
            messages=closed,
            recipients=self.recipients.settle(closed),
            links=found_links,
        )

    def finish(self) -> Outcome:
        """The log has ended: what is still open stays open."""
        links, self.claims = hop(self.claims, self.open, None)
        messages, self.open = singleline.ended(self.open, self.recipients.open), self.open.clear()
        return replace(
            Outcome(**story.nothing()),
            messages=messages,
            recipients=self.recipients.settle(messages),
            links=links,
        )

    def _hop(self, onward: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
        """Links to messages of other hosts that can be known by now; ``onward``: new deliveries to them."""
        links, self.claims = hop(held(self.claims, onward), messages, self.now)
        return links

    def _placed(self, found: Steps, slots: Assignment, touched: pl.DataFrame) -> None:
        """For those who follow single lines: which message each line of the batch belongs to."""

    def _own(
        self,
        found: Steps,
        slots: Assignment,
        touched: pl.DataFrame,
        deliveries: pl.DataFrame,
        links: pl.DataFrame,
    ) -> tuple[Steps, Assignment, pl.DataFrame]:
        """The steps and deliveries that count here: all (a part of a log has others, see ``partial.py``)."""
        return found, slots, deliveries

    def _told(self, closed: pl.DataFrame) -> pl.DataFrame:
        """The closed messages that count here: all of them."""
        return closed

    def prepare(self, found: Steps) -> Steps:
        """Steps with deliveries resolved and with the kinds that are made of other kinds."""
        frames = dict(found.frames)
        frames["delivery_attempted"] = self.deliveries.resolve(
            frames["delivery_started"], frames["delivery_attempted"]
        )
        frames["delivery_attempted"] = frames["delivery_attempted"].filter(pl.col("queue_id").is_not_null())
        frames = singleline.told_apart(frames)
        # A refusal that ends the message; a refused recipient (RCPT) does not.
        frames["refused"] = frames["rejected"].filter(
            (pl.col("service") == "cleanup") | pl.col("stage").is_in(list(story.END_STAGES))
        )
        # Not kinds of line of their own: flags of a message (story.FLAGS).
        frames["deferred"] = frames["delivery_attempted"].filter(pl.col("status") == "deferred")
        # postsuper -e only marks a message ("expired", no status) for the queue manager to return it.
        frames["given_up"] = frames["expired"].filter(pl.col("status").is_not_null())
        frames["renamed"] = story.renamed(frames["accepted"])
        return replace(found, frames=frames)

    def _close(self, messages: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Part the messages whose story is over from those that may still get lines.

        The slack is for lines that come late or whose host's clock is behind: a message must not be closed
        while ``identity.py`` could still give it a line.
        """
        if self.now is None:
            return messages.clear(), messages
        last = pl.col("last_time")
        quiet = last < self.now - GRACE - SLACK
        over = (pl.col("ended").is_not_null() & quiet) | (last < self.now - LIFETIME - LONG_SLACK)
        if messages["endless"].any():
            over |= pl.lit(singleline.served(messages, self.recipients.open)) & quiet
        mask = messages.select(over.fill_null(False)).to_series()
        return messages.filter(mask), messages.filter(~mask)

"""Changing the queue from a page: what would be done is shown first, and done once that is confirmed.

A plan names its messages.  It is kept here under a random name, for its viewer and some minutes only, so that
what is confirmed is what was shown, whatever has come into the queue since.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.queues.actions import ACTIONS, DONE, FAILED, GONE, Result, plan, run
from mailscope.queues.selection import Selection
from mailscope.reports import figures
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.shown import safe
from mailscope.web.pages import queue_spool
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.visit import Visit

LASTS_S: Final = 600.0
MOST_KEPT: Final = 200
AGAIN: Final = Phrase("look at the queue again, and choose anew")
OUTCOMES: Final = {
    DONE: Phrase("done"),
    GONE: Phrase("gone or moved meanwhile"),
    FAILED: Phrase("failed"),
}


@dataclass(frozen=True)
class Kept:
    """Which messages a viewer was shown, for what; ``results``: what came of it, once it is done."""

    viewer: str
    action: str
    ids: tuple[str, ...]
    until: float
    results: tuple[Result, ...] = ()


class Plans:
    """Plans that wait to be confirmed, and what came of those that were."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def put(self, kept: Kept) -> str:
        """Keep one; gives its name."""
        now = time.monotonic()
        for name in [name for name, each in self._kept.items() if each.until < now]:
            del self._kept[name]
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        name = token_urlsafe(24)
        self._kept[name] = kept
        return name

    def take(self, name: str, viewer: str) -> Kept:
        """One that is to be done, once.  Raises UsageError where there is none of that viewer."""
        kept = self.see(name, viewer)
        del self._kept[name]
        return kept

    def see(self, name: str, viewer: str) -> Kept:
        """The same, which stays."""
        kept = self._kept.get(name)
        if kept is None or kept.viewer != viewer or kept.until < time.monotonic():
            raise UsageError(Phrase("this was confirmed too late, or already"), "", AGAIN)
        return kept


PLANS: Final = Plans()


@dataclass(frozen=True)
class Planned(Context):
    """What would be done: in words, to which messages; ``left``: how many cannot be meant, by queue."""

    name: str
    words: str
    help: str
    count: str
    size: str
    final: bool
    left: Sequence[tuple[str, str]]
    messages: Grid


def show(visit: Visit) -> Planned:
    """What the page shows.  Raises UsageError where nothing is meant."""
    action = ACTIONS.get(visit.asked("action"))
    if action is None:
        raise UsageError(
            Phrase("there is no such action"), "action", Phrase("there are {kinds}", kinds=", ".join(ACTIONS))
        )
    selection, queues = queue_spool.asked(visit.query)
    if selection.everything and not queues and not visit.asked("everything"):
        raise UsageError(Phrase("no message is chosen"), "", Phrase("mark some, or give a filter"))
    queue = queue_spool.opened(visit, None if selection.everything else selection, queues)
    performer = queue.mta.performer(queue.spool, action.name)
    performer.ready(action)
    planned = plan(action, performer, queue.entries, selection, queue.spool.now)
    if not planned.targets:
        raise UsageError(Phrase("there is no message that this can be done to"), "", AGAIN)
    ids = tuple(entry.queue_id for entry in planned.targets)
    kept = Kept(visit.viewer.signature, action.name, ids, time.monotonic() + LASTS_S)
    name = PLANS.put(kept)
    queue.entries = planned.targets
    left = Counter(entry.queue for entry in planned.left)
    return Planned(
        name,
        visit.tr(queue_spool.WORDS[action.name]),
        visit.tr(HELP[action.name]),
        figures.count(len(ids)),
        figures.size(planned.size_bytes),
        action.final,
        [(each, figures.count(count)) for each, count in sorted(left.items())],
        queue_spool.messages(visit, queue, "plan"),
    )


# What an action does (``queues/actions.py``), as it is told in every language.
HELP: Final = {
    "hold": Phrase("Put messages on hold: nobody tries to deliver them."),
    "release": Phrase("Let go of messages that are on hold."),
    "requeue": Phrase("Send messages through the whole queue again: addresses are looked up anew."),
    "flush": Phrase("Try to deliver messages now."),
    "expire": Phrase("Return messages to their senders at the next attempt."),
    "bounce": Phrase("Return messages to their senders now; those on hold, too."),
    "delete": Phrase("Delete messages; nobody is told."),
}


def act(visit: Visit, form: Mapping[str, str]) -> str:
    """Do what was planned, entered in the audit before and after.  Raises UsageError, OutputError."""
    kept = PLANS.take(form.get("plan", ""), visit.viewer.signature)
    action = ACTIONS[kept.action]
    selection = Selection(queue_ids=kept.ids)
    queue = queue_spool.opened(visit, selection)
    performer = queue.mta.performer(queue.spool, action.name)
    performer.ready(action)
    visit.audit(f"queue {action.name}", f"{len(kept.ids)} messages of {queue.spool.place}")
    planned = plan(action, performer, queue.entries, selection, queue.spool.now)
    found: list[Result] = []
    for results in run(planned, performer):
        found += results
        for outcome in OUTCOMES:
            ids = [each.entry.queue_id for each in results if each.outcome == outcome]
            if ids:
                visit.audit(f"queue {action.name}", f"{outcome}: {' '.join(ids)}")
    done = Kept(kept.viewer, kept.action, kept.ids, time.monotonic() + LASTS_S, tuple(found))
    return f"/queue/done?plan={PLANS.put(done)}"


@dataclass(frozen=True)
class Done(Context):
    """What came of it."""

    words: str
    counts: Sequence[tuple[str, str]]
    results: Grid


def show_done(visit: Visit) -> Done:
    """What the page shows.  Raises UsageError where nothing was done under that name."""
    kept = PLANS.see(visit.asked("plan"), visit.viewer.signature)
    tr = visit.tr
    counts = Counter(each.outcome for each in kept.results)
    # What was not there any more when it was confirmed.
    counts[GONE] += len(kept.ids) - len(kept.results)
    rows = [
        {"queue_id": each.entry.queue_id, "outcome": tr(OUTCOMES[each.outcome]), "words": safe(each.words)}
        for each in kept.results
    ]
    columns = (
        Column("queue_id", tr("Queue id")),
        Column("outcome", tr("Result")),
        Column("words", tr("Words")),
    )
    grid = of_rows(visit, "results", "", columns, rows[: visit.top("results", 100)], total=len(rows))
    told = [
        (tr(words), figures.count(counts[outcome])) for outcome, words in OUTCOMES.items() if counts[outcome]
    ]
    return Done(tr(queue_spool.WORDS[kept.action]), told, grid)


PLAN: Final = Page(
    "plan", "/queue/plan", Phrase("Confirm"), "queue_plan.html", show, "queues", usual="", menu=False,
    forms={"/queue/act": ("queues", act)},
)  # fmt: skip
DONE_PAGE: Final = Page(
    "done", "/queue/done", Phrase("Done"), "queue_done.html", show_done, "queues", usual="", menu=False
)

"""Changing a queue: what can be done, to which messages, and what came of it.  Nothing else here changes one.

Always in this order: plan (which messages are meant), show it, have it confirmed, do it through the MTA's own
programs, report each message.  An MTA's ``Performer`` knows its programs; the order is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from mailscope.queues.entry import QueueEntry
from mailscope.queues.selection import Selection

# Messages that are handed to a program at once: what is known of them is never much older than that.
BATCH: Final = 200
DONE: Final = "done"
GONE: Final = "gone"
FAILED: Final = "failed"


@dataclass(frozen=True)
class Action:
    """Something that can be done.  ``word``: what a message is afterwards; ``final``: it cannot be undone."""

    name: str
    help: str
    word: str
    final: bool = False


ACTIONS: Final[dict[str, Action]] = {
    action.name: action
    for action in (
        Action("hold", "Put messages on hold: nobody tries to deliver them.", "on hold"),
        Action("release", "Let go of messages that are on hold.", "released"),
        Action(
            "requeue",
            "Send messages through the whole queue again: addresses are looked up anew.",
            "requeued",
        ),
        Action("flush", "Try to deliver messages now.", "flushed"),
        Action("expire", "Return messages to their senders at the next attempt.", "expired", final=True),
        Action("bounce", "Return messages to their senders now; those on hold, too.", "bounced", final=True),
        Action("delete", "Delete messages; nobody is told.", "deleted", final=True),
    )
}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one message: done, gone (it was not there any more: no error) or failed, with words."""

    entry: QueueEntry
    outcome: str
    words: str


@dataclass
class Plan:
    """Which messages are meant.

    ``left``: those that the filters mean and the action cannot be done to.  ``whole``: every message is
    meant.
    """

    action: Action
    targets: list[QueueEntry] = field(default_factory=list)
    left: list[QueueEntry] = field(default_factory=list)
    whole: bool = False

    @property
    def size_bytes(self) -> int:
        """The size of all targets."""
        return sum(each.size_bytes for each in self.targets)


class Performer(Protocol):
    """What an MTA can do.  ``queues``: the actions, each with the queues in which a message can be for it."""

    queues: Mapping[str, Sequence[str]]

    def ready(self, action: Action) -> None:
        """Raise MailscopeError where it cannot be done: a right, a program or a version is missing."""

    def at_once(self, action: Action) -> str | None:
        """Do it to the whole queue in one go.

        Out: the empty string when it is done, or what went wrong; None where there is no such way.
        """

    def perform(self, action: Action, entries: Sequence[QueueEntry]) -> Iterator[Result]:
        """Do it to some messages, and tell of each."""


def plan(
    action: Action, performer: Performer, entries: Iterable[QueueEntry], selection: Selection, now: float
) -> Plan:
    """Which of a queue's messages are meant."""
    found = Plan(action, whole=selection.everything)
    for entry in entries:
        if selection.takes(entry, now):
            (found.targets if entry.queue in performer.queues[action.name] else found.left).append(entry)
    return found


def run(planned: Plan, performer: Performer) -> Iterator[list[Result]]:
    """Do what was planned, some messages at a time; gives what came of those."""
    trouble = performer.at_once(planned.action) if planned.whole else None
    if trouble is not None:
        outcome, words = (FAILED, trouble) if trouble else (DONE, planned.action.word)
        yield [Result(entry, outcome, words) for entry in planned.targets]
        return
    for start in range(0, len(planned.targets), BATCH):
        yield list(performer.perform(planned.action, planned.targets[start : start + BATCH]))

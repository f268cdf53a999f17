"""A thread for each route, which sends one message at a time: one that hangs holds up no other."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from mailscope.vocabulary.errors import MailscopeError
from mailscope.watch.alerts.message import Message, Sender

LONGEST_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message; ``error``: why it was not taken, None where it was."""

    message: Message
    error: str | None
    seconds: float


class Courier(Protocol):
    """What takes messages of one route away."""

    @property
    def busy(self) -> bool:
        """Whether one is under way."""

    def take(self, message: Message) -> None:
        """Send one; only where it is not busy.  Does not wait."""

    def outcomes(self) -> list[Outcome]:
        """What has come of them since this was asked last."""

    def close(self) -> None:
        """Take no more."""


class Thread:
    """A ``Courier`` with a thread of its own, which ends no later than the process."""

    def __init__(self, name: str, make: Callable[[], Sender]) -> None:
        self._make = make
        self._jobs: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.busy = False
        # A daemon thread: one that hangs in the resolver does not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"alerts-{name}", daemon=True)
        self._thread.start()

    def take(self, message: Message) -> None:
        """Send one in the thread."""
        self.busy = True
        self._jobs.put(message)

    def outcomes(self) -> list[Outcome]:
        """What is done."""
        found = []
        while not self._done.empty():
            found.append(self._done.get())
        if found:
            self.busy = False
        return found

    def close(self) -> None:
        """End the thread, when it has done what it does."""
        self._jobs.put(None)

    def _run(self) -> None:
        sender: Sender | None = None
        while (message := self._jobs.get()) is not None:
            begun = time.monotonic()
            try:
                sender = sender or self._make()
                sender.send(message)
                error = None
            except MailscopeError as failure:
                error = str(failure)
            except Exception as failure:
                # A mistake of ours, or of a library, must not end the route.
                error = f"report this: {type(failure).__name__}: {failure}"
            words = None if error is None else " ".join(error.split())[:LONGEST_WORDS]
            self._done.put(Outcome(message, words, time.monotonic() - begun))

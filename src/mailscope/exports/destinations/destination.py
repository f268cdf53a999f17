"""What all servers have in common: pieces of bounded size, each tried until it is settled."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar

import polars as pl

from mailscope.exports.choice import Choice
from mailscope.exports.destinations.address import Address
from mailscope.exports.destinations.counts import Counts
from mailscope.exports.destinations.patience import Patience
from mailscope.exports.forms import BY_NAME as FORMS
from mailscope.exports.forms import Encoder
from mailscope.exports.slices import slices
from mailscope.vocabulary.errors import OutputError

Result = TypeVar("Result")


class Destination(ABC):
    """A server that takes encoded events.

    Events are sent in the caller's own time: no more is read while the server is slow, so memory holds one
    batch.
    """

    # A piece: so many events, so many bytes of them.
    most_events: ClassVar[int]
    most_bytes: ClassVar[int]

    def __init__(self, address: Address, timeout_s: float, retry_for_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self.retry_for_s = retry_for_s
        self.counts = Counts()

    def put(self, rows: pl.DataFrame) -> None:
        """Send some events.  Raises OutputError when the server takes nothing for too long."""
        self.counts.read += len(rows)
        for piece in slices(rows, self.most_events, self.most_bytes):
            self.deliver(piece)

    def encoder(self, choice: Choice) -> Encoder:
        """How batches are encoded for this server."""
        return FORMS[self.address.form].encoder(choice, ())

    @abstractmethod
    def deliver(self, piece: pl.DataFrame) -> None:
        """Send a piece and count what became of each of its events."""

    @abstractmethod
    def close(self) -> None:
        """Part from the server."""

    @abstractmethod
    def part(self) -> None:
        """Drop the connection, if there is one; the next attempt opens a new one."""

    def tried(
        self,
        patience: Patience,
        attempt: Callable[[], Result],
        failures: tuple[type[Exception], ...] = (OSError,),
    ) -> Result:
        """The result of an attempt that is made until it succeeds.  Raises OutputError when patience ends."""
        while True:
            try:
                return attempt()
            except socket.gaierror as error:
                if error.errno != socket.EAI_AGAIN:
                    raise OutputError("no such host", str(self.address), "check the name") from error
                patience.wait("the name of the host cannot be looked up")
            except failures as failure:
                self.part()
                patience.wait(told(failure))

    def patience(self) -> Patience:
        """Patience for one piece."""
        return Patience(self.retry_for_s, str(self.address), self._count_retry)

    def _count_retry(self) -> None:
        self.counts.retries += 1


def told(failure: Exception) -> str:
    """A failure in a few words."""
    if isinstance(failure, TimeoutError):
        return "no answer in time"
    strerror = getattr(failure, "strerror", None)
    return str(strerror or failure or type(failure).__name__)

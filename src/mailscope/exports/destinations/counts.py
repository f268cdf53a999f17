"""What became of the events that were handed to a server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counts:
    """Every event that was read is sent, already there, refused or given up: nothing else can become of it.

    ``sent``: the server has taken it (UDP: it was handed to the network).  ``already_there``: the server
    has had it before.  ``refused``: the server will not take it, ``reason`` tells why it would not take the
    first one. ``retries``: how often something was tried again.
    """

    read: int = 0
    sent: int = 0
    already_there: int = 0
    refused: int = 0
    retries: int = 0
    reason: str = ""

    @property
    def given_up(self) -> int:
        """Events that are neither taken nor refused."""
        return self.read - self.sent - self.already_there - self.refused

    @property
    def delivered(self) -> bool:
        """Whether the server has every event."""
        return not self.refused and not self.given_up

    def refuse(self, number: int, reason: str) -> None:
        """Count events that the server will not take."""
        self.refused += number
        self.reason = self.reason or reason

    def __str__(self) -> str:
        told = f"{self.read} events read, {self.sent} sent"
        if self.already_there:
            told += f", {self.already_there} already there"
        told += f", {self.refused} refused, {self.given_up} given up, {self.retries} retries"
        return f"{told}; first refusal: {self.reason}" if self.reason else told

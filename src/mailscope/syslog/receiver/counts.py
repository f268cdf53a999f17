"""What a socket received, and all that was lost, cut or refused there.

Nothing is dropped in silence: each kind of trouble has its count, the instant of the last one and, where it
helps, who it was.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mailscope.language.phrase import Phrase


class Kind(NamedTuple):
    """A kind of trouble; ``lost``: lines that the log should have."""

    lost: bool
    words: Phrase


KINDS: Final = {
    "kernel": Kind(True, Phrase("messages lost: the kernel's buffer was full")),
    "queue": Kind(True, Phrase("messages lost: too many were waiting to be stored")),
    "sender": Kind(False, Phrase("messages not taken: their sender is not allowed")),
    "truncated": Kind(False, Phrase("messages cut: they were too long")),
    "incomplete": Kind(False, Phrase("messages cut: their connection ended inside them")),
    "malformed": Kind(False, Phrase("frames without a valid length: taken as lines")),
    "refused": Kind(False, Phrase("connections refused: their address is not allowed")),
    "crowded": Kind(False, Phrase("connections refused: too many were open")),
    "crowding": Kind(False, Phrase("connections refused: too many of one address were open")),
    "slow": Kind(False, Phrase("connections closed: a message did not end in time")),
    "idle": Kind(False, Phrase("connections closed: nothing came for a long time")),
    "handshake": Kind(False, Phrase("connections refused: the TLS handshake failed")),
    "certificate": Kind(False, Phrase("connections refused: the certificate's name is not allowed")),
    "broken": Kind(False, Phrase("connections broken off")),
    "descriptors": Kind(False, Phrase("connections put off: no file descriptor was free")),
}


class Trouble(NamedTuple):
    """How often one kind came up, when last (microseconds since 1970) and with whom."""

    times: int
    last_us: int
    detail: str


class Counts:
    """The counts of one socket since it was opened."""

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0
        self.empty = 0  # datagrams and frames with nothing in them, which say nothing
        self.connections = 0  # open now
        self.trouble: dict[str, Trouble] = {}

    def add(self, kind: str, count: int, now_us: int, detail: str = "") -> None:
        """Count some trouble of a kind of ``KINDS``; none at all changes nothing."""
        if count:
            before = self.trouble.get(kind)
            self.trouble[kind] = Trouble(count + (before.times if before else 0), now_us, detail)

    def of(self, kind: str) -> int:
        """How often it came up."""
        return self.trouble[kind].times if kind in self.trouble else 0

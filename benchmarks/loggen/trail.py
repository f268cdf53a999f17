"""A message in the queue, and the text of one delivery attempt (`src/global/log_adhoc.c`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loggen.truth import BOUNCED, DEFERRED, SENT, Tag

if TYPE_CHECKING:
    from loggen.population import Domain
    from loggen.site import Site

TO_FILTER, TO_LMTP, TO_VIRTUAL, TO_LOCAL = "filter", "lmtp", "virtual", "local"
CENTISECOND_US = 10_000
Result = tuple[str, str, str]  # dsn, status, reason


@dataclass(slots=True)
class Recipient:
    """One recipient and where its mail goes."""

    address: str
    route: str | Domain
    original: str = ""  # the ", orig_to=<...>" text, where an alias was rewritten


@dataclass(slots=True)
class Trail:
    """A message in the queue, from arrival to removal."""

    queue_id: str
    inode: int
    sender: str
    size: int
    message_id: str
    arrived: int
    pending: list[Recipient]
    origin: str = ""  # the client's name and address
    tries: int = 0
    bounced: bool = False


def seconds(centiseconds: int) -> str:
    """Write a delay as `format_tv()` does with two significant digits: 0.05, 7.2, 78."""
    if centiseconds >= 1000:
        return str(centiseconds // 100)
    if centiseconds >= 100:
        centiseconds = centiseconds // 10 * 10
    return f"{centiseconds / 100:g}"


DELAYS = [seconds(n) for n in range(2000)]


@dataclass(slots=True)
class Delivery:
    """One delivery agent's work on one message: what all its attempts share."""

    site: Site
    trail: Trail
    process: tuple[str, int]
    service: str
    started: int
    before: int  # centiseconds before the active queue
    queued: int  # centiseconds in the active queue

    def log(
        self,
        recipient: Recipient,
        relay: str,
        spent: tuple[int, int],
        result: Result,
        tag: Tag = None,
    ) -> int:
        """Log an attempt; `spent` is connecting and transmitting, `result` is dsn, status and reason.

        Returns when it ended. A deferred recipient goes back to the pending ones.
        """
        connect, transmit = spent
        dsn, status, reason = result
        before, queued = self.before, self.queued
        total = before + queued + connect + transmit
        if total < len(DELAYS):
            parts = f"{DELAYS[before]}/{DELAYS[queued]}/{DELAYS[connect]}/{DELAYS[transmit]}"
        else:
            parts = "/".join(seconds(part) for part in (before, queued, connect, transmit))
        trail = self.trail
        if tag is None:
            if status == "sent":
                tag = (SENT, self.service, recipient.address, trail.size)
            elif status == "deferred":
                tag = (DEFERRED, self.service)
                trail.pending.append(recipient)
            else:
                tag = (BOUNCED, self.service)
                trail.bounced = True
        site = self.site
        ended = self.started + (queued + connect + transmit) * CENTISECOND_US + int(site.chance() * 9000)
        site.add(
            ended,
            f"{self.process[0]}{trail.queue_id}: to=<{recipient.address}>{recipient.original}, "
            f"relay={relay}, delay={seconds(total)}, delays={parts}, dsn={dsn}, status={status} ({reason})",
            tag,
        )
        return ended

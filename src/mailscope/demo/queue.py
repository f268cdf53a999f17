"""Postfix's queue: cleanup, the queue manager, deliveries and their retries, bounce messages.

Forms: Postfix 3.10 `src/cleanup/cleanup_message.c`, `src/qmgr/qmgr_active.c`, `src/global/log_adhoc.c`,
`src/smtp/smtp_connect.c`, `src/bounce/bounce_notify_service.c`. Where each message goes is in `carriers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import gmtime, strftime

from mailscope.demo.plan import DAY, DOMAIN, FQDN, SECOND
from mailscope.demo.world import World

CENTISECOND = 10_000
MIN_BACKOFF, MAX_BACKOFF, LIFETIME = 300 * SECOND, 4000 * SECOND, 5 * DAY  # main.cf's defaults
TO_LMTP, TO_LOCAL = "lmtp", "local"


@dataclass(slots=True)
class Recipient:
    """One recipient, and the address that an alias was rewritten from."""

    address: str
    original: str = ""

    @property
    def text(self) -> str:
        """Write it as delivery agents do."""
        return f"to=<{self.address}>" + (f", orig_to=<{self.original}>" if self.original else "")


@dataclass(slots=True)
class Message:
    """A message in the queue."""

    queue_id: str
    inode: int
    sender: str
    size: int
    message_id: str
    arrived: int
    pending: list[Recipient]
    tries: int = 0
    bounced: bool = False


@dataclass(slots=True)
class Attempt:
    """What came of one delivery attempt; times are in hundredths of a second."""

    relay: str
    dsn: str
    status: str
    reason: str
    connect: int = 0
    transmit: int = 0
    before: list[str] = field(default_factory=list)  # lines that the agent logs first, without the queue id


Carrier = Callable[[Message, Recipient, str], Attempt]


def seconds(centiseconds: int) -> str:
    """Write a delay with two significant digits, as `format_tv()` does: 0.05, 7.2, 78."""
    if centiseconds >= 1000:
        return str(centiseconds // 100)
    if centiseconds >= 100:
        centiseconds = centiseconds // 10 * 10
    return f"{centiseconds / 100:g}"


class Queue:
    """The queue. The carriers tell what comes of an attempt: for our domain, this machine, other domains."""

    def __init__(self, world: World, lmtp: Carrier, local: Carrier, smtp: Carrier) -> None:
        self.world = world
        self._carriers = {TO_LMTP: lmtp, TO_LOCAL: local}
        self._smtp = smtp
        self.aliases: dict[str, list[str]] = {}  # virtual_alias_maps
        self.on_attempt: list[Callable[[Message, Recipient, Attempt, int], None]] = []
        self.restart()

    def restart(self) -> None:
        """Begin with a new queue manager, as after a restart."""
        self.manager = f"postfix/qmgr[{self.world.pid()}]: "

    def expand(self, addresses: list[str]) -> list[Recipient]:
        """Rewrite aliases, as cleanup does."""
        found: dict[str, Recipient] = {}
        for address in addresses:
            for target in self.aliases.get(address, [address]):
                found.setdefault(target, Recipient(target, "" if target == address else address))
        return list(found.values())

    def submit(
        self,
        accepted: tuple[str, int],
        sender: str,
        to: list[str],
        size: int,
        time: int,
        message_id: str = "",
    ) -> int:
        """Take a message that has a queue id; returns when it is on the active queue."""
        queue_id, inode = accepted
        message_id = message_id or self.new_message_id(sender, time)
        return self._clean(Message(queue_id, inode, sender, size, message_id, time, self.expand(to)), time)

    def new_message_id(self, sender: str, time: int) -> str:
        """Make a Message-ID as mail programs do."""
        host = sender.rpartition("@")[2] or FQDN
        return f"{time // SECOND:x}.{self.world.rng.getrandbits(64):x}@{host}"

    def _clean(self, message: Message, time: int) -> int:
        pool = self.world.pool("postfix/cleanup")
        process = pool.take(self.world.now)
        time = self.world.between(time + 15_000, time + 150_000)
        self.world.log(time, process[0], f"{message.queue_id}: message-id=<{message.message_id}>")
        time = self.world.between(time + 3000, time + 60_000)
        pool.give_back(process, time)
        self.world.at(time, lambda: self._activate(message))
        return time

    def _activate(self, message: Message) -> None:
        world = self.world
        if world.conditions.mail_down:
            world.at(world.now + 300 * SECOND, lambda: self._activate(message))
            return
        count = len(message.pending)
        text = (
            f"{message.queue_id}: from=<{message.sender}>, size={message.size}, nrcpt={count} (queue active)"
        )
        world.log(world.now, self.manager, text)
        message.tries += 1
        groups: dict[str, list[Recipient]] = {}
        for recipient in message.pending:
            groups.setdefault(recipient.address.rpartition("@")[2], []).append(recipient)
        message.pending = []
        ended = max([self._deliver(message, domain, group) for domain, group in groups.items()])
        world.at(ended + 600, lambda: self._finish(message))

    def _deliver(self, message: Message, domain: str, recipients: list[Recipient]) -> int:
        world = self.world
        route = {DOMAIN: TO_LMTP, FQDN: TO_LOCAL}.get(domain, "smtp")
        carrier = self._carriers.get(route, self._smtp)
        pool = world.pool(f"postfix/{route}")
        process = pool.take(world.now)
        before = (world.now - message.arrived) // CENTISECOND
        queued = 1 + int(world.chance() ** 6 * 40)
        ended = world.now
        for recipient in recipients:
            attempt = carrier(message, recipient, domain)
            started = world.now + queued * CENTISECOND
            for number, line in enumerate(attempt.before):
                world.log(started + attempt.connect * CENTISECOND // 2 + number, process[0], line)
            parts = (before, queued, attempt.connect, attempt.transmit)
            time = started + (attempt.connect + attempt.transmit) * CENTISECOND + int(world.chance() * 9000)
            delays = "/".join(seconds(part) for part in parts)
            world.log(
                time,
                process[0],
                f"{message.queue_id}: {recipient.text}, relay={attempt.relay}, delay={seconds(sum(parts))}, "
                f"delays={delays}, dsn={attempt.dsn}, status={attempt.status} ({attempt.reason})",
            )
            ended = max(ended, time)
            if attempt.status == "deferred":
                message.pending.append(recipient)
            elif attempt.status == "bounced":
                message.bounced = True
            for told in self.on_attempt:
                told(message, recipient, attempt, time)
        pool.give_back(process, ended)
        return ended

    def _finish(self, message: Message) -> None:
        world = self.world
        age = world.now - message.arrived
        if message.pending and age < LIFETIME:
            if message.bounced:
                self._notify(message)
            wait = min(max(age, MIN_BACKOFF), MAX_BACKOFF) + int(world.chance() * 300) * SECOND
            world.at(world.now + wait, lambda: self._activate(message))
            return
        if message.pending:
            text = f"{message.queue_id}: from=<{message.sender}>, status=expired, returned to sender"
            world.log(world.now, self.manager, text)
            message.bounced = True
        if message.bounced:
            self._notify(message)
        world.log(world.now + 900, self.manager, f"{message.queue_id}: removed")
        world.inodes.give_back(message.inode, world.now)

    def _notify(self, message: Message) -> None:
        """Send the bounce message, unless this is one."""
        message.bounced = False
        if not message.sender:
            return
        world = self.world
        queue_id, inode = world.queue_id(world.now)
        stamp = strftime("%Y%m%d%H%M%S", gmtime(world.now // SECOND))
        name = f"{stamp}.{queue_id}@{FQDN}"
        size = message.size % 40_000 + 2300
        bounce = Message(queue_id, inode, "", size, name, world.now, [Recipient(message.sender)])
        pool = world.pool("postfix/bounce")
        process = pool.take(world.now)
        world.log(
            world.now + 400, process[0], f"{message.queue_id}: sender non-delivery notification: {queue_id}"
        )
        pool.give_back(process, world.now + 400)
        self._clean(bounce, world.now - 15_000)

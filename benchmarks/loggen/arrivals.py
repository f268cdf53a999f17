"""Sessions that bring a message: from other sites, from this site's users, from this machine.

Forms: Postfix 3.7 `src/smtpd/smtpd.c`, `src/pickup/pickup.c`, `src/cleanup/cleanup_milter.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loggen.session import Session
from loggen.timeline import SECOND_US
from loggen.trail import TO_FILTER, TO_LOCAL, Recipient, Trail
from loggen.truth import ACCEPTED, FILTER_REJECTED, REJECTED

if TYPE_CHECKING:
    from loggen.queue import Queue
    from loggen.site import Site

FILTERED_PART = 0.35
ALIASES = ("info", "sales", "support", "office", "team", "jobs")
MACHINE_USERS = (("root", 0), ("www-data", 33), ("backup", 34))


class Arrivals:
    """Begins sessions that mean to bring a message."""

    def __init__(self, site: Site, queue: Queue) -> None:
        self.site = site
        self.queue = queue
        self.chance = site.chance

    def from_other_site(self, now: int) -> None:
        """Another site's server sends a message, sometimes several in one session."""
        chance = self.chance
        sender, domain = self.site.draw(self.site.population.outside_pool)
        session = Session(self.site, "smtpd", self.site.draw(domain.outgoing).text, now)
        session.wait(20_000, 300_000)
        if domain.encrypts and chance() < 0.33:
            session.encrypt()
        sender = self._envelope_sender(sender, domain.name)
        messages = 1 if chance() < 0.93 else 2 + int(chance() * 4)
        sent = accepted = refused = 0
        for _ in range(messages):
            trail = self._receive(session, sender, domain.name)
            if len(trail.pending) > 1 and chance() < 0.08:
                self._refuse_one(session, trail, domain.outgoing[0].host)
                refused += 1
            accepted += len(trail.pending)
            dice = chance()
            if dice < 0.005:
                self._lose(session, trail, "ehlo=1", accepted, sent)
                return
            sent += self._store(session, trail, domain.outgoing[0].host, filtered=dice < FILTERED_PART)
        session.wait(1000, 400_000)
        hello, greeted = ("ehlo=2 starttls=1", 3) if domain.encrypts else ("ehlo=1", 1)
        good = greeted + messages + accepted + sent + 1
        session.end(
            f"{hello} mail={messages} rcpt={ratio(accepted, refused)} data={ratio(sent, messages - sent)} "
            f"quit=1 commands={ratio(good, refused + messages - sent)}"
        )

    def from_user(self, now: int) -> None:
        """One of this site's users submits a message."""
        site, chance = self.site, self.chance
        population = site.population
        sender = site.draw(population.own_pool)
        home = population.home_pool[number_of(sender) % len(population.home_pool)]
        session = Session(site, "submission/smtpd", home, now)
        session.wait(20_000, 300_000)
        if chance() < 0.5:
            session.encrypt()
        session.wait(60_000, 400_000)
        method = "LOGIN" if chance() < 0.2 else "PLAIN"
        queue_id, inode = session.accept(f", sasl_method={method}, sasl_username={sender}")
        recipients: dict[str, Recipient] = {}
        for _ in range(self._recipient_count()):
            if chance() < 0.25:
                recipient = self._own_recipient()
            else:
                recipient = Recipient(*site.draw(population.outside_pool))
            recipients[recipient.address] = recipient
        trail = Trail(
            queue_id, inode, sender, site.draw(population.size_pool),
            self._message_id(sender.rpartition("@")[2]), session.time_us, list(recipients.values()),
        )  # fmt: skip
        session.wait(30_000, 500_000)
        session.time_us = self.queue.clean(trail, session.time_us)
        self.queue.activate(trail, session.time_us)
        session.wait(1000, 200_000)
        count = len(recipients)
        session.end(f"ehlo=2 starttls=1 auth=1 mail=1 rcpt={count} data=1 quit=1 commands={count + 7}")

    def from_this_machine(self, now: int) -> None:
        """Mail a program's report on this machine."""
        site = self.site
        user, uid = site.draw(MACHINE_USERS)
        queue_id, inode = site.queue_id(now)
        site.add(now, f"{site.pickup}{queue_id}: uid={uid} from=<{user}>", (ACCEPTED, "pickup"))
        trail = Trail(
            queue_id, inode, f"{user}@{site.fqdn}", 400 + int(self.chance() * 5000),
            f"{now // SECOND_US}.{queue_id}@{site.fqdn}", now,
            [Recipient("admin@example.net", TO_LOCAL, ", orig_to=<root>")],
        )  # fmt: skip
        self.queue.activate(trail, self.queue.clean(trail, now + 2000))

    def _envelope_sender(self, sender: str, domain: str) -> str:
        """Sometimes a mailing list's own sender for each recipient, or the empty one of a bounce."""
        dice = self.chance()
        if dice < 0.06:
            user = self.site.draw(self.site.population.own_pool).replace("@", "=")
            return f"bounces+{self.site.rng.getrandbits(32)}-{user}@{domain}"
        return "" if dice < 0.075 else sender

    def _receive(self, session: Session, sender: str, domain: str) -> Trail:
        """Take the envelope of a message."""
        session.wait(10_000, 200_000)
        queue_id, inode = session.accept()
        size = self.site.draw(self.site.population.size_pool)
        message_id = self._message_id(domain)
        recipients = self._own_recipients()
        return Trail(queue_id, inode, sender, size, message_id, session.time_us, recipients, session.client)

    def _store(self, session: Session, trail: Trail, helo: str, *, filtered: bool) -> int:
        """Take the content of a message; returns 1 if it was accepted."""
        session.wait(30_000, 150_000)
        if self.chance() < 0.012:
            to = trail.pending[0].address
            session.time_us = self.queue.clean(
                trail,
                session.time_us,
                f"milter-reject: END-OF-MESSAGE from {session.client}: 5.7.1 Blocked by SpamAssassin; "
                f"from=<{trail.sender}> to=<{to}> proto=ESMTP helo=<{helo}>",
                (FILTER_REJECTED, "milter"),
            )
            self.site.inodes.give_back(trail.inode, session.time_us)
            return 0
        if filtered:
            for recipient in trail.pending:
                recipient.route = TO_FILTER
        session.time_us = self.queue.clean(trail, session.time_us)
        self.queue.activate(trail, session.time_us)
        return 1

    def _lose(self, session: Session, trail: Trail, hello: str, accepted: int, sent: int) -> None:
        """Lose the client in the middle of a message, which is then forgotten."""
        session.wait(500_000, 30_000_000)
        session.lose(f"DATA ({int(self.chance() * trail.size)} bytes)")
        session.end(
            f"{hello} mail={sent + 1} rcpt={accepted} data={ratio(sent, 1)} "
            f"commands={ratio(2 + sent + accepted + sent, 1)}"
        )
        self.site.inodes.give_back(trail.inode, session.time_us)

    def _refuse_one(self, session: Session, trail: Trail, helo: str) -> None:
        """Refuse one of several recipients: the line carries the queue id."""
        old = f"old.{self.site.draw(self.site.population.own_pool)}"
        session.wait(5000, 20_000)
        session.log(
            f"{trail.queue_id}: reject: RCPT from {session.client}: 550 5.1.1 <{old}>: Recipient address "
            f"rejected: User unknown in virtual mailbox table; from=<{trail.sender}> to=<{old}> "
            f"proto=ESMTP helo=<{helo}>",
            (REJECTED, "unknown_recipient"),
        )

    def _recipient_count(self) -> int:
        dice = self.chance()
        if dice < 0.87:
            return 1
        return 2 + int(self.chance() * 3) if dice < 0.98 else 5 + int(self.chance() * 30)

    def _own_recipient(self) -> Recipient:
        address = self.site.draw(self.site.population.own_pool)
        original = ""
        if self.chance() < 0.06:
            original = f", orig_to=<{self.site.draw(ALIASES)}@{address.rpartition('@')[2]}>"
        return Recipient(address, self.queue.route(address), original)

    def _own_recipients(self) -> list[Recipient]:
        chosen = [self._own_recipient() for _ in range(self._recipient_count())]
        if len(chosen) == 1:
            return chosen
        return list({recipient.address: recipient for recipient in chosen}.values())

    def _message_id(self, domain: str) -> str:
        bits = self.site.rng.getrandbits(110)
        if bits % 3:
            return f"{bits:x}@mail.{domain}"
        return f"{bits >> 70:X}.{bits & 0xFFFFFFF}@{domain}"


def ratio(good: int, bad: int) -> str:
    """Write a count of commands as smtpd does: all that went well, or `good/all`."""
    return f"{good}/{good + bad}" if bad else str(good)


def number_of(text: str) -> int:
    """Give a number for a text that is the same in every run, unlike `hash()`."""
    return int.from_bytes(text.encode()[:12], "big")

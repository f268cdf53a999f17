"""The queue manager: active queue, retries, bounce messages, the end of a message.

Forms: `src/qmgr/qmgr_active.c` (queue active, expired, removed), `src/bounce/bounce_notify_service.c`,
`src/cleanup/cleanup_message.c` (message-id).
"""

from __future__ import annotations

from time import gmtime, strftime
from typing import TYPE_CHECKING

from loggen import remote
from loggen.homeward import Homeward
from loggen.session import Session
from loggen.timeline import SECOND_US
from loggen.trail import TO_LMTP, TO_LOCAL, TO_VIRTUAL, Recipient, Trail
from loggen.truth import DELETED, EXPIRED, NOTIFIED, QUEUED, REMOVED, REQUEUED, Tag

if TYPE_CHECKING:
    from loggen.population import Domain
    from loggen.site import Site

LIFETIME_S = 6 * 3600  # main.cf: maximal_queue_lifetime; so short that a day's log shows expiry
MIN_BACKOFF_S, MAX_BACKOFF_S = 300, 4000  # main.cf: minimal_backoff_time, maximal_backoff_time
DELETED_PART = 0.002  # of the retries
OWN_ROUTES = {"example.org": TO_LMTP, "example.com": TO_VIRTUAL, "example.net": TO_LOCAL}


class Queue:
    """What happens to a message once cleanup has it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.homeward = Homeward(site, self.reinject, self.forward)
        self._domains = {domain.name: domain for domain in site.population.domains}

    def route(self, address: str) -> str | Domain:
        """Say where mail for an address goes."""
        domain = address.rpartition("@")[2]
        return OWN_ROUTES.get(domain) or self._domains.get(domain) or TO_LOCAL

    def clean(self, trail: Trail, time_us: int, refusal: str = "", tag: Tag = None) -> int:
        """Log the message-id, and a content filter's refusal if any; returns when cleanup is done."""
        site = self.site
        pool = site.pool("postfix/cleanup")
        process = pool.take(site.now)
        site.add(time_us, f"{process[0]}{trail.queue_id}: message-id=<{trail.message_id}>")
        done = time_us + 2000 + int(site.chance() * 40_000)
        if refusal:
            site.add(done, f"{process[0]}{trail.queue_id}: {refusal}", tag)
        pool.give_back(process, done)
        return done

    def activate(self, trail: Trail, time_us: int) -> None:
        """Put a message on the active queue and try its pending recipients."""
        site = self.site
        pending = trail.pending
        tag = (REQUEUED,) if trail.tries else (QUEUED, trail.sender, trail.size, len(pending))
        site.add(
            time_us,
            f"{site.qmgr}{trail.queue_id}: from=<{trail.sender}>, size={trail.size}, "
            f"nrcpt={len(pending)} (queue active)",
            tag,
        )
        trail.tries += 1
        trail.pending = []
        if len(pending) == 1:
            ended = self._deliver(trail, pending[0].route, pending, time_us)
        else:
            groups: dict[str | Domain, list[Recipient]] = {}
            for recipient in pending:
                groups.setdefault(recipient.route, []).append(recipient)
            ended = max([self._deliver(trail, *group, time_us) for group in groups.items()])
        self._finish(trail, ended + 300 + int(site.chance() * 900))

    def _deliver(self, trail: Trail, route: str | Domain, recipients: list[Recipient], time_us: int) -> int:
        if isinstance(route, str):
            return self.homeward.deliver(trail, route, recipients, time_us)
        return remote.deliver(self.site, trail, route, recipients, time_us)

    def _finish(self, trail: Trail, time_us: int) -> None:
        site = self.site
        if trail.pending:
            age_s = (time_us - trail.arrived) // SECOND_US
            if age_s < LIFETIME_S:
                if trail.bounced:
                    self._notify(trail, time_us)
                wait_s = min(max(age_s, MIN_BACKOFF_S), MAX_BACKOFF_S) + site.chance() * 60
                next_time = time_us + int(wait_s * SECOND_US)
                act = self._delete if site.chance() < DELETED_PART else self.activate
                site.later(next_time, lambda: act(trail, next_time))
                return
            site.add(
                time_us,
                f"{site.qmgr}{trail.queue_id}: from=<{trail.sender}>, status=expired, returned to sender",
                (EXPIRED, len(trail.pending)),
            )
            trail.bounced = True
        if trail.bounced:
            time_us = self._notify(trail, time_us + 200)
        site.add(time_us, f"{site.qmgr}{trail.queue_id}: removed", (REMOVED,))
        site.inodes.give_back(trail.inode, time_us)

    def _delete(self, trail: Trail, time_us: int) -> None:
        """Let the postmaster delete a deferred message (`src/postsuper/postsuper.c`)."""
        site = self.site
        postsuper = site.pool("postfix/postsuper").take(site.now)[0]
        site.add(time_us, f"{postsuper}{trail.queue_id}: removed", (DELETED, len(trail.pending)))
        site.add(time_us + 5000, f"{postsuper}Deleted: 1 message")
        site.inodes.give_back(trail.inode, time_us)

    def _notify(self, trail: Trail, time_us: int) -> int:
        """Send the bounce message; returns when the notification is logged."""
        trail.bounced = False
        if not trail.sender:
            return time_us
        site = self.site
        queue_id, inode = site.queue_id(time_us)
        stamp = strftime("%Y%m%d%H%M%S", gmtime(time_us // SECOND_US))
        bounce = Trail(
            queue_id, inode, "", trail.size % 50_000 + 2200, f"{stamp}.{queue_id}@{site.fqdn}", time_us,
            [Recipient(trail.sender, self.route(trail.sender))],
        )  # fmt: skip
        queued = self.clean(bounce, time_us)
        pool = site.pool("postfix/bounce")
        process = pool.take(site.now)
        notified = queued + int(site.chance() * 2000) - 1000
        text = f"{process[0]}{trail.queue_id}: sender non-delivery notification: {queue_id}"
        site.add(notified, text, (NOTIFIED,))
        pool.give_back(process, notified)
        self.activate(bounce, queued)
        return notified + 100

    def reinject(self, trail: Trail, recipients: list[Recipient], time_us: int) -> str:
        """Take a message back from the content filter, under a new queue id."""
        session = Session(self.site, "smtpd", "localhost[127.0.0.1]", time_us)
        session.time_us += 1500
        origin = f", orig_queue_id={trail.queue_id}, orig_client={trail.origin}"
        queue_id, inode = session.accept(origin, "filter")
        back = [Recipient(each.address, self.route(each.address), each.original) for each in recipients]
        size = trail.size + 412
        again = Trail(queue_id, inode, trail.sender, size, trail.message_id, session.time_us, back)
        queued = self.clean(again, session.time_us + 1000)
        session.time_us = queued + 400
        count = len(back)
        session.end(f"ehlo=1 mail=1 rcpt={count} data=1 quit=1 commands={count + 4}")
        self.activate(again, queued)
        return queue_id

    def forward(self, trail: Trail, recipients: list[Recipient], time_us: int) -> str:
        """Send a local recipient's mail on to an address elsewhere, under a new queue id."""
        site = self.site
        queue_id, inode = site.queue_id(time_us)
        address, domain = site.draw(site.population.outside_pool)
        original = f", orig_to=<{recipients[0].address}>"
        onward = Trail(
            queue_id, inode, trail.sender, trail.size + 130, trail.message_id, time_us,
            [Recipient(address, domain, original)],
        )  # fmt: skip
        self.activate(onward, self.clean(onward, time_us + 600))
        return queue_id

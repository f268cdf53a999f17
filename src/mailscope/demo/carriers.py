"""What comes of a delivery: in a mailbox through Dovecot's LMTP, in root's, at another site.

Forms: Postfix 3.10 `src/smtp/smtp_proto.c`, `smtp_connect.c`; Dovecot 2.3 `src/lmtp/`, `src/lib-lda/`.
"""

from __future__ import annotations

from mailscope.demo.ciphers import CIPHERS
from mailscope.demo.outside import (
    GREYLISTED,
    LISTED,
    OVER_QUOTA,
    PUT_OFF_USUALLY,
    REFUSED_USUALLY,
    Outside,
    Site,
    said,
)
from mailscope.demo.plan import FQDN
from mailscope.demo.queue import CENTISECOND, Attempt, Message, Recipient
from mailscope.demo.world import World

LMTP = f"{FQDN}[private/dovecot-lmtp]"
NO_NAME = "Host or domain name not found. Name service error for name={domain} type=MX: Host not found"


class Carriers:
    """The delivery agents' work."""

    def __init__(self, world: World, outside: Outside, known: set[str]) -> None:
        self.world = world
        self.outside = outside
        self.known = known  # mailboxes
        self.full: set[str] = set()  # mailboxes over quota

    def lmtp(self, message: Message, recipient: Recipient, domain: str) -> Attempt:
        """Put a message in a mailbox, with the lines of Dovecot's side."""
        world, address = self.world, recipient.address
        if address not in self.known:
            reason = f"550 5.1.1 <{address}> User doesn't exist: {address} (in reply to RCPT TO command)"
            return Attempt(LMTP, "5.1.1", "bounced", f"host {LMTP} said: {reason}", 1, 1)
        transmit = 2 + int(world.chance() ** 3 * 20)
        pid, session = world.pid(), world.session_id()
        begun = world.now + 2 * CENTISECOND
        saved = begun + transmit * CENTISECOND
        world.log(begun, "dovecot: ", f"lmtp({pid}): Connect from local")
        head = f"lmtp({address})<{pid}><{session}>: msgid=<{message.message_id}>: "
        if world.conditions.disk_full and world.chance() < 0.7:
            world.log(saved, "dovecot: ", head + "save failed to INBOX: Not enough disk space")
            reason = f"452 4.2.2 <{address}> Not enough disk space (in reply to end of DATA command)"
            answer = Attempt(LMTP, "4.2.2", "deferred", f"host {LMTP} said: {reason}", 1, transmit)
        elif address in self.full:
            world.log(
                saved, "dovecot: ", head + "save failed to INBOX: Quota exceeded (mailbox for user is full)"
            )
            full = "Quota exceeded (mailbox for user is full)"
            reason = f"452 4.2.2 <{address}> {full} (in reply to end of DATA command)"
            answer = Attempt(LMTP, "4.2.2", "deferred", f"host {LMTP} said: {reason}", 1, transmit)
        else:
            folder = "INBOX" if world.chance() < 0.9 else "Junk"
            world.log(saved, "dovecot: ", f"{head}saved mail to {folder}")
            answer = Attempt(LMTP, "2.0.0", "sent", f"250 2.0.0 <{address}> {session} Saved", 1, transmit)
        world.log(
            saved + 4 * CENTISECOND,
            "dovecot: ",
            f"lmtp({pid}): Disconnect from local: Logged out (state=READY)",
        )
        return answer

    def local(self, message: Message, recipient: Recipient, domain: str) -> Attempt:
        """Put a message in the mailbox of a user of the machine."""
        return Attempt("local", "2.0.0", "sent", "delivered to mailbox", 0, 1 + int(self.world.chance() * 3))

    def smtp(self, message: Message, recipient: Recipient, domain: str) -> Attempt:
        """Send a message to another site."""
        world, conditions = self.world, self.world.conditions
        if conditions.dns_down:
            reason = NO_NAME.format(domain=domain) + ", try again"
            return Attempt("none", "4.4.3", "deferred", reason, 2000)
        site = self.outside.by_name.get(domain)
        if site is None:
            return Attempt("none", "5.4.4", "bounced", NO_NAME.format(domain=domain), 4)
        server = site.server()
        if site.behaviour == "dead":
            trouble = f"connect to {server}:25: Connection timed out"
            return Attempt("none", "4.4.1", "deferred", trouble, 3000, 0, [trouble])
        connect, transmit = (
            6 + int(world.rng.lognormvariate(2.4, 0.8)),
            5 + int(world.rng.lognormvariate(3.0, 0.8)),
        )
        connect, transmit = min(connect, 2000), min(transmit, 2000) + conditions.slow.get(domain, 0)
        if domain in conditions.no_handshake:
            reason = "Cannot start TLS: handshake failure"
            before = [
                f"SSL_connect error to {server}:25: -1",
                "warning: TLS library problem: error:0A000410:SSL routines::ssl/tls alert handshake failure:"
                "../ssl/record/rec_layer_s3.c:907:SSL alert number 40:",
                f"{message.queue_id}: {reason}",
            ]
            return Attempt(f"{server}:25", "4.7.5", "deferred", reason, connect, 2, before)
        before = []
        if site.encrypts:
            trust = world.draw(("Trusted", "Trusted", "Verified", "Untrusted"))
            before = [f"{trust} TLS connection established to {server}:25: {world.draw(CIPHERS)}"]
        dsn, status, reason, _ = self._answer(site, server, message, recipient)
        return Attempt(f"{server}:25", dsn, status, reason, connect, transmit, before)

    def _answer(
        self, site: Site, server: str, message: Message, recipient: Recipient
    ) -> tuple[str, str, str, bool]:
        world, conditions, address = self.world, self.world.conditions, recipient.address
        refusal = conditions.refusals.get(site.name)
        if refusal:
            dsn, status, reply, step = refusal
            return said(server, (dsn, reply, step), address, status)
        if conditions.dnsbl_share and hash_share(site.name) < conditions.dnsbl_share:
            return said(server, LISTED, address, "bounced")
        dice = world.chance()
        if message.sender in conditions.spam_senders and world.chance() < 0.3:
            return said(server, REFUSED_USUALLY[world.draw((0, 1, 3, 3))], address, "bounced")
        if site.behaviour == "grey" and message.tries == 1 and dice < 0.6:
            return said(server, GREYLISTED, address, "deferred")
        if site.behaviour == "full" and dice < 0.2:
            return said(server, OVER_QUOTA, address, "deferred")
        if "nobody" in address or dice < 0.012:
            return said(server, world.draw(REFUSED_USUALLY), address, "bounced")
        if dice < 0.02:
            return said(server, world.draw(PUT_OFF_USUALLY), address, "deferred")
        queued_as = f"{world.rng.getrandbits(44):011X}"
        return "2.0.0", "sent", f"250 2.0.0 Ok: queued as {queued_as}", True


def hash_share(name: str) -> float:
    """Give a share between 0 and 1 that is always the same for a name."""
    number = 0
    for letter in name:
        number = (number * 31 + ord(letter)) % 997
    return number / 997

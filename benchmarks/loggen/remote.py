"""Delivery to other sites: the smtp client, and error(8) for destinations that are suspended.

Forms: `src/smtp/smtp_proto.c`, `smtp_connect.c`, `smtp_trouble.c`; replies as common servers give them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loggen.trail import CENTISECOND_US, Delivery, Recipient, Result
from loggen.truth import TLS, UNREACHED
from mailscope.demo.ciphers import CIPHERS

if TYPE_CHECKING:
    from loggen.population import Domain, Server
    from loggen.site import Site
    from loggen.trail import Trail

TRUST = ("Trusted", "Trusted", "Untrusted", "Verified")
BOUNCE_REPLIES = (
    ("5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in relay table", "RCPT TO"),
    ("5.1.1", "550 5.1.1 The email account that you tried to reach does not exist", "RCPT TO"),
    ("5.7.1", "554 5.7.1 Message rejected as spam by content filtering", "end of DATA"),
    ("5.2.1", "550 5.2.1 <{to}>: mailbox disabled, not accepting messages", "RCPT TO"),
    ("5.0.0", "550 Requested action not taken: mailbox unavailable", "RCPT TO"),
)
DEFER_REPLIES = (
    ("4.7.1", "451 4.7.1 Resources temporarily unavailable, please try again later", "end of DATA"),
    ("4.7.0", "421 4.7.0 Try again later, closing connection", "MAIL FROM"),
    ("4.3.0", "451 4.3.0 Error: queue file write error", "end of DATA"),
)
GREYLISTED = ("4.2.0", "450 4.2.0 <{to}>: Recipient address rejected: Greylisted", "RCPT TO")
OVER_QUOTA = ("4.2.2", "452 4.2.2 <{to}> Mailbox full, try again later", "RCPT TO")
NO_ANSWER = (
    "Host or domain name not found. Name service error for name={domain} type=MX: Host not found, try again"
)
BUSY = ("4.7.0", "421 4.7.0 Too many connections, try again later", "MAIL FROM")
NOT_REACHED = {"dead": "Connection timed out", "refused": "Connection refused"}


def deliver(site: Site, trail: Trail, domain: Domain, recipients: list[Recipient], started: int) -> int:
    """Try all recipients of one domain; returns when the last attempt ended."""
    before = (started - trail.arrived) // CENTISECOND_US
    queued = site.draw(site.short_delays)
    trouble = NOT_REACHED.get(domain.behaviour)
    program = "error" if trouble and trail.tries > 1 and site.chance() < 0.6 else "smtp"
    pool = site.pool(f"postfix/{program}")
    delivery = Delivery(site, trail, pool.take(site.now), program, started, before, queued)
    if domain.behaviour == "nodns":
        result = ("4.4.3", "deferred", NO_ANSWER.format(domain=domain.name))
        ended = max([delivery.log(recipient, "none", (0, 0), result) for recipient in recipients])
    elif trouble:
        ended = _not_reached(delivery, domain, recipients, trouble)
    else:
        ended = _converse(delivery, domain, recipients)
    pool.give_back(delivery.process, ended)
    return ended


def _not_reached(delivery: Delivery, domain: Domain, recipients: list[Recipient], trouble: str) -> int:
    site = delivery.site
    where = f"connect to {domain.exchangers[-1].text}:25: {trouble}"
    if delivery.service == "error":
        reason, connect = f"delivery temporarily suspended: {where}", 0
    else:
        reason, connect = where, 3 if domain.behaviour == "refused" else 3000 * len(domain.exchangers)
        waited = delivery.queued * CENTISECOND_US
        for number, server in enumerate(domain.exchangers, 1):
            part = connect * number // len(domain.exchangers) * CENTISECOND_US
            site.add(
                delivery.started + waited + part,
                f"{delivery.process[0]}connect to {server.text}:25: {trouble}",
                (UNREACHED, trouble),
            )
    result = ("4.4.1", "deferred", reason)
    return max([delivery.log(recipient, "none", (connect, 0), result) for recipient in recipients])


def _converse(delivery: Delivery, domain: Domain, recipients: list[Recipient]) -> int:
    site = delivery.site
    chance = site.chance
    server = domain.exchangers[0]
    if len(domain.exchangers) > 1 and chance() < 0.03:
        moment = delivery.started + delivery.queued * CENTISECOND_US
        why = _said(server, recipients[0], BUSY, "deferred")[2]
        site.add(moment, f"{delivery.process[0]}{delivery.trail.queue_id}: {why}")
        server = domain.exchangers[1]
    connect, transmit = site.draw(site.connect_delays), site.draw(site.transmit_delays)
    relay = f"{server.text}:25"
    if domain.encrypts and chance() < 0.4:
        moment = delivery.started + (delivery.queued + connect) * CENTISECOND_US
        text = f"{site.draw(TRUST)} TLS connection established to {relay}: {site.draw(CIPHERS)}"
        site.add(moment, delivery.process[0] + text, (TLS, "smtp"))
    elif chance() < 0.15:
        relay = f"{relay}, conn_use={2 + int(chance() * 8)}"
        connect = 0
    lost = chance() < 0.006
    grey = domain.behaviour == "grey" and delivery.trail.tries == 1 and chance() < 0.7
    accepted = f"250 2.0.0 Ok: queued as {site.rng.getrandbits(44):011X}"
    ended = 0
    for recipient in recipients:
        result = ("2.0.0", "sent", accepted)
        dice = chance()
        if lost:
            result = ("4.4.2", "deferred", f"lost connection with {server.text} while sending RCPT TO")
        elif grey:
            result = _said(server, recipient, GREYLISTED, "deferred")
        elif domain.behaviour == "full" and dice < 0.3:
            result = _said(server, recipient, OVER_QUOTA, "deferred")
        elif dice < 0.025:
            result = _said(server, recipient, site.draw(BOUNCE_REPLIES), "bounced")
        elif dice < 0.035:
            result = _said(server, recipient, site.draw(DEFER_REPLIES), "deferred")
        ended = max(ended, delivery.log(recipient, relay, (connect, transmit), result))
    return ended


def _said(server: Server, recipient: Recipient, reply: Result, status: str) -> Result:
    dsn, text, command = reply
    words = text.format(to=recipient.address)
    return dsn, status, f"host {server.text} said: {words} (in reply to {command} command)"

"""Delivery on this machine: local, virtual, lmtp, and the content filter that gives the mail back.

Forms: `src/local/`, `src/virtual/`, `src/lmtp` (the smtp client), replies of Dovecot and of amavisd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loggen.trail import CENTISECOND_US, TO_FILTER, TO_LMTP, TO_VIRTUAL, Delivery, Recipient
from loggen.truth import FILTERED, FORWARDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from loggen.site import Site
    from loggen.trail import Trail

    PassOn = Callable[[Trail, list[Recipient], int], str]

FILTER = "127.0.0.1[127.0.0.1]:10024"
OVER_QUOTA = "Quota exceeded (mailbox for user is full)"
PROGRAMS = {TO_FILTER: "smtp", TO_LMTP: "lmtp", TO_VIRTUAL: "virtual"}
LOCAL_RESULTS = (
    ("2.0.0", "sent", "delivered to mailbox"),
    ("2.0.0", "sent", "delivered to maildir"),
    ("2.0.0", "sent", 'delivered to command: /usr/bin/procmail -a "$EXTENSION"'),
)


class Homeward:
    """The delivery agents of this machine. `reinject` and `forward` begin the mail's next trail."""

    def __init__(self, site: Site, reinject: PassOn, forward: PassOn) -> None:
        self.site = site
        self.reinject = reinject
        self.forward = forward

    def deliver(self, trail: Trail, route: str, recipients: list[Recipient], started: int) -> int:
        """Try all recipients that go one way; returns when the last attempt ended."""
        site = self.site
        before = (started - trail.arrived) // CENTISECOND_US
        program = PROGRAMS.get(route, "local")
        pool = site.pool(f"postfix/{program}")
        process = pool.take(site.now)
        delivery = Delivery(site, trail, process, program, started, before, site.draw(site.short_delays))
        if route == TO_FILTER:
            ended = self._filter(delivery, recipients)
        elif route == TO_LMTP:
            ended = max([self._lmtp(delivery, recipient) for recipient in recipients])
        elif route == TO_VIRTUAL:
            ended = max([self._virtual(delivery, recipient) for recipient in recipients])
        else:
            ended = max([self._local(delivery, recipient) for recipient in recipients])
        pool.give_back(process, ended)
        return ended

    def _filter(self, delivery: Delivery, recipients: list[Recipient]) -> int:
        site, trail = self.site, delivery.trail
        transmit = 20 + site.draw(site.transmit_delays)
        given_back = delivery.started + (delivery.queued + transmit // 2) * CENTISECOND_US
        next_id = self.reinject(trail, recipients, given_back)
        reason = f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {next_id}"
        ended = 0
        for recipient in recipients:
            tag = (FILTERED, "smtp", recipient.address, trail.size)
            spent = (1 if site.chance() < 0.3 else 0, transmit)
            ended = max(ended, delivery.log(recipient, FILTER, spent, ("2.0.0", "sent", reason), tag))
        return ended

    def _lmtp(self, delivery: Delivery, recipient: Recipient) -> int:
        site = self.site
        relay = f"{site.fqdn}[private/dovecot-lmtp]"
        dice = site.chance()
        name = recipient.address
        if dice < 0.985:
            result = ("2.0.0", "sent", f"250 2.0.0 <{name}> {site.rng.getrandbits(96):022X} Saved")
        elif dice < 0.993:
            said = f"452 4.2.2 <{name}> {OVER_QUOTA} (in reply to RCPT TO command)"
            result = ("4.2.2", "deferred", f"host {relay} said: {said}")
        else:
            said = f"552 5.2.2 <{name}> {OVER_QUOTA} (in reply to end of DATA command)"
            result = ("5.2.2", "bounced", f"host {relay} said: {said}")
        return delivery.log(recipient, relay, (1, 1 + int(dice * 8)), result)

    def _virtual(self, delivery: Delivery, recipient: Recipient) -> int:
        dice = self.site.chance()
        result = ("2.0.0", "sent", "delivered to maildir")
        if dice > 0.99:
            result = ("5.1.1", "bounced", f'unknown user: "{recipient.address}"')
        elif dice > 0.985:
            user = recipient.address.partition("@")[0]
            why = f"maildir delivery failed: create maildir file /var/mail/{user}/1: Disk quota exceeded"
            result = ("4.2.2", "deferred", why)
        return delivery.log(recipient, "virtual", (0, int(dice * 3)), result)

    def _local(self, delivery: Delivery, recipient: Recipient) -> int:
        site = self.site
        dice = site.chance()
        transmit = int(dice * 4)
        if dice < 0.06:
            moment = delivery.started + delivery.queued * CENTISECOND_US
            next_id = self.forward(delivery.trail, [recipient], moment)
            tag = (FORWARDED, "local", recipient.address, delivery.trail.size)
            result = ("2.0.0", "sent", f"forwarded as {next_id}")
            return delivery.log(recipient, "local", (0, transmit), result, tag)
        if dice < 0.08:
            user = recipient.address.partition("@")[0]
            result = ("5.1.1", "bounced", f'unknown user: "{user}"')
        else:
            result = site.draw(LOCAL_RESULTS)
        return delivery.log(recipient, "local", (0, transmit), result)

"""Trouble with delivery: providers that refuse or slow us, lists that have us, no DNS, TLS that fails."""

from __future__ import annotations

from collections.abc import Callable

from mailscope.demo.incidents.incident import Incident
from mailscope.demo.outside import Site
from mailscope.demo.places import OWN_IP
from mailscope.demo.plan import HOUR, MINUTE
from mailscope.demo.queue import Attempt, Message, Recipient

BLOCKED = (
    "5.7.1",
    "bounced",
    f"550 5.7.1 Unfortunately, messages from [{OWN_IP}] weren't sent. Please contact your Internet service "
    "provider since part of their network is on our block list (S3150). You can also refer your provider to "
    "https://mail.bigmail.example/troubleshooting#errors.",
    "MAIL FROM",
)
THROTTLED = (
    "4.7.28",
    "deferred",
    f"421-4.7.28 [{OWN_IP}      15] Our system has detected an unusual rate of 421-4.7.28 unsolicited mail "
    "originating from your IP address. To protect our 421-4.7.28 users from spam, mail sent from your IP "
    "address has been temporarily 421-4.7.28 rate limited. Please visit "
    "https://support.webpost.example/mail/ to review 421 4.7.28 our guidelines.",
    "end of DATA",
)
GONE = (
    "5.1.1",
    "bounced",
    "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
    "RCPT TO",
)
GONE_SOFTLY = (
    "5.4.1",
    "bounced",
    "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
    "RCPT TO",
)


def _watch(incident: Incident, enough: int, matters: Callable[[Message, Recipient, Attempt], bool]) -> None:
    """Count the attempts that are evidence."""
    count = incident.evidence(enough)

    def told(message: Message, recipient: Recipient, attempt: Attempt, time: int) -> None:
        if incident.start <= time <= incident.end and matters(message, recipient, attempt):
            count(time)

    incident.host.queue.on_attempt.append(told)


def _refused(
    incident: Incident, site: Site, refusal: tuple[str, str, str, str], duration: int, enough: int
) -> None:
    refusals = incident.host.world.conditions.refusals
    incident.subject = {"domain": site.name}
    incident.at(0, lambda: refusals.update({site.name: refusal}))
    incident.at(incident.lasts(duration), lambda: refusals.pop(site.name, None))
    _watch(
        incident, enough, lambda _m, to, what: to.address.endswith(f"@{site.name}") and what.status != "sent"
    )


def provider_blocks_obvious(incident: Incident) -> None:
    """Let the largest provider refuse all our mail for five hours, saying that we are on its block list."""
    _refused(incident, incident.host.outside.providers[0], BLOCKED, 5 * HOUR, 3)


def provider_blocks_hard(incident: Incident) -> None:
    """Let the second provider put off all our mail for four hours, for its rate."""
    _refused(incident, incident.host.outside.providers[1], THROTTLED, 4 * HOUR, 5)


def bounce_rate_obvious(incident: Incident) -> None:
    """Let a firm with which many here write all day know none of its users for seven hours."""
    _refused(incident, incident.host.outside.partner, GONE, 7 * HOUR, 5)


def bounce_rate_hard(incident: Incident) -> None:
    """Let a provider's tenant refuse all mail for seven hours with a reply that names no user."""
    _refused(incident, incident.host.outside.providers[3], GONE_SOFTLY, 7 * HOUR, 5)


def dnsbl_listed_obvious(incident: Incident) -> None:
    """Let half of all sites refuse us for six hours, as a blocklist has our address."""
    _listed(incident, 0.5, 6 * HOUR)


def dnsbl_listed_hard(incident: Incident) -> None:
    """Let one site in eight refuse us for eight hours, as a blocklist has our address."""
    _listed(incident, 0.13, 8 * HOUR)


def _listed(incident: Incident, share: float, duration: int) -> None:
    conditions = incident.host.world.conditions
    incident.subject = {"ip": OWN_IP, "list": "bl.blocklist.example"}
    incident.at(0, lambda: setattr(conditions, "dnsbl_share", share))
    incident.at(incident.lasts(duration), lambda: setattr(conditions, "dnsbl_share", 0.0))
    _watch(incident, 2, lambda _m, _to, what: "blocked using bl.blocklist.example" in what.reason)


def queue_growth_obvious(incident: Incident) -> None:
    """Let no name be found for three hours of a working day."""
    _no_names(incident, 3 * HOUR)


def queue_growth_hard(incident: Incident) -> None:
    """Let no name be found for three quarters of an hour."""
    _no_names(incident, 45 * MINUTE)


def _no_names(incident: Incident, duration: int) -> None:
    conditions = incident.host.world.conditions
    incident.subject = {"reason": "Name service error"}
    incident.at(0, lambda: setattr(conditions, "dns_down", True))
    incident.at(incident.lasts(duration), lambda: setattr(conditions, "dns_down", False))
    _watch(
        incident, 15, lambda _m, _to, what: "Name service error" in what.reason and what.status == "deferred"
    )


def tls_failures_obvious(incident: Incident) -> None:
    """Let our certificate expire: for four hours, nine clients in ten go away."""
    host, conditions = incident.host, incident.host.world.conditions
    incident.subject = {"service": ["imap-login", "submission/smtpd"]}
    incident.at(0, lambda: setattr(conditions, "certificate_expired", True))
    incident.at(incident.lasts(4 * HOUR), lambda: setattr(conditions, "certificate_expired", False))
    count = incident.evidence(12)
    refuse = host.mailboxes.refuse_certificate

    def counted(ip: str, start: int, protocol: str = "imap") -> None:
        refuse(ip, start, protocol)
        count(start)

    host.mailboxes.refuse_certificate = counted  # type: ignore[method-assign]


def tls_failures_hard(incident: Incident) -> None:
    """Let the handshake with one provider's servers fail for five hours."""
    conditions, site = incident.host.world.conditions, incident.host.outside.providers[2]
    incident.subject = {"domain": site.name}
    incident.at(0, lambda: conditions.no_handshake.add(site.name))
    incident.at(incident.lasts(5 * HOUR), lambda: conditions.no_handshake.discard(site.name))
    _watch(incident, 4, lambda _m, _to, what: "handshake failure" in what.reason)


def slow_delivery_obvious(incident: Incident) -> None:
    """Let every delivery to the two largest providers take two and a half minutes for three hours."""
    _slow(incident, [site.name for site in incident.host.outside.providers[:2]], 15_000, 3 * HOUR)


def slow_delivery_hard(incident: Incident) -> None:
    """Let deliveries to the largest provider take forty seconds for three hours."""
    _slow(incident, [incident.host.outside.providers[0].name], 4000, 3 * HOUR)


def _slow(incident: Incident, names: list[str], transmit: int, duration: int) -> None:
    slow = incident.host.world.conditions.slow
    incident.subject = {"domains": names, "delay_s": transmit // 100}
    incident.at(0, lambda: slow.update(dict.fromkeys(names, transmit)))

    def over() -> None:
        for name in names:
            slow.pop(name, None)

    incident.at(incident.lasts(duration), over)
    _watch(
        incident, 8, lambda _m, to, what: to.address.rpartition("@")[2] in names and what.transmit >= transmit
    )

"""Sessions that bring no message: refused mail, guessed passwords, lost connections.

Forms: Postfix 3.7 `src/smtpd/` (`smtpd_check.c`, `smtpd_sasl_glue.c`, `smtpd_peer.c`, `smtpd.c`) and
`src/tls/tls_server.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loggen.session import Session
from loggen.truth import AUTH_FAILED, REJECTED

if TYPE_CHECKING:
    from loggen.site import Site

BLOCKLISTS = ("bl.example.org", "zen.example.com", "dnsbl.example.net")
REJECT_KINDS = {
    "blocklist": 45,
    "unknown_recipient": 24,
    "relay_denied": 8,
    "helo": 8,
    "sender_domain": 7,
    "greylisted": 5,
    "no_client_name": 3,
}
LOST_AFTER = ("CONNECT", "CONNECT", "EHLO", "STARTTLS", "UNKNOWN", "RCPT", "DATA (0 bytes)", "AUTH")
UNKNOWN_USER = "User unknown in virtual mailbox table"
GUESSED_USERS = ("admin", "test", "info", "sales", "postmaster", "scanner", "office", "user")
BOT_HELOS = ("localhost", "user", "win-pc", "ylmf-pc")
NO_TLS = (
    "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:"
    "../ssl/statem/statem_srvr.c:1657:"
)


class Intruders:
    """Begins sessions that come to nothing."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.chance = site.chance
        self._kinds = site.rng.choices(list(REJECT_KINDS), list(REJECT_KINDS.values()), k=4096)

    def refused(self, now: int) -> None:
        """Mail that smtpd refuses before it gives a queue id."""
        kind = self.site.draw(self._kinds)
        client = self.site.draw(self.site.population.bot_pool)
        if kind == "no_client_name":
            client = f"unknown[{ip_of(client)}]"
        why, envelope = self._refusal(kind, ip_of(client))
        session = Session(self.site, "smtpd", client, now)
        tries = 1 if self.chance() < 0.9 else 2
        for _ in range(tries):
            session.wait(50_000, 900_000)
            session.log(f"NOQUEUE: reject: RCPT from {client}: {why}; {envelope}", (REJECTED, kind))
        session.wait(10_000, 300_000)
        if self.chance() < 0.3:
            session.lose("RCPT")
            session.end(f"ehlo=1 mail=1 rcpt=0/{tries} commands=2/{tries + 2}")
        else:
            session.end(f"ehlo=1 mail=1 rcpt=0/{tries} quit=1 commands=3/{tries + 3}")

    def _refusal(self, kind: str, ip: str) -> tuple[str, str]:
        """Draw a refused envelope: the reply, and the line's end with sender, recipient and HELO."""
        site, number = self.site, int(self.chance() * 5000)
        sender, domain = site.draw(site.population.outside_pool)
        recipient = site.draw(site.population.own_pool)
        helo = domain.outgoing[0].host
        if kind == "blocklist":
            zone = site.draw(BLOCKLISTS)
            why = f"554 5.7.1 Service unavailable; Client host [{ip}] blocked using {zone}; https://{zone}/ip/{ip}"
        elif kind == "unknown_recipient":
            recipient = f"{number}{recipient}"
            why = f"550 5.1.1 <{recipient}>: Recipient address rejected: {UNKNOWN_USER}"
        elif kind == "relay_denied":
            recipient = site.draw(site.population.outside_pool)[0]
            why = f"554 5.7.1 <{recipient}>: Relay access denied"
        elif kind == "helo":
            helo = site.draw(BOT_HELOS)
            why = f"504 5.5.2 <{helo}>: Helo command rejected: need fully-qualified hostname"
        elif kind == "sender_domain":
            sender = f"x{number}@gone{number % 500}.example.com"
            why = f"450 4.1.8 <{sender}>: Sender address rejected: Domain not found"
        elif kind == "greylisted":
            why = f"450 4.2.0 <{recipient}>: Recipient address rejected: Greylisted"
        else:
            why = f"450 4.7.25 Client host rejected: cannot find your hostname, [{ip}]"
        return why, f"from=<{sender}> to=<{recipient}> proto=ESMTP helo=<{helo}>"

    def failed_login(self, now: int) -> None:
        """Guess a password."""
        site, chance = self.site, self.chance
        client = site.draw(site.population.bot_pool)
        warning = ""
        if chance() < 0.12:
            ip = ip_of(client)
            client = f"unknown[{ip}]"
            name = f"host-{int(chance() * 9999)}.d{int(chance() * 300)}.example.net"
            warning = f"warning: hostname {name} does not resolve to address {ip}"
        service = "smtpd" if chance() < 0.4 else "submission/smtpd"
        session = Session(site, service, client, now, warning)
        method = "PLAIN" if chance() < 0.15 else "LOGIN"
        user = site.draw(GUESSED_USERS) if chance() < 0.5 else site.draw(site.population.own_pool)
        tries = 1 if chance() < 0.9 else 2 + int(chance() * 3)
        for _ in range(tries):
            session.wait(900_000, 4_000_000)
            session.log(
                f"warning: {client}: SASL {method} authentication failed: (reason unavailable), "
                f"sasl_username={user}",
                (AUTH_FAILED, method),
            )
        session.wait(100_000, 1_000_000)
        if tries > 3:
            session.log(f"too many errors after AUTH from {client}")
            session.end(f"ehlo=1 auth=0/{tries} commands=1/{tries + 1}")
        elif chance() < 0.4:
            session.lose("AUTH")
            session.end(f"ehlo=1 auth=0/{tries} commands=1/{tries + 1}")
        else:
            session.end(f"ehlo=1 auth=0/{tries} quit=1 commands=2/{tries + 2}")

    def lost(self, now: int) -> None:
        """Break off a connection, leave it unused, or disagree about TLS."""
        site = self.site
        dice = self.chance()
        session = Session(site, "smtpd", site.draw(site.population.bot_pool), now)
        if dice < 0.12:
            session.wait(300_000_000, 1_000_000)
            session.time_out("EHLO")
            session.end("ehlo=1 commands=1")
        elif dice < 0.22:
            session.wait(100_000, 1_000_000)
            session.log(f"SSL_accept error from {session.client}: -1")
            session.log(NO_TLS)
            session.lose("STARTTLS")
            session.end("ehlo=1 starttls=0/1 commands=1/2")
        elif dice < 0.25:
            session.wait(100_000, 1_000_000)
            session.log(
                f"improper command pipelining after CONNECT from {session.client}: "
                r"EHLO User\r\nMAIL FROM:<spam@example.com>\r\n"
            )
            session.end("commands=0/0")
        else:
            session.wait(100_000, 10_000_000)
            stage = site.draw(LOST_AFTER)
            session.lose(stage)
            session.end("commands=0/0" if stage == "CONNECT" else "ehlo=1 commands=1")


def ip_of(client: str) -> str:
    """Give the address in `name[address]`."""
    return client[client.index("[") + 1 : -1]

"""Mailbox sessions: Dovecot's imap-login, imap, pop3-login and pop3.

Forms: Dovecot 2.3 `src/login-common/client-common.c`, `src/imap/imap-client.c`, `src/pop3/pop3-client.c`.
"""

from __future__ import annotations

from mailscope.demo.places import OWN_IP
from mailscope.demo.plan import SECOND
from mailscope.demo.world import World

TAG = "dovecot: "
EXPIRED = (
    "SSL_accept() failed: error:0A000415:SSL routines::ssl/tls alert certificate expired: SSL alert number 45"
)


class Mailboxes:
    """Dovecot's login processes and sessions."""

    def __init__(self, world: World) -> None:
        self.world = world

    def session(self, user: str, ip: str, start: int, duration: int, protocol: str = "imap") -> None:
        """Log a login, and the session's end."""
        world = self.world
        pid, session = world.pid(), world.session_id()
        if world.conditions.mail_down:
            return
        if world.conditions.certificate_expired and ip != "127.0.0.1" and world.chance() < 0.9:
            self.refuse_certificate(ip, start, protocol)
            return
        here, safe = ("127.0.0.1", "secured") if ip == "127.0.0.1" else (OWN_IP, "TLS")
        world.log(
            start, TAG,
            f"{protocol}-login: Login: user=<{user}>, method=PLAIN, rip={ip}, lip={here}, "
            f"mpid={pid}, {safe}, session=<{session}>",
        )  # fmt: skip
        end = start + duration
        if protocol == "pop3":
            count = int(world.chance() ** 3 * 6)
            size = count * world.between(3000, 60_000)
            how = f"Logged out top=0/0, retr={count}/{size}, del={count}/{count}, size={size}"
        else:
            read, written = world.between(150, 4000), world.between(900, 400_000)
            how = "Logged out"
            if world.chance() < 0.55:
                waited = max(1, duration // SECOND % 1700)
                how = (
                    f"Connection closed (IDLE running for 0.001 + waiting input for {waited}.2 secs, "
                    "2 B in + 10 B out, state=wait-input)"
                )
            how += (
                f" in={read} out={written} deleted=0 expunged=0 trashed=0 hdr_count={read % 40} "
                f"hdr_bytes={read % 40 * 480} body_count={read % 5} body_bytes={read % 5 * 5200}"
            )
        world.at(end, lambda: self._end(end, f"{protocol}({user})<{pid}><{session}>: Disconnected: {how}"))

    def _end(self, time: int, text: str) -> None:
        if not self.world.conditions.mail_down:
            self.world.log(time, TAG, text)

    def fail(self, user: str, ip: str, start: int, attempts: int = 1, protocol: str = "imap") -> int:
        """Log wrong passwords in one connection; returns when it ended."""
        world = self.world
        took = sum(world.between(2, 5) for _ in range(attempts))
        end = start + took * SECOND
        world.log(
            end, TAG,
            f"{protocol}-login: Disconnected: Connection closed (auth failed, {attempts} attempts in {took} "
            f"secs): user=<{user}>, method=PLAIN, rip={ip}, lip={OWN_IP}, TLS, "
            f"session=<{world.session_id()}>",
        )  # fmt: skip
        return end

    def look(self, ip: str, start: int, protocol: str = "imap") -> None:
        """Log a client that connects and goes."""
        world = self.world
        took = world.between(0, 12)
        world.log(
            start + took * SECOND, TAG,
            f"{protocol}-login: Disconnected: Connection closed (no auth attempts in {took} secs): user=<>, "
            f"rip={ip}, lip={OWN_IP}, session=<{world.session_id()}>",
        )  # fmt: skip

    def refuse_certificate(self, ip: str, start: int, protocol: str = "imap") -> None:
        """Log a client that does not accept the server's certificate."""
        world = self.world
        world.log(
            start, TAG,
            f"{protocol}-login: Disconnected: Connection closed: {EXPIRED} (no auth attempts in 0 secs): "
            f"user=<>, rip={ip}, lip={OWN_IP}, TLS handshaking: {EXPIRED}, session=<{world.session_id()}>",
        )  # fmt: skip

"""Sessions with Postfix's servers: postscreen and smtpd on port 25, smtpd on the submission port.

Forms: Postfix 3.10 `src/postscreen/`, `src/dnsblog/`, `src/smtpd/smtpd.c`, `smtpd_check.c`.
"""

from __future__ import annotations

from mailscope.demo.ciphers import CIPHERS
from mailscope.demo.places import OWN_IP, client_name
from mailscope.demo.plan import SECOND
from mailscope.demo.world import World

REFUSE_ALL_TLS = (
    "warning: TLS library problem: error:0A000415:SSL routines::ssl/tls alert certificate expired:"
    "../ssl/record/rec_layer_s3.c:907:SSL alert number 45:"
)
OLD_TLS = (
    "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:"
    "../ssl/statem/statem_srvr.c:1719:"
)


class Session:
    """One client's session with an smtpd process; `time` is its own clock."""

    def __init__(self, world: World, service: str, client: str, time: int) -> None:
        self.world = world
        self.client = client
        self.time = time
        self._pool = world.pool(f"postfix/{service}")
        self._process = self._pool.take(world.now)
        self._commands: dict[str, list[int]] = {}
        self.log(f"connect from {client}")

    def log(self, text: str) -> None:
        """Log a line of this session's process."""
        self.world.log(self.time, self._process[0], text)

    def wait(self, least: int, most: int) -> None:
        """Let some time pass."""
        self.time = self.world.between(self.time + least, self.time + most)

    def command(self, name: str, *, refused: bool = False) -> None:
        """Count a command of the client."""
        counts = self._commands.setdefault(name, [0, 0])
        counts[0] += not refused
        counts[1] += 1

    def hello(self, *, encrypted: bool) -> None:
        """Greet, and encrypt the connection."""
        self.wait(10_000, 200_000)
        self.command("ehlo")
        if encrypted:
            self.command("starttls")
            self.command("ehlo")
            self.wait(20_000, 120_000)
            text = f"Anonymous TLS connection established from {self.client}: {self.world.draw(CIPHERS)}"
            self.log(text)

    def accept(self, login: str = "") -> tuple[str, int]:
        """Give a message a queue id; returns it with its inode."""
        self.wait(20_000, 200_000)
        queue_id, inode = self.world.queue_id(self.time)
        attributes = f", sasl_method=PLAIN, sasl_username={login}" if login else ""
        self.log(f"{queue_id}: client={self.client}{attributes}")
        return queue_id, inode

    def reject(self, reply: str, sender: str, recipient: str, helo: str, step: str = "RCPT") -> None:
        """Refuse a command."""
        self.wait(30_000, 500_000)
        to = f" to=<{recipient}>" if recipient else ""
        envelope = f"from=<{sender}>{to} proto=ESMTP helo=<{helo}>"
        self.log(f"NOQUEUE: reject: {step} from {self.client}: {reply}; {envelope}")
        self.command(step.lower(), refused=True)

    def fail_login(self, user: str, method: str = "LOGIN") -> None:
        """Refuse a password, after the delay that Dovecot puts before the answer."""
        self.wait(2 * SECOND, 4 * SECOND)
        text = f"warning: {self.client}: SASL {method} authentication failed: (reason unavailable)"
        self.log(f"{text}, sasl_username={user}")
        self.command("auth", refused=True)

    def refuse_tls(self, problem: str) -> None:
        """Fail a handshake."""
        self.command("ehlo")
        self.command("starttls", refused=True)
        self.wait(50_000, 300_000)
        self.log(f"SSL_accept error from {self.client}: -1")
        self.log(problem)
        self.lose("STARTTLS")

    def lose(self, stage: str) -> None:
        """End without a farewell."""
        self.wait(5000, 300_000)
        self.log(f"lost connection after {stage} from {self.client}")
        self._end()

    def quit(self) -> int:
        """End in good order; returns when."""
        self.wait(2000, 200_000)
        self.command("quit")
        return self._end()

    def _end(self) -> int:
        self.time += 100
        counts, good, total = "", 0, 0
        for name, (done, tried) in self._commands.items():
            counts += f" {name}={done}" if done == tried else f" {name}={done}/{tried}"
            good, total = good + done, total + tried
        share = f"{good}" if good == total else f"{good}/{total}"
        self.log(f"disconnect from {self.client}{counts} commands={share if total else '0/0'}")
        self._pool.give_back(self._process, self.time)
        return self.time


class Door:
    """Port 25: postscreen first, smtpd for those whom it lets pass."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._process = f"postfix/postscreen[{world.pid()}]: "
        self._known: set[str] = set()

    def _say(self, time: int, text: str) -> None:
        self.world.log(time, self._process, text)

    def restart(self) -> None:
        """Begin anew, as after a restart of Postfix; the cache on disk stays."""
        self._process = f"postfix/postscreen[{self.world.pid()}]: "

    def knock(self, ip: str, time: int) -> tuple[int, str]:
        """Log a client that connects; returns when and from where, without a verdict."""
        peer = f"[{ip}]:{self.world.between(1024, 65536)}"
        self._say(time, f"CONNECT from {peer} to [{OWN_IP}]:25")
        return time, peer

    def enter(self, ip: str, time: int, name: str = "") -> Session:
        """Let a client pass to smtpd."""
        time, peer = self.knock(ip, time)
        new = ip not in self._known
        time += 6 * SECOND + 2000 if new else 900
        self._known.add(ip)
        self._say(time, f"PASS {'NEW' if new else 'OLD'} {peer}")
        return Session(self.world, "smtpd", name or client_name(ip), time + 40_000)

    def turn_away(self, ip: str, sender: str, recipient: str, helo: str, time: int, zone: str) -> None:
        """Refuse a client that lists know, after the greeting."""
        time, peer = self.knock(ip, time)
        dnsblog = self.world.pool("postfix/dnsblog")
        process = dnsblog.take(self.world.now)
        self.world.log(time + 60_000, process[0], f"addr {ip} listed by domain {zone} as 127.0.0.4")
        dnsblog.give_back(process, time + 60_000)
        if self.world.chance() < 0.3:
            said = rf"EHLO {helo}\r\n"
            self._say(time + 90_000, f"PREGREET {len(helo) + 7} after 0.09 from {peer}: {said}")
        time += 6 * SECOND
        self._say(time, f"DNSBL rank 4 for {peer}")
        time = self.world.between(time + SECOND, time + 3 * SECOND)
        if self.world.chance() < 0.25:
            self._say(
                time, f"HANGUP after 1.{self.world.between(1, 9)} from {peer} in tests after SMTP handshake"
            )
        else:
            self._say(
                time,
                f"NOQUEUE: reject: RCPT from {peer}: 550 5.7.1 Service unavailable; client [{ip}] blocked "
                f"using {zone}; from=<{sender}>, to=<{recipient}>, proto=ESMTP, helo=<{helo}>",
            )
        self._say(time + 300_000, f"DISCONNECT {peer}")

    def hang_up(self, ip: str, time: int) -> None:
        """Let a client go before it says anything."""
        time, peer = self.knock(ip, time)
        wait = self.world.between(1, 50)
        self._say(
            time + wait * 100_000, f"HANGUP after {wait / 10:g} from {peer} in tests before SMTP handshake"
        )
        self._say(time + wait * 100_000 + 50, f"DISCONNECT {peer}")

"""How messages come in: from other sites, from this host's people, from programs on this host."""

from __future__ import annotations

from mailscope.demo.dovecot import Mailboxes
from mailscope.demo.outside import Site
from mailscope.demo.places import client_name
from mailscope.demo.plan import FQDN, SECOND
from mailscope.demo.queue import Queue
from mailscope.demo.smtpd import REFUSE_ALL_TLS, Door, Session
from mailscope.demo.world import World

NO_SPACE = "452 4.3.1 Insufficient system storage"
MACHINE_USERS = {"root": 0, "www-data": 33}


class Mail:
    """The ways in."""

    def __init__(self, world: World, queue: Queue, door: Door, mailboxes: Mailboxes) -> None:
        self.world = world
        self.queue = queue
        self.door = door
        self.mailboxes = mailboxes

    def size(self) -> int:
        """Draw the size of a message, in bytes."""
        return min(900 + int(self.world.rng.lognormvariate(8.9, 1.3)), 24_000_000)

    def receive(
        self,
        site: Site,
        sender: str,
        to: list[str],
        *,
        message_id: str = "",
        server: int | None = None,
        size: int = 0,
    ) -> None:
        """Take a message from another site, now."""
        world = self.world
        if world.conditions.port_25_closed or world.conditions.mail_down:
            return
        if server is None:
            server = world.between(0, len(site.servers))
        host, ip = site.servers[server]
        session = self.door.enter(ip, world.now, f"{host}[{ip}]")
        session.hello(encrypted=site.encrypts)
        if world.conditions.disk_full:
            self._refuse_for_space(session, sender, host)
            return
        session.command("mail")
        accepted = session.accept()
        for _ in to:
            session.command("rcpt")
        session.command("data")
        session.time = self.queue.submit(accepted, sender, to, size or self.size(), session.time, message_id)
        session.quit()

    def submit(
        self, login: str, ip: str, to: list[str], *, sender: str = "", size: int = 0, separately: bool = False
    ) -> bool:
        """Let a logged-in client send a message, now; says whether it could."""
        world, conditions = self.world, self.world.conditions
        if conditions.mail_down:
            return False
        session = Session(world, "submission/smtpd", client_name(ip), world.now)
        if conditions.certificate_expired and world.chance() < 0.9:
            session.refuse_tls(REFUSE_ALL_TLS)
            return False
        session.hello(encrypted=True)
        session.wait(60_000, 300_000)
        session.command("auth")
        if conditions.disk_full:
            self._refuse_for_space(session, sender or login, "[192.168.1.20]")
            return False
        for group in [[address] for address in to] if separately else [to]:
            session.command("mail")
            accepted = session.accept(login)
            for _ in group:
                session.command("rcpt")
            session.command("data")
            origin = sender or login
            session.time = self.queue.submit(accepted, origin, group, size or self.size(), session.time)
        session.quit()
        return True

    def inject(self, user: str, to: list[str], *, sender: str = "", size: int = 0) -> None:
        """Let a program on this host send a message through sendmail(1), now."""
        world = self.world
        if world.conditions.mail_down or world.conditions.disk_full:
            return
        pool = world.pool("postfix/pickup")
        process = pool.take(world.now)
        accepted = world.queue_id(world.now)
        world.log(world.now, process[0], f"{accepted[0]}: uid={MACHINE_USERS[user]} from=<{sender or user}>")
        pool.give_back(process, world.now + 1000)
        self.queue.submit(
            accepted, sender or f"{user}@{FQDN}", to, size or 600 + self.size() % 5000, world.now + 1000
        )

    def mistype(self, login: str, ip: str, attempts: int) -> None:
        """Let a person mistype the password when sending."""
        session = Session(self.world, "submission/smtpd", client_name(ip), self.world.now)
        session.hello(encrypted=True)
        for _ in range(attempts):
            session.fail_login(login, "PLAIN")
        session.quit()

    def _refuse_for_space(self, session: Session, sender: str, helo: str) -> None:
        session.log("warning: not enough free space in mail queue: 4259840 bytes < 1.5*message size limit")
        session.wait(1000, 3000)
        session.log(
            f"NOQUEUE: reject: MAIL from {session.client}: {NO_SPACE}; from=<{sender}> "
            f"proto=ESMTP helo=<{helo}>"
        )
        session.command("mail", refused=True)
        session.wait(SECOND // 10, SECOND)
        session.quit()

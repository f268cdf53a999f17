"""What every host on the Internet sees all the time: robots, refused spam, odd clients."""

from __future__ import annotations

from functools import partial
from random import Random

from mailscope.demo.mail import Mail
from mailscope.demo.outside import BACKSCATTER_NAMES, Outside
from mailscope.demo.people import People
from mailscope.demo.places import client_name, hosting_ip, robot_ip
from mailscope.demo.plan import DAY, DOMAIN, SECOND
from mailscope.demo.shell import Shell
from mailscope.demo.smtpd import OLD_TLS, Session

SSH_NAMES = (
    "root",
    "root",
    "root",
    "admin",
    "test",
    "ubuntu",
    "oracle",
    "git",
    "postgres",
    "user",
    "ftpuser",
    "pi",
)
ZONES = ("zen.blocklist.example", "bl.robots.example")
HELOS = ("User", "localhost", "WIN-CLJ1B0GQ6JP", "ylmf-pc", "[127.0.0.1]", "mail.robot.example")
PER_DAY = {
    "ssh_guess": 130, "ssh_look": 45, "smtp_guess": 110, "imap_guess": 30, "listed": 420, "hang_up": 90,
    "unknown_user": 60, "relay": 1.3, "bad_sender": 45, "no_name": 35, "lost": 60, "old_tls": 9,
    "pop3_look": 14,
}  # fmt: skip


class Background:
    """Plans each day's noise at midnight; its rate is the same by day and night, and differs by the day."""

    def __init__(self, people: People, outside: Outside, mail: Mail, shell: Shell) -> None:
        self.people, self.outside, self.mail, self.shell = people, outside, mail, shell
        self.world = mail.world
        rng = Random(f"robots {self.world.plan.seed}")
        self._regulars = [robot_ip(rng) for _ in range(60)]  # the same robots come back for days

    def plan_day(self, day: int) -> None:
        """Plan a day."""
        world = self.world
        midnight = world.plan.begin + day * DAY
        for kind, mean in PER_DAY.items():
            level = min(world.rng.lognormvariate(0, 0.3), 2.2)
            act = getattr(self, kind)
            for _ in range(world.poisson(mean * level)):
                world.at(midnight + int(world.chance() * DAY), partial(self._unless_down, act, kind))

    def _unless_down(self, act: partial[None], kind: str) -> None:
        down = self.world.conditions.mail_down or self.world.conditions.port_25_closed
        if kind.startswith("ssh") or not down:
            act()

    def _robot(self) -> str:
        world = self.world
        if world.chance() < 0.5:
            return world.draw(self._regulars)
        return robot_ip(world.rng) if world.chance() < 0.85 else hosting_ip(world.rng)

    def _guessed(self) -> str:
        """Draw a name that robots try: of a role, of no one, seldom of a person here."""
        world = self.world
        if world.chance() < 0.12:
            return world.draw(self.people.users).address
        name = world.draw(
            (*BACKSCATTER_NAMES, "test", "scanner", "postmaster", "noreply", "contact", "user1")
        )
        return name if world.chance() < 0.3 else f"{name}@{DOMAIN}"

    def ssh_guess(self) -> None:
        """Guess a password of the machine."""
        tries = 1 if self.world.chance() < 0.8 else self.world.between(2, 4)
        self.shell.guess(self.world.draw(SSH_NAMES), self._robot(), self.world.now, tries)

    def ssh_look(self) -> None:
        """Look whether there is an SSH server."""
        self.shell.look(self._robot(), self.world.now)

    def smtp_guess(self) -> None:
        """Guess a mailbox's password over SMTP, once."""
        session = Session(self.world, "submission/smtpd", client_name(self._robot()), self.world.now)
        session.hello(encrypted=self.world.chance() < 0.4)
        session.fail_login(self._guessed())
        if self.world.chance() < 0.5:
            session.lose("AUTH")
        else:
            session.quit()

    def imap_guess(self) -> None:
        """Guess a mailbox's password over IMAP, once."""
        self.mail.mailboxes.fail(self._guessed(), self._robot(), self.world.now)

    def pop3_look(self) -> None:
        """Look at the POP3 server."""
        self.mail.mailboxes.look(self._robot(), self.world.now, "pop3")

    def listed(self) -> None:
        """Be refused by postscreen as blocklists know the client."""
        world = self.world
        sender = f"{world.draw(BACKSCATTER_NAMES)}{world.between(1, 999)}@spam{world.between(1, 90)}.example"
        to = world.draw(self.people.users).address
        self.mail.door.turn_away(self._robot(), sender, to, world.draw(HELOS), world.now, world.draw(ZONES))

    def hang_up(self) -> None:
        """Connect to port 25 and go."""
        self.mail.door.hang_up(self._robot(), self.world.now)

    def unknown_user(self) -> None:
        """Write to somebody who is not here, mostly to those who have left."""
        world = self.world
        site = self.outside.draw() if world.chance() < 0.6 else world.draw(self.outside.bulk)
        host, ip = world.draw(site.servers)
        gone = f"{world.draw(self.people.left)}@{DOMAIN}"
        session = self.mail.door.enter(ip, world.now, f"{host}[{ip}]")
        session.hello(encrypted=site.encrypts)
        session.command("mail")
        why = f"550 5.1.1 <{gone}>: Recipient address rejected: User unknown in virtual mailbox table"
        session.reject(why, self.outside.person(site), gone, host)
        session.quit()

    def relay(self) -> None:
        """Probe once whether we relay."""
        world, ip = self.world, hosting_ip(self.world.rng)
        session = self.mail.door.enter(ip, world.now)
        session.hello(encrypted=False)
        session.command("mail")
        to = f"probe{world.between(1, 9999)}@{self.outside.providers[0].name}"
        session.reject(f"454 4.7.1 <{to}>: Relay access denied", f"test@{DOMAIN}", to, "scan.example")
        session.lose("RCPT")

    def bad_sender(self) -> None:
        """Have a sender whose domain is not there."""
        self._refused("450 4.1.8 <{sender}>: Sender address rejected: Domain not found")

    def no_name(self) -> None:
        """Have no name, or one that does not lead back."""
        self._refused("450 4.7.25 Client host rejected: cannot find your hostname, [{ip}]")

    def _refused(self, why: str) -> None:
        world, ip = self.world, self._robot()
        session = self.mail.door.enter(ip, world.now, f"unknown[{ip}]")
        session.hello(encrypted=False)
        session.command("mail")
        sender = f"x{world.between(1, 999)}@gone{world.between(1, 400)}.example"
        to = world.draw(self.people.users).address
        session.reject(why.format(sender=sender, ip=ip), sender, to, world.draw(HELOS))
        session.lose("RCPT")

    def lost(self) -> None:
        """Break off."""
        ip = self._robot()
        session = Session(self.world, "submission/smtpd", client_name(ip), self.world.now)
        if self.world.chance() < 0.5:
            session.command("ehlo")
            session.lose("EHLO")
        else:
            session.wait(0, 10 * SECOND)
            session.lose("CONNECT")

    def old_tls(self) -> None:
        """Speak a version of TLS that is no longer taken."""
        Session(self.world, "submission/smtpd", client_name(self._robot()), self.world.now).refuse_tls(
            OLD_TLS
        )

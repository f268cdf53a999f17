"""A small host of another kind, for a month on which nothing happens: qmail, vpopmail, Courier, few people.

Forms: qmail-send's log (qmail-log(5)) and tcpserver's under multilog, with TAI64N stamps; Courier's imapd and
pop3d and vpopmail's vchkpw in syslog with RFC 3164 stamps; sshd and cron.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from mailscope.demo import places
from mailscope.demo.files import AUTH, MAIL, RFC3164, SYSLOG, TAI64N, LogFiles
from mailscope.demo.host import LOGS
from mailscope.demo.outside import FIRST, LAST, Outside
from mailscope.demo.plan import DAY, HOUR, MINUTE, SECOND, Plan
from mailscope.demo.shell import Shell
from mailscope.demo.world import World
from simulation.small_qmail import DELIVERIES, SMTPD, Qmail

DOMAIN = "example.net"
FORMS = {DELIVERIES: TAI64N, SMTPD: TAI64N, MAIL: RFC3164, AUTH: RFC3164, SYSLOG: RFC3164}
NOISE = {
    "ssh_guess": 60,
    "ssh_look": 20,
    "vchkpw": 22,
    "courier": 12,
    "listed": 130,
    "unknown_user": 9,
    "hang_up": 30,
}


class SmallHost:
    """The whole host; each midnight the day is planned."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.world = world = World(plan, LogFiles(directory / LOGS, "box", FORMS))
        self.outside = Outside(world.rng)
        self.users = [f"{FIRST[n % 30]}{LAST[n * 11 % 30][0]}{n // 30 or ''}" for n in range(plan.users)]
        self.homes = [places.home_ip(world.rng) for _ in self.users]
        self.qmail = Qmail(world, self.outside, DOMAIN)
        self.shell = Shell(world)
        self._robots = [places.robot_ip(world.rng) for _ in range(25)]
        world.every_day(self.plan_day)

    def plan_day(self, day: int) -> None:
        """Plan a day."""
        world = self.world
        midnight, working = world.plan.begin + day * DAY, world.plan.weekday(day) < 5
        if day % 7 == 0 and day:
            world.at(midnight + 5 * SECOND, self._rotate)
        for number, user in enumerate(self.users):
            self._person(number, user, midnight, working)
        for kind, mean in NOISE.items():
            for _ in range(world.poisson(mean * min(world.rng.lognormvariate(0, 0.3), 2))):
                world.at(midnight + world.between(0, DAY), getattr(self, kind))
        for hour in range(24):
            time = midnight + hour * HOUR + 17 * MINUTE
            world.at(time, partial(self.shell.cron, "root", "cd / && run-parts /etc/cron.hourly", time))
        time = midnight + 6 * HOUR + 25 * MINUTE
        world.at(time, partial(self.qmail.inject, f"root@box.{DOMAIN}", [f"postmaster@{DOMAIN}"]))
        if working and world.chance() < 0.2:
            time = midnight + world.between(9 * HOUR, 18 * HOUR)
            world.at(time, partial(self.shell.ssh, "admin", self.homes[0], time, 12 * MINUTE))
            world.at(time + MINUTE, partial(self.shell.sudo, "admin", "/usr/bin/qmail-qstat", time + MINUTE))

    def _rotate(self) -> None:
        self.world.files.write(self.world.now)
        self.world.files.rotate(self.world.now)

    def _person(self, number: int, user: str, midnight: int, working: bool) -> None:
        world, address, ip = self.world, f"{user}@{DOMAIN}", self.homes[number]
        busy = 1.0 if working else 0.4
        first, last = (7, 20) if number % 6 else (11, 24)  # some are up late
        for _ in range(world.poisson(7 * busy)):
            sender = self.outside.person(self.outside.draw())
            time = midnight + int(world.rng.triangular(0, 24, 12) * HOUR)
            world.at(time, partial(self.qmail.receive, sender, [address]))
        for _ in range(world.poisson(2.5 * busy)):
            time = midnight + world.between(first * HOUR, last * HOUR)
            world.at(time, partial(self._send, address, ip))
        if number % 3 == 0:  # a program that asks for mail every so often
            time = midnight + world.between(first * HOUR, (first + 2) * HOUR)
            while time < midnight + last * HOUR and (working or number % 2):
                world.at(time, partial(self._mailbox, "pop3d-ssl", address, ip, 2))
                time += 12 * MINUTE + world.between(0, 20 * SECOND)
            return
        for _ in range(world.poisson(9 * busy)):
            time = midnight + world.between(first * HOUR, last * HOUR)
            phone = world.chance() < 0.4
            where = places.mobile_ip(places.MOBILE_NETWORKS[number % 2], world.rng) if phone else ip
            if world.chance() < 0.015:
                world.at(time, partial(self._refuse, "imapd-ssl", address, where))
                time += 40 * SECOND
            lasts = world.between(5, 1700)
            world.at(time, partial(self._mailbox, "imapd-ssl", address, where, lasts))

    def _send(self, address: str, ip: str) -> None:
        world = self.world
        count = 1 if world.chance() < 0.85 else world.between(2, 9)
        to = [self.outside.person(self.outside.draw()) for _ in range(count)]
        if world.chance() < 0.25:
            to[0] = f"{world.draw(self.users)}@{DOMAIN}"
        world.log(
            world.now + SECOND,
            f"vpopmail[{world.pid()}]: ",
            f"vchkpw-submission: (PLAIN) login success {address}:{ip}",
        )
        self.qmail.receive(address, to, ip)

    def _mailbox(self, program: str, address: str, ip: str, lasts: int) -> None:
        """Log a session with a mailbox (Courier 1.0, `imap/imapd.c`, `imap/pop3dserver.c`)."""
        world = self.world
        port = world.between(32_768, 61_000)
        where = f"ip=[::ffff:{ip}], port=[{port}]"
        world.log(
            world.now,
            f"{program}: ",
            f"LOGIN, user={address}, {where}" + (", protocol=IMAP" if "imap" in program else ""),
        )
        end = world.now + lasts * SECOND
        got, sent = world.between(20, 900), world.between(60, 90_000)
        how = "top=0, retr=0" if "pop3" in program else f"headers={sent // 9}, body={sent // 3}"
        text = f"LOGOUT, user={address}, {where}, {how}, rcvd={got}, sent={sent}, time={lasts}"
        world.at(end, lambda: world.log(end, f"{program}: ", text))

    def _refuse(self, program: str, address: str, ip: str) -> None:
        port = self.world.between(32_768, 61_000)
        self.world.log(
            self.world.now, f"{program}: ", f"LOGIN FAILED, user={address}, ip=[::ffff:{ip}], port=[{port}]"
        )

    def _robot(self) -> str:
        return self.world.draw(self._robots) if self.world.chance() < 0.5 else places.robot_ip(self.world.rng)

    def ssh_guess(self) -> None:
        """Guess a password of the machine."""
        self.shell.guess(
            self.world.draw(("root", "admin", "test", "ubuntu", "user")), self._robot(), self.world.now
        )

    def ssh_look(self) -> None:
        """Look whether there is an SSH server."""
        self.shell.look(self._robot(), self.world.now)

    def vchkpw(self) -> None:
        """Guess a mailbox's password over SMTP."""
        world = self.world
        name = world.draw(("info", "admin", "test", "sales", "office"))
        text = f"vchkpw-submission: vpopmail user not found {name}@{DOMAIN}:{self._robot()}"
        world.log(world.now, f"vpopmail[{world.pid()}]: ", text)

    def courier(self) -> None:
        """Guess a mailbox's password over IMAP or POP3."""
        name = self.world.draw(("info", "admin", "test", self.world.draw(self.users)))
        self._refuse(self.world.draw(("imapd-ssl", "pop3d-ssl")), f"{name}@{DOMAIN}", self._robot())

    def listed(self) -> None:
        """Be refused as blocklists know the client."""
        self.qmail.turn_away(self._robot())

    def unknown_user(self) -> None:
        """Write to somebody who is not here; qmail takes it, and sends it back."""
        sender = self.outside.person(self.outside.draw())
        self.qmail.receive(sender, [f"gone{self.world.between(1, 4)}@{DOMAIN}"])

    def hang_up(self) -> None:
        """Connect to port 25 and go."""
        self.qmail.connection(self._robot(), self.world.now, 256)


def simulate_small(plan: Plan, directory: Path) -> dict[str, Any]:
    """Write the logs of a month on which nothing happens, with labels that say so."""
    host = SmallHost(plan, directory)
    host.world.run()
    labels = {
        "days": plan.days, "users": plan.users, "seed": plan.seed, "start": plan.start,
        "lines": host.world.files.lines, "incidents": [], "trips": [],
    }  # fmt: skip
    (directory / "labels.json").write_text(json.dumps(labels, indent=1) + "\n")
    places.write_countries(directory / "countries.csv")
    return labels

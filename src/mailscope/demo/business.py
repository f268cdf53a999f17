"""What the house does: newsletters, invoices, lists, the web form, cron, backups, monitoring, maintenance."""

from __future__ import annotations

from functools import partial

from mailscope.demo.files import SYSLOG
from mailscope.demo.mail import Mail
from mailscope.demo.outside import Outside
from mailscope.demo.people import People
from mailscope.demo.places import ADMIN_VPN, BACKUP_IP, MONITOR_IP, OFFICE_IP
from mailscope.demo.plan import DAY, DOMAIN, FQDN, HOUR, MINUTE, SECOND
from mailscope.demo.shell import Shell
from mailscope.demo.smtpd import Session

NEWSLETTER_DAY, INVOICE_DAY = (
    15,
    25,
)  # of the simulation, counted from 0: working days if it begins on a Monday
SLOW_EVENING_DAY = 10
MAINTENANCE_DAY = 19  # a Saturday if it begins on a Monday
COMMANDS = (
    "/usr/bin/mailq",
    "/usr/bin/tail /var/log/mail.log",
    "/usr/bin/apt update",
    "/usr/sbin/postfix reload",
    "/usr/bin/systemctl status dovecot",
    "/usr/bin/doveadm who",
)


class Business:
    """Plans each day's regular work at midnight."""

    def __init__(self, people: People, outside: Outside, mail: Mail, shell: Shell) -> None:
        self.people, self.outside, self.mail, self.shell = people, outside, mail, shell
        self.world = world = mail.world
        self.scale = world.plan.users / 300
        users = [user.address for user in people.users]
        aliases = mail.queue.aliases
        aliases[f"staff@{DOMAIN}"] = users
        for name in ("sales", "support", "board"):
            aliases[f"{name}@{DOMAIN}"] = world.rng.sample(users, min(len(users), 9))
        aliases[f"postmaster@{DOMAIN}"] = aliases[f"root@{DOMAIN}"] = [people.admin.address]
        for address in world.rng.sample(users, len(users) // 40):  # those who let their mail go on elsewhere
            aliases[address] = [outside.person(outside.providers[0])]
        self._customers = [outside.person(outside.draw()) for _ in range(max(30, int(900 * self.scale)))]
        self._subscribers = [user.address for user in people.users if world.chance() < 0.15]
        self._partner_people = [world.draw(people.users) for _ in range(12)]

    def plan_day(self, day: int) -> None:
        """Plan a day."""
        world = self.world
        midnight, weekday = world.plan.begin + day * DAY, world.plan.weekday(day)
        working = weekday < 5
        self._machine(midnight)
        if day % 7 == 0 and day:
            world.at(midnight + 5 * SECOND, self._rotate)
        if working:
            for user in self._partner_people:  # a project with one firm
                for _ in range(world.poisson(4 * min(1, self.scale + 0.3))):
                    time = midnight + world.between(8 * HOUR, 18 * HOUR)
                    world.at(time, partial(self._to_partner, user.address))
            for _ in range(world.poisson(3)):
                world.at(midnight + world.between(8 * HOUR, 18 * HOUR), self._to_alias)
            if world.chance() < 0.4:
                self._admin_works(midnight + world.between(9 * HOUR, 17 * HOUR))
        if weekday == 1:
            self._bulk(
                midnight + 9 * HOUR + 30 * MINUTE, self.people.marketing.address, self._customers[:60], 2
            )
        if day == NEWSLETTER_DAY:
            self._bulk(midnight + 10 * HOUR, self.people.marketing.address, self._customers, 3)
        if day == INVOICE_DAY:
            for number, customer in enumerate(self._customers[: int(350 * self.scale) + 5]):
                time = midnight + 14 * HOUR + number * 4 * SECOND + world.between(0, SECOND)
                world.at(time, partial(self.mail.inject, "www-data", [customer], sender=f"invoices@{DOMAIN}"))
        if day == SLOW_EVENING_DAY:
            name = self.outside.providers[0].name
            world.at(midnight + 19 * HOUR, lambda: world.conditions.slow.update({name: 4500}))
            world.at(midnight + 21 * HOUR, lambda: world.conditions.slow.pop(name, None))
        if day == MAINTENANCE_DAY:
            world.at(midnight + 22 * HOUR, self._stop)
        for _ in range(
            world.poisson(14 * (1 if working else 0.5) * min(1, self.scale + 0.2))
        ):  # the contact form
            time = midnight + int(world.rng.triangular(6, 24, 15) * HOUR)
            world.at(time, partial(self.mail.inject, "www-data", [f"sales@{DOMAIN}"], sender=f"web@{DOMAIN}"))
        for site in self.outside.lists:
            for _ in range(world.poisson(9 if working else 3)):
                time = midnight + world.between(5 * HOUR, 23 * HOUR)
                world.at(time, partial(self._list_mail, site.name))

    def _rotate(self) -> None:
        world = self.world
        world.files.write(world.now)
        world.files.rotate(world.now)
        said = (
            '[origin software="rsyslogd" swVersion="8.2302.0" x-pid="611" x-info="https://www.rsyslog.com"]'
        )
        world.log(world.now + SECOND, "rsyslogd: ", f"{said} rsyslogd was HUPed", SYSLOG)

    def _machine(self, midnight: int) -> None:
        world, shell = self.world, self.shell
        for hour in range(24):
            world.at(
                midnight + hour * HOUR + 17 * MINUTE + SECOND,
                partial(self._cron, "cd / && run-parts --report /etc/cron.hourly"),
            )
            for minute in range(0, 60, 5):  # the monitoring looks at each service
                world.at(midnight + hour * HOUR + minute * MINUTE + 11 * SECOND, self._probe)
        world.at(
            midnight + 6 * HOUR + 25 * MINUTE + SECOND,
            partial(self._cron, "cd / && run-parts --report /etc/cron.daily", mails=True),
        )
        backup = midnight + 2 * HOUR + 10 * MINUTE + world.between(0, 20 * SECOND)
        world.at(
            backup, partial(shell.ssh, "root", BACKUP_IP, backup, world.between(6 * MINUTE, 11 * MINUTE))
        )

    def _cron(self, command: str, *, mails: bool = False) -> None:
        self.shell.cron("root", command, self.world.now)
        if mails:
            self.world.at(self.world.now + 20 * SECOND, partial(self.mail.inject, "root", [f"root@{FQDN}"]))

    def _probe(self) -> None:
        world = self.world
        if world.conditions.mail_down:
            return
        self.mail.mailboxes.look(MONITOR_IP, world.now)
        session = Session(
            world, "submission/smtpd", f"monitor.example.org[{MONITOR_IP}]", world.now + 2 * SECOND
        )
        session.command("ehlo")
        session.quit()

    def _to_partner(self, address: str) -> None:
        self.mail.submit(address, OFFICE_IP, [self.outside.person(self.outside.partner)])

    def _to_alias(self) -> None:
        user = self.world.draw(self.people.users[:60])
        name = self.world.draw(("sales", "support", "board", "staff", "sales", "support"))
        self.mail.submit(user.address, OFFICE_IP, [f"{name}@{DOMAIN}"])

    def _bulk(self, start: int, sender: str, to: list[str], apart: int) -> None:
        """Send one message to each of many customers, from a program at the office."""
        for number in range(0, len(to), 20):
            group = to[number : number + 20]
            time = start + number * apart * SECOND
            self.world.at(
                time, partial(self.mail.submit, sender, OFFICE_IP, group, size=48_000, separately=True)
            )

    def _list_mail(self, name: str) -> None:
        site = self.outside.by_name[name]
        number = self.world.between(1, 99_999)
        for address in self._subscribers[::7]:
            tag = address.replace("@", "=")
            self.mail.receive(
                site, f"members-bounces+{number}-{tag}@{name}", [address], size=5200 + number % 3000
            )

    def _admin_works(self, start: int) -> None:
        world, shell = self.world, self.shell
        lasts = world.between(6 * MINUTE, 70 * MINUTE)
        ip = OFFICE_IP if world.chance() < 0.7 else ADMIN_VPN
        world.at(start, partial(shell.ssh, "admin", ip, start, lasts))
        for _ in range(world.between(1, 6)):
            time = start + world.between(MINUTE, lasts)
            world.at(time, partial(shell.sudo, "admin", world.draw(COMMANDS), time))
        if world.chance() < 0.1:
            time = start + 30 * SECOND
            world.at(time, partial(shell.sudo_fail, "admin", 1, "/usr/bin/mailq", time))

    def _stop(self) -> None:
        """Stop everything for an update, announced weeks before."""
        world, now = self.world, self.world.now
        self.shell.ssh("admin", ADMIN_VPN, now - MINUTE if now > world.plan.begin else now, 40 * MINUTE)
        self.shell.sudo("admin", "/usr/bin/systemctl stop postfix dovecot", now + SECOND)
        world.log(
            now + 2 * SECOND, f"postfix/postfix-script[{world.pid()}]: ", "stopping the Postfix mail system"
        )
        world.log(now + 2 * SECOND + 9000, f"postfix/master[{world.pid()}]: ", "terminating on signal 15")
        world.log(
            now + 3 * SECOND, "dovecot: ", "master: Warning: Killed with signal 15 (by pid=1 uid=0 code=kill)"
        )
        world.at(now + 3 * SECOND, lambda: setattr(world.conditions, "mail_down", True))
        world.at(now + 12 * MINUTE, self._start)

    def _start(self) -> None:
        world, now = self.world, self.world.now
        world.conditions.mail_down = False
        world.restart_processes()
        self.mail.queue.restart()
        self.mail.door.restart()
        self.shell.sudo("admin", "/usr/bin/systemctl start postfix dovecot", now)
        world.log(
            now + SECOND, f"postfix/postfix-script[{world.pid()}]: ", "starting the Postfix mail system"
        )
        text = "daemon started -- version 3.10.5, configuration /etc/postfix"
        world.log(now + 2 * SECOND, f"postfix/master[{world.pid()}]: ", text)
        text = "master: Dovecot v2.3.21.1 (d492236fa0) starting up for imap, pop3, lmtp (core dumps disabled)"
        world.log(now + 2 * SECOND, "dovecot: ", text)

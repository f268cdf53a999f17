"""The machine itself: silence, a full disk, log-ins as root, commands that are not allowed."""

from __future__ import annotations

from functools import partial

from mailscope.demo.files import AUTH
from mailscope.demo.incidents.incident import Incident
from mailscope.demo.places import hosting_ip, robot_ip
from mailscope.demo.plan import HOUR, MINUTE, SECOND
from mailscope.demo.shell import FOREIGN_KEY

FULL = "No space left on device"


def silence_obvious(incident: Incident) -> None:
    """Lose all lines of Dovecot for three hours of a working day."""
    muted = incident.host.world.conditions.muted
    incident.subject = {"program": "dovecot"}
    incident.at(0, lambda: muted.add("dovecot"))
    incident.at(incident.lasts(3 * HOUR), lambda: muted.discard("dovecot"))
    incident.at(15 * MINUTE, partial(incident.known, incident.start + 15 * MINUTE))


def silence_hard(incident: Incident) -> None:
    """Close the way from outside to port 25 for five hours of a day; all else goes on."""
    conditions = incident.host.world.conditions
    incident.subject = {"service": "smtpd", "port": 25}
    incident.at(0, lambda: setattr(conditions, "port_25_closed", True))
    incident.at(incident.lasts(5 * HOUR), lambda: setattr(conditions, "port_25_closed", False))
    incident.at(30 * MINUTE, partial(incident.known, incident.start + 30 * MINUTE))


def new_root_login_obvious(incident: Incident) -> None:
    """Guess root's password from one address, then log in as root with it."""
    host, world = incident.host, incident.host.world
    ip = hosting_ip(world.rng)
    incident.subject = {"user": "root", "ip": ip}
    for number in range(40):
        after = number * 8 * SECOND
        incident.at(after, partial(host.shell.guess, "root", ip, incident.start + after, 2))
    enter = incident.start + 6 * MINUTE
    incident.at(6 * MINUTE, partial(host.shell.ssh, "root", ip, enter, 11 * MINUTE, password=True))
    incident.at(6 * MINUTE, partial(incident.known, enter, AUTH))
    incident.lasts(20 * MINUTE)


def new_root_login_hard(incident: Incident) -> None:
    """Log in as root once, with a key, from a network from which nobody did before."""
    host, ip = incident.host, robot_ip(incident.host.world.rng)
    incident.subject = {"user": "root", "ip": ip}
    incident.at(0, partial(host.shell.ssh, "root", ip, incident.start, 3 * MINUTE, key=FOREIGN_KEY))
    incident.at(0, partial(incident.known, incident.start, AUTH))
    incident.lasts(5 * MINUTE)


def disk_full_obvious(incident: Incident) -> None:
    """Fill the disk for seventy minutes: Postfix refuses mail, Dovecot cannot save."""
    world = incident.host.world
    incident.subject = {"reason": FULL}
    incident.at(0, lambda: setattr(world.conditions, "disk_full", True))
    incident.at(incident.lasts(70 * MINUTE), lambda: setattr(world.conditions, "disk_full", False))
    incident.known(incident.start)

    def complain() -> None:
        number = world.pid()
        world.log(
            world.now,
            f"postfix/cleanup[{number}]: ",
            f"warning: mail_queue_enter: create file incoming/{number:06X}: {FULL}",
        )

    for number in range(70 * 6):
        incident.at(number * 10 * SECOND, complain)


def disk_full_hard(incident: Incident) -> None:
    """Write that the disk is full three times within an hour, and go on."""
    world = incident.host.world
    incident.subject = {"reason": FULL}
    incident.known(incident.start)

    def complain() -> None:
        user = world.draw(incident.host.people.users).address
        text = f"Error: Mailbox INBOX: write(/var/mail/index/{user}/dovecot.index.log) failed: {FULL}"
        world.log(world.now, "dovecot: ", f"imap({user})<{world.pid()}><{world.session_id()}>: {text}")

    for number in range(3):
        incident.at(number * 25 * MINUTE, complain)
    incident.lasts(HOUR)


def privilege_misuse_obvious(incident: Incident) -> None:
    """Let a user of the machine who may not try sudo eight times, then su."""
    host = incident.host
    incident.subject = {"user": "operator"}
    incident.known(incident.start, AUTH)
    commands = ("/bin/bash", "/usr/bin/cat /etc/shadow", "/usr/bin/vim /etc/sudoers", "/bin/sh")
    for number in range(8):
        after = number * 25 * SECOND
        act = partial(
            host.shell.sudo_fail, "operator", 1, commands[number % 4], incident.start + after, listed=False
        )
        incident.at(after, act)
    for number in range(4):
        after = 4 * MINUTE + number * 15 * SECOND
        incident.at(after, partial(host.shell.su_fail, "operator", incident.start + after))
    incident.lasts(10 * MINUTE)


def privilege_misuse_hard(incident: Incident) -> None:
    """Let a user of the machine try root's password with su, six times in an hour."""
    host = incident.host
    incident.subject = {"user": "operator"}
    count = incident.evidence(3, AUTH)
    for number in range(6):
        after = number * 9 * MINUTE
        incident.at(after, partial(host.shell.su_fail, "operator", incident.start + after))
        count(incident.start + after)
    incident.lasts(HOUR)

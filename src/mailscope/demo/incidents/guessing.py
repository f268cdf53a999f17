"""Guessed passwords of mailboxes."""

from __future__ import annotations

from functools import partial

from mailscope.demo.incidents.incident import Incident
from mailscope.demo.places import client_name, hosting_ip, robot_ip
from mailscope.demo.plan import HOUR, MINUTE, SECOND
from mailscope.demo.smtpd import Session


def guess_by_imap(incident: Incident, user: str, ip: str, attempts: int) -> None:
    """Guess over IMAP."""
    incident.host.mailboxes.fail(user, ip, incident.host.world.now, attempts)


def guess_by_smtp(incident: Incident, user: str, ip: str, attempts: int) -> None:
    """Guess over the submission port."""
    session = Session(incident.host.world, "submission/smtpd", client_name(ip), incident.host.world.now)
    session.hello(encrypted=False)
    for _ in range(attempts):
        session.fail_login(user)
    session.lose("AUTH")


def brute_force_obvious(incident: Incident) -> None:
    """Try 600 passwords of one mailbox from one address within forty minutes, three in a connection."""
    world = incident.host.world
    user, ip = world.draw(incident.host.people.users).address, hosting_ip(world.rng)
    incident.subject = {"user": user, "ip": ip}
    count = incident.evidence(4)  # connections: twelve passwords
    for number in range(200):
        after = number * 12 * SECOND
        incident.at(after, partial(guess_by_imap, incident, user, ip, 3))
        count(incident.start + after + 12 * SECOND)
    incident.lasts(200 * 12 * SECOND)


def brute_force_hard(incident: Incident) -> None:
    """Try one password of one mailbox every ninety seconds for five hours, over SMTP."""
    world = incident.host.world
    user, ip = world.draw(incident.host.people.users).address, robot_ip(world.rng)
    incident.subject = {"user": user, "ip": ip}
    count = incident.evidence(12)
    for number in range(200):
        after = number * 90 * SECOND + world.between(0, 20 * SECOND)
        incident.at(after, partial(guess_by_smtp, incident, user, ip, 1))
        count(incident.start + after + 3 * SECOND)
    incident.lasts(5 * HOUR)


def password_spraying_obvious(incident: Incident) -> None:
    """Try one password of each of up to 150 mailboxes from one address within twenty-five minutes."""
    world, ip = incident.host.world, hosting_ip(incident.host.world.rng)
    users = [user.address for user in incident.host.people.users]
    users = world.rng.sample(users, min(150, len(users)))
    incident.subject = {"ip": ip, "users": len(users)}
    count = incident.evidence(12)
    for number, user in enumerate(users):
        after = number * 10 * SECOND
        incident.at(after, partial(guess_by_smtp, incident, user, ip, 1))
        count(incident.start + after + 3 * SECOND)
    incident.lasts(len(users) * 10 * SECOND)


def password_spraying_hard(incident: Incident) -> None:
    """Try mailboxes from forty addresses of one network, each a few, over three hours."""
    world = incident.host.world
    network = robot_ip(world.rng).rpartition(".")[0]
    users = [user.address for user in incident.host.people.users]
    tries = 200
    incident.subject = {"network": f"{network}.0/24", "users": min(tries, len(users))}
    count = incident.evidence(20)
    for number in range(tries):
        after = number * 3 * HOUR // tries + world.between(0, 20 * SECOND)
        ip = f"{network}.{10 + number % 40}"
        incident.at(after, partial(guess_by_imap, incident, users[number * 7 % len(users)], ip, 1))
        count(incident.start + after + 5 * SECOND)
    incident.lasts(3 * HOUR)


def distributed_guessing_obvious(incident: Incident) -> None:
    """Try one mailbox from ninety addresses all over the world within an hour."""
    _distributed(incident, 90, HOUR, 12)


def distributed_guessing_hard(incident: Incident) -> None:
    """Try one mailbox from 130 addresses over nine hours, over IMAP and SMTP."""
    _distributed(incident, 130, 9 * HOUR, 12)


def _distributed(incident: Incident, tries: int, duration: int, enough: int) -> None:
    world = incident.host.world
    user = world.draw(incident.host.people.users).address
    incident.subject = {"user": user, "addresses": tries}
    count = incident.evidence(enough)
    for number in range(tries):
        after = number * duration // tries + world.between(0, duration // tries)
        guess = guess_by_imap if number % 2 else guess_by_smtp
        incident.at(after, partial(guess, incident, user, robot_ip(world.rng), 1 + number % 2))
        count(incident.start + after + 5 * SECOND)
    incident.lasts(duration + MINUTE)

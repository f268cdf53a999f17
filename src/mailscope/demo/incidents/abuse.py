"""This host made to send what it should not: a taken account, a web form, a loop."""

from __future__ import annotations

from functools import partial

from mailscope.demo.incidents.incident import Incident
from mailscope.demo.places import hosting_ip, hotel_ip, robot_ip
from mailscope.demo.plan import DOMAIN, HOUR, MINUTE, SECOND


def _victims(incident: Incident, count: int) -> list[str]:
    """Draw addresses as spammers have them: some are long gone."""
    world, outside = incident.host.world, incident.host.outside
    people = []
    for _ in range(count):
        person = outside.person(outside.draw())
        if world.chance() < 0.15:
            person = f"nobody.{world.between(1, 9999)}@{person.rpartition('@')[2]}"
        people.append(person)
    return list(dict.fromkeys(people))


def compromised_account_obvious(incident: Incident) -> None:
    """Log in from abroad at an odd hour; then 500 messages to eight recipients each within half an hour."""
    host, world = incident.host, incident.host.world
    user = world.draw(host.people.users[3:]).address
    ip = hosting_ip(world.rng)
    incident.subject = {"user": user, "ip": ip}
    incident.at(0, lambda: host.mailboxes.session(user, ip, world.now, MINUTE))
    incident.at(0, lambda: world.conditions.spam_senders.add(user))
    count = incident.evidence(20)

    def send() -> None:
        host.mail.submit(user, ip, _victims(incident, 8), size=3100)
        count(world.now)

    for number in range(500):
        incident.at(6 * MINUTE + number * 3600 * SECOND // 1000, send)
    end = incident.lasts(36 * MINUTE)
    incident.at(end, lambda: world.conditions.spam_senders.discard(user))


def compromised_account_hard(incident: Incident) -> None:
    """Send 35 messages an hour for eight hours, each to one, from twelve addresses of several countries."""
    host, world = incident.host, incident.host.world
    user = world.draw(host.people.users[3:]).address
    addresses = [robot_ip(world.rng) for _ in range(9)] + [
        hotel_ip(name, world.rng) for name in ("US", "GB", "DE")
    ]
    incident.subject = {"user": user, "ips": addresses}
    incident.at(0, lambda: world.conditions.spam_senders.add(user))
    count = incident.evidence(30)

    def send() -> None:
        host.mail.submit(user, world.draw(addresses), _victims(incident, 1), size=2600)
        count(world.now)

    for number in range(280):
        incident.at(number * 8 * HOUR // 280 + world.between(0, 60 * SECOND), send)
    end = incident.lasts(8 * HOUR)
    incident.at(end, lambda: world.conditions.spam_senders.discard(user))


def outgoing_spam_obvious(incident: Incident) -> None:
    """Send 900 messages through the web form within an hour."""
    _web_form(incident, 900, HOUR, 50)


def outgoing_spam_hard(incident: Incident) -> None:
    """Send sixty messages an hour through the web form, all night."""
    _web_form(incident, 480, 8 * HOUR, 40)


def _web_form(incident: Incident, messages: int, duration: int, enough: int) -> None:
    host, world = incident.host, incident.host.world
    sender = f"web@{DOMAIN}"
    incident.subject = {"uid": 33, "sender": sender}
    incident.at(0, lambda: world.conditions.spam_senders.add(sender))
    count = incident.evidence(enough)

    def send() -> None:
        host.mail.inject("www-data", _victims(incident, 1), sender=sender, size=4100)
        count(world.now)

    for number in range(messages):
        incident.at(number * duration // messages + world.between(0, 2 * SECOND), send)
    incident.at(incident.lasts(duration), lambda: world.conditions.spam_senders.discard(sender))


def mail_loop_obvious(incident: Incident) -> None:
    """Forward three messages to a site that forwards them back, up to fifty times each."""
    host, world = incident.host, incident.host.world
    site = host.outside.firms[2]
    there, here = f"office@{site.name}", f"loop@{DOMAIN}"
    incident.subject = {"recipient": here, "domain": site.name}
    incident.at(0, lambda: host.queue.aliases.update({here: [there]}))
    count = incident.evidence(5)

    def come(name: str, sender: str, passes: int) -> None:
        host.mail.receive(site, sender, [here], message_id=name, server=0, size=9000 + passes * 400)
        count(world.now)
        if passes < 50:
            world.at(
                world.now + world.between(2 * SECOND, 6 * SECOND), partial(come, name, sender, passes + 1)
            )

    for number in range(3):
        sender = host.outside.person(host.outside.providers[1])
        name = host.queue.new_message_id(sender, incident.start + number)
        incident.at(number * 40 * SECOND, partial(come, name, sender, 1))
    incident.at(incident.lasts(8 * MINUTE), lambda: host.queue.aliases.pop(here, None))


def mail_loop_hard(incident: Incident) -> None:
    """Let a colleague's auto-reply and a ticket system elsewhere answer each other for three hours."""
    host, world = incident.host, incident.host.world
    user = world.draw(host.people.users).address
    site = host.outside.firms[3]
    ticket = f"tickets@{site.name}"
    incident.subject = {"user": user, "sender": ticket, "domain": site.name}
    count = incident.evidence(10)

    def reply() -> None:
        host.mail.inject("root", [ticket], sender=user, size=1400)

    def come() -> None:
        host.mail.receive(site, ticket, [user], size=3900)
        count(world.now)
        world.at(world.now + 2 * SECOND, reply)

    for number in range(360):
        incident.at(number * 30 * SECOND + world.between(0, 5 * SECOND), come)
    incident.lasts(3 * HOUR)

"""Other sites' machines against port 25: floods, harvests of addresses, probes for an open relay."""

from __future__ import annotations

from functools import partial

from mailscope.demo.incidents.incident import Incident
from mailscope.demo.outside import FIRST, LAST
from mailscope.demo.places import hosting_ip, robot_ip
from mailscope.demo.plan import DOMAIN, HOUR, MINUTE, SECOND

UNKNOWN = "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"


def incoming_flood_obvious(incident: Incident) -> None:
    """Refuse 6,000 messages of sixty robots within twenty minutes."""
    _flood(incident, 6000, 20 * MINUTE, 60, 200)


def incoming_flood_hard(incident: Incident) -> None:
    """Refuse 2,000 messages of three hundred robots within ninety minutes."""
    _flood(incident, 2000, 90 * MINUTE, 300, 300)


def _flood(incident: Incident, messages: int, duration: int, robots: int, enough: int) -> None:
    host, world = incident.host, incident.host.world
    addresses = [robot_ip(world.rng) for _ in range(robots)]
    incident.subject = {"addresses": robots, "recipients": DOMAIN}
    count = incident.evidence(enough)

    def come() -> None:
        sender = f"offer{world.between(1, 99)}@spam{world.between(1, 30)}.example"
        to = world.draw(host.people.users).address
        host.door.turn_away(
            world.draw(addresses), sender, to, "localhost", world.now, "zen.blocklist.example"
        )
        count(world.now + 8 * SECOND)

    for number in range(messages):
        incident.at(number * duration // messages, come)
    incident.lasts(duration)


def directory_harvest_obvious(incident: Incident) -> None:
    """Try 600 names from one address within fifteen minutes."""
    _harvest(incident, [hosting_ip(incident.host.world.rng)], 600, 20, 15 * MINUTE, 20)


def directory_harvest_hard(incident: Incident) -> None:
    """Try 270 names from thirty addresses over three hours, three in a session."""
    rng = incident.host.world.rng
    _harvest(incident, [robot_ip(rng) for _ in range(30)], 270, 3, 3 * HOUR, 40)


def _harvest(
    incident: Incident, addresses: list[str], names: int, each: int, duration: int, enough: int
) -> None:
    host, world = incident.host, incident.host.world
    incident.subject = {"ips": addresses, "names": names}
    known = {user.name for user in host.people.users}
    every = [f"{first}.{last}" for last in LAST for first in FIRST] + [
        f"{first}{last}" for last in LAST for first in FIRST
    ]
    tried = [name for name in world.rng.sample(every, min(len(every), names * 2)) if name not in known][
        :names
    ]
    count = incident.evidence(enough)

    def come(ip: str, group: list[str]) -> None:
        session = host.door.enter(ip, world.now)
        session.hello(encrypted=False)
        session.command("mail")
        for name in group:
            to = f"{name}@{DOMAIN}"
            session.reject(UNKNOWN.format(to=to), "news@spam7.example", to, "mail.robot.example")
            count(session.time)
        session.lose("RCPT")

    sessions = len(tried) // each
    for number in range(sessions):
        group = tried[number * each : number * each + each]
        ip = addresses[number % len(addresses)]
        incident.at(number * duration // sessions, partial(come, ip, group))
    incident.lasts(duration)


def relay_probing_obvious(incident: Incident) -> None:
    """Try eighty ways to relay from one address within ten minutes."""
    _relay(incident, [hosting_ip(incident.host.world.rng)], 80, 10 * MINUTE, 5)


def relay_probing_hard(incident: Incident) -> None:
    """Try sixty ways to relay from twelve addresses of one network over six hours."""
    network = hosting_ip(incident.host.world.rng).rpartition(".")[0]
    _relay(incident, [f"{network}.{number}" for number in range(60, 72)], 60, 6 * HOUR, 8)


def _relay(incident: Incident, addresses: list[str], probes: int, duration: int, enough: int) -> None:
    host, world = incident.host, incident.host.world
    incident.subject = {"ip": addresses[0]} if len(addresses) == 1 else {"ips": addresses}
    count = incident.evidence(enough)
    senders = (f"postmaster@{DOMAIN}", "test@spam3.example", f"admin@{DOMAIN}", "probe@relay.example")

    def come(ip: str) -> None:
        session = host.door.enter(ip, world.now)
        session.hello(encrypted=False)
        session.command("mail")
        number = world.between(1, 99_999)
        to = f"relaytest{number}@{world.draw(host.outside.providers).name}"
        if world.chance() < 0.3:
            to = f"relaytest{number}%probe.example@{DOMAIN}"
            session.reject(UNKNOWN.format(to=to), world.draw(senders), to, "probe.example")
        else:
            session.reject(f"454 4.7.1 <{to}>: Relay access denied", world.draw(senders), to, "probe.example")
            count(session.time)
        session.quit()

    for number in range(probes):
        after = number * duration // probes + world.between(0, SECOND)
        incident.at(after, partial(come, addresses[number % len(addresses)]))
    incident.lasts(duration)

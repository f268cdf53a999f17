"""The whole host put together: services, people, business, background, incidents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mailscope.demo.background import Background
from mailscope.demo.business import Business
from mailscope.demo.carriers import Carriers
from mailscope.demo.dovecot import Mailboxes
from mailscope.demo.files import LogFiles
from mailscope.demo.habits import Habits
from mailscope.demo.incidents import schedule
from mailscope.demo.incidents.incident import iso
from mailscope.demo.mail import Mail
from mailscope.demo.outside import Outside
from mailscope.demo.people import People
from mailscope.demo.places import write_countries
from mailscope.demo.plan import DAY, Plan
from mailscope.demo.queue import Queue
from mailscope.demo.shell import Shell
from mailscope.demo.smtpd import Door
from mailscope.demo.world import World

LOGS = "logs"  # the directory of the log files, below the simulation's own


class Host:
    """All that incidents may touch."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.world = world = World(plan, LogFiles(directory / LOGS, "mail"))
        self.outside = Outside(world.rng)
        self.people = People(world, self.outside)
        carriers = Carriers(world, self.outside, {user.address for user in self.people.users})
        self.queue = Queue(world, carriers.lmtp, carriers.local, carriers.smtp)
        self.door = Door(world)
        self.mailboxes = Mailboxes(world)
        self.mail = Mail(world, self.queue, self.door, self.mailboxes)
        self.shell = Shell(world)
        self.habits = Habits(self.people, self.outside, self.mail)
        self.business = Business(self.people, self.outside, self.mail, self.shell)
        self.background = Background(self.people, self.outside, self.mail, self.shell)
        for part in (self.business, self.habits, self.background):
            world.every_day(part.plan_day)


def simulate(plan: Plan, directory: Path) -> dict[str, Any]:
    """Write the logs, the labels and the table of countries; returns the labels."""
    host = Host(plan, directory)
    incidents = schedule(host)
    host.world.run()
    trips = [
        {
            "user": user.address,
            "country": user.trip.country,
            "start": iso(plan.begin + user.trip.first * DAY),
            "end": iso(plan.begin + (user.trip.last + 1) * DAY),
        }
        for user in host.people.users
        if user.trip
    ]
    labels = {
        "days": plan.days,
        "users": plan.users,
        "seed": plan.seed,
        "start": plan.start,
        "lines": host.world.files.lines,
        "incidents": [incident.as_dict() for incident in incidents],
        "trips": trips,
    }
    (directory / "labels.json").write_text(json.dumps(labels, indent=1) + "\n")
    write_countries(directory / "countries.csv")
    return labels

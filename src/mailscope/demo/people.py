"""The people of the host: who they are, where they work from, how they read mail, when they are away."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailscope.demo import places
from mailscope.demo.outside import FIRST, LAST, Outside
from mailscope.demo.plan import DOMAIN
from mailscope.demo.world import World

OFFICE, NIGHT, FIELD, PART_TIME = "office", "night owl", "field", "part-time"
LOCAL_SHARE = 0.3  # of what a person writes goes to colleagues


@dataclass
class Trip:
    """A journey abroad, in days of the simulation."""

    first: int
    last: int
    country: str
    hotel: str


@dataclass
class User:
    """A person with a mailbox."""

    name: str
    kind: str
    devices: tuple[str, ...]  # desk, laptop, phone, webmail, pop3
    carrier: str
    home: list[tuple[int, str]]  # from which day on, which address: providers change them
    contacts: list[str]
    sends_per_day: float
    receives_per_day: float
    mistypes: float  # of typed passwords
    first_day: int = 0
    holiday: tuple[int, int] | None = None
    trip: Trip | None = None
    password_changed: int | None = None  # the day; the phone keeps the old one for some hours
    lists: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Give the mail address, with which the person also logs in."""
        return f"{self.name}@{DOMAIN}"

    def home_ip(self, day: int) -> str:
        """Give the address of the line at home."""
        return next(ip for since, ip in reversed(self.home) if since <= day)

    def abroad(self, day: int) -> Trip | None:
        """Give the journey of a day."""
        return self.trip if self.trip and self.trip.first <= day <= self.trip.last else None

    def away(self, day: int) -> bool:
        """Say whether the person does not work on a day: on holiday, or not yet here."""
        on_holiday = self.holiday is not None and self.holiday[0] <= day <= self.holiday[1]
        return day < self.first_day or on_holiday


class People:
    """All of them; some have work that others have not."""

    def __init__(self, world: World, outside: Outside) -> None:
        self.world = world
        self.outside = outside
        self.users = [self._make(number) for number in range(world.plan.users)]
        self.marketing, self.accounts, self.admin = self.users[0], self.users[1], self.users[2]
        for user in self.users[:3]:  # they are there when their work is due
            user.kind, user.first_day, user.holiday, user.trip = OFFICE, 0, None, None
        for each in self.users:
            each.contacts += [self.world.draw(self.users).address for _ in range(12)]
        self.by_address = {user.address: user for user in self.users}
        self.left = [f"{name}.{last}" for name in FIRST[:6] for last in LAST[20:24]]  # people who are gone

    def _make(self, number: int) -> User:
        world, rng = self.world, self.world.rng
        days, chance = world.plan.days, world.chance
        kind = rng.choices((OFFICE, NIGHT, FIELD, PART_TIME), (68, 7, 17, 8))[0]
        turns = number // 30
        name = (
            f"{FIRST[number % 30]}.{LAST[(number + turns * 7) % 30]}{turns // 30 + 1 if turns >= 30 else ''}"
        )
        home, since = [(0, places.home_ip(rng))], 0
        while chance() < 0.35 and (since := since + rng.randrange(3, 12)) < days:
            home.append((since, places.home_ip(rng)))
        user = User(
            name, kind, self._devices(kind), rng.choice(places.MOBILE_NETWORKS), home,
            [self.outside.person(self.outside.draw()) for _ in range(rng.randrange(12, 40))],
            min(rng.lognormvariate(1.3, 0.8), 30), min(rng.lognormvariate(2.0, 0.7), 60),
            rng.betavariate(1, 30),
        )  # fmt: skip
        if chance() < 0.03:
            user.first_day = rng.randrange(1, max(2, days))
        if chance() < 0.2:
            first = rng.randrange(days)
            user.holiday = (first, first + rng.randrange(3, 12))
        if chance() < (0.18 if kind == FIELD else 0.05):
            first, country = rng.randrange(days), rng.choice(tuple(places.ABROAD))
            user.trip = Trip(first, first + rng.randrange(1, 6), country, places.hotel_ip(country, rng))
        if chance() < 0.12:
            user.password_changed = rng.randrange(max(1, days // 28), max(2, days))
        return user

    def _devices(self, kind: str) -> tuple[str, ...]:
        chance = self.world.chance
        devices = ["laptop"] if kind == FIELD or chance() < 0.2 else ["desk"]
        if chance() < 0.05:
            devices = ["pop3"]
        if chance() < 0.75 or kind == FIELD:
            devices.append("phone")
        if chance() < 0.25:
            devices.append("webmail")
        return tuple(devices)

    def present(self, day: int) -> list[User]:
        """Give those who are here on a day, on holiday or not."""
        return [user for user in self.users if user.first_day <= day]

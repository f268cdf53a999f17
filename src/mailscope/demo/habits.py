"""What people do on a day: read mail on their devices, write, mistype passwords, travel, sleep."""

from __future__ import annotations

from functools import partial
from itertools import accumulate

from mailscope.demo.mail import Mail
from mailscope.demo.outside import Outside
from mailscope.demo.people import FIELD, LOCAL_SHARE, NIGHT, PART_TIME, People, User
from mailscope.demo.places import OFFICE_IP, hotel_ip, mobile_ip, roaming_ip
from mailscope.demo.plan import DAY, HOUR, MINUTE, SECOND

#                  0  1  2  3  4  5  6  7   8   9  10  11  12  13  14  15  16  17  18  19  20  21  22  23
WORK = list(accumulate((0, 0, 0, 0, 0, 0, 1, 5, 14, 18, 16, 14, 8, 10, 15, 16, 14, 10, 5, 3, 2, 3, 2, 1)))
FREE = list(accumulate((1, 0, 0, 0, 0, 0, 0, 1, 3, 6, 8, 8, 6, 5, 5, 5, 5, 6, 6, 5, 6, 7, 5, 3)))
NIGHTS = list(accumulate((12, 11, 9, 6, 3, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6, 7, 8, 9, 11, 13, 14, 14)))
COMES = list(accumulate((4, 3, 3, 3, 3, 4, 6, 9, 14, 17, 17, 15, 12, 13, 15, 15, 13, 11, 9, 8, 7, 7, 6, 5)))
SLEEPS = (0, 6)  # hours in which a phone connects seldom
SATURDAY = 5


class Habits:
    """Plans each person's day at midnight."""

    def __init__(self, people: People, outside: Outside, mail: Mail) -> None:
        self.people = people
        self.outside = outside
        self.mail = mail
        self.world = mail.world

    def plan_day(self, day: int) -> None:
        """Plan what everyone does on a day."""
        weekend = self.world.plan.weekday(day) >= SATURDAY
        for user in self.people.present(day):
            self._receive(user, day, weekend)
            away = user.away(day)
            activity = 0.06 if away else (0.22 if weekend else 1.0)
            if user.kind == PART_TIME and self.world.plan.weekday(day) in (3, 4):
                activity = 0.1
            self._read(user, day, weekend, activity)
            self._write(user, day, weekend, activity)
            if user.password_changed == day and not away and "phone" in user.devices:
                self._forget_phone(user, day)

    def moment(self, user: User, day: int, weekend: bool) -> int:
        """Draw when a person does something."""
        weights = NIGHTS if user.kind == NIGHT else FREE if weekend or user.away(day) else WORK
        hour = self.world.rng.choices(range(24), cum_weights=weights)[0]
        return self.world.plan.begin + day * DAY + hour * HOUR + int(self.world.chance() * HOUR)

    def place(self, user: User, device: str, day: int, hour: int, weekend: bool) -> str:
        """Say from which address a device connects."""
        rng, trip = self.world.rng, user.abroad(day)
        working = 7 <= hour < 19 and not weekend and not user.away(day)
        if device == "webmail":
            return "127.0.0.1"
        if trip:
            return roaming_ip(trip.country, rng) if device == "phone" else trip.hotel
        if device == "phone":
            if self.world.chance() < 0.45:
                return mobile_ip(user.carrier, rng)
            return OFFICE_IP if working and user.kind != FIELD else user.home_ip(day)
        if working and user.kind not in (NIGHT, FIELD):
            return OFFICE_IP
        if user.kind == FIELD and working and self.world.chance() < 0.5:
            return mobile_ip(user.carrier, rng)
        return user.home_ip(day)

    def _read(self, user: User, day: int, weekend: bool, activity: float) -> None:
        world, boxes = self.world, self.mail.mailboxes
        midnight = world.plan.begin + day * DAY
        for device in user.devices:
            if device == "phone":
                for _ in range(world.poisson(11 * (0.6 if weekend else 1))):
                    hour = world.between(0, 24)
                    if SLEEPS[0] <= hour < SLEEPS[1] and user.kind != NIGHT and world.chance() < 0.75:
                        continue
                    start = midnight + hour * HOUR + int(world.chance() * HOUR)
                    ip = self.place(user, device, day, hour, weekend)
                    lasts = world.between(MINUTE // 2, 29 * MINUTE)
                    world.at(start, partial(boxes.session, user.address, ip, start, lasts))
                continue
            mean = {"desk": 8, "laptop": 7, "webmail": 3, "pop3": 26}[device] * activity
            for _ in range(world.poisson(mean)):
                start = self.moment(user, day, weekend)
                ip = self.place(user, device, day, (start - midnight) // HOUR, weekend)
                if device != "pop3" and world.chance() < user.mistypes and ip != "127.0.0.1":
                    tries = 1 if world.chance() < 0.8 else world.between(2, 4)
                    world.at(start, partial(boxes.fail, user.address, ip, start, tries))
                    start += world.between(20, 90) * SECOND
                if device == "pop3":
                    world.at(start, partial(boxes.session, user.address, ip, start, 3 * SECOND, "pop3"))
                else:
                    lasts = world.between(2 * MINUTE, 110 * MINUTE if device == "desk" else 50 * MINUTE)
                    world.at(start, partial(boxes.session, user.address, ip, start, lasts))

    def _write(self, user: User, day: int, weekend: bool, activity: float) -> None:
        world = self.world
        midnight = world.plan.begin + day * DAY
        for _ in range(world.poisson(user.sends_per_day * activity)):
            start = self.moment(user, day, weekend)
            device = world.draw(user.devices)
            ip = self.place(user, device, day, (start - midnight) // HOUR, weekend)
            if world.chance() < user.mistypes / 3 and device not in ("webmail", "pop3"):
                world.at(start, partial(self.mail.mistype, user.address, ip, 1))
                start += MINUTE
            world.at(start, partial(self._send, user, ip))

    def _send(self, user: User, ip: str) -> None:
        world = self.world
        count = 1 if world.chance() < 0.8 else min(2 + int(world.rng.expovariate(0.5)), 25)
        to = []
        for _ in range(count):
            dice = world.chance()
            if dice < LOCAL_SHARE:
                to.append(world.draw(user.contacts[-12:]))
            elif dice < 0.97:
                to.append(world.draw(user.contacts[:-12]))
            else:  # somebody new
                to.append(self.outside.person(self.outside.draw()))
        to = list(dict.fromkeys(to))
        if world.chance() < 0.003:
            to[0] = f"nobody.{world.between(1, 99)}@{to[0].rpartition('@')[2]}"
            if to[0].endswith("@example.org"):
                to[0] = self.outside.person(self.outside.draw())
        if not self.mail.submit(user.address, ip, to) and world.chance() < 0.7:
            later = world.now + world.between(5 * MINUTE, 60 * MINUTE)
            world.at(later, partial(self.mail.submit, user.address, ip, to))  # the person tries again

    def _receive(self, user: User, day: int, weekend: bool) -> None:
        world = self.world
        midnight = world.plan.begin + day * DAY
        for _ in range(world.poisson(user.receives_per_day * (0.35 if weekend else 1))):
            hour = world.rng.choices(range(24), cum_weights=COMES)[0]
            world.at(midnight + hour * HOUR + int(world.chance() * HOUR), partial(self._arrive, user))

    def _arrive(self, user: User) -> None:
        world = self.world
        dice = world.chance()
        if dice < 0.25:
            site = world.draw(self.outside.bulk)
            tag = user.address.replace("@", "=")
            self.mail.receive(site, f"bounces+{world.rng.getrandbits(32)}-{tag}@{site.name}", [user.address])
            return
        sender = world.draw(user.contacts[:-12]) if dice < 0.85 else self.outside.person(self.outside.draw())
        site = self.outside.by_name[sender.rpartition("@")[2]]
        to = [user.address]
        if world.chance() < 0.08:
            to = list(
                dict.fromkeys([*to, *(world.draw(user.contacts[-12:]) for _ in range(world.between(1, 5)))])
            )
        self.mail.receive(site, sender, to)

    def _forget_phone(self, user: User, day: int) -> None:
        """Let a phone try the old password until its owner looks: some minutes apart, for some hours."""
        world = self.world
        start = world.plan.begin + day * DAY + world.between(9 * HOUR, 16 * HOUR)
        until = start + world.between(HOUR, 6 * HOUR)
        hotel = user.abroad(day)
        network = mobile_ip(user.carrier, world.rng) if not hotel else hotel_ip(hotel.country, world.rng)
        time = start
        while time < until:
            ip = OFFICE_IP if not hotel and world.chance() < 0.4 else network
            world.at(time, partial(self.mail.mailboxes.fail, user.address, ip, time, 1))
            if world.chance() < 0.15:
                world.at(time + 20 * SECOND, partial(self.mail.mistype, user.address, ip, 1))
            time += world.between(3 * MINUTE, 12 * MINUTE)

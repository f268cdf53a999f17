"""A login from a network, or country, from which this user never came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import NewLoginPlace as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.guessing import FAILURES, TRIED, VERDICTS
from mailscope.watch.logins import NEEDS, NEEDS_SUCCESSES, attempts
from mailscope.watch.places import Arrival, travels
from mailscope.watch.seen import Seen
from mailscope.watch.switching import ROOT
from mailscope.watch.weighing import Weighing
from mailscope.watch.window import BUCKET, TIME, Measure, Window

# Failed logins of the user from the network, of a day before it.
KEYS: Final = ("account", "network")
MEASURES: Final = (FAILURES, VERDICTS, Measure("entered", where=~TRIED))
NETWORK: Final = (24, 48)
DAY_S: Final = 86_400
RECENT: Final = timedelta(weeks=4)
# Points of each reason.
NEW, NEAR, COUNTRY, TRAVEL, GUESSED = 30.0, 10.0, 30.0, 25.0, 30.0
# So many failed logins before it are more than a password that was mistyped.
MISTYPED: Final = 5
# Where a new network is so rare a thing, it is told by itself: at most so many in the week before.
CALM: Final = 1
WEEK: Final = timedelta(days=7)
MOST_REMEMBERED: Final = 10_000


class NewLoginPlace:
    """Weighs the logins by which users come to a network for the first time."""

    about: ClassVar[About] = About(
        name="new_login_place",
        sees="A login from a network, or country, from which the user never came, together with what makes "
        "it odd: a country that cannot be reached in the time, failed logins before it, or a host where "
        "users hardly ever change their networks.",
        why="A password that was stolen is used from somewhere else than its owner does.",
        false_positives="Journeys, a new provider, a VPN. Users who change their networks often, networks "
        "that other users come from, and those of a provider that the user has come from before weigh less.",
        advice="Ask the user. If it was somebody else, change the password, end the sessions "
        "(doveadm kick), and look at what was sent and which filters and forwardings were set.",
        commands=("mailscope logins --user {user}", "mailscope about {client_ip}"),
        quiet_s=3_600,
        again_s=DAY_S,
    )
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {**NEEDS, **NEEDS_SUCCESSES}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, MEASURES, DAY_S, bucket_s=600)
        # When settled users came to networks that tell of nothing by themselves.
        self._plain: list[datetime] = []

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = attempts(seen, self.site, *NETWORK)
        if len(rows):
            known = [name for name in rows["account"].unique() if name in seen.places.users]
            rows = rows.filter(pl.col("account").is_in(known))
        if not len(rows):
            return
        found = self._window.add(rows, {"entered": 1.0})
        tried = {
            (row["account"], row["network"], row[BUCKET]): round(max(row["failures"], row["verdicts"]))
            for row in found.iter_rows(named=True)
        }
        width = timedelta(seconds=self._window.bucket_s)
        for arrival in seen.arrivals:
            if self.site.trusts(arrival.address) or arrival.days < self.settings.history_days:
                continue
            # Of root, ``new_root_login`` tells.
            if arrival.user == ROOT:
                continue
            bucket = datetime.min + (arrival.time - datetime.min) // width * width
            signal = self._weigh(seen, arrival, tried.get((arrival.user, arrival.network, bucket), 0))
            if signal is not None:
                yield signal

    def _weigh(self, seen: Seen, arrival: Arrival, failed: int) -> Signal | None:
        weighing = Weighing()
        self._network(weighing, arrival)
        self._country(weighing, arrival)
        if failed >= MISTYPED:
            weighing.add(
                GUESSED,
                Phrase("{count} failed logins from this network within a day before it", count=failed),
            )
        calm = weighing.score >= NEW and self._calm(arrival.time)
        if weighing.score < self.settings.score and not calm:
            return None
        country = self.site.country(arrival.address)
        return Signal(
            subject={"user": arrival.user, "client_ip": arrival.address},
            time=arrival.time,
            since=arrival.time,
            severity=weighing.severity,
            title=Phrase(
                "{user} logged in from {client_ip} ({country}), for the first time",
                user=arrival.user,
                client_ip=arrival.address,
                country=country,
            )
            if country
            else Phrase(
                "{user} logged in from {client_ip}, for the first time",
                user=arrival.user,
                client_ip=arrival.address,
            ),
            figures={
                "days_known": arrival.days,
                "networks_known": len(arrival.before),
                "failures_before": failed,
            },
            reasons=weighing.reasons,
            lines=seen.evidence(pl.DataFrame({"order": [arrival.order]}, {"order": pl.UInt32}), most=1),
            score=weighing.score,
        )

    def _network(self, weighing: Weighing, arrival: Arrival) -> None:
        if arrival.near or arrival.others:
            reason = Phrase(
                "a network of a provider that the user has come from before"
                if arrival.near
                else "a network that other users have come from"
            )
            weighing.add(NEAR, reason)
        elif not self._travels(arrival):
            reason = Phrase(
                "the user came from {networks} networks on {days} days, and never from this one",
                networks=len(arrival.before),
                days=arrival.days,
            )
            weighing.add(NEW, reason)

    def _travels(self, arrival: Arrival) -> bool:
        """Whether the user comes to new networks often: lately, or on many of all days."""
        settled = min(arrival.before.values()) + timedelta(days=self.settings.history_days)
        since = max(settled, arrival.time - RECENT)
        lately = sum(first >= since for first in arrival.before.values())
        return lately >= self.settings.usual_networks or travels(len(arrival.before), arrival.days)

    def _country(self, weighing: Weighing, arrival: Arrival) -> None:
        here = self.site.country(arrival.address)
        known = {country for each in arrival.before if (country := self.site.country(each)) is not None}
        if here is None or not known or here in known:
            return
        # Who has been to several countries lately goes to another one.
        points = COUNTRY if len(known) < self.settings.usual_networks else COUNTRY / 2
        weighing.add(points, Phrase("a country that the user never came from: {country}", country=here))
        if arrival.previous is None:
            return
        when, where = arrival.previous
        there = self.site.country(where)
        apart = arrival.time - when
        if there not in (None, here) and apart <= timedelta(seconds=self.settings.travel_s):
            reason = Phrase(
                "{minutes} minutes before, the user was logged in from another country: {country}",
                minutes=int(apart.total_seconds() // 60),
                country=there,
            )
            weighing.add(TRAVEL, reason)

    def _calm(self, at: datetime) -> bool:
        """Whether new networks are rare on this host; enters one."""
        since = at - WEEK
        lately = sum(since <= each < at for each in self._plain)
        self._plain = [*(each for each in self._plain if each >= since), at][-MOST_REMEMBERED:]
        return lately <= CALM

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state() | {"plain": pl.DataFrame({"time": self._plain}, {"time": TIME})}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)
        plain = state.get("plain")
        if plain is not None:
            self._plain = plain["time"].to_list()

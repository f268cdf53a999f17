"""Waves of guessed passwords that come from many networks and go to many accounts, a few tries each.

Some of it goes on at every mail host at all hours.  A wave is what is far above that: more networks than are
usual at this hour of the week (``baseline.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import PasswordSpraying as Settings
from mailscope.watch.baseline import FEWEST, HOUR, Baseline
from mailscope.watch.guessing import FAILURES, TRIED, VERDICTS, telling
from mailscope.watch.incidents import SOON
from mailscope.watch.seen import Seen
from mailscope.watch.window import BUCKET, LAST, TIME, Measure, Window

KEYS: Final = ("all",)
MEASURES: Final = (
    Measure("networks", "distinct", "network", TRIED),
    Measure("users", "distinct", "account", TRIED),
    FAILURES,
    VERDICTS,
    Measure("entered", "distinct", "who", ~TRIED),
)
LENGTH_S: Final = 3_600
FIGURE: Final = "networks"
# So many spreads above what is usual are far above it; a spread is at least this part of the limit, and of
# the usual.
FAR: Final = 6.0
LEAST_SPREAD: Final = 0.25
# Networks that are told apart in an hour, and hours without lines after which there was no watching.
MOST_NETWORKS: Final = 20_000
LONGEST_GAP: Final = timedelta(days=1)
# Between user and network, in what cannot hold it.
BETWEEN: Final = "\n"


class Botnet:
    """Counts networks and accounts of failed logins over an hour, without users at places that they know."""

    def __init__(self, settings: Settings) -> None:
        self.least = settings.botnet_networks
        self.length_s = LENGTH_S
        self._window = Window(KEYS, MEASURES, LENGTH_S, bucket_s=30)
        self._baseline = Baseline()
        self._hour: datetime | None = None
        self._networks: set[str] = set()
        # The newest wave of earlier batches, then those of this one.
        self._waves: list[datetime] = []

    def see(self, seen: Seen, rows: pl.DataFrame) -> list[tuple[dict[str, Any], list[str]]]:
        """The waves, each with the users that logged in from one of its networks and never before."""
        self._waves = self._waves[-1:]
        strange = self._strangers(seen, rows)
        self._pass_hours(seen.now, strange)
        if not len(strange):
            return []
        who = pl.concat_str("account", "network", separator=BETWEEN).alias("who")
        counted = strange.with_columns(pl.lit("").alias("all"), who)
        reached = self._window.add(counted, {"networks": self.least, "users": self.least})
        if not len(reached):
            return []
        usual = [self._usual(at) for at in reached[BUCKET]]
        reached = reached.with_columns(
            pl.Series("usual", [each[0] for each in usual], pl.Float64),
            pl.Series("values", [each[1] for each in usual], pl.Int64),
            pl.Series("limit", [each[2] for each in usual], pl.Float64),
        ).filter(pl.col("networks") >= pl.col("limit"))
        self._waves += reached[LAST].to_list()
        told = telling(reached, KEYS, "networks", 1_800) if len(reached) else reached
        return [(row, self._got_in(row)) for row in told.iter_rows(named=True)]

    def active(self, at: datetime, quiet: timedelta) -> bool:
        """Whether there is a wave at an instant."""
        return any(wave - SOON <= at <= wave + quiet for wave in self._waves)

    def reason(self, row: Mapping[str, Any]) -> Phrase:
        """What is usual, as far as it is known."""
        if row["values"] < FEWEST:
            return Phrase("there is too little history to say how much is usual")
        return Phrase("usual at this hour are {usual} networks", usual=round(row["usual"], 1))

    def state(self) -> dict[str, pl.DataFrame]:
        """What it remembers."""
        networks = {"network": sorted(self._networks)}
        return {
            **self._window.state("botnet"),
            **self._baseline.state("botnet.baseline"),
            "botnet.hour": pl.DataFrame({"hour": [self._hour]}, {"hour": TIME}),
            "botnet.networks": pl.DataFrame(networks, {"network": pl.String}),
            "botnet.waves": pl.DataFrame({"time": self._waves[-1:]}, {"time": TIME}),
        }

    def resume(self, state: Mapping[str, pl.DataFrame]) -> None:
        """Remember that."""
        self._window.resume(state, "botnet")
        self._baseline.resume(state, "botnet.baseline")
        hour, networks, waves = (state.get(f"botnet.{name}") for name in ("hour", "networks", "waves"))
        if hour is not None and networks is not None:
            self._hour, self._networks = hour["hour"][0], set(networks["network"])
        if waves is not None:
            self._waves = waves["time"].to_list()

    def _strangers(self, seen: Seen, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows without failures of users at places from which they had logged in: those have old
        passwords.
        """
        if not len(rows) or not seen.places.users:
            return rows
        first = rows.filter(TRIED).group_by("account", "client_ip").agg(pl.col("time").min())
        own = [
            (account, address)
            for account, address, time in first.iter_rows()
            if seen.places.familiar(account, address, time)
        ]
        if not own:
            return rows
        known = pl.DataFrame(own, {"account": pl.String, "client_ip": pl.String}, orient="row")
        return rows.join(known, on=["account", "client_ip"], how="anti", maintain_order="left")

    def _pass_hours(self, now: datetime, rows: pl.DataFrame) -> None:
        """Enter the hours that are over into the baseline."""
        if len(rows):
            hours = rows.filter(TRIED).with_columns(pl.col("time").dt.truncate("1h").alias("hour"))
            for (hour,), part in hours.group_by("hour", maintain_order=True):
                assert isinstance(hour, datetime)
                self._enter(hour)
                if hour == self._hour and len(self._networks) < MOST_NETWORKS:
                    self._networks.update(part["network"].unique())
        self._enter(now.replace(minute=0, second=0, microsecond=0))

    def _enter(self, hour: datetime) -> None:
        """Go on to an hour; those before it are over."""
        if self._hour is not None and hour <= self._hour:
            return
        if self._hour is not None:
            self._baseline.add(self._hour, {FIGURE: float(len(self._networks))})
            between = self._hour + HOUR
            while between < hour and hour - self._hour <= LONGEST_GAP:
                self._baseline.add(between, {})
                between += HOUR
        self._hour, self._networks = hour, set()

    def _usual(self, at: datetime) -> tuple[float, int, float]:
        """The usual number of networks, on how many hours that rests, and from how many on it is a wave."""
        norm = self._baseline.norm(FIGURE, at.replace(minute=0, second=0, microsecond=0))
        if norm.values < FEWEST:
            return norm.median, norm.values, 2.0 * self.least
        spread = max(norm.spread, LEAST_SPREAD * max(self.least, norm.median))
        return norm.median, norm.values, norm.median + FAR * spread

    def _got_in(self, row: Mapping[str, Any]) -> list[str]:
        if not row["entered"]:
            return []
        tried = set(self._window.values("networks", {"all": ""}, row[BUCKET]))
        came = (each.split(BETWEEN) for each in self._window.values("entered", {"all": ""}, row[BUCKET]))
        return sorted(user for user, network in came if network in tried)

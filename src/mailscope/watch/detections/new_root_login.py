"""A session of root from a place from which there never was one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import NewRootLogin as Settings
from mailscope.watch import switching
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Severity, Signal
from mailscope.watch.guessing import FAILURES, TRIED, VERDICTS, reasons
from mailscope.watch.logins import NEEDS, NEEDS_SUCCESSES, SUCCEEDED, attempts
from mailscope.watch.places import Arrival
from mailscope.watch.seen import Seen
from mailscope.watch.switching import ROOT
from mailscope.watch.window import BUCKET, TIME, Measure, Window

# Failed logins of root from a network, of a day.
KEYS: Final = ("network",)
MEASURES: Final = (FAILURES, VERDICTS, Measure("entered", where=~TRIED))
NETWORK: Final = (24, 48)
DAY_S: Final = 86_400
BUCKET_S: Final = 600
GUESSED: Final = 5
# For so long a user who came from a new network is thought to be there, when root's rights are used.
STAY: Final = timedelta(hours=12)
MOST_REMEMBERED: Final = 2_000
FIELDS: Final = ("user", "client_ip", "tty", "mechanism")
CAME: Final = pl.Schema({"host": pl.String(), "user": pl.String(), "address": pl.String(), "time": TIME})
CONSOLES: Final = pl.Schema({"host": pl.String(), "first": TIME})


class NewRootLogin:
    """Looks at logins of root over the network, at consoles, and at users who become root after coming from a
    network that is new for them.
    """

    about: ClassVar[About] = About(
        name="new_root_login",
        sees="root logged in from a network, or at a console, from which it never did; or a user who came "
        "from a network new for that user became root.",
        why="Who is root can change everything, and what the logs say too.",
        false_positives="An administrator on a journey or at a new connection; the first visit to a console.",
        advice="Ask the administrators. If it was none of them, take the host from the network and look at "
        "it from outside; its own logs can no longer be trusted.",
        commands=("mailscope about {client_ip}", "mailscope logins --user {user}"),
        again_s=DAY_S,
    )
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **switching.NEEDS,
        **NEEDS,
        **NEEDS_SUCCESSES,
        SUCCEEDED: (*NEEDS_SUCCESSES[SUCCEEDED], "tty", "mechanism"),
        switching.REFUSED: (*NEEDS[switching.REFUSED], *switching.FIELDS),
    }

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, MEASURES, DAY_S, bucket_s=BUCKET_S)
        # Users who lately came to a host from a network new for them, by host and user: address, instant.
        self._came: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._consoles: dict[str, datetime] = {}

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        yield from self._logins(seen)
        yield from self._at_consoles(seen)
        yield from self._switches(seen, switching.became_root(seen))

    def _logins(self, seen: Seen) -> Iterator[Signal]:
        rows = attempts(seen, self.site, *NETWORK)
        rows = rows.filter(pl.col("account") == ROOT) if len(rows) else rows
        found = self._window.add(rows, {"entered": 1.0}) if len(rows) else rows
        failed = {
            (row["network"], row[BUCKET]): round(max(row["failures"], row["verdicts"]))
            for row in found.iter_rows(named=True)
        }
        width = timedelta(seconds=BUCKET_S)
        for arrival in seen.arrivals:
            if arrival.user != ROOT or self.site.trusts(arrival.address):
                continue
            bucket = datetime.min + (arrival.time - datetime.min) // width * width
            count = failed.get((arrival.network, bucket), 0)
            if count >= GUESSED or self._settled(seen, arrival.time):
                yield self._login(seen, arrival, count)

    def _login(self, seen: Seen, arrival: Arrival, failed: int) -> Signal:
        usual = arrival.near or arrival.others > 0
        severity: Severity = "critical" if failed >= GUESSED else "info" if usual else "warning"
        days = int(seen.places.days(arrival.time))
        before = (
            Phrase("root came from {networks} other networks before", networks=len(arrival.before))
            if arrival.before
            else Phrase(
                "root never logged in over the network within the {days} days that are known", days=days
            )
        )
        return Signal(
            subject={"user": ROOT, "client_ip": arrival.address, "host": arrival.host or ""},
            time=arrival.time,
            since=arrival.time,
            severity=severity,
            title=Phrase(
                "root logged in to {host} from {client_ip}, for the first time",
                host=arrival.host or "",
                client_ip=arrival.address,
            ),
            figures={"failures_before": failed, "days_known": arrival.days},
            reasons=reasons(
                Phrase("{count} failed logins from this network within a day before it", count=failed)
                if failed
                else None,
                before,
                Phrase("a network of a provider that root has come from before") if arrival.near else None,
                Phrase("a network that other users have come from")
                if arrival.others and not arrival.near
                else None,
            ),
            lines=seen.evidence(_order(arrival.order), most=1),
        )

    def _at_consoles(self, seen: Seen) -> Iterator[Signal]:
        if SUCCEEDED not in seen.kinds:
            return
        rows = seen.events((SUCCEEDED,), FIELDS).filter(
            pl.col("user") == ROOT, pl.col("client_ip").is_null(), pl.col("service") == "login"
        )
        for row in rows.iter_rows(named=True):
            host = row["host"] or ""
            if host in self._consoles:
                continue
            self._consoles[host] = row["time"]
            if len(self._consoles) > MOST_REMEMBERED:
                del self._consoles[next(iter(self._consoles))]
            if self._settled(seen, row["time"]):
                yield Signal(
                    subject={"user": ROOT, "host": host},
                    time=row["time"],
                    since=row["time"],
                    severity="warning",
                    title=Phrase(
                        "root logged in at the console of {host} ({tty}), for the first time",
                        host=host,
                        tty=row["tty"] or "?",
                    ),
                    lines=seen.evidence(_order(row["order"]), most=1),
                )

    def _switches(self, seen: Seen, rows: pl.DataFrame) -> Iterator[Signal]:
        """Follow users from their arrival to root, in order."""
        came = [each for each in seen.arrivals if self._strange(each)]
        users = {user for _, user in self._came} | {each.user for each in came}
        steps: list[tuple[datetime, int, Arrival | dict[str, Any]]] = [
            (each.time, each.order, each) for each in came
        ]
        if users and len(rows):
            mine = rows.filter(pl.col("user").is_in(users))
            steps += [(row["time"], row["order"], row) for row in mine.iter_rows(named=True)]
        for _, _, step in sorted(steps, key=lambda each: each[:2]):
            if isinstance(step, Arrival):
                self._remember(step)
            else:
                yield from self._switch(seen, step)

    def _switch(self, seen: Seen, row: dict[str, Any]) -> Iterator[Signal]:
        key = row["host"], row["user"]
        address, came = self._came.get(key, ("", row["time"]))
        if not address or not came <= row["time"] <= came + STAY:
            return
        del self._came[key]
        if not self._settled(seen, came):
            return
        yield Signal(
            subject={"user": row["user"], "client_ip": address, "host": row["host"]},
            time=row["time"],
            since=came,
            severity="warning",
            title=Phrase(
                "{user} became root on {host}, having come from {client_ip} for the first time",
                user=row["user"],
                host=row["host"],
                client_ip=address,
            ),
            lines=seen.evidence(_order(row["order"]), most=1),
        )

    def _strange(self, arrival: Arrival) -> bool:
        """Whether a user came from elsewhere than usual; one network of a provider is like another."""
        usual = arrival.near or arrival.others > 0 or self.site.trusts(arrival.address)
        return arrival.service == "sshd" and arrival.user != ROOT and not usual

    def _remember(self, arrival: Arrival) -> None:
        self._came[arrival.host or "", arrival.user] = arrival.address, arrival.time
        if len(self._came) > MOST_REMEMBERED:
            del self._came[next(iter(self._came))]

    def _settled(self, seen: Seen, at: datetime) -> bool:
        return seen.places.days(at) >= self.settings.history_days

    def state(self) -> Frames:
        """What it remembers."""
        came = [(*key, *value) for key, value in self._came.items()]
        return self._window.state() | {
            "came": pl.DataFrame(came, CAME, orient="row"),
            "consoles": pl.DataFrame(list(self._consoles.items()), CONSOLES, orient="row"),
        }

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)
        came, consoles = state.get("came"), state.get("consoles")
        if came is not None and came.schema == CAME:
            self._came = {(host, user): (address, time) for host, user, address, time in came.iter_rows()}
        if consoles is not None and consoles.schema == CONSOLES:
            self._consoles = dict(consoles.iter_rows())


def _order(order: int) -> pl.DataFrame:
    return pl.DataFrame({"order": [order]}, {"order": pl.UInt32})

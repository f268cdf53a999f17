"""Many clients try passwords of one account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import DistributedGuessing as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.guessing import (
    FAILURES,
    TRIED,
    VERDICTS,
    Evidence,
    named,
    reasons,
    severity,
    telling,
    unused,
)
from mailscope.watch.logins import NEEDS, attempts
from mailscope.watch.seen import Seen
from mailscope.watch.window import BUCKET, LAST, SINCE, Measure, Window

KEYS: Final = ("account",)
MEASURES: Final = (
    Measure("networks", "distinct", "network", TRIED),
    Measure("addresses", "distinct", "client_ip", TRIED),
    FAILURES,
    VERDICTS,
    Measure("entered", "distinct", "network", ~TRIED),
)
# Of which addresses are counted as one guesser.
NETWORK: Final = (24, 48)
# Names that every host has (root, info) are tried by somebody all day: slow guessing is told of where it is
# so many times what is usual at this account, or so many times the limit while too few days are known.
TIMES: Final = 3
DAYS, FEWEST_DAYS = 10, 3
DAY_S: Final = 86_400
AT: Final = {"begun": pl.Datetime("us")}


class DistributedGuessing:
    """Counts the networks from which logins of one account failed and none had succeeded."""

    about: ClassVar[About] = About(
        name="distributed_guessing",
        sees="Failed logins of one account from many networks, from none of which the user has logged in.",
        why="A botnet guesses the password of this account, a few tries from each address, so that no single "
        "address is noticed.",
        false_positives="A shared account whose password was changed, with mail programs in many places from "
        "which it was never used while Mailscope watched.",
        advice="Blocking addresses does not help; limit logins of this account (Dovecot: auth_policy, "
        "auth_failure_delay), give it a strong password or a second factor, and look at logins that "
        "succeeded.",
        commands=("mailscope logins --user {user}", "mailscope about {user}"),
        part_of=("password_spraying",),
    )
    needs = NEEDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._fast = Window(KEYS, MEASURES, settings.window_s)
        self._slow = Window(KEYS, MEASURES, settings.slow_window_s, bucket_s=900)
        self._days = Window(KEYS, MEASURES[:1], DAYS * DAY_S, bucket_s=DAY_S)
        self._begun: datetime | None = None

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = attempts(seen, self.site, *NETWORK)
        if not len(rows):
            return
        self._begun = self._begun or rows["time"][0]
        self._days.add(rows)
        found: list[tuple[datetime, int, Window, int, dict[str, Any]]] = []
        limits = ((self._fast, self.settings.networks), (self._slow, self.settings.slow_networks))
        for window, least in limits:
            reached = window.add(rows, {"networks": least})
            told = telling(reached, KEYS, "networks", self.about.quiet_s)
            found += [(row[LAST], window.length_s, window, least, row) for row in told.iter_rows(named=True)]
        evidence = Evidence(seen)
        for _, _, window, least, row in sorted(found, key=lambda each: each[:2]):
            signal = self._signal(seen, rows, window, least, row, evidence)
            if signal is not None:
                yield signal

    def _signal(
        self,
        seen: Seen,
        rows: pl.DataFrame,
        window: Window,
        least: int,
        row: dict[str, Any],
        evidence: Evidence,
    ) -> Signal | None:
        account, places = str(row["account"]), seen.places
        keys = {"account": account}
        if window is self._slow and row["networks"] < self._limit(account, row[LAST]):
            return None
        if places.knows(account, row[LAST]):
            tried = window.values("networks", keys, row[BUCKET])
            if sum(not places.familiar(account, each, row[LAST]) for each in tried) < least:
                return None
        came = window.values("entered", keys, row[BUCKET]) if row["entered"] else []
        guessed = sorted(set(came).intersection(window.values("networks", keys, row[BUCKET]))) if came else []
        addresses, count = round(row["addresses"]), round(row["tries"])
        no_account = unused([account], places, row[SINCE])
        return Signal(
            subject={"user": account},
            time=row[LAST],
            since=row[SINCE],
            severity=severity(count, no_account, guessed),
            title=Phrase(
                "{count} failed logins of {user} from {addresses} addresses",
                count=count,
                user=account,
                addresses=addresses,
            ),
            figures={
                "addresses": addresses,
                "networks": round(row["networks"]),
                "failures": count,
                "window_s": window.length_s,
            },
            reasons=reasons(
                Phrase(
                    "a login succeeded from networks that had guessed: {networks}", networks=named(guessed)
                )
                if guessed
                else None,
                Phrase("meanwhile the user logged in from a new network: {networks}", networks=named(came))
                if came and not guessed
                else None,
                no_account,
            ),
            lines=evidence.of(rows, pl.col("account") == account, TRIED),
        )

    def _limit(self, account: str, at: datetime) -> float:
        """From how many networks on it is more than what this account has on every day."""
        least = self.settings.slow_networks
        today = at.replace(hour=0, minute=0, second=0, microsecond=0)
        days = 0 if self._begun is None else min((today - self._begun).days, DAYS - 1)
        if days < FEWEST_DAYS:
            return TIMES * least
        counts = [
            len(self._days.on("networks", {"account": account}, today - timedelta(days=each)))
            for each in range(1, days + 1)
        ]
        return max(least, TIMES * median(counts))

    def state(self) -> Frames:
        """What it remembers."""
        begun = pl.DataFrame({"begun": [self._begun]}, schema=AT)
        windows = self._fast.state("fast") | self._slow.state("slow") | self._days.state("days")
        return {**windows, "begun": begun}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._fast.resume(state, "fast")
        self._slow.resume(state, "slow")
        self._days.resume(state, "days")
        if "begun" in state and state["begun"].schema == AT:
            self._begun = state["begun"]["begun"][0]

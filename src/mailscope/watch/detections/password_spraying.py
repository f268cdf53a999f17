"""One network, or a botnet, tries passwords of many accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import PasswordSpraying as Settings
from mailscope.watch.botnet import Botnet
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import EVERYWHERE, Signal
from mailscope.watch.guessing import (
    FAILURES,
    TRIED,
    VERDICTS,
    Evidence,
    entered,
    reasons,
    severity,
    telling,
    unused,
)
from mailscope.watch.logins import NEEDS, attempts
from mailscope.watch.seen import Seen
from mailscope.watch.window import BUCKET, LAST, SINCE, Measure, Window

KEYS: Final = ("network",)
MEASURES: Final = (
    Measure("users", "distinct", "account", TRIED),
    FAILURES,
    VERDICTS,
    Measure("entered", "distinct", "account", ~TRIED),
)


class PasswordSpraying:
    """Counts the accounts at which logins from one network failed and none had succeeded, and looks for waves
    that come from everywhere.
    """

    about: ClassVar[About] = About(
        name="password_spraying",
        blockable=True,
        sees="Failed logins of many accounts from one network, or of many accounts from far more networks "
        "than usual.",
        why="A few common passwords are tried at every account, slowly enough that no account is locked.",
        false_positives="An office or a mobile network behind one address, when a login server is broken for "
        "all, if Mailscope has not yet seen its users log in from there.",
        advice="Block the network unless users of yours are in it, and look which of its logins succeeded: "
        "the password of such an account is known to somebody else.",
        commands=("mailscope about {network}",),
    )
    needs = NEEDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, MEASURES, settings.window_s)
        self._botnet = Botnet(settings)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = attempts(seen, self.site, self.settings.prefix_v4, self.settings.prefix_v6)
        waves = self._botnet.see(seen, rows)
        yield from (self._wave(seen, rows, row, networks) for row, networks in waves)
        if not len(rows):
            return
        found = self._window.add(rows, {"users": self.settings.users})
        evidence = Evidence(seen)
        for row in telling(found, KEYS, "users", self.about.quiet_s).iter_rows(named=True):
            if self._botnet.active(row[LAST], timedelta(seconds=self.about.quiet_s)):
                continue
            signal = self._signal(seen, rows, row, evidence)
            if signal is not None:
                yield signal

    def _signal(
        self, seen: Seen, rows: pl.DataFrame, row: dict[str, Any], evidence: Evidence
    ) -> Signal | None:
        network = str(row["network"])
        users = self._window.values("users", {"network": network}, row[BUCKET])
        strange = self._strangers(seen, users, network, row[LAST])
        if len(strange) < self.settings.users:
            return None
        came = self._window.values("entered", {"network": network}, row[BUCKET]) if row["entered"] else []
        count = round(row["tries"])
        no_account = unused(users, seen.places, row[SINCE])
        return Signal(
            subject={"network": network},
            time=row[LAST],
            since=row[SINCE],
            severity=severity(count, no_account, came),
            title=Phrase(
                "{count} failed logins of {users} accounts from {network}",
                count=count,
                users=round(row["users"]),
                network=network,
            ),
            figures={"users": round(row["users"]), "failures": count, "window_s": self.settings.window_s},
            reasons=reasons(entered(came) if came else None, no_account),
            lines=evidence.of(rows, pl.col("network") == network, TRIED),
        )

    def _wave(self, seen: Seen, rows: pl.DataFrame, row: dict[str, Any], got_in: Sequence[str]) -> Signal:
        count = round(row["tries"])
        return Signal(
            subject={EVERYWHERE: "many"},
            time=row[LAST],
            since=row[SINCE],
            severity=severity(count, None, got_in),
            title=Phrase(
                "{count} failed logins of {users} accounts from {networks} networks",
                count=count,
                users=round(row["users"]),
                networks=round(row["networks"]),
            ),
            figures={
                "users": round(row["users"]),
                "networks": round(row["networks"]),
                "usual_networks": round(row["usual"], 1),
                "failures": count,
                "window_s": self._botnet.length_s,
            },
            reasons=reasons(entered(got_in) if got_in else None, self._botnet.reason(row)),
            lines=seen.evidence(rows.filter(TRIED)) if len(rows) else (),
        )

    @staticmethod
    def _strangers(seen: Seen, users: Sequence[str], network: str, at: datetime) -> list[str]:
        """The accounts that were not used from a network up to an instant."""
        return [user for user in users if not seen.places.familiar(user, network, at)]

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state() | self._botnet.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)
        self._botnet.resume(state)

"""One network tries passwords of many accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import PasswordSpraying as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.logins import NEEDS, failures, with_network
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

KEYS: Final = ("network",)
MEASURES: Final = (Measure("users", "distinct", "account"), Measure("failures"))


class PasswordSpraying:
    """Counts the accounts at which logins from one network failed."""

    about: ClassVar[About] = About(
        name="password_spraying",
        sees="Failed logins of many accounts from one network.",
        why="A few common passwords are tried at every account, slowly enough that no account is locked.",
        false_positives="An office or a mobile network behind one address, when a login server is "
        "broken for all; then most users of that network fail, and none is unknown.",
        advice="Block the network unless users of yours are in it, and look which of its logins "
        "succeeded: the password of such an account is known to somebody else.",
        commands=("mailscope about {network}",),
    )
    needs = NEEDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, MEASURES, settings.window_s)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = with_network(failures(seen, self.site), self.settings.prefix_v4, self.settings.prefix_v6)
        found = self._window.add(rows, {"users": self.settings.users})
        for row in told(found, KEYS, "users", self.about.quiet_s).iter_rows(named=True):
            users, count = round(row["users"]), round(row["failures"])
            yield Signal(
                subject={"network": row["network"]},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{count} failed logins of {users} accounts from {network}",
                    count=count,
                    users=users,
                    network=row["network"],
                ),
                figures={"users": users, "failures": count, "window_s": self.settings.window_s},
                lines=seen.evidence(rows.filter(pl.col("network") == row["network"])),
            )

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)

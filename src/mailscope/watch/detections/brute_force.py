"""One client tries passwords of one account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import BruteForce as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.logins import NEEDS, failures
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

KEYS: Final = ("account", "client_ip")


class BruteForce:
    """Counts failed logins by account and address."""

    about: ClassVar[About] = About(
        name="brute_force",
        sees="Many failed logins of one account from one address within a short time.",
        why="Someone, or a program, tries passwords of this account until one fits.",
        false_positives="A phone or a mail program with an old password tries every few minutes for "
        "days; its address is usually one from which the user logged in before the password was changed.",
        advice="Look whether a login succeeded after the failures. If the user knows nothing of it, "
        "block the address; a password that can be guessed should be changed.",
        commands=("mailscope about {client_ip}", "mailscope logins --user {user}"),
    )
    needs = NEEDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, (Measure("failures"),), settings.window_s)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = failures(seen, self.site)
        found = self._window.add(rows, {"failures": self.settings.failures})
        for row in told(found, KEYS, "failures", self.about.quiet_s).iter_rows(named=True):
            account, address = row["account"], row["client_ip"]
            mine = rows.filter(pl.col("account") == account, pl.col("client_ip") == address)
            count = round(row["failures"])
            yield Signal(
                subject={"user": account, "client_ip": address},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{count} failed logins of {user} from {client_ip} within {minutes} minutes",
                    count=count,
                    user=account,
                    client_ip=address,
                    minutes=round(self.settings.window_s / 60, 1),
                ),
                figures={"failures": count, "window_s": self.settings.window_s},
                lines=seen.evidence(mine),
            )

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)

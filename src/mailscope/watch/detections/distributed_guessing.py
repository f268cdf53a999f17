"""Many clients try passwords of one account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import DistributedGuessing as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.logins import NEEDS, failures, with_network
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

KEYS: Final = ("account",)
MEASURES: Final = (
    Measure("networks", "distinct", "network"),
    Measure("addresses", "distinct", "client_ip"),
    Measure("failures"),
)
# Of which addresses are counted as one guesser.
PREFIX_V4, PREFIX_V6 = 24, 48


class DistributedGuessing:
    """Counts the networks from which logins of one account failed."""

    about: ClassVar[About] = About(
        name="distributed_guessing",
        sees="Failed logins of one account from many networks.",
        why="A botnet guesses the password of this account, a few tries from each address, so that no "
        "single address is noticed.",
        false_positives="A shared account whose password was changed, with mail programs in many places.",
        advice="Blocking addresses does not help; limit logins of this account (Dovecot: auth_policy, "
        "auth_failure_delay), give it a strong password or a second factor, and look at logins that "
        "succeeded.",
        commands=("mailscope logins --user {user}", "mailscope about {user}"),
    )
    needs = NEEDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, MEASURES, settings.window_s)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = with_network(failures(seen, self.site), PREFIX_V4, PREFIX_V6)
        found = self._window.add(rows, {"networks": self.settings.networks})
        for row in told(found, KEYS, "networks", self.about.quiet_s).iter_rows(named=True):
            addresses, count = round(row["addresses"]), round(row["failures"])
            yield Signal(
                subject={"user": row["account"]},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{count} failed logins of {user} from {addresses} addresses",
                    count=count,
                    user=row["account"],
                    addresses=addresses,
                ),
                figures={
                    "addresses": addresses,
                    "networks": round(row["networks"]),
                    "failures": count,
                    "window_s": self.settings.window_s,
                },
                lines=seen.evidence(rows.filter(pl.col("account") == row["account"])),
            )

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)

"""An account that sends as it never did, because somebody else uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import CompromisedAccount as Settings
from mailscope.watch.accounts import Account, Accounts
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.guessing import MOST_SHOWN, named
from mailscope.watch.logins import NEEDS, NEEDS_SUCCESSES
from mailscope.watch.places import provider, travels
from mailscope.watch.seen import Seen
from mailscope.watch.sending import (
    BOUNCED,
    FAILED,
    REFUSED,
    REJECTED,
    REJECTED_FIELDS,
    SENT,
    TRIED,
    sending,
)
from mailscope.watch.weighing import Weighing
from mailscope.watch.window import BUCKET, LAST, SINCE, Measure, Window

KEYS: Final = ("account",)
KIND: Final = pl.col("kind")
MEASURES: Final = (
    Measure("messages", where=KIND == SENT),
    Measure("recipients", "sum", "recipients", KIND == SENT),
    Measure("tried", where=KIND == TRIED),
    Measure("fresh", where=(KIND == TRIED) & pl.col("fresh")),
    Measure("lost", where=KIND.is_in([BOUNCED, REFUSED])),
    Measure("failed", where=KIND == FAILED),
    Measure("senders", "distinct", "sender"),
    Measure("networks", "distinct", "network"),
)
DAY_S: Final = 86_400
BUCKET_S: Final = 120
DAY: Final = timedelta(days=1)
# Spreads above the median from which on a day's recipients are too many.
FAR: Final = 5.0
# Points.  A first newsletter from the usual place, at an odd hour, to an old list, stays below 60.
VOLUME, MORE_VOLUME, FRESH, NIGHT = 15.0, 20.0, 8.0, 5.0
ONE_NETWORK, MORE_NETWORKS, MANY_NETWORKS = 25.0, 35.0, 45.0
ONE_SENDER, MORE_SENDERS = 10.0, 25.0
SOME_LOST, MANY_LOST = 10.0, 25.0
GUESSED: Final = 10.0
# Without a past to compare with, that something is new tells little.
UNKNOWN_PART: Final = 0.5
RARE: Final = 0.05
FEW_LOST: Final = 5


class CompromisedAccount:
    """Weighs what an account sent within the last day against what it did before."""

    about: ClassVar[About] = About(
        name="compromised_account",
        sees="An account that sends far more than it ever did, together with other signs: networks and "
        "sender addresses that are new for it, many failed recipients, recipients never written to, hours at "
        "which it never sends, failed logins before.",
        why="Spam and phishing are sent with passwords that were stolen; the host's address is soon on "
        "blocklists, and everybody's mail suffers.",
        false_positives="A first mailing to an old list, sent from a new place. A mailing like earlier ones "
        "of the same account, and accounts that always send much, are known after a while.",
        advice="Change the password and end the sessions, hold what is still in the queue, look at the "
        "account's filters and forwardings, and ask the user. Then check whether the host is on blocklists.",
        commands=("mailscope about {user}", "mailscope logins --user {user}"),
        quiet_s=7_200,
        again_s=DAY_S,
    )
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {**NEEDS, **NEEDS_SUCCESSES, REJECTED: REJECTED_FIELDS}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._accounts = Accounts()
        self._window = Window(KEYS, MEASURES, DAY_S, bucket_s=BUCKET_S)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = sending(seen, self.site, self._accounts)
        found = self._window.add(rows, {"recipients": self.settings.recipients})
        shown = MOST_SHOWN
        told: dict[str, tuple[float, Any]] = {}
        for row in found.iter_rows(named=True):
            account = str(row["account"])
            weighing = self._weigh(seen, account, row)
            if weighing is None or weighing.score < self.settings.score:
                continue
            # The first, what makes it worse, and that it goes on.
            worst, last = told.get(account, (0.0, row[LAST] - DAY))
            if weighing.score <= worst and row[LAST] - last < timedelta(seconds=self.about.quiet_s / 2):
                continue
            told[account] = max(worst, weighing.score), row[LAST]
            shown -= 1
            mine = rows.filter(pl.col("account") == account, KIND == SENT) if shown >= 0 else None
            yield self._signal(seen, account, row, weighing, mine)

    def _weigh(self, seen: Seen, account: str, row: dict[str, Any]) -> Weighing | None:
        known, recipients = self._accounts.of(account), round(row["recipients"])
        norm, most = known.norm(row[LAST])
        enough = norm.values >= self.settings.history_days
        limit = max(self.settings.recipients, most, norm.median + FAR * norm.spread)
        if recipients < limit:
            return None
        part = 1.0 if enough else UNKNOWN_PART
        weighing = Weighing()
        points = VOLUME + min(MORE_VOLUME, MORE_VOLUME * (recipients / limit - 1) / 4)
        weighing.add(
            part * points,
            Phrase(
                "{count} recipients within a day; before, {median} on a day with mail and {most} at most",
                count=recipients,
                median=round(norm.median),
                most=most,
            )
            if norm.values
            else Phrase("{count} recipients within a day, and nothing before", count=recipients),
        )
        self._lost(weighing, row, recipients)
        self._networks(weighing, seen, account, row, enough=enough)
        self._senders(weighing, account, row, part)
        if row["failed"] >= 2 * FEW_LOST:
            weighing.add(
                GUESSED,
                Phrase("{count} failed logins from networks unknown to it", count=round(row["failed"])),
            )
        if enough:
            self._habits(weighing, known, row)
        return weighing

    @staticmethod
    def _lost(weighing: Weighing, row: dict[str, Any], recipients: int) -> None:
        lost = round(row["lost"])
        share = lost / max(1, min(recipients, round(row["tried"])) if row["tried"] else recipients)
        if lost >= FEW_LOST and share >= 0.08:
            weighing.add(
                MANY_LOST if share >= 0.2 else SOME_LOST,
                Phrase(
                    "{count} recipients failed ({percent} %)", count=lost, percent=round(100 * min(1, share))
                ),
            )

    def _networks(
        self, weighing: Weighing, seen: Seen, account: str, row: dict[str, Any], *, enough: bool
    ) -> None:
        networks = self._window.values("networks", {"account": account}, row[BUCKET])
        if not networks:
            return
        known = seen.places.users.get(account)
        before = [each for each, first in known.networks.items() if first <= row[LAST] - DAY] if known else []
        providers = {provider(each) for each in before}
        strange = [each for each in networks if provider(each) not in providers]
        if before and strange:
            many = len(strange)
            points = ONE_NETWORK if many == 1 else MORE_NETWORKS if many < 4 else MANY_NETWORKS
            if not enough or (known and travels(len(before), known.days)):
                points *= UNKNOWN_PART
        elif len(networks) >= 5:
            # Whatever was before: nobody is at so many places within a day.
            points, strange = MORE_NETWORKS, networks
        else:
            return
        where = {self.site.country(each) for each in strange} - {self.site.country(each) for each in before}
        countries = sorted(each for each in where if each)
        reason = (
            Phrase(
                "sent from new networks: {networks} ({countries})",
                networks=named(strange),
                countries=named(countries),
            )
            if countries
            else Phrase("sent from new networks: {networks}", networks=named(strange))
        )
        weighing.add(points + (5.0 if countries and before else 0.0), reason)

    def _senders(self, weighing: Weighing, account: str, row: dict[str, Any], part: float) -> None:
        senders = self._window.values("senders", {"account": account}, row[BUCKET])
        # An account's own address is new at first.
        least = 1 if part == 1 else 3
        if len(senders) >= least:
            points = part * (ONE_SENDER if len(senders) < 3 else MORE_SENDERS)
            weighing.add(
                points, Phrase("sender addresses never used before: {senders}", senders=named(senders))
            )

    @staticmethod
    def _habits(weighing: Weighing, known: Account, row: dict[str, Any]) -> None:
        if row["tried"] and row["fresh"] / row["tried"] >= 0.8:
            weighing.add(
                FRESH, Phrase("{count} recipients that it never wrote to before", count=round(row["fresh"]))
            )
        if known.usual_at(row[LAST]) < RARE:
            weighing.add(NIGHT, Phrase("sent at an hour at which it never sends"))

    def _signal(
        self, seen: Seen, account: str, row: dict[str, Any], weighing: Weighing, mine: pl.DataFrame | None
    ) -> Signal:
        return Signal(
            subject={"user": account},
            time=row[LAST],
            since=row[SINCE],
            severity=weighing.severity,
            title=Phrase(
                "{user} sent {messages} messages to {recipients} recipients within a day, unlike before",
                user=account,
                messages=round(row["messages"]),
                recipients=round(row["recipients"]),
            ),
            figures={
                name: round(row[name])
                for name in ("messages", "recipients", "fresh", "lost", "senders", "networks", "failed")
            },
            reasons=weighing.reasons,
            lines=seen.evidence(mine) if mine is not None and len(mine) else (),
            score=weighing.score,
        )

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state() | self._accounts.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)
        self._accounts.resume(state)

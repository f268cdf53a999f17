"""One client, or several of one network, try passwords of one account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import BruteForce as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.guessing import (
    FAILURES,
    TRIED,
    VERDICTS,
    Evidence,
    entered,
    minutes,
    reasons,
    severity,
    telling,
    unused,
)
from mailscope.watch.logins import NEEDS, attempts
from mailscope.watch.seen import Seen
from mailscope.watch.window import BUCKET, LAST, SINCE, TIME, Measure, Window

KEYS: Final = ("account", "network")
MEASURES: Final = (
    FAILURES,
    VERDICTS,
    Measure("addresses", "distinct", "client_ip", TRIED),
    Measure("entered", where=~TRIED),
)
# Addresses that are counted as one client.
NETWORK: Final = (24, 64)
# So many addresses of a network are told of as the network.
ROTATING: Final = 3
# Networks whose incident is remembered.
MOST_OPEN: Final = 1_000
OPEN: Final = pl.Schema({"network": pl.String(), "user": pl.String(), "client": pl.String(), "last": TIME})


class BruteForce:
    """Counts failed logins by account and network, over a short time and a long one.

    A network that tries one account after the other is one incident, named by the first of them.
    """

    about: ClassVar[About] = About(
        name="brute_force",
        blockable=True,
        sees="Many failed logins of one account from one address or network: within minutes, or slowly over "
        "hours.",
        why="Someone, or a program, tries passwords of this account until one fits.",
        false_positives="A phone or a mail program with an old password tries every few minutes for days. "
        "Where the user has logged in from its network before, a fast one is told of as information only, a "
        "slow one not at all.",
        advice="Look whether a login succeeded after the failures. If the user knows nothing of it, block "
        "the address; a password that can be guessed should be changed.",
        commands=("mailscope about {client_ip}", "mailscope logins --user {user}"),
        part_of=("password_spraying", "distributed_guessing"),
    )
    needs = NEEDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._fast = Window(KEYS, MEASURES, settings.window_s)
        self._slow = Window(KEYS, MEASURES, settings.slow_window_s)
        # Network -> the account and client that its incident is named by, and when it was last told of.
        self._open: dict[str, tuple[str, str, datetime]] = {}

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = attempts(seen, self.site, *NETWORK)
        if not len(rows):
            return
        rows = rows.with_columns(pl.col("account").fill_null(""))
        found: list[tuple[datetime, int, Window, dict[str, Any]]] = []
        limits = ((self._fast, self.settings.failures), (self._slow, self.settings.slow_failures))
        for window, least in limits:
            reached = window.add(rows, {"failures": least}, {"verdicts": least})
            told = telling(reached, KEYS, "tries", self.about.quiet_s)
            found += [(row[LAST], window.length_s, window, row) for row in told.iter_rows(named=True)]
        evidence = Evidence(seen)
        for _, _, window, row in sorted(found, key=lambda each: each[:2]):
            signal = self._signal(seen, rows, window, row, evidence)
            if signal is not None:
                yield signal

    def _signal(
        self, seen: Seen, rows: pl.DataFrame, window: Window, row: dict[str, Any], evidence: Evidence
    ) -> Signal | None:
        account, network = str(row["account"]), str(row["network"])
        keys = {"account": account, "network": network}
        own = seen.places.familiar(account, network, row[SINCE])
        if own and window is self._slow:
            return None
        clients = window.values("addresses", keys, row[BUCKET])
        client = clients[0] if len(clients) < ROTATING else network
        got_in = self._got_in(seen, window, keys, row)
        count = round(row["tries"])
        no_account = unused([account], seen.places, row[SINCE]) if account else None
        user, where = self._incident(network, account, client, row[LAST])
        subject = {"client_ip" if "/" not in where else "network": where} | ({"user": user} if user else {})
        return Signal(
            subject=subject,
            time=row[LAST],
            since=row[SINCE],
            severity="info" if own else severity(count, no_account, got_in),
            title=_title(account, clients[0] if len(clients) == 1 else network, count, window.length_s),
            figures={"failures": count, "addresses": len(clients), "window_s": window.length_s},
            reasons=reasons(
                entered([account]) if got_in else None,
                Phrase("the user has logged in from there before: perhaps a program with an old password")
                if own
                else None,
                no_account,
                Phrase("{user} was tried too", user=account) if account and account != user else None,
            ),
            lines=evidence.of(rows, pl.col("account") == account, pl.col("network") == network),
        )

    def _got_in(self, seen: Seen, window: Window, keys: dict[str, str], row: dict[str, Any]) -> bool:
        """Whether the user came to this network for the first time after most of the failures."""
        first = seen.places.first(keys["account"], keys["network"])
        if not row["entered"] or first is None or first > row[LAST]:
            return False
        least = self.settings.failures if window is self._fast else self.settings.slow_failures
        before = max(window.until(name, keys, first) for name in ("failures", "verdicts"))
        return before >= least / 2

    def _incident(self, network: str, account: str, client: str, time: datetime) -> tuple[str, str]:
        """By which account and client the incident of a network is named."""
        user, where, last = self._open.pop(network, (account, client, time))
        if time - last > timedelta(seconds=self.about.quiet_s):
            user, where = account, client
        self._open[network] = user, where, max(time, last)
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        return user, where

    def state(self) -> Frames:
        """What it remembers."""
        opened = [(network, *named) for network, named in self._open.items()]
        return {
            **self._fast.state("fast"),
            **self._slow.state("slow"),
            "open": pl.DataFrame(opened, OPEN, orient="row"),
        }

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._fast.resume(state, "fast")
        self._slow.resume(state, "slow")
        opened = state.get("open")
        if opened is not None and opened.schema == OPEN:
            self._open = {network: (user, client, last) for network, user, client, last in opened.iter_rows()}


def _title(account: str, client: str, count: int, window_s: int) -> Phrase:
    span = minutes(window_s)
    if not account:
        return Phrase(
            "{count} failed logins from {client_ip} within {minutes} minutes",
            count=count,
            client_ip=client,
            minutes=span,
        )
    return Phrase(
        "{count} failed logins of {user} from {client_ip} within {minutes} minutes",
        count=count,
        user=account,
        client_ip=client,
        minutes=span,
    )

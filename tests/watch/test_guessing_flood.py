"""A flood of failed logins, 20,000 a second: one incident, in bounded memory, whoever takes part."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl
import pytest
from running import examples

from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.finding import Finding
from mailscope.watch.logins import ATTEMPTS
from mailscope.watch.seen import Seen
from mailscope.watch.watcher import Watcher
from mailscope.watch.window import MOST_ROWS

BEGIN = datetime(2026, 3, 1, 12)
RATE = 20_000
# Enough to fill what is bounded; MAILSCOPE_FUZZ=60 is the whole minute.
SECONDS = examples(4, 60)
NAMES = ("password_spraying", "distributed_guessing", "brute_force")


def batches(users: int, networks: int) -> Iterator[pl.DataFrame]:
    """A second after the other; users and addresses in an order that repeats late."""
    for second in range(SECONDS):
        number = pl.int_range(second * RATE, (second + 1) * RATE, eager=True)
        mixed = (number * 2_654_435_761) % 4_294_967_296
        host = mixed % networks
        yield pl.DataFrame(
            {
                "time": pl.select(
                    pl.lit(BEGIN + timedelta(seconds=second)) + pl.duration(microseconds=(number % RATE) * 50)
                ).to_series(),
                "order": number % RATE,
                "host": pl.repeat("mx", RATE, eager=True),
                "service": pl.repeat("smtpd", RATE, eager=True),
                "client_ip": pl.select(
                    pl.format("10.{}.{}.{}", host // 256 % 256, host % 256, 1 + host // 65_536)
                ).to_series(),
                "account": pl.select(
                    pl.format("user{}@example.org", mixed // networks % users)
                ).to_series(),
                "verdict": pl.repeat(False, RATE, eager=True),
            },
        ).cast({name: dtype for name, dtype in ATTEMPTS.items() if name != "entered"})  # fmt: skip


@pytest.mark.parametrize(
    ("users", "networks"),
    [(300, 1), (300, 200), (1, 60_000), (1_000_000, 60_000), (300, 60_000)],
    ids=["one-client", "few-clients", "one-account", "everything-invented", "many-clients"],
)
def test_a_flood_is_one_incident(users: int, networks: int) -> None:
    watcher = Watcher.of(Settings(), NAMES)
    nothing = Outcome(*[pl.DataFrame()] * 6)
    found: dict[str, Finding] = {}
    for number, frame in enumerate(batches(users, networks)):
        seen = Seen([], nothing, pl.DataFrame(), BEGIN + timedelta(seconds=number + 1))
        seen.derived("failures", lambda frame=frame: frame)  # type: ignore[misc]
        found |= {each.id: each for each in watcher.see(seen)}
    assert len(found) == 1
    frames, _ = watcher.kept()
    assert max(len(frame) for frame in frames.values()) <= MOST_ROWS
    assert sum(frame.estimated_size() for frame in frames.values()) < 120_000_000

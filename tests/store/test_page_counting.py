"""Tallies of pages: the same as the store's own sums, whatever was kept of sealed days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from running import library
from siting import running

from mailscope.store import sealing
from mailscope.store.counting import Counting
from mailscope.store.database import Database
from mailscope.store.reader import Reader
from mailscope.store.remembering import Remembered
from mailscope.tallies.kept import from_bytes

DAY = datetime(2026, 11, 22)
NAMES = ("lines", "login_users", "recipients", "problems")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Two days that are sealed, and one that is not."""
    place = tmp_path_factory.mktemp("counting")
    lines = []
    for hour in range(0, 66, 3):
        at = (DAY + timedelta(hours=hour)).isoformat()
        lines += [
            f"{at}+00:00 mx sshd[9]: Failed password for root from 203.0.113.{hour} port 4242 ssh2",
            f"{at}+00:00 mx postfix/qmgr[12]: 4B5C61F{hour:03d}: from=<a@example.org>, size=9, nrcpt=1 (queue active)",
            f"{at}+00:00 mx postfix/smtp[13]: 4B5C61F{hour:03d}: to=<b@d{hour % 2}.example>, relay=mx.example.com[203.0.113.25]:25, "
            "delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 Ok)",
            f"{at}+00:00 mx postfix/qmgr[12]: 4B5C61F{hour:03d}: removed",
        ]
    with running(place, lines):
        pass
    database = Database(place / "store")
    while (part := sealing.next_slice(database, DAY + timedelta(days=2, hours=12))) is not None:
        sealing.seal(database, part)
    database.close()
    found = Reader.open(place / "store", library(), ZoneInfo("UTC"))
    yield found
    found.close()


@pytest.mark.parametrize(
    ("since", "until"), [(0, 72), (0, 24), (24, 48), (5, 30), (0, 49), (47, 66), (70, 72), (7, 8)]
)
@pytest.mark.parametrize("kept_bytes", [0, 1 << 20])
def test_it_is_the_sum_that_the_store_gives(reader: Reader, since: int, until: int, kept_bytes: int) -> None:
    begin, end = DAY + timedelta(hours=since), DAY + timedelta(hours=until)
    expected = from_bytes(reader.tallies(begin, end), reader.zone)
    counting = Counting(Remembered(kept_bytes))
    # The second time out of what was kept of the first.
    for _ in range(2):
        found = counting.ledger(reader, nullcontext(), NAMES, begin, end)
        for name in NAMES:
            rows, whole = found.result(name), expected.result(name)
            keys = sorted(whole.columns)
            assert sorted(rows.select(keys).rows(), key=repr) == sorted(
                whole.select(keys).rows(), key=repr
            ), name


def test_what_is_kept_stays_within_its_bound(reader: Reader) -> None:
    remembered = Remembered(20_000)
    counting = Counting(remembered)
    for first in range(3):
        for names in (("lines",), ("login_users",), ("problems",)):
            counting.ledger(reader, nullcontext(), names, DAY, DAY + timedelta(days=1 + first))
            assert 0 < remembered.size <= 20_000
            assert remembered.size == sum(size for _, size in remembered._things.values())

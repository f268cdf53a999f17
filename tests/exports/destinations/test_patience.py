"""Waits grow, differ, listen to the server, and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mailscope.exports.destinations import patience
from mailscope.exports.destinations.patience import Patience, retry_after
from mailscope.vocabulary.errors import OutputError


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits, in a world whose clock moves only by them."""
    waits: list[float] = []
    monkeypatch.setattr(patience.time, "sleep", waits.append)
    monkeypatch.setattr(patience.time, "monotonic", lambda: sum(waits))
    return waits


def test_waits_double_up_to_half_a_minute_and_end(slept: list[float]) -> None:
    retries: list[int] = []
    worker = Patience(120, "server", lambda: retries.append(1))
    with pytest.raises(OutputError, match=r"server: busy \(tried .* times in .* s\)"):
        list(iter(lambda: worker.wait("busy"), "never"))
    assert len(retries) == len(slept)
    for number, wait in enumerate(slept):
        longest = min(30, 0.5 * 2**number)
        assert longest / 2 <= wait <= longest
    assert 85 < sum(slept) <= 120


def test_progress_begins_again(slept: list[float]) -> None:
    worker = Patience(1, "server", lambda: None)
    for _ in range(10):
        worker.wait("busy")
        worker.progress()
    assert max(slept) <= 0.5


def test_what_the_server_asks_for_is_the_least(slept: list[float]) -> None:
    worker = Patience(10, "server", lambda: None)
    worker.wait("busy", 7)
    assert slept == [7]
    with pytest.raises(OutputError):
        worker.wait("busy", 7)


def test_retry_after() -> None:
    assert retry_after(None) == 0
    assert retry_after("12") == 12
    assert retry_after("soon") == 0
    assert retry_after("-3") == 0
    later = datetime.now(UTC) + timedelta(seconds=90)
    assert 80 < retry_after(format_datetime(later, usegmt=True)) <= 90
    assert retry_after(format_datetime(later - timedelta(days=1), usegmt=True)) == 0

"""What is done between batches is done on a busy host as well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from running import library

from mailscope.daemon import service as service_module
from mailscope.daemon.samplers import Sampled
from mailscope.daemon.service import Service
from mailscope.intake.live import Arrival
from mailscope.store.database import Database


class Endless:
    """A feed that always has a line."""

    def __init__(self) -> None:
        self.given = 0

    def take(self, room: int) -> Sequence[Arrival]:
        self.given += 1
        at = datetime.now(UTC).isoformat()
        line = f"{at} mx postfix/qmgr[1]: 4B5C61F{self.given:03}: removed\n".encode()
        return [
            Arrival("mail.log", line, line_number=self.given, resume={"at": self.given}, set_id="mail.log")
        ]

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        pass

    def problems(self) -> Sequence[str]:
        return ()

    def end(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Asked:
    """A sampler that counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def sample(self, now: datetime) -> None:
        self.times += 1


def test_samplers_are_asked_between_batches(tmp_path: Path) -> None:
    feed, asked = Endless(), Asked()
    service = Service(lambda: Database(tmp_path / "store"), library(), ZoneInfo("UTC"), [feed], print)
    service.samplers = [Sampled("host_load", asked)]
    for _ in range(5):
        service.step()
    assert (feed.given, asked.times) == (5, 5)
    service.stop()


def test_samplers_are_asked_while_much_more_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when an attack writes faster than is stored: findings must be told, and finished days sealed."""
    monkeypatch.setattr(service_module, "BATCH_BYTES", 64)  # each batch is a full one
    monkeypatch.setattr(service_module, "TIDY_S", 0.5)
    feed, asked = Endless(), Asked()
    service = Service(lambda: Database(tmp_path / "store"), library(), ZoneInfo("UTC"), [feed], print)
    service.samplers = [Sampled("host_load", asked)]
    begun = time.monotonic()
    while time.monotonic() - begun < 2:
        assert service.step()
    assert 2 <= asked.times <= 4
    assert feed.given > asked.times
    service.stop()

"""What readers of queues are asked of the lab's queue (``lab``, in ``tests/conftest.py``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailscope.queues.entry import Spool

NOW = datetime(2026, 11, 22, 3, 55, 55, tzinfo=UTC).timestamp()


@pytest.fixture
def asked(lab: Path) -> Callable[..., Spool]:
    """What a reader is asked of that queue; what it could not read fails the test."""

    def make(*queues: str) -> Spool:
        return Spool(lab / "spool", NOW, _no_trouble, queues, ZoneInfo("UTC"))

    return make


def _no_trouble(words: str) -> None:
    raise AssertionError(words)

"""A queue of a real Postfix 3.7 with what its own programs printed of it, from the test bench.

``postfix.tar.xz``: ``spool`` (incoming, active, deferred, hold, corrupt, maildrop and the logs), taken while
the queue manager stood still; ``golden``: what postqueue, postcat and qshape printed then.  Two of the three
files in corrupt were made by us.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailscope.queues.entry import Spool

PACKED = Path(__file__).parents[1] / "data" / "queues" / "postfix.tar.xz"
NOW = datetime(2026, 11, 22, 3, 55, 55, tzinfo=UTC).timestamp()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked queue (``spool``) and outputs (``golden``); not to be changed."""
    place = tmp_path_factory.mktemp("lab")
    with tarfile.open(PACKED) as packed:
        packed.extractall(place, filter="tar")
    return place


@pytest.fixture
def asked(lab: Path) -> Callable[..., Spool]:
    """What a reader is asked of that queue; what it could not read fails the test."""

    def make(*queues: str) -> Spool:
        return Spool(lab / "spool", NOW, _no_trouble, queues, ZoneInfo("UTC"))

    return make


def _no_trouble(words: str) -> None:
    raise AssertionError(words)

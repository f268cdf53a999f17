"""The report over the example logs, made once."""

from __future__ import annotations

import pytest
from replaying import EXAMPLES, Replay, replay


@pytest.fixture(scope="session")
def examples() -> Replay:
    return replay(EXAMPLES)

"""A small log in a file, and waits that are short."""

from __future__ import annotations

from pathlib import Path

import pytest
from exporting import write

from mailscope.exports.destinations import patience


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.01)

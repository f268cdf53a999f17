"""What the tests of people share."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from mailscope.web.people import passwords


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost nothing to look at."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()

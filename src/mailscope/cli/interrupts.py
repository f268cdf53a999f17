"""What is still done when a person presses Ctrl-C: little, at once, and without raising."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_actions: list[Callable[[], str]] = []


@contextmanager
def on_interrupt(action: Callable[[], str]) -> Iterator[None]:
    """Have something done if the block is interrupted; it gives a line to tell, or the empty string."""
    _actions.append(action)
    try:
        yield
    finally:
        _actions.remove(action)


def last_words() -> list[str]:
    """Do what was asked for; give the lines to tell."""
    told = []
    for action in _actions:
        with suppress(OSError):
            told.append(action())
    return [line for line in told if line]

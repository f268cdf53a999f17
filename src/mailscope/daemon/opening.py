"""Opening the store as the one that writes it, when a command may be reading it just now."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mailscope.store.database import Database
from mailscope.store.refusals import InUseError

# For so long a command that reads the store is waited for: less than the watchdog allows.
PATIENCE_S: Final = 20.0
AGAIN_S: Final = 0.25


def opened(
    place: Path, memory_mb: int, say: Callable[[str], None], patience_s: float = PATIENCE_S
) -> Database:
    """The store.  Raises StoreError or InputError: at once where another process writes it."""
    until = time.monotonic() + patience_s
    told = False
    while True:
        try:
            database = Database(place, memory_mb=memory_mb)
        except InUseError as error:
            if not error.read or time.monotonic() > until:
                raise
            if not told:
                say(f"waiting for the store: {error.what}")
                told = True
        else:
            for change in database.brought_up:
                say(f"the store was brought up to date: {change}")
            return database
        time.sleep(AGAIN_S)

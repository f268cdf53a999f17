"""What was made of a store once and is asked for again, as much as fits in a bounded amount of memory.

Only what cannot change may be remembered: of sealed files, which are never written again under the same name,
or what is named by its own bytes.  When the store was opened anew all is forgotten, as nothing of a person
may stay who was erased from it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, TypeVar

import polars as pl

from mailscope.store.database import Queries

Made = TypeVar("Made")
MOST_BYTES: Final = 64 << 20
# What one thing costs besides its rows.
BESIDES: Final = 1_000


class Remembered:
    """Things by their place; those that were not asked for the longest go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._size = most_bytes, 0
        self._owner: object = None
        self._things: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of all, about."""
        return self._size

    def once(
        self, owner: object, place: Hashable, make: Callable[[], Made], size: Callable[[Made], int]
    ) -> Made:
        """What was made before, or is now.

        ``owner``: stands for the open store; with another one nothing is known.  ``size``: its bytes.
        """
        with self._lock:
            if owner is not self._owner:
                self._owner, self._size = owner, 0
                self._things.clear()
            if place in self._things:
                self._things.move_to_end(place)
                made: Made = self._things[place][0]
                return made
        made = make()
        self._keep(owner, place, made, size(made) + BESIDES)
        return made

    def frame(self, owner: object, looking: Queries, statement: str, values: Sequence[Any]) -> pl.DataFrame:
        """The answer to a statement about sealed files only."""
        return self.once(
            owner,
            (statement, repr(values)),
            lambda: looking.frame(statement, values),
            lambda frame: int(frame.estimated_size()),
        )

    def _keep(self, owner: object, place: Hashable, made: object, size: int) -> None:
        with self._lock:
            if size > self._most // 4 or place in self._things or owner is not self._owner:
                return
            self._things[place] = made, size
            self._size += size
            while self._size > self._most:
                _, (_, freed) = self._things.popitem(last=False)
                self._size -= freed

"""Keep what the daemon's many threads have freed from staying with it."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from typing import Final

# mallopt(3): glibc otherwise makes up to eight arenas for each processor, and memory that is freed in one of
# them is not used by the threads of another.
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2


def share_arenas() -> bool:
    """Have threads that begin from now on share two arenas of the C library; False where it has none."""
    with suppress(AttributeError, OSError):
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS))
    return False


def freeze() -> None:
    """What is loaded by now stays: looking for garbage in it would hold up a batch now and then."""
    gc.collect()
    gc.freeze()

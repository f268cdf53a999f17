"""Names of the terminals in records of processes, as GNU acct has them (dev_hash.c).

In: a device's number, 16 bits as acct(5) has it.  Out: its name: those in /dev of this host first, then
pseudo-terminals, whose numbers mean the same everywhere; ``__`` for none, and ``[major,minor]`` for what has
no name.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

NONE: Final = b"__"
_PTS_MAJOR: Final = 136
_PTS: Final = 2048
# In this order: a name that is found later takes the place of one found before.
_FOLDERS: Final = ("", "pty", "ptym")


class Devices:
    """Names of devices.  ``dev``: the folder of this host's devices; None: those of no host."""

    def __init__(self, dev: Path | None = Path("/dev")) -> None:
        self._dev = dev

    def names(self, numbers: npt.NDArray[np.uint16]) -> npt.NDArray[np.bytes_]:
        """The name of each."""
        distinct, which = np.unique(numbers, return_inverse=True)
        found = [self.name(int(number)) for number in distinct]
        return np.array(found or [b""], dtype=np.bytes_)[which]

    def name(self, number: int) -> bytes:
        """The name of one."""
        if number == 0:
            return NONE
        return self._known.get(number) or b"[%d,%d]" % (number >> 8 & 0xFF, number & 0xFF)

    @cached_property
    def _known(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for folder in _FOLDERS if self._dev else ():
            with suppress(OSError), os.scandir(self._dev / folder) as listing:  # type: ignore[operator]
                for entry in listing:
                    with suppress(OSError):
                        status = entry.stat()
                        if stat.S_ISCHR(status.st_mode):
                            found[status.st_rdev] = os.fsencode(entry.name)
        for number in range(_PTS):
            found[(_PTS_MAJOR + number // 256 << 8) + number % 256] = b"pts/%d" % number
        return found

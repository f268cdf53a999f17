"""Making labels of the present instant.

A label is ``@``, sixteen hexadecimal digits of seconds (2^62 is the beginning of 1970 TAI) and eight of
nanoseconds.  daemontools knows no leap seconds: it adds 10 to the Unix time, always, and the nanoseconds are
the middle of a microsecond.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

EPOCH: Final = 1 << 62
# What daemontools takes TAI and Unix time to differ by; programs with a table of leap seconds write 37.
OFFSET_S: Final = 10
LENGTH: Final = 25  # characters, with the @


def stamper() -> Callable[[], bytes]:
    """A function that gives the label of now; one for each user, as it remembers the second."""
    second, seconds = -1, b""

    def stamp() -> bytes:
        nonlocal second, seconds
        now, rest = divmod(time.time_ns(), 1_000_000_000)
        if now != second:
            second, seconds = now, b"@%016x" % (EPOCH + OFFSET_S + now)
        return b"%b%08x" % (seconds, rest // 1000 * 1000 + 500)

    return stamp

"""``tai64nlocal``: labels at the beginning of lines told in local time.

A label is ``@`` and 24 lower-case hexadecimal digits.  What is none (too short, too long, a year that no
calendar here has) stays as it is; daemontools' program writes a date of garbage then, or crashes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Final

from mailscope.syslog.tai64n.label import EPOCH, LENGTH, OFFSET_S
from mailscope.syslog.tai64n.stamping import BLOCK_BYTES

_LABEL: Final = re.compile(rb"^@([0-9a-f]{16})([0-9a-f]{8})(?![0-9a-f])", re.MULTILINE)
_SECONDS_KEPT: Final = 4096
_WHOLE: Final = LENGTH + 1  # a label and the byte that ends it


def local_lines(
    source: int, out: Callable[[bytes], None], offset_s: int = OFFSET_S, *, iso: bool = False
) -> None:
    """Copy a file descriptor's lines, as they come, with their labels told in local time.

    ``out``: takes what is to be written at once; ``offset_s``: what labels are ahead of Unix time; ``iso``:
    as ``2026-11-27T10:00:00.123456789+01:00`` instead of daemontools' ``2026-11-27 10:00:00.123456789``.
    """
    told = _Told(offset_s, iso)
    held = b""  # the beginning of a line that may turn out to be a label
    inside = False  # whether what comes next is the middle of a line
    while block := os.read(source, BLOCK_BYTES):
        block, held = held + block, b""
        begin = 0
        if inside:
            begin = block.find(b"\n") + 1
            if not begin:
                out(block)
                continue
        last = block.rfind(b"\n") + 1
        tail = block[last:] if last >= begin else block[begin:]
        if tail.startswith(b"@") and len(tail) < _WHOLE:
            held = tail
        end = len(block) - len(held)
        out(block[:begin] + _LABEL.sub(told, block[begin:end]))
        inside = end > 0 and block[end - 1 : end] != b"\n"
    if held:
        out(_LABEL.sub(told, held))


class _Told:
    """What stands for a label; seconds that were met are remembered."""

    def __init__(self, offset_s: int, iso: bool) -> None:
        self._ahead = EPOCH + offset_s
        self._iso = iso
        self._known: dict[bytes, tuple[bytes, bytes] | None] = {}

    def __call__(self, found: re.Match[bytes]) -> bytes:
        digits = found[1]
        if digits not in self._known:
            if len(self._known) >= _SECONDS_KEPT:
                self._known.clear()
            self._known[digits] = self._second(int(digits, 16) - self._ahead)
        known = self._known[digits]
        if known is None:
            return found[0]
        return b"%b.%09d%b" % (known[0], int(found[2], 16), known[1])

    def _second(self, seconds: int) -> tuple[bytes, bytes] | None:
        """The date and the zone behind the fraction; None where no calendar here has it."""
        try:
            at = time.localtime(seconds)
        except (OverflowError, ValueError, OSError):
            return None
        if at.tm_year < 0:
            return None
        clock = (at.tm_hour, at.tm_min, at.tm_sec)
        date = b"%d-%02d-%02d" % (at.tm_year, at.tm_mon, at.tm_mday)
        if not self._iso:
            return date + b" %02d:%02d:%02d" % clock, b""
        minutes = at.tm_gmtoff // 60
        zone = b"%c%02d:%02d" % (b"+" if minutes >= 0 else b"-", *divmod(abs(minutes), 60))
        return date + b"T%02d:%02d:%02d" % clock, zone

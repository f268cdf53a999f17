"""``tai64n``: every line with the instant at which its first byte was read."""

from __future__ import annotations

import os
from collections.abc import Callable

from mailscope.syslog.tai64n.label import stamper

BLOCK_BYTES = 1 << 16


def stamp_lines(source: int, out: Callable[[bytes], None]) -> None:
    """Copy a file descriptor's lines, stamped, as they come.

    ``out``: takes what is to be written, which must be out before it returns: what was read is never kept
    back while the next line is waited for.  A last line without a line feed stays without one.
    """
    stamp = stamper()
    begun = False
    while block := os.read(source, BLOCK_BYTES):
        lines = block.split(b"\n")
        last = lines.pop()
        parts: list[bytes] = []
        for line in lines:
            if not begun:
                parts += (stamp(), b" ")
            parts += (line, b"\n")
            begun = False
        if last:
            if not begun:
                parts += (stamp(), b" ")
            parts.append(last)
            begun = True
        out(b"".join(parts))

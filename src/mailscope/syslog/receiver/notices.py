"""What the receiver says of its own troubles: lines in the log, and one line each for the status.

A loss is a line of its own in the log that it makes incomplete, as rsyslogd and journald write it; the
pattern file ``mailscope/receiver`` knows these lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.syslog.receiver.counts import KINDS, Counts
from mailscope.syslog.receiver.stamps import instant, stamp

# syslog.warning: the facility that syslog daemons use for themselves.
PRI: Final = 5 * 8 + 4
# The same trouble is told again after so long, with all that came meanwhile.
AGAIN_US: Final = 10_000_000
# A trouble is one of "just now" for so long.
LASTING_US: Final = 15 * 60 * 1_000_000


class Notices:
    """Which troubles were told in the log, and which are to be told."""

    def __init__(self, host: bytes) -> None:
        self._host = host
        self._told: dict[tuple[str, str], tuple[int, int]] = {}  # how many, and when

    def lines(self, name: str, counts: Counts, now_us: int, *, at_once: bool = False) -> list[bytes]:
        """Lines, without line feeds, on what happened at a socket since it was told last."""
        out = []
        for kind, trouble in counts.trouble.items():
            count, when_us = self._told.get((name, kind), (0, 0))
            if trouble.times == count or (now_us - when_us < AGAIN_US and not at_once):
                continue
            self._told[name, kind] = (trouble.times, now_us)
            text = f"receiver {name}: {trouble.times - count} {KINDS[kind].words}"
            if trouble.detail:
                text += f" (last: {_printable(trouble.detail)})"
            head = b"<%d>%s %s mailscope[%d]: " % (PRI, stamp(now_us), self._host, os.getpid())
            out.append(head + text.encode())
        return out


def problems(counts: Mapping[str, Counts], now_us: int) -> Iterable[Phrase]:
    """What went wrong at each socket in the last quarter of an hour, counted since it was opened."""
    for name, each in counts.items():
        # A copy: the receiver's thread goes on counting.
        for kind, trouble in list(each.trouble.items()):
            if now_us - trouble.last_us > LASTING_US:
                continue
            told = {"where": name, "n": trouble.times, "what": KINDS[kind].words}
            told["time"] = instant(trouble.last_us).isoformat(sep=" ", timespec="seconds")
            if trouble.detail:
                told["detail"] = _printable(trouble.detail)
                yield Phrase("{where}: {n} {what}; the last at {time}: {detail}", **told)
            else:
                yield Phrase("{where}: {n} {what}; the last at {time}", **told)


def _printable(detail: str) -> str:
    """Words that a stranger chose (the names in a certificate) on one line and not endless."""
    return "".join(char if char.isprintable() else "?" for char in detail[:200])

"""When qmail-send tries a message again: the longer it waits, the longer until the next time.

A message that came ``age`` ago is tried again at ``(isqrt(age) + skip) ** 2`` after it came, with ``skip`` 10
for local and 20 for remote recipients: at 0, 100 s, 400 s ... and 0, 400 s, 1600 s ...  After queuelifetime
the next try is the last.

Source: nextretry(), squareroot() and chanskip[] of qmail-send.c, notqmail 1.09; ``lifetime`` is a week unless
control/queuelifetime says otherwise.
"""

from __future__ import annotations

from math import isqrt
from pathlib import Path
from typing import Final

from mailscope.queues.qmail.places import LOCAL, REMOTE

SKIP: Final = {LOCAL: 10, REMOTE: 20}
LIFETIME_S: Final = 604_800


def next_retry(came: int, tried: int, channel: str) -> int:
    """The instant of the try after one at ``tried``, of a message that came at ``came`` (seconds)."""
    return came + (isqrt(max(tried - came, 0)) + SKIP[channel]) ** 2


def reckoned(came: int, now: float, channel: str) -> tuple[int, int]:
    """How often a message was tried, and when it is next, if qmail-send ran all the time and was in time."""
    age = int(max(now - came, 0))
    tries = isqrt(age) // SKIP[channel] + 1
    return tries, came + (tries * SKIP[channel]) ** 2


def lifetime(place: Path, control: Path | None) -> int:
    """queuelifetime in seconds: of a control directory that was named, or of that beside the queue."""
    file = (control or place.parent / "control") / "queuelifetime"
    try:
        first = file.read_text(encoding="latin-1").splitlines()[:1]
    except OSError:
        return LIFETIME_S
    word = first[0].strip() if first else ""
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 12 else LIFETIME_S

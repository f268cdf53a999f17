"""Where Postfix keeps what: queues, hashed directories, queue ids and the time inside long ones.

Sources: mail_queue.h, mail_queue.c, mail_scan_dir.c and mail_open_ok.c of Postfix 3.7; hash_queue_names and
hash_queue_depth of postconf(5).  However deep the directories are hashed, those with names of one character
are entered.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD = "maildrop", "incoming", "active", "deferred", "hold"
CORRUPT: Final = "corrupt"
SAVED: Final = "saved"
DEFER: Final = "defer"
# As showq(8) lists them.
LISTED: Final = (MAILDROP, ACTIVE, INCOMING, DEFERRED, HOLD)
QUEUES: Final = (*LISTED, CORRUPT)
# As postcat -q looks for an id.
SEARCHED: Final = (MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD, SAVED)
READY: Final = stat.S_IRWXU
EXPIRE: Final = stat.S_IXGRP
_ID: Final = re.compile(r"[0-9A-Za-z_]{1,255}")
_LONG: Final = re.compile(r"([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{6,})z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]*")
_DIGITS: Final = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_MICROSECONDS: Final = 4
# What stands before the z of a long id: six digits of seconds at least, and the microseconds.
_SHORTEST: Final = 10
# A directory's name is a digit of microseconds in hexadecimal, or of a short id.
_HASHED: Final = "0123456789ABCDEF"
# Directories within directories; Postfix itself makes two levels at most unless told otherwise.
_DEEPEST: Final = 16


def id_fits(queue_id: str) -> bool:
    """Whether a name can be a queue id."""
    return _ID.fullmatch(queue_id) is not None


def is_long(queue_id: str) -> bool:
    """Whether it is a long, never repeated queue id (enable_long_queue_ids)."""
    return queue_id.rfind("z") >= _SHORTEST


def time_of(queue_id: str) -> float | None:
    """When a message with a long id came, in seconds since 1970; None of a short one, which does not tell."""
    found = _LONG.fullmatch(queue_id)
    if found is None or len(found[1]) < _SHORTEST:
        return None
    seconds = micros = 0
    for digit in found[1][:-_MICROSECONDS]:
        seconds = seconds * len(_DIGITS) + _VALUES[digit]
    for digit in found[1][-_MICROSECONDS:]:
        micros = micros * len(_DIGITS) + _VALUES[digit]
    return seconds + micros / 1e6


def name_of(arrival_time: float, inode: int, *, long: bool) -> str:
    """The queue id of a file: of its inode and of when its message came (seconds since 1970), long or
    short.
    """
    seconds, micros = int(arrival_time), round(arrival_time % 1 * 1e6) % 1_000_000
    if not long:
        return f"{micros:05X}{inode:X}"
    return f"{_encoded(seconds, 52, 6)}{_encoded(micros, 52, _MICROSECONDS)}z{_encoded(inode, 51)}"


def names(directory: Path, tell: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The files of a queue: name and path, in the order in which the file system gives them, as Postfix does.

    ``tell`` takes what cannot be read.  A queue that is not there is empty.
    """
    waiting = [_opened(str(directory), tell)]
    while waiting:
        for found in waiting[-1]:
            name = found.name
            if len(name) > 1:
                yield name, found.path
            elif len(waiting) > _DEEPEST:
                tell(f"{found.path}: too many directories within each other")
            else:
                waiting.append(_opened(found.path, tell))
                break
        else:
            waiting.pop()


class Finder:
    """Finds messages by their ids in the queues of a spool, without reading directories each time."""

    def __init__(self, place: Path, queues: tuple[str, ...] = SEARCHED) -> None:
        # As deep as a queue is hashed now first; what was hashed otherwise before may lie less deep.
        # Directories are made when they are needed: two levels may come to be at any time.
        self._places = [
            (queue, place / queue, range(max(2, depth(place / queue)), -1, -1)) for queue in queues
        ]

    def find(self, queue_id: str) -> tuple[str, Path] | None:
        """The queue and file of an id."""
        if not id_fits(queue_id):
            return None
        # A message may move from one queue to another while it is looked for.
        for _ in range(2):
            for queue, directory, depths in self._places:
                for levels in depths:
                    path = directory / hashed(queue_id, levels)
                    try:
                        if stat.S_ISREG(path.lstat().st_mode):
                            return queue, path
                    except OSError:
                        continue
        return None


def depth(directory: Path) -> int:
    """How many levels of directories there are below a directory, by which its files are hashed.

    Looked for by their names: listing directories of many thousand files would cost more than reading them.
    """
    levels = 0
    level = [str(directory)]
    while levels < _DEEPEST:
        paths = (f"{path}/{letter}" for path in level for letter in _HASHED)
        below = [path for path in paths if os.path.isdir(path)]
        if not below:
            break
        level, levels = below[: len(_HASHED)], levels + 1
    return levels


def hashed(queue_id: str, levels: int) -> str:
    """The directory below a queue's that an id leads to, with the id (mail_queue_dir): ``4/C/4CB2A17802A``.

    A short id leads by its first characters; a long one by its microseconds, in five hexadecimal digits.
    """
    if not levels:
        return queue_id
    letters, mark = queue_id, queue_id.rfind("z")
    if mark >= _SHORTEST:
        micros = 0
        for digit in queue_id[mark - _MICROSECONDS : mark]:
            micros = micros * len(_DIGITS) + _VALUES.get(digit, 0)
        letters = f"{micros:05X}"
    return f"{'/'.join(letters[:levels])}/{queue_id}"


def _encoded(number: int, base: int, least: int = 1) -> str:
    digits = ""
    while number or len(digits) < least:
        number, digit = divmod(number, base)
        digits = _DIGITS[digit] + digits
    return digits


def _opened(path: str, tell: Callable[[str], None]) -> Iterator[os.DirEntry[str]]:
    try:
        # Read at once: few directories stay open, and a queue that moves is listed as it was at an instant.
        with os.scandir(path) as found:
            return iter(list(found))
    except FileNotFoundError:
        return iter(())
    except OSError as error:
        tell(f"{path}: {error.strerror}")
        return iter(())

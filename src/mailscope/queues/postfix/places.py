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
_LONG: Final = re.compile(r"([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{6,})z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-ty]*")
_DIGITS: Final = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_MICROSECONDS: Final = 4
# Directories within directories; Postfix itself makes two levels at most unless told otherwise.
_DEEPEST: Final = 16


def id_fits(queue_id: str) -> bool:
    """Whether a name can be a queue id."""
    return _ID.fullmatch(queue_id) is not None


def is_long(queue_id: str) -> bool:
    """Whether it is a long, never repeated queue id (enable_long_queue_ids)."""
    return queue_id.rfind("z") >= 10


def time_of(queue_id: str) -> float | None:
    """When a message with a long id came, in seconds since 1970; None of a short one, which does not tell."""
    found = _LONG.fullmatch(queue_id)
    if found is None or len(found[1]) < 10:
        return None
    seconds = micros = 0
    for digit in found[1][:-_MICROSECONDS]:
        seconds = seconds * len(_DIGITS) + _VALUES[digit]
    for digit in found[1][-_MICROSECONDS:]:
        micros = micros * len(_DIGITS) + _VALUES[digit]
    return seconds + micros / 1e6


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


def find(place: Path, queue_id: str, queues: tuple[str, ...] = SEARCHED) -> tuple[str, Path] | None:
    """The queue and file of an id, looked for in the hashed directories without reading them all."""
    if not id_fits(queue_id):
        return None
    for queue in queues:
        for directory in _hashed(place / queue, queue_id):
            path = directory / queue_id
            if path.is_file() and not path.is_symlink():
                return queue, path
    return None


def hashed(place: Path, name: str, queue_id: str) -> Iterator[Path]:
    """The files that may belong to an id below a directory (as ``defer``), for any depth of hashing."""
    return (directory / queue_id for directory in _hashed(place / name, queue_id))


def _hashed(directory: Path, queue_id: str) -> Iterator[Path]:
    """A directory and those below it that the id leads to (mail_queue_dir).

    A short id leads by its first characters; a long one by its microseconds, written in five hexadecimal
    digits.
    """
    yield directory
    letters = queue_id
    if is_long(queue_id):
        micros = 0
        for digit in queue_id[queue_id.rfind("z") - _MICROSECONDS : queue_id.rfind("z")]:
            micros = micros * len(_DIGITS) + _VALUES.get(digit, 0)
        letters = f"{micros:05X}"
    for letter in letters[:_DEEPEST]:
        directory = directory / letter
        if not directory.is_dir():
            return
        yield directory


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

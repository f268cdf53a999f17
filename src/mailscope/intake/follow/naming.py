"""From what is named in the settings to the logs that are followed.

A path is a log, whether it is there yet or not.  A pattern (glob(7)) or a directory means all logs whose
files fit it: the files of one rotated set are one log, named as its live file is, even while that is missing.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mailscope.intake.follow.log import Name, Start
from mailscope.intake.follow.packed import head_of, holds_logins
from mailscope.intake.rotation import Place, own_of_multilog, place_of, shown

_HEAD_BYTES: Final = 4096


@dataclass(frozen=True)
class Followed:
    """What the settings name: a path, a pattern or a directory.

    ``start``: where to begin when it is followed for the first time; ``folders``: where rotated files lie,
    if not beside their log (logrotate's olddir); ``exclude``: patterns of paths (fnmatch) that are left out
    of a pattern or a directory.
    """

    path: str
    start: Start = "beginning"
    folders: Sequence[str] = ()
    exclude: Sequence[str] = ()

    @property
    def absolute(self) -> str:
        """The path from the root."""
        return os.path.abspath(self.path)

    def covers(self, source: str, path: str) -> bool:
        """Whether a log of this name, with a file of that path, was found through this."""
        here = self.absolute
        return any(
            name == shown(here) or name.startswith(shown(here) + "/") or fnmatch.fnmatchcase(name, here)
            for name in (source, path)
        )


def one(followed: Followed) -> Name:
    """The log that is named by its path."""
    path = followed.absolute
    return _name(path, os.path.dirname(path), place_of(os.path.basename(path)).base, followed, dated=False)


def found(followed: Followed) -> Iterator[tuple[Name, str]]:
    """The logs behind a pattern or a directory, each with the path of one of its files that holds text."""
    sets: dict[tuple[str, str], list[tuple[Place, str]]] = {}
    for path in _files(followed):
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in followed.exclude):
            continue
        place = place_of(os.path.basename(path))
        sets.setdefault((os.path.dirname(path), place.base), []).append((place, path))
    for (folder, base), members in sets.items():
        live = os.path.join(folder, base or "current")
        dated = all(place.scheme == "dated" for place, _ in members) and not os.path.lexists(live)
        if text := next((path for _, path in sorted(members, key=_by_age) if _has_text(path)), None):
            yield _name(live, folder, base, followed, dated=dated), text


def is_many(followed: Followed) -> bool:
    """It is a pattern or a directory."""
    return glob.has_magic(followed.path) or followed.path.endswith("/") or os.path.isdir(followed.path)


def is_log(path: str) -> bool:
    """Whether a file holds text: binary files (wtmp, journals, archives) are not followed."""
    if holds_logins(path):
        return False
    # A program that wrote on at its old place after a truncation has left zero bytes at the beginning.
    head = head_of(path, _HEAD_BYTES).lstrip(b"\0")
    return bool(head) and b"\0" not in head


def _name(path: str, folder: str, base: str, followed: Followed, *, dated: bool) -> Name:
    set_id = os.path.join(os.path.realpath(folder), base)
    folders = [os.path.abspath(other) for other in followed.folders]
    return Name(shown(path), path, set_id, dated, folders)


def _files(followed: Followed) -> Iterator[str]:
    if not os.path.isdir(followed.absolute):
        own: dict[str, set[str]] = {}
        for path in sorted(glob.glob(followed.absolute, recursive=True)):
            folder, name = os.path.split(path)
            if folder not in own:
                own[folder] = own_of_multilog(_names(folder))
            if name not in own[folder] and os.path.isfile(path):
                yield path
        return
    for folder, below, names in os.walk(followed.absolute):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(set(names) - own_of_multilog(names)):
            if not name.startswith(".") and not os.path.islink(os.path.join(folder, name)):
                yield os.path.join(folder, name)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:  # only its files may be read, not their names
        return []


def _by_age(member: tuple[Place, str]) -> tuple[bool, tuple[int, ...]]:
    return member[0].scheme != "live", member[0].age


def _has_text(path: str) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0

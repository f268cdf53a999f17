"""The files that one followed log is made of, in their order, and which of them a position belongs to.

Looked at only when something has changed: at the start, after a rotation, after a truncation.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from mailscope.intake.follow.packed import head_of, is_packed
from mailscope.intake.follow.position import BEFORE_BYTES, HEAD_BYTES, Position, digest
from mailscope.intake.rotation import COMPRESSED, Place, newest_first, place_of

_Status = tuple[int, int, int, int]  # device, inode, bytes, mtime in ns
_MAGIC_BYTES: Final = 10
# While its processor runs, multilog keeps what was `current` under this name: newer than all finished files.
_PREVIOUS: Final = Place("", "multilog", (-(1 << 100),))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file of a log, as it is now.  ``packed`` is None where its bytes cannot be read."""

    path: str
    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    packed: bool | None

    @property
    def key(self) -> tuple[int, int]:
        """Its device and inode."""
        return self.device, self.inode

    def begins(self) -> Position:
        """The position at its beginning."""
        unread_bytes = 0 if self.packed else self.size_bytes
        return Position(self.path, self.device, self.inode, mtime_ns=self.mtime_ns, unread_bytes=unread_bytes)

    def at(self, position: Position) -> Position:
        """A position in a file with the same text, as one in this file."""
        mtime_ns = max(position.mtime_ns, self.mtime_ns)
        return replace(
            position, path=self.path, device=self.device, inode=self.inode, mtime_ns=mtime_ns, quiet=False
        )

    def holds(self, position: Position) -> bool:
        """Whether it begins with the text that was read up to a position (packed: with its first bytes)."""
        if self.packed is None:
            return self.key == (position.device, position.inode)
        if not position.fingerprint:
            # Nothing is known of it but where it stood, and that may be taken by another file since.
            return (*self.key, self.mtime_ns) == (position.device, position.inode, position.mtime_ns)
        try:
            if self.packed:
                return digest(head_of(self.path, position.fingerprint_bytes)) == position.fingerprint
            if self.size_bytes < position.offset:
                return False
            with open(self.path, "rb", buffering=0) as file:
                head = os.pread(file.fileno(), position.fingerprint_bytes, 0)
                behind = min(BEFORE_BYTES, position.offset)
                before = os.pread(file.fileno(), behind, position.offset - behind)
        except OSError:
            return False
        return digest(head) == position.fingerprint and digest(before) == position.before


def candidates(live: str, folders: Sequence[str] = ()) -> list[Candidate] | None:
    """The files of a log, the newest first; the live one, if there is one, is the first of them.

    In: its path (a link is followed), and the folders where its rotated files lie besides the log's own.
    Out: None while files are being renamed: ask again.  Raises OSError if the live file is there and cannot
    be looked at, or a folder's files cannot be.
    """
    target = os.path.realpath(live)
    bases = {place_of(os.path.basename(path)).base for path in (live, target)}
    within = list(dict.fromkeys((os.path.dirname(target), os.path.dirname(live), *folders)))
    # What is under the same name both times was there in between, all of it at once.
    first, found = _listed(target, within, bases), _listed(target, within, bases)
    if {path: known[:2] for path, (_, known) in first.items()} != {
        path: known[:2] for path, (_, known) in found.items()
    }:
        return None
    keys = list(found)
    ordered = [keys[number] for number in newest_first((found[p][0], found[p][1][3] / 1e9, p) for p in keys)]
    if target in found:
        ordered = ordered[ordered.index(target) :]
    try:
        files = [_candidate(path, *found[path][1]) for path in _without_twins(ordered)]
    except FileNotFoundError:
        return None
    before = [number for number, file in enumerate(files) if found[file.path][0] is _PREVIOUS]
    for number in before:
        # What the processor made of it may be there already.
        if number + 1 < len(files) and _head(files[number]) == _head(files[number + 1]):
            del files[number]
    return files


def _listed(target: str, folders: Sequence[str], bases: set[str]) -> dict[str, tuple[Place, _Status]]:
    found: dict[str, tuple[Place, _Status]] = {}
    paths = {path: place for folder in folders for path, place in _members(folder, bases)}
    paths[target] = place_of(os.path.basename(target))
    for path, place in paths.items():
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.stat(path, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                known = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
                found[path] = place, known
    return found


def are_the_same(files: Sequence[Candidate], later: Sequence[Candidate] | None) -> bool:
    """Whether the files of a log still have the names that they had."""
    return later is not None and [(one.path, one.key) for one in files] == [
        (one.path, one.key) for one in later
    ]


def newest(folder: str, base: str) -> str | None:
    """The path of the newest file of a set that has no file of the set's own name."""
    found = []
    for path, place in _members(folder, {base}):
        if not COMPRESSED.fullmatch(path):
            with suppress(FileNotFoundError):
                found.append((place, os.stat(path).st_mtime, path))
    return found[newest_first(found)[0]][2] if found else None


def _members(folder: str, bases: set[str]) -> Iterator[tuple[str, Place]]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # the log itself may still be read by its name
    for name in names:
        place = _PREVIOUS if name == "previous" and "" in bases else place_of(name)
        if place.base in bases:
            yield os.path.join(folder, name), place


def _head(file: Candidate) -> bytes:
    return head_of(file.path, HEAD_BYTES)


def _without_twins(paths: Sequence[str]) -> list[str]:
    """Leave out mail.log.1.gz where mail.log.1 is there too: it is still being made."""
    there = set(paths)
    return [path for path in paths if not ((match := COMPRESSED.fullmatch(path)) and match["whole"] in there)]


def _candidate(path: str, device: int, inode: int, size_bytes: int, mtime_ns: int) -> Candidate:
    packed: bool | None
    try:
        with open(path, "rb", buffering=0) as file:
            packed = is_packed(file.read(_MAGIC_BYTES) or b"")
    except PermissionError:
        packed = None
    return Candidate(path, device, inode, size_bytes, mtime_ns, packed)

"""Which of a log's files are those that were being read, and which are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailscope.intake.follow.beside import Candidate
from mailscope.intake.follow.part import Part
from mailscope.intake.follow.position import Position


@dataclass(slots=True)
class Matching:
    """Files by number, the newest is 0.  ``likely``: only the inode says so, the file was empty before."""

    sure: dict[int, Part] = field(default_factory=dict)
    likely: dict[int, Part] = field(default_factory=dict)

    @property
    def all(self) -> dict[int, Part]:
        """Both."""
        return self.likely | self.sure

    def has(self, part: Part) -> bool:
        """Whether a part was found."""
        return any(part is found for found in self.all.values())


def match(parts: Sequence[Part], files: Sequence[Candidate]) -> Matching:
    """Find the parts (the oldest first) among the files of their log (the newest first)."""
    out = Matching()
    doubtful = []
    for part in reversed(parts):
        if part.reader is not None and part.doubtful:
            doubtful.append(part)
        elif (number := _found(part, files, out.sure)) is not None:
            out.sure[number] = part
        elif part.doubtful:
            doubtful.append(part)
    for part in doubtful:
        at_its_inode = (number for number, file in enumerate(files) if file.key == _key(part))
        number = next(at_its_inode, None)
        number = _found(part, files, out.all) if number is None else number
        if number is not None and number not in out.all:
            out.likely[number] = part
    return out


def unread(parts: Sequence[Part], files: Sequence[Candidate], matching: Matching) -> list[Candidate]:
    """The files that are to be read from their beginnings, the newest first.

    They are newer than the newest of those that were being read.  Where that one is not to be found, they
    were written to after it.
    """
    found = matching.all
    fresh = [files[number] for number in range(min(matching.sure, default=len(files))) if number not in found]
    last = parts[-1]
    if last in matching.sure.values():
        return fresh
    return [file for file in fresh if file is files[0] or _is_newer(file, last.position)]


def _found(part: Part, files: Sequence[Candidate], taken: Mapping[int, Part]) -> int | None:
    """The number of a part's file: the one that is open, else the one that holds its text."""
    key = _key(part)
    for number in sorted(range(len(files)), key=lambda number: files[number].key != key):
        is_open = part.reader is not None and files[number].key == key
        if number not in taken and (is_open or files[number].holds(part.text)):
            return number
    return None


def _key(part: Part) -> tuple[int, int]:
    return part.reader.key if part.reader is not None else (part.known.device, part.known.inode)


def _is_newer(file: Candidate, last: Position) -> bool:
    return file.mtime_ns > last.mtime_ns or (file.mtime_ns == last.mtime_ns and not last.fingerprint)

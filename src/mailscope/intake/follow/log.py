"""One followed log: its live file, and what is left to read of the files that it was rotated into.

A rotation is noticed by the live name leading to another file, or by the file no longer holding what was
read.  Then, and at the start, all files of the log are put in order; those newer than the newest one known
are read from their beginnings, the known ones from where reading stopped.  So it does not matter how often
the log was rotated meanwhile, nor whether by renaming, copying or packing, nor whether the daemon ran.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mailscope.intake.follow.beside import Candidate, are_the_same, candidates, newest
from mailscope.intake.follow.matching import match, unread
from mailscope.intake.follow.packed import Packed
from mailscope.intake.follow.part import Part
from mailscope.intake.follow.piece import Reader
from mailscope.intake.follow.position import Position, nothing_before, resume_of
from mailscope.intake.follow.tail import Tail, at_end
from mailscope.intake.live import Arrival, Resume
from mailscope.vocabulary.errors import InputError

# Where the first reading of a log begins: at its end, at the beginning of the live file, or of the oldest.
Start = Literal["end", "beginning", "oldest"]
_MOST_LOSSES: Final = 20


@dataclass(frozen=True)
class Name:
    """What a log is called.

    ``source``: as shown, the key of its resume point; ``path``: of its live file; ``set_id``: as
    ``files.py`` calls the set; ``dated``: there is no live name, the newest file of the set is the live
    one; ``folders``: where rotated files lie besides the log's own.
    """

    source: str
    path: str
    set_id: str
    dated: bool = False
    folders: Sequence[str] = ()


class FollowedLog:
    """A log as it goes on.

    In: its name; where to begin when nothing is known of it; the files that were being read (empty: nothing
    is known); a clock in seconds that never goes back.
    """

    def __init__(
        self, name: Name, start: Start, known: Sequence[Position], clock: Callable[[], float]
    ) -> None:
        self.name = name
        self._start = start
        self._clock = clock
        self._parts = [Part(position) for position in known]
        self._known = bool(known)
        self._announce = False  # a resume point that goes with no line
        self._problem = ""
        self._losses: list[str] = []

    def look(self) -> None:
        """See what has happened to its files.  Raises nothing: what is wrong is a problem."""
        self._problem = ""
        try:
            for part in self._parts:
                self._look_at(part)
            if live := self._live():
                self._follow(*live)
            else:
                if self._parts and isinstance(tail := self._parts[-1].reader, Tail):
                    tail.rotated = True
                    if tail.is_still:
                        tail.settle()
                self._match()
                if not self._known and self._start != "oldest":
                    # What is rotated already stays so; that there was no more is to be remembered.
                    self._parts = [Part(nothing_before(self.name.path, time.time_ns()))]
                    self._known = self._announce = True
        except OSError as error:
            self._problem = str(InputError.from_os_error(error, self.name.source))
        self._tidy()

    def take(self, limit_bytes: int) -> list[Arrival]:
        """What has come, the oldest file first."""
        out: list[Arrival] = []
        for part in list(self._parts):
            reader = part.reader
            if reader is not None and part.doubtful:
                continue  # there may be something older that was copied out of it
            try:
                while reader is not None and limit_bytes > 0 and (piece := reader.read(limit_bytes)):
                    limit_bytes -= len(piece.data)
                    out.append(self._arrival(piece.data, piece.offset, piece.line_number, piece.first))
                    if isinstance(reader, Tail):
                        break  # it gives all it has, within the limit
            except OSError as error:
                self._problem = str(InputError.from_os_error(error, self.name.source))
                continue
            if limit_bytes <= 0 or (reader is not None and reader.behind):
                break  # what is newer comes after it
        if not out and self._announce:
            position = self._parts[-1].position
            out.append(self._arrival(b"", position.offset, position.line_number, False))
        self._announce = self._announce and not out
        return out

    def resume(self) -> Resume:
        """Where to go on."""
        return resume_of([part.position for part in self._parts])

    def waiting_bytes(self) -> int:
        """How much of its files is not taken yet, as far as they are not packed; asked by any thread."""
        return sum(part.waiting_bytes() for part in list(self._parts))

    @property
    def is_known(self) -> bool:
        """It was found, or found missing."""
        return self._known

    @property
    def idle(self) -> bool:
        """It has no live file, and nothing is left to read."""
        return all(part.reader is None and part.known.quiet for part in self._parts)

    def problems(self) -> list[str]:
        """What is wrong just now, and what was lost."""
        return [*([self._problem] if self._problem else []), *self._losses]

    def close(self) -> None:
        """Let go of its files."""
        for part in self._parts:
            part.release()

    def _arrival(self, data: bytes, offset: int, line_number: int, first: bool) -> Arrival:
        return Arrival(self.name.source, data, offset, line_number, self.resume(), self.name.set_id, first)

    def _look_at(self, part: Part) -> None:
        if not isinstance(tail := part.reader, Tail) or tail.ended:
            return
        try:
            fits = tail.look()
        except OSError:  # a network file system that has forgotten the file
            part.release()
            return
        if not fits:
            tail.give_up()
            part.known, part.reader, part.truncated = tail.position(), None, tail

    def _live(self) -> tuple[str, tuple[int, int]] | None:
        """The path, device and inode of the live file; None where there is none, or none that can be read."""
        name = self.name
        try:
            path = newest(*os.path.split(name.path)) if name.dated else name.path
            status = os.stat(path or name.path)
        except (FileNotFoundError, NotADirectoryError):
            if all(part.known.device == 0 for part in self._parts):
                self._problem = str(InputError("no such file yet", name.source, "it is read as it appears"))
            return None
        if path is None or not stat.S_ISREG(status.st_mode):
            self._problem = str(InputError("it is not a file", name.source, "name a log file"))
            return None
        return path, (status.st_dev, status.st_ino)

    def _follow(self, path: str, key: tuple[int, int]) -> None:
        for part in self._parts:
            if isinstance(tail := part.reader, Tail) and tail.key == key and not tail.ended:
                if part is not self._parts[-1]:  # it was renamed, and renamed back
                    self._parts.remove(part)
                    self._parts.append(part)
                if tail.doubtful_since_ns is not None:
                    break
                self._mark_rotated()
                self._match()
                return
        self._plan(path, key)

    def _plan(self, path: str, key: tuple[int, int]) -> None:
        """Find out what there is to read after what is known, and open it all."""
        files = candidates(path, self.name.folders)
        if not files or files[0].key != key:
            return  # it goes on changing: the next look will tell
        if files[0].packed is None:
            self._match(files)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        matching = match(self._parts, files)
        fresh = unread(self._parts, files, matching) if self._known else files
        if not self._known and self._start != "oldest":
            fresh = files[:1]
        found = matching.all | {n: self._begun(file) for n, file in enumerate(files) if file in fresh}
        if not self._open(found, files, path):
            return
        kept = [part for part in self._parts if not matching.has(part) and not self._is_lost(part)]
        self._parts = kept + [found[number] for number in sorted(found, reverse=True)]
        self._known = self._announce = True
        self._mark_rotated()

    def _begun(self, file: Candidate) -> Part:
        """A file that is read from its beginning, or as the settings say where nothing is known yet."""
        from_end = not self._known and self._start == "end" and not file.packed
        return Part(at_end(file.path) if from_end else file.begins())

    def _match(self, files: Sequence[Candidate] | None = None) -> None:
        """Open those of the known files that are to be found."""
        if all(part.reader or part.known.quiet for part in self._parts):
            return
        path = self._parts[-1].known.path if self.name.dated else self.name.path
        if files is None:
            files = candidates(path, self.name.folders) or ()
        if found := match(self._parts, files).sure:
            self._open(found, files, path)

    def _open(self, found: Mapping[int, Part], files: Sequence[Candidate], path: str) -> bool:
        """Open the files of these parts; False, and nothing has changed, where they were renamed meanwhile.

        Only once they are open is it asked whether all files still have their names: a name that led to one
        when it was looked into may lead to a newer one with the same inode number when it is opened.
        """
        opened: dict[int, Reader] = {}
        problem = ""
        for number, part in found.items():
            try:
                if reader := self._opened(part, files[number]):
                    opened[number] = reader
            except OSError as error:  # no permission: it stays to be opened
                problem = str(InputError.from_os_error(error, files[number].path))
        if not are_the_same(files, candidates(path, self.name.folders)):
            for reader in opened.values():
                reader.close()
            return False
        self._problem = problem or self._problem
        for number, reader in opened.items():
            found[number].go_on(reader)
        return True

    def _opened(self, part: Part, file: Candidate) -> Reader | None:
        """The file that a part goes on in, newly opened; None where it is open, finished or was replaced."""
        if part.reader is not None and (part.reader.key == file.key or file.packed):
            return None
        if part.known.quiet and file.packed:
            return None
        start = file.at(part.text)
        reader = Packed(start) if file.packed else Tail(file.path, self._clock, start)
        if reader.key == file.key and reader.position().before == start.before:
            return reader
        reader.close()
        return None

    def _is_lost(self, part: Part) -> bool:
        """Give up a part that is not to be found; False if something of it can still be handed out."""
        if part.reader:
            return False
        known, tail = part.known, part.truncated
        if tail is not None:
            if tail.unread_bytes > 0:
                self._lose(f"it was truncated before its last {tail.unread_bytes} bytes were read", known)
            part.reader = None if tail.done else tail
            return tail.done
        if known.unread_bytes > 0 or (part is self._parts[-1] and known.fingerprint and not known.quiet):
            self._lose(f"it is gone or was rewritten: what followed byte {known.offset} in it is lost", known)
        return True

    def _lose(self, what: str, known: Position) -> None:
        self._losses = [*self._losses, str(InputError(what, known.path))][-_MOST_LOSSES:]

    def _mark_rotated(self) -> None:
        for part in self._parts:
            if isinstance(tail := part.reader, Tail):
                tail.rotated = part is not self._parts[-1]
                tail.settle()

    def _tidy(self) -> None:
        """Let go of what is finished: but of the last rotated file only when no name leads to it any more."""
        for part in self._parts[:-2]:
            if isinstance(tail := part.reader, Tail) and tail.quiet:
                part.release()
        for part in self._parts:
            reader = part.reader
            if isinstance(reader, Packed):
                self._losses = [*self._losses, *map(str, reader.problems)][-_MOST_LOSSES:]
                reader.problems.clear()
            if reader is not None and (
                reader.done or (isinstance(reader, Tail) and reader.quiet and reader.gone)
            ):
                part.release()
        # The newest two stay known, so that it can be told what is newer.
        older = [part for part in self._parts[:-2] if part.reader or not part.known.quiet]
        self._parts = older + self._parts[-2:]

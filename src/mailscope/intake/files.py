"""What is named on the command line becomes sources to read, in the order in which they were written.

In: paths of files, directories (also multilog's) and pipes; ``-`` is standard input.
Out: sources, set by set, the oldest first in each set; notes on what was left out and why; problems, one
for each path that could not be used, while the rest goes on.

A set is what one log was rotated into (``rotation.py``).  Nothing is written, and only the beginning of
each file is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final

from mailscope.intake.reader import Compression, ReadReport, Source, read_chunks, sniff_compression
from mailscope.intake.rotation import COMPRESSED, Place, newest_first, own_of_multilog, place_of, shown
from mailscope.vocabulary.errors import InputError

__all__ = ["Compression", "Expansion", "Source", "expand", "sniff_compression"]

_HEAD_BYTES: Final = 4096  # of text: enough to tell binary files and twins
_JOURNAL: Final = b"LPKSHHRH"  # JOURNAL FILE FORMAT, "Header"
_FOREIGN: Final = (  # where, which bytes; what that is; how it becomes text
    (0, b"PK\x03\x04", "a zip archive", "unzip -p"),
    (0, b"\x1f\x9d", "a file of compress(1)", "zcat"),
    (0, b"\x04\x22\x4d\x18", "an lz4 archive", "lz4 -dc"),
    (0, b"LZIP", "an lzip archive", "lzip -dc"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so"),
    (257, b"ustar", "a tar archive", "tar xOf"),
)


@dataclass(slots=True)
class Expansion:
    """What there is to read; and, for people, what was left out (notes) and what failed (problems).

    ``journals``: paths of systemd's journal files, which journalctl has to read (``journal.py``).
    """

    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[InputError] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)


def expand(paths: Sequence[str]) -> Expansion:
    """Find what to read behind the paths.

    Directories are searched to any depth, but links in them are not followed; what is hidden (.snapshot,
    .mail.log.swp) or binary in them is left out.  A file named by itself is read whatever it holds, unless
    it is an archive of a kind that is not unpacked here.
    Errors: none; what fails is in ``problems``.
    """
    search = _Search()
    for path in paths:
        search.take(path)
    search.leave_out_twins()
    search.expansion.sources = _in_order(search.found)
    return search.expansion


@dataclass(frozen=True, slots=True)
class _Found:
    source: Source
    place: Place
    head: bytes  # the text's first bytes

    @property
    def real_path(self) -> str:
        return os.path.join(os.path.dirname(self.source.set_id), os.path.basename(self.source.path))


class _Search:
    def __init__(self) -> None:
        self.expansion = Expansion()
        self.found: list[_Found] = []
        self._beside: list[str] = []  # journals in the directory that is being searched
        self._seen: dict[tuple[int, int] | str, str] = {}  # device and inode, or '-' -> name as first given

    def take(self, path: str) -> None:
        """Take what was named by itself."""
        name = shown(path)
        if path == "-":
            if not self._is_repeated(path, "standard input"):
                self._take_stream(path, "standard input")
            return
        try:
            status = os.stat(path)
        except OSError as error:
            self._fail(InputError.from_os_error(error, name))
            return
        except ValueError:  # a NUL byte, or a character that no file name here can hold
            self._fail(InputError("no such file", name, "check the name"))
            return
        if self._is_repeated((status.st_dev, status.st_ino), name):
            return
        if stat.S_ISDIR(status.st_mode):
            self._take_directory(path)
        elif stat.S_ISREG(status.st_mode):
            self._take_file(path, status, in_directory=False)
        elif stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
            self._take_stream(path, name)  # such as <(ssh mx2 cat /var/log/mail.log)
        else:
            self._fail(InputError("it is neither a file nor a directory nor a pipe", name, "check the name"))

    def leave_out_twins(self) -> None:
        """Drop mail.log.1.gz where mail.log.1 is there too: it is still being made, or that was cut off."""
        plain = {found.real_path: found for found in self.found if found.source.compression == "none"}
        kept = []
        for found in self.found:
            match = COMPRESSED.fullmatch(found.real_path)
            twin = plain.get(match["whole"]) if match and found.source.compression != "none" else None
            if twin and twin.head == found.head:
                self._note(found.source.name, f"skipped, it begins as {twin.source.name} does, which is read")
            else:
                kept.append(found)
        self.found = kept

    def _take_stream(self, path: str, name: str) -> None:
        # It cannot be looked at: what is read from a pipe is gone.
        self.found.append(_Found(Source(path, name, path, 0, None, None, "none"), Place(path, "live"), b""))

    def _take_directory(self, top: str) -> None:
        failures = len(self.expansion.problems)
        waiting = [top]
        logs = 0
        while waiting:
            directory = waiting.pop()
            try:
                with os.scandir(directory) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                self._fail(InputError.from_os_error(error, shown(directory)))
                continue
            below = []
            for path, status in self._worth_reading(entries, top):
                if self._is_repeated((status.st_dev, status.st_ino), shown(path)):
                    logs += 1
                elif stat.S_ISDIR(status.st_mode):
                    below.append(path)
                else:
                    logs += self._take_file(path, status, in_directory=True)
            waiting += reversed(below)
        journals, self._beside = self._beside, []
        if not logs:
            self.expansion.journals += journals
        for path in journals if logs else ():
            what = (
                "it is a systemd journal, which may hold the same lines (to read it too, name it by itself)"
            )
            self._note(shown(path), f"skipped, {what}")
        if not (logs or journals) and failures == len(self.expansion.problems):
            self._fail(InputError("there is no log in it", shown(top), "name the mail log or its directory"))

    def _worth_reading(
        self, entries: list[os.DirEntry[str]], top: str
    ) -> Iterator[tuple[str, os.stat_result]]:
        """Pass on a directory's files and directories, apart from those that are surely no logs."""
        multilogs = own_of_multilog({entry.name for entry in entries})
        for entry in entries:
            name = shown(entry.path)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                self._fail(InputError.from_os_error(error, name))
                continue
            if entry.name in multilogs:
                if status.st_size:
                    self._note(name, "skipped, multilog keeps it for itself")
            elif entry.name.startswith("."):
                self._note(name, "skipped, it is hidden")
            elif stat.S_ISLNK(status.st_mode):
                real_top = os.path.realpath(top)
                if os.path.commonpath((os.path.realpath(entry.path), real_top)) != real_top:
                    self._note(name, f"skipped, it is a link that leads out of {shown(top)}")
            elif stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode):
                yield entry.path, status
            else:
                self._note(name, "skipped, it is neither a file nor a directory")

    def _take_file(self, path: str, status: os.stat_result, *, in_directory: bool) -> bool:
        """Look at the beginning of a file and take it; say whether it is a log, be it empty or damaged."""
        name = shown(path)
        place = place_of(os.path.basename(path))
        # realpath of the directory only: a rotated file and a link to the live one make a set.
        set_id = os.path.join(os.path.realpath(os.path.dirname(path)), place.base)
        source = Source(path, name, set_id, 0, status.st_mtime, status.st_size, "none")
        report = ReadReport()
        with closing(read_chunks(source, _HEAD_BYTES, report=report)) as chunks:
            head = next((chunk.data[:_HEAD_BYTES] for chunk in chunks), b"")
        if not head and report.compression == "none" and report.problems:
            self.expansion.problems += report.problems
            return True
        if head.startswith(_JOURNAL):
            (self._beside if in_directory else self.expansion.journals).append(path)
            return not in_directory
        for start, magic, what, command in _FOREIGN:
            if head.startswith(magic, start):
                if in_directory:
                    self._note(name, f"skipped, it is {what}")
                else:
                    advice = f"give it as text: {command} FILE | mailscope ... -"
                    self._fail(InputError(f"it is {what}", name, advice))
                return not in_directory
        if report.logins and in_directory:
            # sshd and login tell the same in their own logs, which are beside it.
            self._note(name, "skipped, it holds records of logins (to read it too, name it by itself)")
            return False
        if b"\0" in head:
            if in_directory:
                self._note(name, "skipped, it is binary (to read it all the same, name it by itself)")
                return False
            self._note(name, "it holds NUL bytes, which logs do not; it is read all the same")
        if head or report.problems:  # damage is told when it is read
            self.found.append(_Found(replace(source, compression=report.compression), place, head))
        else:
            self._note(name, "it is empty")
        return True

    def _is_repeated(self, key: tuple[int, int] | str, name: str) -> bool:
        first = self._seen.setdefault(key, "")
        self._seen[key] = first or name
        if first:
            self._note(name, "given twice, read once" if first == name else f"the same as {first}, read once")
        return bool(first)

    def _note(self, name: str, what: str) -> None:
        self.expansion.notes.append(f"{name}: {what}")

    def _fail(self, problem: InputError) -> None:
        self.expansion.problems.append(problem)


def ranked(sources: Iterable[Source]) -> list[Source]:
    """Sources that were found elsewhere, such as in an object store, in the order of ``expand``."""
    return _in_order(_Found(source, place_of(os.path.basename(source.path)), b"") for source in sources)


def _in_order(found: Iterable[_Found]) -> list[Source]:
    """Rank the files of each set by age and put the oldest first; the sets' own order stays."""
    sets: dict[str, list[_Found]] = {}
    for one in found:
        sets.setdefault(one.source.set_id, []).append(one)
    return [source for members in sets.values() for source in reversed(_newest_first(members))]


def _newest_first(members: list[_Found]) -> list[Source]:
    ranked = newest_first((one.place, one.source.mtime or 0.0, one.source.path) for one in members)
    return [replace(members[number].source, age_rank=rank) for rank, number in enumerate(ranked)]

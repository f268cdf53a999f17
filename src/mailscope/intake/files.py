"""What is named on the command line becomes sources to read, in the order in which they were written.

In: paths of files, directories (also multilog's), pipes; ``-`` is standard input.
Out: sources, set by set, the oldest first in each set; notes on what was left out and why; problems, one
for each path that could not be used, while the rest goes on.

A set is what one log was rotated into, as logrotate, newsyslog, savelog, sysklogd and multilog name it:

    mail.log  mail.log.1  mail.log.2.gz             a higher number is older
    mail.log  mail.log-20260301  mail-20260301.log  (also -2026-03-01, -20260301-120000, .2026, -202603)
    mail.log  mail.log.old
    current  @400000006b026671075bca00.s            one set for the whole directory of multilog

Nothing is written, and of each file only the beginning is read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mailscope.intake.reader import Compression, ReadReport, Source, read_chunks, sniff_compression
from mailscope.vocabulary.errors import InputError

__all__ = ["Compression", "Expansion", "Source", "expand", "sniff_compression"]

_HEAD_BYTES: Final = 4096  # of text: enough to tell binary files and twins
_COMPRESSED_NAME: Final = re.compile(r"(?P<whole>.+)[.](?:gz|bz2|xz|zstd?)", re.DOTALL)
_MULTILOG_NAME: Final = re.compile(r"@(?P<time>[0-9a-f]{24})[.][su]")
# .t is what svlogd's processor has not finished making out of a .u
_MULTILOG_TOOLS: Final = re.compile(r"lock|state|previous|processed|newstate|config|@[0-9a-f]{24}[.]t")
_DATED: Final = re.compile(
    r"(?P<base>.+?)[-.]"
    r"(?P<day>(?:19|20)[0-9]{2}(?:(?P<dash>-?)(?:0[1-9]|1[0-2])(?:(?P=dash)(?:0[1-9]|[12][0-9]|3[01]))?)?)"
    r"(?:[-T_]?(?P<rest>[0-9]{2,10}))?(?P<extension>[.]log)?",
    re.DOTALL,
)
_NUMBERED: Final = re.compile(r"(?P<base>.+)[.](?P<number>[0-9]{1,4})", re.DOTALL)
_IPV4: Final = re.compile(r"[0-9]{1,3}(?:[.][0-9]{1,3}){3}")  # a host's own log is no rotated file
_FOREIGN: Final = (
    (0, b"PK\x03\x04", "a zip archive", "unzip -p"),
    (0, b"\x1f\x9d", "a file of compress(1)", "zcat"),
    (0, b"\x04\x22\x4d\x18", "an lz4 archive", "lz4 -dc"),
    (0, b"LZIP", "an lzip archive", "lzip -dc"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so"),
    (0, b"LPKSHHRH", "a systemd journal", "journalctl -o short-iso --file"),
    (257, b"ustar", "a tar archive", "tar xOf"),
)


@dataclass(slots=True)
class Expansion:
    """What there is to read; and, for people, what was left out (notes) and what failed (problems)."""

    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[InputError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file stands in its set."""

    base: str  # name of the set within its directory
    scheme: str  # live, numbered, dated, old, multilog
    age: tuple[int, ...] = ()  # grows with age; files of one scheme can be compared


@dataclass(frozen=True, slots=True)
class _Found:
    source: Source
    place: _Place
    directory: str  # without symbolic links
    head: bytes  # the text's first bytes


def expand(paths: Sequence[str]) -> Expansion:
    """Find what to read behind the paths.

    Directories are searched to any depth, but links in them are not followed; what is hidden (.snapshot,
    .mail.log.swp) or binary is left out.  A file named by itself is taken whatever it holds, unless it is
    an archive of a kind that is not unpacked here.
    Errors: none; what fails is in ``problems``.
    """
    search = _Search()
    for path in paths:
        search.take(path)
    search.expansion.sources = [found.source for found in _in_order(search.without_twins())]
    return search.expansion


class _Search:
    def __init__(self) -> None:
        self.expansion = Expansion()
        self._found: list[_Found] = []
        self._seen: dict[tuple[int, int] | str, str] = {}  # device and inode -> name

    def take(self, path: str) -> None:
        """Take what is named by itself."""
        name = _shown(path)
        if path == "-":
            name = "standard input"
            if not self._is_repeated(path, name):
                self._add(Source(path, name, path, 0, None, None, "none"), _Place(path, "live"), "", b"")
            return
        try:
            status = os.stat(path)
        except OSError as error:
            self._fail(InputError.from_os_error(error, name))
        except ValueError:  # a NUL, or a character that the file system cannot encode
            self._fail(InputError("no such file", name, "check the name"))
        else:
            if self._is_repeated((status.st_dev, status.st_ino), name):
                return
            if stat.S_ISDIR(status.st_mode):
                self._search(path)
            elif stat.S_ISREG(status.st_mode):
                self._look(path, status, in_directory=False)
            elif stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
                # A look into a pipe would take bytes out of it: <(ssh mx2 cat /var/log/mail.log)
                self._add(Source(path, name, path, 0, None, None, "none"), _Place(path, "live"), "", b"")
            else:
                self._fail(InputError("it is neither a file nor a directory nor a pipe", name))

    def without_twins(self) -> list[_Found]:
        """Leave out mail.log.1.gz where mail.log.1 is there too: it is being compressed, or that failed."""
        plain = {
            (found.directory, Path(found.source.path).name): found
            for found in self._found
            if found.source.compression == "none"
        }
        kept = []
        for found in self._found:
            match = _COMPRESSED_NAME.fullmatch(Path(found.source.path).name)
            twin = plain.get((found.directory, match["whole"])) if match else None
            if twin and twin.head == found.head and found.source.compression != "none":
                self._note(found.source.name, f"skipped, it holds the same as {twin.source.name}")
            else:
                kept.append(found)
        return kept

    def _search(self, top: str) -> None:
        before = len(self._found), len(self.expansion.problems)
        skipped = empty = 0
        for entry in self._entries(top):
            ...

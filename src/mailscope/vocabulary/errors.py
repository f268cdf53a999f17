"""The errors that a person is meant to read.

    Exception
      MailscopeError      something went wrong: what, where, what to do (exit code 1)
        InputError        a file, directory or socket is missing, unreadable or damaged (exit code 1)
        OutputError       a file or a server does not take what is given to it (exit code 1)
        UsageError        an option, a time or a query is wrong (exit code 2)
          SettingsError   the settings file is wrong: all that is wrong in it (exit code 2)
        PatternError      a pattern file is wrong: which file, which event (exit code 1)

They stand for bad *situations*: the work cannot go on as asked.  Bad *data* (a line that no pattern
knows, a damaged record in the middle of a log) is never an error: it is counted, located and kept.
A mistake in our own code is a ValueError or worse, and is shown as such.

The exit codes follow the shells' habit, which click shares: 2 says that the command line was wrong,
1 says that the command was right and failed.

``str(error)`` is one line for a terminal or a log: ``where: what; what to do``.  Parts that were not
given are left out, and control characters in them (a file name may hold a line break) are shown as
escapes, so that the one line stays one line.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from os import PathLike
from typing import ClassVar, Final, Self


class MailscopeError(Exception):
    """A situation in which Mailscope cannot do what was asked.

    In: ``what`` happened, in a few words and without a full stop; ``where`` (a path, an option, a
    file and line; empty if nowhere); ``what_to_do`` about it (empty if there is no advice).
    The three stay readable as attributes, so that the JSON API can give them one by one.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, where: str = "", what_to_do: str = "") -> None:
        # All parts go to Exception.args: that is what pickle hands back to __init__ when an error
        # crosses from a worker process or a Spark executor.
        super().__init__(what, where, what_to_do)
        self.what = what
        self.where = where
        self.what_to_do = what_to_do

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return _one_line(f"{head}; {self.what_to_do}" if self.what_to_do else head)


class InputError(MailscopeError):
    """Something that should be read is missing, unreadable or damaged."""

    @classmethod
    def from_os_error(cls, error: OSError, where: str | PathLike[str]) -> Self:
        """Say what the operating system said, with advice where the reason is a common one.

        In: the error, and the path (or other place) that it is about.  Out: an InputError to raise.
        """
        what, what_to_do = _OS_REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
        return cls(what, str(where), what_to_do)


class OutputError(MailscopeError):
    """A file or a server does not take what is given to it."""

    @classmethod
    def from_os_error(cls, error: OSError, where: str | PathLike[str]) -> Self:
        """Say what the operating system said when something was written.

        In: the error, and the path (or other place) that it is about.  Out: an OutputError to raise.
        """
        # Polars names the number in its words only.
        named = _OS_NUMBER.search(str(error))
        number = error.errno or (int(named[1]) if named else 0)
        what, what_to_do = _OS_OUTPUT_REASONS.get(
            number, _OS_REASONS.get(number, (error.strerror or str(error), ""))
        )
        return cls(what, str(where), what_to_do)


class UsageError(MailscopeError):
    """The command line, a setting's value or a query is wrong; nothing was done."""

    exit_code: ClassVar[int] = 2


class SettingsError(UsageError):
    """The settings file cannot be used; shown as its first fault.

    In: ``faults``, at least one, in the order of the file.
    """

    def __init__(self, faults: Sequence[UsageError]) -> None:
        first, others = faults[0], len(faults) - 1
        what = first.what
        if others:
            what += f" (and {others} more fault{'s' if others > 1 else ''}: see 'mailscope config check')"
        super().__init__(what, first.where, first.what_to_do)
        self.faults = tuple(faults)
        self.args = (self.faults,)  # what __init__ takes: see above


class PatternError(MailscopeError):
    """A pattern file cannot be used.

    In: the file; the number of the ``[[event]]`` block in it, counted from 1 (None when the file as a
    whole is wrong); what is wrong; what to do about it.
    """

    def __init__(
        self, file: str | PathLike[str], event_index: int | None, what: str, what_to_do: str = ""
    ) -> None:
        self.file = str(file)
        self.event_index = event_index
        where = self.file if event_index is None else f"{self.file}, event {event_index}"
        super().__init__(what, where, what_to_do)
        self.args = (self.file, event_index, what, what_to_do)  # what __init__ takes: see above


_OS_NUMBER: Final = re.compile(r"\(os error ([0-9]+)\)")
_OS_REASONS: Final[dict[int, tuple[str, str]]] = {
    errno.ENOENT: ("no such file", "check the name"),
    errno.ENOTDIR: ("no such file: a part of the path is not a directory", "check the name"),
    errno.EACCES: (
        "no permission to read it",
        "run as root, or as a member of the group that owns it (adm on many systems)",
    ),
    errno.EPERM: ("not permitted", "run as root"),
    errno.EISDIR: ("it is a directory", "name the files in it"),
    errno.ELOOP: ("its symbolic links go round in circles", "correct the link"),
    errno.ENAMETOOLONG: ("the name is too long", "check the name"),
    errno.EIO: ("the disk could not read it", "see the kernel's log"),
    errno.ENOSPC: ("the disk is full", "make room and run it again"),
    errno.EROFS: ("the file system is read-only", "choose another place"),
}

# The same reasons where something was to be written, as far as the words differ.
_OS_OUTPUT_REASONS: Final[dict[int, tuple[str, str]]] = {
    errno.ENOENT: ("no such directory", "make it first"),
    errno.EACCES: ("no permission to write it", "choose another place"),
    errno.EISDIR: ("it is a directory", "name a file"),
    errno.EIO: ("the disk could not write it", "see the kernel's log"),
}


def _one_line(text: str) -> str:
    """Show what would break the line or drive the terminal as an escape, such as ``\\n``."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )

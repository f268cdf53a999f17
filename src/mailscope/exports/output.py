"""Where a file of events goes: standard output, or a file that is whole or not there at all.

A named file is written beside its place and renamed at the end, so that nobody reads half of it and a file
of that name stays until the new one is complete.  What is no regular file (a pipe, a device) is written to
directly.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Self

from mailscope.vocabulary.errors import OutputError, UsageError


class OutputFile:
    """A file being written; a context that puts it in its place, or takes it away where something failed.

    Raises OutputError where it cannot be written, UsageError where it is one of the files that are read.
    """

    def __init__(self, name: str, read: Iterable[str] = ()) -> None:
        # A link stays a link: what it points to is replaced.
        self.path = Path(os.path.realpath(name))
        self.name = name
        for other in read:
            with contextlib.suppress(OSError):
                if os.path.samefile(other, self.path):
                    raise UsageError("it is one of the files to read", name, "write to another one")
        self._direct = self.path.exists() and not stat.S_ISREG(self.path.stat().st_mode)
        self._beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self.out: BinaryIO = self._open()

    def _open(self) -> BinaryIO:
        try:
            if self._direct:
                return self.path.open("wb")
            check_directory(self.path, self.name)
            descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise OutputError.from_os_error(error, self.name) from error
        return os.fdopen(descriptor, "wb")

    @property
    def rewindable(self) -> bool:
        """Whether what was written can be taken back."""
        return not self._direct

    def rewind(self) -> None:
        """Take back what was written."""
        self.out.seek(0)
        self.out.truncate()

    def discard(self) -> None:
        """Take the unfinished file away; what stood in its place stays.  May be called at any moment."""
        if not self._direct:
            self._beside.unlink(missing_ok=True)

    def interrupted(self) -> str:
        """The same, with what to tell of it."""
        self.discard()
        return f"{self.name} was not written" if not self._direct else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is not None:
                with contextlib.suppress(OSError):
                    self.out.close()
                self.discard()
                if isinstance(error, OSError):
                    raise OutputError.from_os_error(error, self.name) from error
                return
            self.out.flush()
            if not self._direct:
                os.fsync(self.out.fileno())
            self.out.close()
            if not self._direct:
                self._beside.replace(self.path)
        except OSError as failure:
            self.discard()
            raise OutputError.from_os_error(failure, self.name) from failure


def check_directory(path: Path, name: str) -> None:
    """Raise OutputError where no file can be made at a path: what is wrong with the directory it would be in.

    ``name``: what the file is called in the message.
    """
    folder = path.parent
    if not folder.exists():
        what, to_do = f"there is no directory '{folder}'", "make it first"
    elif not folder.is_dir():
        what, to_do = f"'{folder}' is not a directory", "name a file in one"
    elif os.statvfs(folder).f_flag & os.ST_RDONLY:
        what, to_do = f"the directory '{folder}' is on a file system that is read-only", "choose another one"
    elif not os.access(folder, os.W_OK | os.X_OK):
        what, to_do = f"no permission to write in the directory '{folder}'", "choose another one"
    else:
        return
    raise OutputError(what, name, to_do)

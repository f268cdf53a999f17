"""A host's files, seen from any root directory.

In: absolute paths as the host's configuration writes them (``/etc/rsyslog.conf``).  Out: paths, texts and
states under the root, so that a test, a chroot or a mounted image can be searched like the host itself.
Absolute symbolic links inside another root are not rewritten.
"""

from __future__ import annotations

import glob
import os
import stat
from enum import Enum
from pathlib import Path
from typing import Final

from mailscope.intake.discovery.found import Found

_LARGEST_BYTES: Final = 4 << 20  # a configuration larger than this is not one


class State(Enum):
    """Whether a log can be read."""

    MISSING = "missing"  # or not a regular file: a log on /dev/console or in a FIFO cannot be read back
    READABLE = "readable"
    UNREADABLE = "unreadable"


class HostFiles:
    """Reads configuration under ``root``; ``unreadable`` collects those files that may not be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unreadable: list[Found] = []

    def path(self, name: str) -> Path:
        """Give the path under the root; ``..`` does not lead out of it."""
        return self.root / os.path.normpath("/" + name).lstrip("/")

    def shown(self, path: Path) -> str:
        """Give the path as the host itself writes it."""
        return "/" + str(path.relative_to(self.root))

    def glob(self, pattern: str) -> list[Path]:
        """Give what matches an absolute shell pattern, in the order of the C library's glob(3)."""
        rooted = glob.escape(str(self.root).rstrip("/")) + "/" + os.path.normpath("/" + pattern).lstrip("/")
        return [Path(name) for name in sorted(glob.glob(rooted))]

    def inside(self, path: Path, owner: str) -> list[Path]:
        """Give the files of an included directory in order of name, or the file itself."""
        if not os.path.isdir(path):
            return [path]
        try:
            return sorted(path / name for name in os.listdir(path) if not name.startswith("."))
        except OSError:
            self.note_unreadable(path, owner)
            return []

    def note_unreadable(self, path: Path, owner: str) -> None:
        """Remember that a part of ``owner``'s configuration may not be read."""
        entry = Found(path, f"configuration of {owner}")
        if entry not in self.unreadable:
            self.unreadable.append(entry)

    def read(self, path: Path, owner: str) -> str | None:
        """Give the text of one of ``owner``'s configuration files, None if there is none to read.

        Bytes that are not UTF-8 become surrogates, as in Python's own file names.
        """
        match state(path):
            case State.MISSING:
                return None
            case State.UNREADABLE:
                self.note_unreadable(path, owner)
                return None
        with path.open("rb") as file:
            text = file.read(_LARGEST_BYTES).decode("utf-8", "surrogateescape")
        return text.replace("\r\n", "\n").replace("\0", "")


def state(path: Path) -> State:
    """Say whether a regular file can be read, by opening it: permission bits do not tell all (ACLs, MAC)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return State.MISSING
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except (FileNotFoundError, NotADirectoryError):
        return State.MISSING
    except OSError:  # the directory or the file is closed to us, or the disk fails: it is named, not hidden
        return State.UNREADABLE
    return State.READABLE

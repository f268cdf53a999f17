"""Why a store cannot be used, in our words and with what to do."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailscope.vocabulary.errors import InputError, MailscopeError

if TYPE_CHECKING:
    import duckdb

REBUILD: Final = "restore a backup, or run 'mailscope store rebuild' with the daemon stopped"
IN_USE: Final = "another process has it open"
# How the operating system names a full disk, within DuckDB's words.
NO_ROOM: Final = "No space left on device"
# How DuckDB names the process that has a file, and says that it only reads it.
HOLDER: Final = re.compile(r"\(PID ([0-9]+)\)")
ONLY_READ: Final = "able to open this database in read-only mode"


class StoreError(MailscopeError):
    """The store cannot be used as asked: it is locked, damaged, or of a later version."""


class DamagedError(StoreError):
    """The DuckDB file is damaged, older than the sealed files, or gone while they are there."""


class InUseError(StoreError):
    """Another process has it.  ``read``: it only reads, so that it will be done before long."""

    def __init__(self, what: str, where: str = "", what_to_do: str = "", *, read: bool = False) -> None:
        super().__init__(what, where, what_to_do)
        self.read = read


def unreadable(error: duckdb.Error, directory: Path) -> StoreError:
    """Why an answer cannot be given, in our words."""
    words = " ".join(str(error).split())[:300]
    return StoreError(f"it cannot be read ({words})", str(directory), "see 'mailscope store verify'")


def unusable(error: duckdb.Error, path: Path) -> MailscopeError:
    """Why a store cannot be opened, in our words."""
    words = " ".join(str(error).split())
    if "Could not set lock" in words:
        holder = HOLDER.search(words)
        what = f"{IN_USE}{_named(holder[1]) if holder else ''}"
        return InUseError(what, str(path), "ask the daemon, or stop it first", read=ONLY_READ in words)
    if "Permission denied" in words:
        return not_permitted(path)
    if "database file with version number" in words:
        return StoreError(f"another DuckDB wrote it ({words[:300]})", str(path), "use the newer Mailscope")
    if NO_ROOM in words:
        return StoreError("the disk is full", str(path), "make room, then try again")
    return DamagedError(f"it is damaged ({words[:300]})", str(path), REBUILD)


def not_permitted(path: Path) -> InputError:
    """A store that may not be opened by whoever asks."""
    return InputError(
        "no permission to open it", str(path), "run as the user that the store belongs to, or as root"
    )


def refuse_other_owner(directory: Path) -> None:
    """Raise InputError where root would leave files to the store's owner that the latter cannot write."""
    owner = directory.stat().st_uid
    if os.geteuid() != 0 or owner == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    raise InputError(
        f"it belongs to {name}, who could not use what root writes in it", str(directory),
        f"run 'runuser -u {name} -- mailscope ...'",
    )  # fmt: skip


def _named(pid: str) -> str:
    """A process by number and, where it may be known, by the end of its command."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return f" (process {pid})"
    names = [word.rpartition("/")[2] for word in words if word]
    ours = names[names.index("mailscope") :] if "mailscope" in names else names
    return f" (process {pid}: {' '.join(ours)[:60]})"

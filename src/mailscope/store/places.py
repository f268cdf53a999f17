"""Files of the store that take the place of others: whole, on the disk, and of the same owner."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

NEW: Final = ".renewed"
# Accounts of the live page (``web/people``), which are no data of mail.
PEOPLE: Final = "people.db"
# A damaged file that was kept, and when it was set aside.
ASIDE: Final = ".damaged-"


def same_owner(path: Path, as_of: Path) -> None:
    """Give a file to the owner of another, as far as we may: root works on a store that the daemon owns."""
    owner = as_of.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def put_in_place(path: Path, data: bytes) -> None:
    """Replace a file's contents in one step."""
    begun = path.with_name(path.name + NEW)
    begun.write_bytes(data)
    replace(begun, path)


def replace(begun: Path, path: Path) -> None:
    """Put a finished file in another's place, with that one's mode and owner."""
    begun.chmod(path.stat().st_mode & 0o7777)
    same_owner(begun, path)
    synced(begun)
    begun.rename(path)
    sync_directory(path.parent)


def synced(path: Path) -> None:
    """Bring a file to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Bring a directory's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

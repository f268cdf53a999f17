"""The key that pseudonyms are made with.

A file with one line of 64 hex digits (256 bits), readable by its owner only.  Who has it can test whether a
pseudonym stands for an address he thinks of; who has not, cannot.  A new key gives new pseudonyms: every
pseudonym begins with two characters that are the same for all of one key, so that old and new ones are told
apart.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final

from mailscope.vocabulary.errors import InputError, OutputError

BYTES: Final = 32
_FORM: Final = re.compile(r"[0-9a-f]{64}\n?")


def random_key() -> bytes:
    """A key that nobody has seen."""
    return secrets.token_bytes(BYTES)


def read_key(path: Path) -> bytes:
    """The key of a file.  Raises InputError where it is missing, no key, or others may read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            mode = os.fstat(descriptor).st_mode
            text = file.read(1024)
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    if mode & 0o077:
        raise InputError("others than its owner can use it", str(path), f"run: chmod 600 {path}")
    if not _FORM.fullmatch(text):
        raise InputError("it holds no key", str(path), "name a file that does not exist: a key is made there")
    return bytes.fromhex(text)


def make_key(path: Path) -> bytes:
    """A new key, written to a file of mode 0600 that must not be there.  Raises OutputError."""
    key = random_key()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise OutputError.from_os_error(error, path) from error
    return key

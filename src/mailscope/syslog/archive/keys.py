"""Keys that evolve, and the file that holds the present one.

The file has two slots that are written in turn, in place: the older key is overwritten as soon as the newer
one is on the disk.  (A file system that never overwrites, or an SSD, may keep copies that only a laboratory
reads.)
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from mailscope.vocabulary.errors import InputError

KEY_BYTES: Final = 32
HASH: Final = "sha256"
FILE: Final = "key"
# Number of the batch that the key is for, number of its first line, head before it, key; then what proves
# that the slot was written whole.
_SLOT: Final = struct.Struct(">QQ32s32s")
_PROOF: Final = 8
_SLOT_BYTES: Final = _SLOT.size + _PROOF
NO_HEAD: Final = bytes(32)


def first() -> bytes:
    """A key to begin with."""
    return secrets.token_bytes(KEY_BYTES)


def following(key: bytes) -> bytes:
    """The key after a key; there is no way back."""
    return hmac.digest(key, b"mailscope archive: next key", HASH)


class Working(NamedTuple):
    """What a key is used for: ``lines`` makes the tags of lines, ``seal`` the seal of the batch."""

    lines: bytes
    seal: bytes


def working(key: bytes) -> Working:
    """The keys that a batch is sealed with."""
    return Working(
        hmac.digest(key, b"mailscope archive: lines", HASH),
        hmac.digest(key, b"mailscope archive: seal", HASH),
    )


@dataclass(frozen=True)
class Present:
    """Where the archive stands: what the next batch will be, and the head that the ones before it make."""

    batch: int
    line: int
    head: bytes
    key: bytes

    def after(self, lines: int, seal: bytes) -> Present:
        """Where it stands when a batch of so many lines has that seal."""
        return Present(self.batch + 1, self.line + lines, head(self.head, seal), following(self.key))


def head(before: bytes, seal: bytes) -> bytes:
    """The head of an archive when a seal was added: a hash that all seals so far have a part in."""
    return hashlib.sha256(before + seal).digest()


class KeyFile:
    """The file of the present key.  Raises InputError where it cannot be used."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise InputError.from_os_error(error, self.path) from error
        found = read(self.path)
        if found is None:
            os.close(self._file)
            what_to_do = "no more lines can be sealed: begin another, and ask how this one was damaged"
            raise InputError("the key of the archive is damaged", str(self.path), what_to_do)
        self.present = found

    @staticmethod
    def make(directory: Path, key: bytes) -> None:
        """A file for a new archive.  Raises OSError."""
        file = os.open(directory / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, _slot(Present(0, 1, NO_HEAD, key)) + bytes(_SLOT_BYTES))
            os.fsync(file)
        finally:
            os.close(file)

    def advance(self, to: Present) -> None:
        """Go on to another key, and erase the one before."""
        here = to.batch % 2
        os.pwrite(self._file, _slot(to), here * _SLOT_BYTES)
        os.fdatasync(self._file)
        os.pwrite(self._file, bytes(_SLOT_BYTES), (1 - here) * _SLOT_BYTES)
        os.fdatasync(self._file)
        self.present = to

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)


def read(path: Path) -> Present | None:
    """The present key of a file; None where none is whole.  Raises InputError where it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    found = [_present(data[start : start + _SLOT_BYTES]) for start in (0, _SLOT_BYTES)]
    whole = [each for each in found if each is not None]
    return max(whole, key=lambda each: each.batch) if whole else None


def _slot(present: Present) -> bytes:
    data = _SLOT.pack(present.batch, present.line, present.head, present.key)
    return data + _proof(data)


def _present(data: bytes) -> Present | None:
    if len(data) != _SLOT_BYTES or not any(data):
        return None
    if not hmac.compare_digest(_proof(data[: _SLOT.size]), data[_SLOT.size :]):
        return None
    return Present(*_SLOT.unpack(data[: _SLOT.size]))


def _proof(data: bytes) -> bytes:
    return hmac.digest(b"mailscope archive: slot", data, HASH)[:_PROOF]

"""A file of records that is read at any place; an archive or a pipe by way of a temporary file.

In: a path, or ``-`` for standard input.  Out: bytes at an offset of the (unpacked) data.
Archives are told by their first bytes; their data go to a temporary file, so that memory stays bounded.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Final, Self

from mailscope.intake.rotation import shown
from mailscope.intake.unpacking import ENDS_EARLY, DamageError, Unpacked, sniff_compression
from mailscope.vocabulary.errors import InputError

_BLOCK_BYTES: Final = 64 << 10
_STEP_BYTES: Final = 1 << 20
_PACKED: Final = ("gz", "bz2", "xz", "zst")


class Binary:
    """An open file of records.

    ``name``: as people are shown it; ``size``: of the data, unpacked; ``problems``: what was damaged, while
    the rest is read.  Raises InputError where it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = "standard input" if path == "-" else shown(path)
        self.problems: list[InputError] = []
        self._opened = ExitStack()
        try:
            self._file = self._opened.enter_context(self._data(path))
            self.size = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            self._opened.close()
            raise InputError.from_os_error(error, self.name) from error

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from an offset on, or fewer at the end.  Raises InputError where the disk fails."""
        try:
            return os.pread(self._file.fileno(), size, offset)
        except OSError as error:
            raise InputError.from_os_error(error, self.name) from error

    def close(self) -> None:
        """Let go of it."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _data(self, path: str) -> IO[bytes]:
        """The file, or the temporary one that holds its data."""
        stored = open(0, "rb", buffering=0, closefd=False) if path == "-" else open(path, "rb", buffering=0)  # noqa: SIM115
        if stat.S_ISDIR(os.fstat(stored.fileno()).st_mode):
            stored.close()
            raise InputError("it is a directory", self.name, "name a file in it")
        seekable = stat.S_ISREG(os.fstat(stored.fileno()).st_mode)
        head = os.pread(stored.fileno(), 10, 0) if seekable else _full(stored, 10)
        compression = sniff_compression(head)
        if seekable and compression not in _PACKED:
            return stored
        with stored:
            source = _Stored(stored, b"" if seekable else head)
            spool = tempfile.TemporaryFile()  # noqa: SIM115  (closed with this)
            pieces = (
                iter(source.read, b"") if compression not in _PACKED else self._unpacked(source, compression)
            )
            for piece in pieces:
                spool.write(piece)
            spool.flush()
            return spool

    def _unpacked(self, source: _Stored, compression: str) -> Iterator[bytes]:
        unpacked = Unpacked(source, compression)  # type: ignore[arg-type]
        room = bytearray(_STEP_BYTES)
        try:
            while count := unpacked.readinto(memoryview(room)):
                yield bytes(room[:count])
        except DamageError as error:
            why = "they end early" if str(error) == ENDS_EARLY else str(error)
            self.problems.append(
                InputError(f"the packed data are damaged ({why}); what comes before is read", self.name)
            )


class _Stored:
    """The bytes as they are stored."""

    def __init__(self, file: IO[bytes], ahead: bytes) -> None:
        self._file = file
        self._ahead = ahead

    def read(self) -> bytes:
        """Give a block of at least one byte, or nothing at the end."""
        block, self._ahead = self._ahead or self._file.read(_BLOCK_BYTES), b""
        return block


def _full(file: IO[bytes], size: int) -> bytes:
    data = b""
    while len(data) < size and (block := file.read(size - len(data))):
        data += block
    return data

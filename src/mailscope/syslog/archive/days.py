"""The files of an archive: one of lines and one of seals for each day (UTC, by when lines were stored)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from mailscope.intake.unpacking import DamageError, Unpacked
from mailscope.syslog.archive.seals import LONGEST, Record, parsed
from mailscope.vocabulary.errors import InputError

LINES, SEALS = ".log.zst", ".seals"
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.log\.zst|\.seals)")
BLOCK_BYTES: Final = 1 << 20


def days(directory: Path) -> list[str]:
    """The days that an archive has files of, in order.  Raises InputError where it cannot be read."""
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise InputError.from_os_error(error, directory) from error
    return sorted({found[1] for name in names if (found := _DAY.fullmatch(name))})


def lines_file(directory: Path, day: str) -> Path:
    """Where the lines of a day are."""
    return directory / (day + LINES)


def seals_file(directory: Path, day: str) -> Path:
    """Where the seals of a day are."""
    return directory / (day + SEALS)


def records(path: Path) -> Iterator[Record | None]:
    """The records of a file, in order; None for each line that is none.  A missing file has none."""
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST):
                yield parsed(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError.from_os_error(error, path) from error


class Contents:
    """The lines of a day, as a stream of bytes; ``damaged``: it could not be unpacked to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = False

    def __iter__(self) -> Iterator[bytes]:
        """Blocks of bounded size, none of a missing file.  Raises InputError where it cannot be read."""
        try:
            with self.path.open("rb") as file:
                unpacked = Unpacked(_Stored(file), "zst")
                view = memoryview(bytearray(BLOCK_BYTES))
                while size := unpacked.readinto(view):
                    yield bytes(view[:size])
        except FileNotFoundError:
            return
        except DamageError:
            self.damaged = True
        except OSError as error:
            raise InputError.from_os_error(error, self.path) from error


class _Stored:
    """A file in blocks, as ``Unpacked`` asks for them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self) -> bytes:
        return self._file.read(BLOCK_BYTES)


def export(directory: Path, since: str = "", until: str = "") -> Iterator[bytes]:
    """The original bytes, of all days or of those from ``since`` to ``until`` (both included).

    Raises InputError for a day that cannot be read, or not to its end, after what could be read of it.
    """
    for day in days(directory):
        if day < since or (until and day > until):
            continue
        unpacked = Contents(lines_file(directory, day))
        yield from unpacked
        if unpacked.damaged:
            raise InputError(
                "it cannot be unpacked to its end", str(unpacked.path), "see 'mailscope archive verify'"
            )

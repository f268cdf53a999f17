"""Storing lines: into the day's file, then the seal, then the next key.

In this order, each on the disk before the next, so that whatever moment the process is killed at, the next
one finds what was done: lines without a seal are sealed then, a seal without its key advances the key.  What
``add`` has returned from is kept; what it was killed in may be kept too.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import zstandard

from mailscope.syslog.archive import keys
from mailscope.syslog.archive.days import Contents, days, lines_file, records, seals_file
from mailscope.syslog.archive.seals import Record, made, seal_of
from mailscope.vocabulary.errors import InputError, OutputError, UsageError

LOCK: Final = "lock"
_LEVEL: Final = 9
_MODE: Final = 0o640
# Lines of a batch at most: what is more is sealed in several.
BATCH_BYTES: Final = 1 << 20


def begin(directory: Path) -> bytes:
    """Begin an archive; gives the first key, which is kept nowhere here.

    Raises UsageError where there is one, OutputError where none can be made.
    """
    key = keys.first()
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        if days(directory) or (directory / keys.FILE).exists():
            raise UsageError("there is an archive already", str(directory), "name another directory")
        keys.KeyFile.make(directory, key)
        _sync_directory(directory)
    except OSError as error:
        raise OutputError.from_os_error(error, directory) from error
    return key


class Archive:
    """An archive that lines are added to, by one process at a time.

    Raises InputError where there is none or it is damaged, OutputError where another process has it.
    ``recovered``: lines that were found without a seal, and have one now.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.recovered = 0
        if not (directory / keys.FILE).exists():
            what_to_do = f"begin one: mailscope archive begin --archive {directory}"
            raise InputError("there is no archive", str(directory), what_to_do)
        self._lock = _locked(directory)
        try:
            self._keys = keys.KeyFile(directory)
            self._packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
            self._recover()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def present(self) -> keys.Present:
        """Where it stands."""
        return self._keys.present

    def add(self, data: bytes, now: datetime | None = None) -> None:
        """Store and seal some lines; they are on the disk when it returns.  Raises OutputError.

        A last line without a line feed is one, too, and what comes next is another one.
        """
        day = (now or datetime.now(UTC)).strftime("%Y-%m-%d")
        # A clock that was set back does not write into a day that is over.
        before = days(self.directory)[-1:]
        if before and before[0] < day:
            self._repack(lines_file(self.directory, before[0]))
        day = max([day, *before])
        for part in parts(data):
            try:
                _append(lines_file(self.directory, day), self._packer.compress(part))
                self._seal(day, part)
            except OSError as error:
                raise OutputError.from_os_error(error, self.directory) from error

    def close(self) -> None:
        """Let go of it."""
        self._keys.close()
        os.close(self._lock)

    def _seal(self, day: str, data: bytes) -> None:
        at = self.present
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = made(data, at.batch, at.line, time, keys.working(at.key))
        _append(seals_file(self.directory, day), record.written())
        self._keys.advance(at.after(record.lines, record.seal))

    def _recover(self) -> None:
        """Finish what a process was killed in."""
        for day in days(self.directory)[-1:]:
            seals = seals_file(self.directory, day)
            _cut_torn(seals)
            last, sealed = None, 0
            for record in records(seals):
                if record is not None:
                    last, sealed = record, sealed + record.size
            if last is not None and last.batch == self.present.batch:
                self._advance(last)
            self._seal_rest(day, sealed)

    def _advance(self, record: Record) -> None:
        """The seal was written, the next key was not."""
        at = self.present
        if seal_of(record, keys.working(at.key)) != record.seal:
            raise InputError(
                "its last seal is not by its key", str(self.directory), "see 'mailscope archive verify'"
            )
        self._keys.advance(at.after(record.lines, record.seal))

    def _seal_rest(self, day: str, sealed: int) -> None:
        """Lines were written, their seal was not."""
        unpacked = Contents(lines_file(self.directory, day))
        rest = b""
        for block in unpacked:
            if sealed >= len(block):
                sealed -= len(block)
            else:
                rest += block[sealed:]
                sealed = 0
        if unpacked.damaged:
            # The end of a write that an outage cut: kept beside, as nothing can be appended behind it.
            self._set_aside(day)
        for part in parts(rest):
            before = self.present.line
            self._seal(day, part)
            self.recovered += self.present.line - before

    def _set_aside(self, day: str) -> None:
        """Write a day's file anew, as far as it can be read; the damaged one is kept under another name."""
        path = lines_file(self.directory, day)
        with suppress(FileExistsError):
            os.link(path, path.with_name(f"{path.name}.damaged-{self.present.batch}"))
        self._repack(path)

    def _repack(self, path: Path) -> None:
        """Compress a day that is over as a whole: batches, each by itself, take far more room."""
        beside = path.with_name(path.name + ".part")
        try:
            with beside.open("wb") as out:
                packing = self._packer.compressobj()
                for block in Contents(path):
                    out.write(packing.compress(block))
                out.write(packing.flush())
                out.flush()
                os.fsync(out.fileno())
            os.chmod(beside, _MODE)
            os.replace(beside, path)
            _sync_directory(self.directory)
        except OSError as error:
            raise OutputError.from_os_error(error, beside) from error


def parts(data: bytes) -> list[bytes]:
    """Cut between lines, into what is sealed at a time."""
    found = []
    start = 0
    while start < len(data):
        end = start + BATCH_BYTES
        if end < len(data):
            end = data.rfind(b"\n", start, end) + 1 or data.find(b"\n", end) + 1 or len(data)
        found.append(data[start:end])
        start = end
    return found


def _append(path: Path, data: bytes) -> None:
    new = not path.exists()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        size = os.fstat(file).st_size
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(file, left) :]
            os.fdatasync(file)
        except OSError:
            # The disk is full: half of it must not stand in front of what comes later.
            os.ftruncate(file, size)
            raise
    finally:
        os.close(file)
    if new:
        _sync_directory(path.parent)


def _cut_torn(path: Path) -> None:
    """Take away the beginning of a record that was not written to its end."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def _locked(directory: Path) -> int:
    try:
        lock = os.open(directory / LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutputError.from_os_error(error, directory / LOCK) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        what_to_do = "let the one that has it store them: the daemon, or another 'archive store'"
        raise OutputError("another process stores lines there", str(directory), what_to_do) from error
    return lock


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)

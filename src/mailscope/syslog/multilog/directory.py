"""One directory that multilog writes.

    current    what is being written: mode 0644; 0744 once it was closed in order
    @LABEL.s   finished and on the disk; @LABEL.u  cut short by an outage; LABEL: when it was finished
    previous, processed, state, newstate   while a processor has it
    lock       held while a multilog writes here

Files are rotated where the original rotates them, byte for byte: it buffers 512 bytes, which ``put`` keeps
account of as far as it matters (near the end of a file).
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from contextlib import suppress
from typing import Final

from mailscope.syslog.multilog.insisting import Fatal, insist, pause, shown, warn, words
from mailscope.syslog.multilog.script import Place
from mailscope.syslog.tai64n.label import LENGTH, stamper

# Within so many bytes of the full size, a file ends with the next line.
MARGIN: Final = 2000
_BUFFER: Final = 512
_OUT: Final = 8192  # bytes that do not go through the buffer, at a time
_APPEND: Final = os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_CREAT
_TRUNCATE: Final = os.O_WRONLY | os.O_NONBLOCK | os.O_TRUNC | os.O_CREAT
_READ: Final = os.O_RDONLY | os.O_NONBLOCK
_FINISHED: Final = 0o744  # the owner's execute bit says that it is whole


class Directory:
    """A directory, locked and ready.  Raises Fatal where it cannot be used.

    ``start``: a descriptor of the directory in which the process was started.
    """

    def __init__(self, place: Place, start: int) -> None:
        self.place = place
        self._name = shown(place.name)
        self._stamp = stamper()
        self._pending: list[bytes] = []  # what belongs into "current" and was not written yet
        self._buffer = bytearray()
        self._bytes = 0
        os.fchdir(start)
        with suppress(OSError):
            os.mkdir(place.name, 0o700)
        try:
            self._fd = os.open(place.name, _READ)
            os.fchdir(self._fd)
        except OSError as error:
            raise Fatal(f"unable to open directory {self._name}", error) from error
        try:
            self._lock = os.open("lock", _APPEND, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Fatal(f"unable to lock directory {self._name}", error) from error
        self._current = self._begun()

    @property
    def size(self) -> int:
        """How many bytes "current" holds."""
        return self._bytes

    def room(self, length: int) -> bool:
        """Whether so many bytes may be added at once: the file's end is not near, and nothing is buffered."""
        return not self._buffer and self._bytes + length < self.place.size - MARGIN

    def append(self, data: bytes) -> None:
        """Add what there is room for."""
        self._pending.append(data)
        self._bytes += len(data)

    def put(self, data: bytes) -> None:
        """Add some bytes as one piece, through the buffer."""
        if len(data) > _BUFFER - len(self._buffer):
            self.flush()
            while len(data) > _BUFFER:
                self._write_all(data[:_OUT])
                data = data[_OUT:]
        self._buffer += data

    def put_one_by_one(self, data: bytes) -> None:
        """Add some bytes, each by itself."""
        while data:
            if len(self._buffer) == _BUFFER:
                self.flush()
            free = _BUFFER - len(self._buffer)
            self._buffer += data[:free]
            data = data[free:]

    def flush(self) -> None:
        """Empty the buffer."""
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            self._write_all(data)

    def write_out(self) -> None:
        """Give the kernel what belongs into "current"."""
        if not self._pending:
            return
        data = memoryview(b"".join(self._pending))
        self._pending.clear()
        while data:
            written = insist(
                lambda: os.write(self._current, data),  # noqa: B023
                f"unable to write to {self._name}/current",
            )
            data = data[written:]

    def rotate(self) -> None:
        """Finish "current" and begin another one."""
        self.write_out()
        name = self._name
        insist(lambda: os.fchdir(self._fd), f"unable to switch to {name}")
        insist(lambda: os.fsync(self._current), f"unable to write {name}/current to disk")
        os.close(self._current)
        insist(
            lambda: os.rename("current", "previous"),
            f"unable to rename current to previous in directory {name}",
        )
        self._current = insist(lambda: os.open("current", _APPEND, 0o600), f"unable to create {name}/current")
        self._bytes = 0
        insist(lambda: os.fchmod(self._current, 0o644), f"unable to set mode of {name}/current")
        insist(lambda: os.chmod("previous", _FINISHED), f"unable to set mode of {name}/previous")
        if self.place.processor is None:
            self._finish("previous", b"s")
        else:
            self._process(self.place.processor)

    def close(self) -> None:
        """Leave "current" whole, to be gone on with."""
        self.flush()
        self.write_out()
        insist(lambda: os.fsync(self._current), f"unable to write {self._name}/current to disk")
        insist(lambda: os.fchmod(self._current, _FINISHED), f"unable to set mode of {self._name}/current")

    def _write_all(self, data: bytes) -> None:
        """c_write of the original, until all is written: cuts where a file is full."""
        size = self.place.size
        while data:
            if self._bytes >= size:
                self.rotate()
            piece = data[: size - self._bytes]
            if self._bytes + len(piece) >= size - MARGIN:
                line_end = piece.rfind(b"\n") + 1
                piece = piece[:line_end] if line_end else piece
            self.append(piece)
            data = data[len(piece) :]
            if self._bytes >= size - MARGIN and piece.endswith(b"\n"):
                self.rotate()

    def _begun(self) -> int:
        """Put in order what was left behind; gives "current"."""
        name = self._name
        try:
            mode = os.stat("current").st_mode
            if mode & 0o100:
                return self._go_on()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Fatal(f"unable to stat {name}/current", error) from error
        for leftover in ("state", "newstate"):
            with suppress(OSError):
                os.unlink(leftover)
        try:
            processed = bool(os.stat("processed").st_mode & 0o100)
        except FileNotFoundError:
            processed = False
        except OSError as error:
            raise Fatal(f"unable to stat {name}/processed", error) from error
        with suppress(OSError):
            os.unlink("previous" if processed else "processed")
        if processed:
            self._finish("processed", b"s")
        else:
            self._finish("previous", b"u")
        self._finish("current", b"u")
        try:
            os.close(os.open("state", _TRUNCATE, 0o644))
        except OSError as error:
            raise Fatal(f"unable to write to {name}/state", error) from error
        try:
            current = os.open("current", _APPEND, 0o600)
            os.fchmod(current, 0o644)
        except OSError as error:
            raise Fatal(f"unable to write to {name}/current", error) from error
        return current

    def _go_on(self) -> int:
        try:
            current = os.open("current", _APPEND, 0o600)
        except OSError as error:
            raise Fatal(f"unable to append to {self._name}/current", error) from error
        try:
            os.fchmod(current, 0o644)
        except OSError as error:
            raise Fatal(f"unable to set mode of {self._name}/current", error) from error
        self._bytes = os.fstat(current).st_size
        return current

    def _finish(self, file: str, code: bytes) -> None:
        """Give a file its last name, and remove the oldest where they are too many."""
        name = self._name
        links = insist(lambda: _links(file), f"unable to stat {name}/{file}")
        if not links:
            return
        if links == 1:
            self._link(file, code)
        insist(lambda: os.unlink(file), f"unable to remove {name}/{file}")
        while True:
            found = insist(lambda: os.listdir(b"."), f"unable to read {name}")
            finished = sorted(each for each in found if each.startswith(b"@") and len(each) >= LENGTH)
            if len(finished) < self.place.number:
                return
            oldest = finished[0]
            insist(lambda: _removed(oldest), f"unable to remove {name}/{shown(oldest)}")  # noqa: B023

    def _link(self, file: str, code: bytes) -> None:
        while True:
            made = self._stamp() + b"." + code
            try:
                os.link(file, made)
            except OSError as error:
                warn(f"unable to link to {self._name}/{shown(made)}, pausing: {words(error)}")
                if error.errno != errno.EEXIST:  # the next label is another one
                    pause()
            else:
                return

    def _process(self, processor: bytes) -> None:
        name = self._name
        while not _ran(processor, name):
            pause()
        processed = insist(lambda: os.open("processed", _APPEND, 0o600), f"unable to create {name}/processed")
        insist(lambda: os.fsync(processed), f"unable to write {name}/processed to disk")
        insist(lambda: os.fchmod(processed, _FINISHED), f"unable to set mode of {name}/processed")
        os.close(processed)
        state = insist(lambda: os.open("newstate", _APPEND, 0o600), f"unable to create {name}/newstate")
        insist(lambda: os.fsync(state), f"unable to write {name}/newstate to disk")
        os.close(state)
        insist(lambda: os.unlink("previous"), f"unable to remove {name}/previous")
        insist(
            lambda: os.rename("newstate", "state"), f"unable to rename newstate to state in directory {name}"
        )
        self._finish("processed", b"s")


def _links(file: str) -> int:
    """How many names a file has; 0 if there is none."""
    try:
        return os.stat(file).st_nlink
    except FileNotFoundError:
        return 0


def _removed(file: bytes) -> None:
    with suppress(FileNotFoundError):
        os.unlink(file)


def _ran(processor: bytes, name: str) -> bool:
    """Run a processor on "previous"; whether it did its work."""
    opened = (
        (os.POSIX_SPAWN_OPEN, 0, "previous", _READ, 0),
        (os.POSIX_SPAWN_OPEN, 1, "processed", _TRUNCATE, 0o644),
        (os.POSIX_SPAWN_OPEN, 4, "state", _READ, 0),
        (os.POSIX_SPAWN_OPEN, 5, "newstate", _TRUNCATE, 0o644),
    )
    try:
        pid = os.posix_spawn(
            "/bin/sh",
            (b"sh", b"-c", processor),
            os.environ,
            file_actions=opened,
            setsigdef=(signal.SIGTERM, signal.SIGALRM, signal.SIGPIPE, signal.SIGINT),
        )
        _, status = os.waitpid(pid, 0)
    except OSError as error:
        warn(f"unable to fork for processor in {name}, pausing: {words(error)}")
        return False
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        warn(f"processor crashed in {name}, pausing")
    elif code:
        warn(f"processor failed in {name}, pausing")
    return code == 0

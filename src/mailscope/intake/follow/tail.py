"""A plain file that is read while it grows.

Before each read the bytes already read are looked at again, at the head and right before the place where
reading goes on: a file that was truncated and has grown beyond that place since is found out by them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from mailscope.intake import reader
from mailscope.intake.continued import end_of_records
from mailscope.intake.follow.piece import Piece
from mailscope.intake.follow.position import BEFORE_BYTES, HEAD_BYTES, Position, digest

HOLD_S: Final = 2.0  # for which a line that splogger may continue waits for its rest
GRACE_S: Final = 10.0  # without growth, after which a rotated file is taken to be finished
_SETTLED_NS: Final = 2_000_000_000
_STEP_BYTES: Final = 1 << 20


class Tail:
    """One open plain file, from a position on.

    In: a path; the position to go on from (it must fit the file), or None for the beginning; a clock in
    seconds that never goes back.  Raises OSError where it cannot be opened.
    """

    def __init__(self, path: str, clock: Callable[[], float], after: Position | None = None) -> None:
        self.path = path
        self._clock = clock
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            status = os.fstat(self._file)
            self.key = status.st_dev, status.st_ino
            self._offset = after.offset if after else 0
            self._line_number = after.line_number if after else 1
            self._head = os.pread(self._file, HEAD_BYTES, 0)
            behind = min(BEFORE_BYTES, self._offset)
            self._before = os.pread(self._file, behind, self._offset - behind)
        except OSError:
            os.close(self._file)
            raise
        self._kept = bytearray()  # read, not handed out
        self._begun = self._offset > 0
        self._seen = (status.st_size, status.st_mtime_ns)
        self._empty_ns = None if self._head else status.st_mtime_ns
        self._links = status.st_nlink
        self._changed_at = self._held_at = clock()
        self._holds = False
        self._rotated = False
        self.ended = False  # closed; what is kept is all there is

    @property
    def done(self) -> bool:
        """The file was given up and all of it handed out."""
        return self.ended and not self._kept

    @property
    def behind(self) -> bool:
        """There is more to read at once."""
        return not self.ended and self.unread_bytes > 0

    @property
    def gone(self) -> bool:
        """No name leads to it any more."""
        return self._links == 0

    @property
    def doubtful_since_ns(self) -> int | None:
        """It was empty then, and has changed: it may have been filled, copied and truncated meanwhile."""
        return None if self._empty_ns == self._seen[1] else self._empty_ns

    def settle(self) -> None:
        """What became of it is known."""
        self._empty_ns = None if self._head else self._seen[1]

    @property
    def rotated(self) -> bool:
        """Another file has taken its name; setting it begins the time of grace."""
        return self._rotated

    @rotated.setter
    def rotated(self, value: bool) -> None:
        if value and not self._rotated:
            self._changed_at = self._clock()
        self._rotated = value

    @property
    def quiet(self) -> bool:
        """It was rotated, is read to its end and nothing is written to it any more."""
        return self._rotated and not self._kept and self.unread_bytes <= 0 and self.is_still

    @property
    def unread_bytes(self) -> int:
        """How much there was behind what was read, when last looked at."""
        return self._seen[0] - self._read_to

    def waiting_bytes(self) -> int:
        """How much it holds just now that was not handed out; may be asked by any thread."""
        size = self._seen[0]
        with suppress(OSError):
            status = os.stat(self.path)
            # Another file may have its name by now.
            size = status.st_size if (status.st_dev, status.st_ino) == self.key else size
        return max(size - self._offset, 0)

    @property
    def _read_to(self) -> int:
        return self._offset + len(self._kept)

    @property
    def is_still(self) -> bool:
        """It has not grown for the time of grace."""
        return self._clock() - self._changed_at >= GRACE_S

    def look(self) -> bool:
        """See whether it has changed; False if it no longer begins with what was read.  Raises OSError."""
        status = os.fstat(self._file)
        self._links = status.st_nlink
        if status.st_size < self._read_to:
            return False
        seen = status.st_size, status.st_mtime_ns
        # What is written within one tick of the kernel's clock may leave the time of the file as it was.
        if seen == self._seen and time.time_ns() - status.st_mtime_ns > _SETTLED_NS:
            return True
        check = self._checked()
        fits = (
            os.pread(self._file, len(self._head), 0) == self._head
            and os.pread(self._file, len(check), self._read_to - len(check)) == check
        )
        if not fits:
            return False
        if len(self._head) < HEAD_BYTES:
            self._head = os.pread(self._file, HEAD_BYTES, 0)
        if status.st_size > self._seen[0]:
            self._changed_at = self._clock()
        self._seen = seen
        return True

    def read(self, limit_bytes: int) -> Piece | None:
        """The next whole lines; of a rotated file that is quiet, also a last line without line feed."""
        # What was empty when last looked at is looked at again first.
        if not self.ended and self._head:
            self._fill(max(limit_bytes, 1))
        if not self._kept:
            return None
        end = self._end(max(limit_bytes, 1))
        if end:
            return self._piece(end)
        if self.ended or (self._rotated and self.is_still and self.unread_bytes <= 0):
            return self._piece(len(self._kept), b"" if self._kept.endswith(b"\n") else b"\n")
        return None

    def give_up(self) -> None:
        """Close it; what was read and not handed out still is."""
        if not self.ended:
            os.close(self._file)
            self.ended = True

    def close(self) -> None:
        """Let go of the file."""
        self.give_up()
        self._kept.clear()

    def position(self) -> Position:
        """Where the next piece will begin."""
        return Position(
            self.path,
            *self.key,
            digest(self._head),
            len(self._head),
            digest(self._before),
            self._offset,
            self._line_number,
            self._seen[1],
            max(self._seen[0] - self._offset, 0),
            self.quiet,
        )

    def _checked(self) -> bytes:
        """The last bytes that were read."""
        kept = bytes(self._kept[-BEFORE_BYTES:])
        return self._before[max(len(self._before) + len(kept) - BEFORE_BYTES, 0) :] + kept

    def _fill(self, limit_bytes: int) -> None:
        # A line may be longer than the limit; but of one that is too long to be held, no more is held.
        wanted = limit_bytes if b"\n" in self._kept else limit_bytes + len(self._kept)
        wanted = min(wanted, max(limit_bytes, reader.MAX_LINE_BYTES + 1))
        while len(self._kept) < wanted:
            check = self._checked()
            size = min(_STEP_BYTES, wanted - len(self._kept))
            block = os.pread(self._file, len(check) + size, self._read_to - len(check))
            if not block.startswith(check) or len(block) == len(check):
                return  # truncated meanwhile, which the next look will find; or there is no more
            block = block[len(check) :]
            if not self._begun and not self._kept and block.startswith(b"\0"):
                block = self._without_hole(block)
            self._kept += block

    def _without_hole(self, block: bytes) -> bytes:
        """What follows the zero bytes at the beginning of a file.

        A program that writes on at its old place after its file was truncated leaves a hole before it.
        """
        text = block.lstrip(b"\0")
        self._offset += len(block) - len(text)
        if not text:
            # OSError: nothing but a hole as yet, or a file system that knows no holes.
            with suppress(OSError):
                self._offset = max(self._offset, os.lseek(self._file, self._offset, os.SEEK_DATA))
        self._before = bytes(min(BEFORE_BYTES, self._offset))
        return text

    def _end(self, limit_bytes: int) -> int:
        """Up to where the kept bytes can be handed out."""
        end = reader.end_of_lines(self._kept, len(self._kept), limit_bytes, True)
        if not end:
            return reader.MAX_LINE_BYTES if len(self._kept) > reader.MAX_LINE_BYTES else 0
        whole = end_of_records(bytes(self._kept[:end]))
        if whole == end or self.ended:
            self._holds = False
            return end
        if whole or not self._holds:
            self._holds, self._held_at = True, self._clock()
        return end if not whole and self._clock() - self._held_at >= HOLD_S else whole

    def _piece(self, end: int, line_feed: bytes = b"") -> Piece:
        data = bytes(self._kept[:end])
        del self._kept[:end]
        piece = Piece(data + line_feed, self._offset, self._line_number, not self._begun)
        self._before = (self._before + data)[-BEFORE_BYTES:]
        self._offset += end
        self._line_number += data.count(b"\n") + (not data.endswith(b"\n"))
        self._begun = True
        return piece


def at_end(path: str) -> Position:
    """The position behind the last whole line of a plain file; it is read once, to count its lines."""
    with open(path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        lines = end = at = 0
        while block := file.read(_STEP_BYTES):
            lines += block.count(b"\n")
            end = at + block.rfind(b"\n") + 1 if b"\n" in block else end
            at += len(block)
        head = os.pread(file.fileno(), min(HEAD_BYTES, end), 0)
        behind = min(BEFORE_BYTES, end)
        before = os.pread(file.fileno(), behind, end - behind)
    return Position(
        path, status.st_dev, status.st_ino, digest(head), len(head), digest(before), end, lines + 1,
        status.st_mtime_ns,
    )  # fmt: skip

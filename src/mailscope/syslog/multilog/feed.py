"""Lines from standard input into directories, until its end or SIGTERM.

SIGTERM: the line that was begun is read to its end, byte by byte, so that whoever reads the pipe next gets
all the rest.  SIGALRM: every directory begins another file.

What the original reads at a time (1024 bytes) and what has come by then decides where it ends a file; so a
larger block is worked off in pieces of that size.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final

from mailscope.syslog.multilog.directory import Directory
from mailscope.syslog.multilog.insisting import Fatal, insist, shown
from mailscope.syslog.multilog.script import LOOKED_AT, Script, chooser
from mailscope.syslog.tai64n.label import stamper

BLOCK_BYTES: Final = 1 << 16
PIECE: Final = 1024


class Feed:
    """The lines of a script's directories.  Raises Fatal where a directory or file cannot be used."""

    def __init__(self, script: Script, source: int = 0) -> None:
        self._source = source
        self._stamp = stamper() if script.stamped else bytes
        self._start = os.open(".", os.O_RDONLY)
        self._files = [self._opened(name) for name in script.files]
        self._names = script.files
        self.directories = [Directory(place, self._start) for place in script.places]
        self._choose = chooser(script, _show, self._keep)
        self._line = b""  # the line that was begun, with its stamp
        self._begun = False
        # The directories of a line of which more than 1000 bytes have come; None within no such line.
        self._long: Sequence[int] | None = None
        self._ending = self._rotating = False
        self._at_line_end = True

    def run(self) -> None:
        """Read to the end, and leave every directory closed."""
        wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGALRM, self._alarm)
        waiting = select.poll()
        waiting.register(self._source, select.POLLIN)
        waiting.register(wake, select.POLLIN)
        while block := self._block(waiting, wake):
            self._at_line_end = block.endswith(b"\n")
            self.take(block)
        self.finish()

    def _block(self, waiting: select.poll, wake: int) -> bytes:
        """What comes next; nothing at the end."""
        while True:
            if self._rotating:
                self._rotating = False
                for directory in self.directories:
                    if directory.size:
                        directory.rotate()
            if self._ending and self._at_line_end:
                return b""
            ready = {descriptor for descriptor, _ in waiting.poll()}
            if wake in ready:
                os.read(wake, 4096)
            if self._rotating or wake in ready:
                continue
            try:
                return os.read(self._source, 1 if self._ending else BLOCK_BYTES)
            except BlockingIOError:
                continue  # somebody else has read it

    def take(self, block: bytes) -> None:
        """Work off what was read."""
        for start in range(0, len(block), PIECE):
            self._take_piece(block[start : start + PIECE])
        for directory in self.directories:
            directory.write_out()

    def finish(self) -> None:
        """There is no more: a line without an end is given one, and directories are closed."""
        if self._long is not None:
            self._end_long()
        elif self._begun:
            self._give([self._line])
        for directory in self.directories:
            directory.close()

    def _take_piece(self, piece: bytes) -> None:
        if self._long is not None:
            piece = self._go_on(piece)
        lines = piece.split(b"\n")
        rest = lines.pop()
        stamp = self._stamp
        if lines:
            first = lines[0]
            if self._begun:
                lines[0] = self._line + first
                self._begun, self._line = False, b""
            else:
                lines[0] = self._stamped(first)
            if stamp is not bytes:
                for place in range(1, len(lines)):
                    lines[place] = b"%b %b" % (stamp(), lines[place])
            self._give(lines)
        if rest:
            self._line = self._line + rest if self._begun else self._stamped(rest)
            self._begun = True
            if len(self._line) >= LOOKED_AT:
                self._begin_long()
        for directory in self.directories:
            directory.flush()

    def _stamped(self, line: bytes) -> bytes:
        stamp = self._stamp()
        return b"%b %b" % (stamp, line) if stamp else line

    def _give(self, lines: list[bytes]) -> None:
        """Take whole lines through the script and into directories."""
        taken: list[list[bytes]] = [[] for _ in self.directories]
        for line in lines:
            for number in self._choose(line[:LOOKED_AT]):
                taken[number].append(line)
        for directory, of_it in zip(self.directories, taken, strict=True):
            if not of_it:
                continue
            data = b"\n".join(of_it) + b"\n"
            if directory.room(len(data)):
                directory.append(data)
                continue
            for line in of_it:
                directory.put(line[:LOOKED_AT])
                directory.put_one_by_one(line[LOOKED_AT:] + b"\n")

    def _begin_long(self) -> None:
        """More than 1000 bytes of a line have come: where it goes is decided now."""
        line, self._line, self._begun = self._line, b"", False
        self._long = self._choose(line[:LOOKED_AT])
        for number in self._long:
            self.directories[number].put(line[:LOOKED_AT])
            self.directories[number].put_one_by_one(line[LOOKED_AT:])

    def _go_on(self, piece: bytes) -> bytes:
        """More of a long line; gives what is behind its end."""
        assert self._long is not None
        more, end, rest = piece.partition(b"\n")
        for number in self._long:
            self.directories[number].put_one_by_one(more)
        if end:
            self._end_long()
        return rest

    def _end_long(self) -> None:
        assert self._long is not None
        for number in self._long:
            self.directories[number].put_one_by_one(b"\n")
        self._long = None

    def _opened(self, name: bytes) -> int:
        """A file of ``=``."""
        os.fchdir(self._start)
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_CREAT, 0o600))
        except OSError as error:
            raise Fatal(f"unable to create {shown(name)}", error) from error
        try:
            return os.open(name, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            raise Fatal(f"unable to write {shown(name)}", error) from error

    def _keep(self, number: int, data: bytes) -> None:
        file = self._files[number]
        insist(lambda: os.pwrite(file, data, 0), f"unable to write {shown(self._names[number])}")

    def _end(self, signal_number: int, frame: FrameType | None) -> None:
        self._ending = True

    def _alarm(self, signal_number: int, frame: FrameType | None) -> None:
        self._rotating = True


def _show(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()

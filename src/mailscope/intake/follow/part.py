"""One file of a followed log, open or not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailscope.intake.follow.piece import Reader
from mailscope.intake.follow.position import Position
from mailscope.intake.follow.tail import Tail


@dataclass(slots=True, eq=False)
class Part:
    """One file of a log that is not read to its end: open, or only known by its position.

    ``truncated``: what was read of it and not handed out before its text was taken away.
    """

    known: Position
    reader: Reader | None = None
    truncated: Tail | None = None

    @property
    def text(self) -> Position:
        """How far it was read, and the marks of its text as it is now."""
        return self.reader.position() if self.reader is not None else self.known

    @property
    def position(self) -> Position:
        """Where reading goes on; of a doubtful file, as long as it is that, what was known before."""
        now = self.text
        if isinstance(self.reader, Tail) and (since_ns := self.reader.doubtful_since_ns) is not None:
            return replace(now, fingerprint="", fingerprint_bytes=0, before="", mtime_ns=since_ns)
        return now

    @property
    def doubtful(self) -> bool:
        """Only device and inode tell which file it is."""
        if isinstance(self.reader, Tail):
            return self.reader.doubtful_since_ns is not None
        return self.reader is None and not self.known.fingerprint and self.known.device > 0

    def waiting_bytes(self) -> int:
        """How much of it is not handed out."""
        reader = self.reader
        return reader.waiting_bytes() if isinstance(reader, Tail) else self.known.unread_bytes

    def go_on(self, reader: Reader) -> None:
        """Read it there from now on."""
        self.release()
        self.reader, self.truncated = reader, None

    def release(self) -> None:
        """Close the file, remember the position."""
        if self.reader is not None:
            known = self.reader.position()
            self.known = replace(known, quiet=known.quiet or self.reader.done)
            self.reader.close()
            self.reader = None

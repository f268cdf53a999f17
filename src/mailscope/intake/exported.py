"""What ``journalctl -o export`` writes, as the lines that a syslog daemon would have written.

    __CURSOR=s=5c2f...            a field of text
    __REALTIME_TIMESTAMP=1795...
    MESSAGE                       a field with control characters or line feeds: name alone, then
    <length><bytes>               its length in 64 bits, least byte first, that many bytes, a line feed
                                  and an empty line ends the entry

    <22>2026-11-22T03:59:02.123456+00:00 mx1 postfix/smtpd[12]: connect from ...

In: the bytes, some at a time.  Out: a line an entry, in rsyslog's form, so that nothing after this has to
know of journals; line feeds in a text become blanks.  Lengths are believed only as far as bytes follow, so
that a text that looks like fields stays a text.  Memory is bounded: of a text of more than MOST_BYTES only
the length is kept.

Source: systemd's "Journal Export Formats".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from mailscope.intake.unpacking import EXPORT_BEGINS, DamageError

# Fills the view at least in part and says how far; 0 at the end.
ReadInto = Callable[[memoryview], int]

FIELDS: Final = (
    "__REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_COMM", "SYSLOG_PID", "_PID",
    "SYSLOG_FACILITY", "PRIORITY", "MESSAGE",
)  # fmt: skip
EPOCH: Final = datetime(1970, 1, 1)
SEVERITIES: Final = frozenset(map(str, range(8)))
FACILITIES: Final = frozenset(map(str, range(24)))
MOST_BYTES: Final = 3 << 20
LONGEST_LINE_BYTES: Final = 64 << 20
_WANTED: Final = frozenset(name.encode() for name in FIELDS)
_TEXT: Final = re.compile(rb"(?m)^(%s)=(.*)$" % b"|".join(sorted(_WANTED)))
_BINARY: Final = re.compile(rb"(?m)^[^=\n]+$")
_BLOCK_BYTES: Final = 256 << 10
_LENGTH_BYTES: Final = 8


def as_text(readinto: ReadInto) -> ReadInto:
    """The same bytes; where they begin as an export does, the lines that it stands for."""
    through: ReadInto | None = None

    def read(view: memoryview) -> int:
        nonlocal through
        if through is not None:
            return through(view)
        fill = readinto(view)
        while 0 < fill < min(len(EXPORT_BEGINS), len(view)) and EXPORT_BEGINS.startswith(view[:fill]):
            if not (more := readinto(view[fill:])):
                break
            fill += more
        through = readinto
        if bytes(view[: min(fill, len(EXPORT_BEGINS))]) == EXPORT_BEGINS:
            through = _Reading(readinto, bytes(view[:fill])).readinto
            return through(view)
        return fill

    return read


class _Reading:
    """An export that is read to its end."""

    def __init__(self, source: ReadInto, begun: bytes) -> None:
        self._source = source
        self._export = Export()
        self._ready = memoryview(self._export.feed(begun))
        self._ended = False

    def readinto(self, view: memoryview) -> int:
        """Be a ReadInto; raises DamageError for an entry that is cut."""
        while not self._ready:
            if self._ended:
                return 0
            block = bytearray(_BLOCK_BYTES)
            with memoryview(block) as room:
                count = self._source(room)
            self._ended = not count
            lines = self._export.feed(block[:count]) if count else self._export.end()
            self._ready = memoryview(lines)
        given, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(given)] = given
        return len(given)


class Export:
    """Entries taken apart field by field, as their bytes come.

    ``cursor`` names the last entry that ended, ``begun`` the last of those that came piece by piece.
    """

    def __init__(self) -> None:
        self.cursor = ""
        self.begun = ""
        self._buffer = bytearray()
        self._entry: dict[str, str] = {}
        self._inside = False  # an entry that has begun and not ended
        self._skip = 0  # bytes of a field that nobody looks at
        self._whole_at = -1  # where in the buffer the last entry that was found whole begins
        self.damage: DamageError | None = None

    def feed(self, block: bytes | bytearray) -> bytes:
        """The lines of the entries that have ended; raises DamageError for what is no export.

        What ended before the damage is given first; ``damage`` tells that nothing more will come.
        """
        if self.damage is not None:
            raise self.damage
        self._buffer += block
        lines = []
        try:
            for line in self._entries():
                lines.append(line)  # noqa: PERF402  (what came before an error is kept)
        except DamageError as error:
            if not lines:
                raise
            self.damage = error
        return b"".join(lines)

    def end(self) -> bytes:
        """The line of an entry that nothing follows; raises DamageError if it is cut."""
        if self._inside and not self._skip and not self._buffer:
            # The empty line behind the last entry may be missing where files were joined or trimmed.
            self._buffer += b"\n"
        lines = self.feed(b"")
        if self._inside or self._skip or self._buffer:
            raise DamageError("the last entry is cut")
        return lines

    def _entries(self) -> Iterator[bytes]:
        """The lines of the entries that end in the buffer; what is left of it waits for more."""
        buffer, at = self._buffer, 0
        self._whole_at = -1
        try:
            while (after := self._step(buffer, at)) is not None:
                at, line = after
                if line is not None:
                    yield line
        finally:
            if self._whole_at >= 0 and buffer.startswith(EXPORT_BEGINS, self._whole_at):
                begin = self._whole_at + len(EXPORT_BEGINS)
                self.cursor = buffer[begin : buffer.find(b"\n", begin)].decode("ascii", "replace")
            del buffer[:at]

    def _step(self, buffer: bytearray, at: int) -> tuple[int, bytes | None] | None:
        """Take a field or a whole entry: where the next one begins, and the entry's line where it ended."""
        if self._skip:
            left = min(self._skip, len(buffer) - at)
            self._skip -= left
            return (at + left, None) if left else None
        if not self._inside:
            end = buffer.find(b"\n\n", at)
            if end > at and not _BINARY.search(buffer, at, end):
                self._whole_at = at
                found = _TEXT.findall(buffer, at, end)
                return end + 2, _line({name.decode(): _text(value) for name, value in reversed(found)})
        end = buffer.find(b"\n", at)
        if end < 0:
            if len(buffer) - at > LONGEST_LINE_BYTES:
                raise DamageError(f"a field is longer than {LONGEST_LINE_BYTES} bytes")
            return None
        if end == at:
            entry, inside, self._entry, self._inside = self._entry, self._inside, {}, False
            self.cursor, self._whole_at = self.begun if inside else self.cursor, -1
            return at + 1, _line(entry) if inside else None
        equals = buffer.find(b"=", at, end)
        if equals >= 0:
            self._keep(buffer[at:equals], buffer[equals + 1 : end])
            return end + 1, None
        return self._binary(buffer, at, end)

    def _binary(self, buffer: bytearray, at: int, end: int) -> tuple[int, None] | None:
        """A field that tells its length."""
        begin = end + 1 + _LENGTH_BYTES
        if len(buffer) < begin:
            return None
        size = int.from_bytes(buffer[end + 1 : begin], "little")
        name = buffer[at:end]
        if size > MOST_BYTES or bytes(name) not in _WANTED:
            self._keep(name, b"(%d bytes)" % size)
            self._skip = size + 1
            return begin, None
        if len(buffer) <= begin + size:
            return None
        if buffer[begin + size] != 0x0A:
            raise DamageError("a field is not as long as it says")
        self._keep(name, buffer[begin : begin + size])
        return begin + size + 1, None

    def _keep(self, name: bytes | bytearray, value: bytes | bytearray) -> None:
        self._inside = True
        if name == b"__CURSOR":
            self.begun = value.decode("ascii", "replace")
        if bytes(name) in _WANTED:
            # A field may be there several times; the first is the one that journald shows.
            self._entry.setdefault(name.decode(), _text(value))


def _text(value: bytes | bytearray) -> str:
    return value.decode("utf-8", "replace")


def _line(entry: Mapping[str, str]) -> bytes:
    """An entry as a line; where it tells no time, the text alone."""
    text = entry.get("MESSAGE", "").replace("\n", " ")
    tag = _word(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "unknown")
    pid = entry.get("SYSLOG_PID") or entry.get("_PID") or ""
    text = f"{tag}[{pid}]: {text}" if pid.isascii() and pid.isdigit() else f"{tag}: {text}"
    try:
        time = EPOCH + timedelta(microseconds=int(entry["__REALTIME_TIMESTAMP"]))
    except (KeyError, ValueError, OverflowError):
        return text.encode() + b"\n"
    stamp = time.isoformat(timespec="microseconds")
    line = f"{_priority(entry)}{stamp}+00:00 {_word(entry.get('_HOSTNAME') or 'localhost')} {text}\n"
    return line.encode()


def _priority(entry: Mapping[str, str]) -> str:
    """Facility and severity as RFC 5424 counts them; journald has user for what came not from syslog."""
    severity, facility = entry.get("PRIORITY", ""), entry.get("SYSLOG_FACILITY", "1")
    if not (severity in SEVERITIES and facility in FACILITIES):
        return ""
    return f"<{int(facility) * 8 + int(severity)}>"


def _word(name: str) -> str:
    """A name that is one word, as those of a line must be."""
    return "_".join(name.split()) or "unknown"

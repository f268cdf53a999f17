"""Read one source, plain or compressed, as chunks of text that end where a line ends.

In: a Source (``files.expand`` makes them).  Out: Chunks in order; joined, they are exactly the text.
What went wrong on the way is in a ReadReport: a damaged or shortened archive, a failing disk or a file
that has gone never raises.  The text before the damage is delivered (of bz2 and xz, all but the last
16 KiB of it), then the problem is noted.

What is compressed, and how, is told by the first bytes and never by the name, standard input included.
Archives of several members (``cat a.gz b.gz``, ``xz`` and ``zst`` frames) read as one text; zero bytes
between or after members are padding, as gzip and tapes leave it.  What journalctl exported, packed or not,
reads as lines of text (``exported.py``), and so do records of logins (``logins.py``).

Memory is bounded whatever the input: at most a chunk is held besides the one that was handed out, a
line of more than MAX_LINE_BYTES is cut into pieces, and no archive is unpacked by more than 1 MiB (zst:
8 MiB) at a time, so that a few kilobytes cannot fill the memory.

Not here: the formats (``unpacking.py``), characters, lines, times.  A chunk is bytes as they were logged.
"""

from __future__ import annotations

import select
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import FileIO
from typing import Any, BinaryIO, Final

from mailscope.intake.exported import ReadInto, as_text
from mailscope.intake.logins import RecordsDamagedError, as_lines
from mailscope.intake.unpacking import ENDS_EARLY, Compression, DamageError, Unpacked, sniff_compression
from mailscope.vocabulary.errors import InputError

__all__ = ["Chunk", "Compression", "ReadReport", "Source", "read_chunks", "sniff_compression"]

CHUNK_BYTES: Final = 6 << 20
MAX_LINE_BYTES = 4 << 20  # not Final: the tests make it small

_BLOCK_BYTES: Final = 64 << 10  # stored bytes that a decoder is given at a time
_PATIENCE_S: Final = 0.5
_FIRST_BUFFER_BYTES: Final = 64 << 10
_HEAD_BYTES: Final = 10  # enough for every format
_STEP_BYTES: Final = 1 << 20  # that a pipe or a decoder gives at a time
_FORMAT_NAMES: Final = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd", "export": "journal's"}
_PLAIN: Final = ("none", "export", "logins")


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to read: a file, a pipe or standard input.

    ``compression``, ``mtime`` and ``size_bytes`` are as they were when the source was looked at; for
    standard input and pipes nothing can be known before reading ('none', None, None).
    """

    path: str  # as open() takes it; '-' is standard input
    name: str  # as shown to people: printable, safe to encode
    set_id: str  # the same for all files that one log was rotated into
    age_rank: int  # 0 is the newest of its set, growing with age
    mtime: float | None  # seconds since 1970
    size_bytes: int | None  # on disk, that is, compressed
    compression: Compression


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines; only the last chunk, or the piece of a line that was cut, lacks a line feed at its end."""

    data: bytes
    offset: int  # of the first byte, in the uncompressed text
    last: bool


@dataclass(slots=True)
class ReadReport:
    """What reading one source came to; it grows while the chunks are read (another thread may look)."""

    problems: list[InputError] = field(default_factory=list)
    cut_lines: int = 0  # lines of more than MAX_LINE_BYTES, each counted once
    bytes_read_compressed: int = 0  # as stored; compare with Source.size_bytes for progress
    bytes_text: int = 0  # uncompressed
    compression: Compression = "none"  # as the first bytes told
    logins: bool = False  # the text was made of records of logins

    def found_logins(self) -> None:
        """What is read are records of logins."""
        self.logins = True


def read_chunks(
    source: Source,
    chunk_bytes: int = CHUNK_BYTES,
    stdin: BinaryIO | None = None,
    report: ReadReport | None = None,
) -> Generator[Chunk, None, None]:
    """Read a source from its beginning to its end, also when it grows meanwhile.

    In: about how large a chunk may be (one line of up to MAX_LINE_BYTES may make it larger); ``stdin``
    to read for the path '-' (default: file descriptor 0, unbuffered, so that a thread may be left
    waiting in it at exit); ``report``, which is filled while the chunks are read.
    Out: chunks, none of them empty; none at all for an empty source.
    Errors: none for bad data or a bad disk, they are ``report.problems``.  ValueError if chunk_bytes < 1.
    """
    if chunk_bytes < 1:
        raise ValueError("chunk_bytes must be at least 1")
    report = report or ReadReport()
    with ExitStack() as opened:
        try:
            if source.path != "-":
                file: FileIO | BinaryIO = opened.enter_context(FileIO(source.path))
            else:
                file = opened.enter_context(_Standard(0, closefd=False)) if stdin is None else stdin
            stored = _Stored(file, report)
            report.compression = sniff_compression(stored.peek())
        except OSError as error:
            report.problems.append(InputError.from_os_error(error, source.name))
            return
        text = stored if report.compression in _PLAIN else Unpacked(stored, report.compression)
        readinto = as_text(as_lines(text.readinto, source.path, report.found_logins))
        yield from _cut(_guarded(readinto, source.name, report), chunk_bytes, report)


class _Standard(FileIO):
    """Standard input, waited for a while at a time.

    Polars has SIGINT's handler restart system calls (SA_RESTART), so that a read would go on after Ctrl-C
    until the next line comes, which may be never; select is not restarted (signal(7)).
    """

    def readinto(self, buffer: Any, /) -> int:
        """Read what is there, at least something."""
        self._await()
        return super().readinto(buffer)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read what is there, at least something."""
        self._await()
        return super().read(size)

    def _await(self) -> None:
        while not select.select([self], [], [], _PATIENCE_S)[0]:
            pass


class _Stored:
    """The bytes as they are stored, counted; the first of them can be looked at beforehand."""

    def __init__(self, file: FileIO | BinaryIO, report: ReadReport) -> None:
        self._file = file
        self._report = report
        self._ahead = b""

    def peek(self) -> bytes:
        """Look at the first bytes: enough to tell the format, if there are so many."""
        while len(self._ahead) < _HEAD_BYTES and (block := self._next(_BLOCK_BYTES)):
            self._ahead += block
        return self._ahead

    def read(self) -> bytes:
        """Give a block of at least one byte, or nothing at the end."""
        block, self._ahead = self._ahead or self._next(_BLOCK_BYTES), b""
        return block

    def readinto(self, view: memoryview) -> int:
        """Be a ReadInto."""
        if self._ahead or not isinstance(self._file, FileIO):
            block = self._ahead or self._next(min(len(view), _STEP_BYTES))
            filled = min(len(view), len(block))
            view[:filled] = block[:filled]
            self._ahead = block[filled:]
            return filled
        while (filled := self._file.readinto(view)) is None:
            self._wait()
        self._report.bytes_read_compressed += filled
        return filled

    def _next(self, size: int) -> bytes:
        while (block := self._file.read(size)) is None:
            self._wait()
        self._report.bytes_read_compressed += len(block)
        return block

    def _wait(self) -> None:
        # Standard input is non-blocking when whoever shares the terminal or the pipe has made it so.
        select.select([self._file], [], [])


def _guarded(readinto: ReadInto, name: str, report: ReadReport) -> ReadInto:
    """Make one that ends, with a problem in the report, where the given one raises."""

    def read(view: memoryview) -> int:
        try:
            count = readinto(view)
        except RecordsDamagedError as error:
            report.problems.append(InputError(str(error), name))
            return 0
        except DamageError as error:
            report.problems.append(_damage(str(error), name, report))
            return 0
        except OSError as error:
            report.problems.append(InputError.from_os_error(error, name))
            return 0
        report.bytes_text += count
        return count

    return read


def _damage(how: str, name: str, report: ReadReport) -> InputError:
    data = f"the {_FORMAT_NAMES[report.compression]} data"
    if "memory" in how.lower():  # what both lzma and zstd call it
        return InputError(f"{data} need too much memory to unpack ({how})", name, "unpack the file first")
    verb, why = ("end early,", "") if how == ENDS_EARLY else ("are damaged", f" ({how})")
    what_to_do = "copy the file again if the original is whole; what comes before was read"
    return InputError(f"{data} {verb} after {report.bytes_text} bytes of text{why}", name, what_to_do)


def _cut(readinto: ReadInto, chunk_bytes: int, report: ReadReport) -> Iterator[Chunk]:
    """Cut what is read into chunks.

    One buffer serves the whole source, so that each byte is copied once, from it into a chunk.
    """
    buffer = bytearray(_FIRST_BUFFER_BYTES)
    fill = offset = 0
    wanted = chunk_bytes + 1  # one more than the chunk, to know whether it is the last
    more = True
    inside_cut_line = False
    while True:
        while more and fill < wanted:
            if fill == len(buffer):
                buffer.extend(bytes(min(len(buffer), wanted - len(buffer))))
            with memoryview(buffer) as view, view[fill:] as room:
                count = readinto(room)
            fill += count
            more = count > 0
        if not fill:
            return
        end = end_of_lines(buffer, fill - more, chunk_bytes, more)
        if not end and fill - more > MAX_LINE_BYTES:
            end = MAX_LINE_BYTES
            report.cut_lines += not inside_cut_line
            inside_cut_line = True
        elif end:
            inside_cut_line = False
        else:
            wanted = min(2 * wanted, MAX_LINE_BYTES + 2)
            continue
        with memoryview(buffer) as view, view[:end] as lines:
            data = bytes(lines)
        yield Chunk(data, offset, last=not more and end == fill)
        del data  # the consumer alone decides how long it lives
        buffer[: fill - end] = buffer[end:fill]
        fill -= end
        offset += end
        wanted = chunk_bytes + 1


def end_of_lines(buffer: bytearray, known: int, chunk_bytes: int, more: bool) -> int:
    """Find where a chunk can end; 0 if not within the known bytes, or if the first line must be cut.

    In: how many bytes of the buffer count; about how large the chunk may be; whether more bytes follow.
    """
    end = 0
    limit = min(known, chunk_bytes)
    while end < limit:  # in steps of the longest line, so that only the last bytes of each are looked at
        newline = buffer.rfind(b"\n", end, min(end + MAX_LINE_BYTES + 1, limit))
        if newline < 0:
            break
        end = newline + 1
    if not more and known <= chunk_bytes and known - end <= MAX_LINE_BYTES:
        return known  # the last line has no line feed
    if end:
        return end
    end = buffer.find(b"\n", 0, min(known, MAX_LINE_BYTES + 1)) + 1
    return known if not end and not more and known <= MAX_LINE_BYTES else end

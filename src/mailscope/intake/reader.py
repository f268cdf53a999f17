"""Read one source, plain or compressed, as chunks of text that end where a line ends.

In: a Source (``files.expand`` makes them).  Out: Chunks in order; joined, they are exactly the text.
What went wrong on the way is in a ReadReport: a damaged or shortened archive, a failing disk or a file
that has gone never raises.  The text before the damage is delivered (of bz2 and xz, all but the last
16 KiB of it), then the problem is noted.

What is compressed, and how, is told by the first bytes and never by the name, standard input included.
Archives of several members (``cat a.gz b.gz``, ``xz`` and ``zst`` frames) read as one text; zero bytes
between or after members are padding, as gzip and tapes leave it.

Memory is bounded whatever the input: at most a chunk is held besides the one that was handed out, a
line of more than MAX_LINE_BYTES is cut into pieces, and no archive is unpacked by more than 1 MiB (zst:
8 MiB) at a time, so that a few kilobytes cannot fill the memory.

Formats: RFC 1952 (gzip), RFC 8878 (zstd, with the skippable frames of 3.1.2), the .xz file format 1.2.
Not here: characters, lines, times.  A chunk is bytes as they were logged.
"""

from __future__ import annotations

import bz2
import lzma
import select
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import FileIO
from typing import BinaryIO, Final, Literal, Protocol

from mailscope.vocabulary.errors import InputError

Compression = Literal["none", "gz", "bz2", "xz", "zst"]
_ReadInto = Callable[[memoryview], int]  # fills the view at least in part and says how far; 0 at the end

CHUNK_BYTES: Final = 6 << 20
MAX_LINE_BYTES = 4 << 20  # not Final: the tests make it small

_BLOCK_BYTES: Final = 64 << 10  # stored bytes that a decoder is given at a time
_FIRST_BUFFER_BYTES: Final = 64 << 10
_HEAD_BYTES: Final = 10  # enough for every format
_STEP_BYTES: Final = 1 << 20  # that a pipe or a decoder gives at a time
_XZ_MEMORY_BYTES: Final = 256 << 20  # xz -9 needs 65 MiB
# One call's text is lost when it meets the damage, and neither decoder can be asked to go back.
_BZ2_XZ_STEP_BYTES: Final = 16 << 10
# A block of 4 bytes may stand for 128 KiB, and zstandard unpacks all it is given: this is 8 MiB at most.
_ZST_STEP_BYTES: Final = 256
_ENDS_EARLY: Final = "end early"
_FORMAT_NAMES: Final = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}
_BZ2_AFTER_LEVEL: Final = (b"1AY&SY", b"\x17rE8P\x90")  # a block, or the end of an empty archive


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


def sniff_compression(head: bytes) -> Compression:
    """Tell from the first bytes (10 are enough) how a source is compressed."""
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"BZh") and head[3:4] in b"123456789" and head[4:10] in _BZ2_AFTER_LEVEL:
        return "bz2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    # pzstd and others begin with a skippable frame, whose first byte is 0x50 to 0x5f.
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5):
        return "zst"
    return "none"


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
                file = opened.enter_context(FileIO(0, closefd=False)) if stdin is None else stdin
            stored = _Stored(file, report)
            report.compression = sniff_compression(stored.peek())
        except OSError as error:
            report.problems.append(InputError.from_os_error(error, source.name))
            return
        text = stored if report.compression == "none" else _Unpacked(stored, report.compression)
        yield from _cut(_guarded(text.readinto, source.name, report), chunk_bytes, report)


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
        """Be a _ReadInto."""
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


class _DamageError(Exception):
    """The compressed data are wrong, or end early; the text says what the decoder said."""


class _Decoder(Protocol):
    """One member or frame: what bz2 and lzma decoders are by nature."""

    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes | memoryview: ...


class _GzipDecoder:
    """zlib behind the interface of bz2; up to the very byte where the damage begins, no text is lost."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self._error: zlib.error | None = None
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if self._error:
            raise self._error
        data = self._inflate.unconsumed_tail + data
        before = self._inflate.copy()  # about 3 % of the time
        try:
            text = self._inflate.decompress(data, max_length)
        except zlib.error as error:
            self._error = error
            self.needs_input = False
            return _inflate_to_damage(before, data)
        # A full view may leave text inside zlib even when it has taken all the data.
        self.needs_input = len(text) < max_length and not self._inflate.unconsumed_tail
        return text


def _inflate_to_damage(inflate: zlib._Decompress, data: bytes) -> bytes:
    text = bytearray()
    with suppress(zlib.error):  # the decoder raises it next
        for position in range(len(data)):
            text += inflate.decompress(data[position : position + 1])
    return bytes(text)


class _ZstdDecoder:
    """python-zstandard behind the interface of bz2, fed so slowly that no input can unpack without bound."""

    def __init__(self) -> None:
        import zstandard  # here, because few read such logs

        self._zstd_error = zstandard.ZstdError
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._data = memoryview(b"")
        self._text = memoryview(b"")

    @property
    def needs_input(self) -> bool:
        return not self._data and not self._text

    @property
    def eof(self) -> bool:
        return self._frame.eof and not self._text

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data + bytes(self._data)

    def decompress(self, data: bytes, max_length: int, /) -> memoryview:
        if data:  # only ever when all before is used up
            self._data = memoryview(data)
        while self._data and not self._text and not self._frame.eof:
            step, self._data = self._data[:_ZST_STEP_BYTES], self._data[_ZST_STEP_BYTES:]
            try:
                self._text = memoryview(self._frame.decompress(step))
            except self._zstd_error as error:
                raise _DamageError(str(error)) from error
        text, self._text = self._text[:max_length], self._text[max_length:]
        return text


def _new_decoder(compression: Compression) -> _Decoder:
    if compression == "gz":
        return _GzipDecoder()
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    if compression == "xz":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)
    return _ZstdDecoder()


class _Unpacked:
    """The text of an archive, member after member."""

    def __init__(self, stored: _Stored, compression: Compression) -> None:
        self._stored = stored
        self._compression = compression
        self._step = _BZ2_XZ_STEP_BYTES if compression in ("bz2", "xz") else _STEP_BYTES
        self._decoder = _new_decoder(compression)
        self._data = b""

    def readinto(self, view: memoryview) -> int:
        """Be a _ReadInto; raises _DamageError."""
        while not self._decoder.eof or self._begin_next_member():
            data = b""
            if self._decoder.needs_input:
                data, self._data = self._data or self._stored.read(), b""
                if not data:
                    raise _DamageError(_ENDS_EARLY)
            try:
                text = self._decoder.decompress(data, min(len(view), self._step))
            except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:  # OSError is bz2's
                raise _DamageError(str(error)) from error
            if text:
                view[: len(text)] = text
                return len(text)
        return 0

    def _begin_next_member(self) -> bool:
        data = self._decoder.unused_data.lstrip(b"\0")
        while not data and (block := self._stored.read()):
            data = block.lstrip(b"\0")
        if data:
            self._decoder = _new_decoder(self._compression)
            self._data = data
        return bool(data)


def _guarded(readinto: _ReadInto, name: str, report: ReadReport) -> _ReadInto:
    """Make one that ends, with a problem in the report, where the given one raises."""

    def read(view: memoryview) -> int:
        try:
            count = readinto(view)
        except _DamageError as error:
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
    verb, why = ("end early,", "") if how == _ENDS_EARLY else ("are damaged", f" ({how})")
    what_to_do = "copy the file again if the original is whole; what comes before was read"
    return InputError(f"{data} {verb} after {report.bytes_text} bytes of text{why}", name, what_to_do)


def _cut(readinto: _ReadInto, chunk_bytes: int, report: ReadReport) -> Iterator[Chunk]:
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
        end = _end_of_lines(buffer, fill - more, chunk_bytes, more)
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


def _end_of_lines(buffer: bytearray, known: int, chunk_bytes: int, more: bool) -> int:
    """Find where a chunk can end; 0 if not within the known bytes, or if the first line must be cut."""
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

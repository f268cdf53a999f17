"""Unpack gzip, bzip2, xz and zstd, told by their first bytes, in steps of bounded size.

In: a compressed source's bytes, block by block.  Out: its text, a view at a time.  Archives of several
members read as one text.  What is damaged raises DamageError, after the text before it was given.

Formats: RFC 1952 (gzip), RFC 8878 (zstd, with the skippable frames of 3.1.2), the .xz file format 1.2.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from contextlib import suppress
from typing import Final, Literal, Protocol

from mailscope.host.layouts.utmp import may_begin

# "export" and "logins": no archives, but systemd's export format (``exported.py``) and records of logins
# (``logins.py``), which become text as they do.
Compression = Literal["none", "gz", "bz2", "xz", "zst", "export", "logins"]

EXPORT_BEGINS: Final = b"__CURSOR="
ENDS_EARLY: Final = "end early"
_STEP_BYTES: Final = 1 << 20  # that a decoder gives at a time
_XZ_MEMORY_BYTES: Final = 256 << 20  # xz -9 needs 65 MiB
# One call's text is lost when it meets the damage, and neither decoder can be asked to go back.
_BZ2_XZ_STEP_BYTES: Final = 16 << 10
# A block of 4 bytes may stand for 128 KiB, and zstandard unpacks all it is given: this is 8 MiB at most.
_ZST_STEP_BYTES: Final = 256
_BZ2_AFTER_LEVEL: Final = (b"1AY&SY", b"\x17rE8P\x90")  # a block, or the end of an empty archive


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
    if may_begin(head):
        return "logins"
    return "export" if head.startswith(EXPORT_BEGINS) else "none"


class Stored(Protocol):
    """The bytes as they are stored."""

    def read(self) -> bytes:
        """Give a block of at least one byte, or nothing at the end."""
        ...


class DamageError(Exception):
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
                raise DamageError(str(error)) from error
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


class Unpacked:
    """The text of an archive, member after member."""

    def __init__(self, stored: Stored, compression: Compression) -> None:
        self._stored = stored
        self._compression = compression
        self._step = _BZ2_XZ_STEP_BYTES if compression in ("bz2", "xz") else _STEP_BYTES
        self._decoder = _new_decoder(compression)
        self._data = b""

    def readinto(self, view: memoryview) -> int:
        """Be a _ReadInto; raises DamageError."""
        while not self._decoder.eof or self._begin_next_member():
            data = b""
            if self._decoder.needs_input:
                data, self._data = self._data or self._stored.read(), b""
                if not data:
                    raise DamageError(ENDS_EARLY)
            try:
                text = self._decoder.decompress(data, min(len(view), self._step))
            except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:  # OSError is bz2's
                raise DamageError(str(error)) from error
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

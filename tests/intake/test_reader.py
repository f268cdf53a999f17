"""Chunks: nothing lost, nothing twice, bounded memory, and no exception whatever the bytes are."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import random
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from io import BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO, Final, cast
from unittest.mock import patch

import pytest
import zstandard
from hypothesis import assume, given
from hypothesis import strategies as st

from mailscope.intake import reader
from mailscope.intake.reader import Chunk, ReadReport, Source, read_chunks, sniff_compression

Compress = Callable[[bytes], bytes]

COMPRESS: Final[dict[str, Compress]] = {
    "gz": lambda text: gzip.compress(text, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
MAGIC_BYTES: Final = {"gz": 2, "bz2": 10, "xz": 6, "zst": 4}
LINES: Final = st.lists(
    st.binary(max_size=12) | st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\0", b"x" * 40 + b"\n"]), max_size=30
).map(b"".join)

every_format = pytest.mark.parametrize("kind", COMPRESS)


def source(path: str = "-") -> Source:
    return Source(path, path, path, 0, None, None, "none")


def read(data: bytes, chunk_bytes: int = 1 << 20) -> tuple[list[Chunk], ReadReport]:
    report = ReadReport()
    return list(read_chunks(source(), chunk_bytes, BytesIO(data), report)), report


def text_of(data: bytes, chunk_bytes: int = 1 << 20) -> tuple[bytes, ReadReport]:
    chunks, report = read(data, chunk_bytes)
    return b"".join(chunk.data for chunk in chunks), report


def log(lines: int, seed: int = 1) -> bytes:
    rng = random.Random(seed)
    return b"".join(
        b"Mar  1 00:00:%02d mx1 postfix/qmgr[812]: %010X: removed\n"
        % (rng.randrange(60), rng.getrandbits(40))
        for _ in range(lines)
    )


def assert_whole(chunks: list[Chunk], text: bytes, max_line: int = reader.MAX_LINE_BYTES) -> None:
    assert b"".join(chunk.data for chunk in chunks) == text
    offset = 0
    for chunk in chunks:
        assert chunk.data
        assert chunk.offset == offset
        offset += len(chunk.data)
        assert chunk.last == (offset == len(text))
        if not chunk.last and not chunk.data.endswith(b"\n"):
            assert len(chunk.data) == max_line
            assert b"\n" not in chunk.data
        assert all(len(line) <= max_line for line in chunk.data.split(b"\n"))


# Whole sources


@given(text=LINES, chunk_bytes=st.integers(1, 100))
def test_plain_file(tmp_path_factory: pytest.TempPathFactory, text: bytes, chunk_bytes: int) -> None:
    assume(sniff_compression(text) == "none")
    path = tmp_path_factory.getbasetemp() / "mail.log"
    path.write_bytes(text)
    report = ReadReport()
    assert_whole(list(read_chunks(source(str(path)), chunk_bytes, report=report)), text)
    assert report == ReadReport(bytes_read_compressed=len(text), bytes_text=len(text))


@given(text=LINES, chunk_bytes=st.integers(1, 100))
def test_plain_standard_input(text: bytes, chunk_bytes: int) -> None:
    assume(sniff_compression(text) == "none")
    chunks, report = read(text, chunk_bytes)
    assert_whole(chunks, text)
    assert report == ReadReport(bytes_read_compressed=len(text), bytes_text=len(text))


@every_format
@given(
    members=st.lists(LINES, min_size=1, max_size=4),
    chunk_bytes=st.integers(1, 100),
    padding=st.sampled_from([0, 4, 70_000]),
)
def test_compressed(kind: str, members: list[bytes], chunk_bytes: int, padding: int) -> None:
    data = (b"\0" * padding).join(map(COMPRESS[kind], [*members, b""]))
    chunks, report = read(data, chunk_bytes)
    assert_whole(chunks, b"".join(members))
    assert report.problems == []
    assert report.compression == kind
    assert report.bytes_read_compressed == len(data)
    assert report.bytes_text == sum(map(len, members))


@given(
    text=st.lists(st.sampled_from([b"x" * 7, b"x" * 8, b"x" * 9, b"\n", b"x"])).map(b"".join),
    chunk_bytes=st.integers(1, 40),
)
def test_long_lines_are_cut_wherever_they_stand(text: bytes, chunk_bytes: int) -> None:
    with patch.object(reader, "MAX_LINE_BYTES", 8):
        chunks, report = read(text, chunk_bytes)
    assert_whole(chunks, text, max_line=8)
    assert report.cut_lines == sum(len(line) > 8 for line in text.split(b"\n"))


def test_chunks_are_about_as_large_as_asked() -> None:
    text = log(20_000)
    chunks, _ = read(text, 100_000)
    assert_whole(chunks, text)
    assert {len(chunk.data) // 1000 for chunk in chunks[:-1]} == {99}


@every_format
def test_large_text(tmp_path: Path, kind: str) -> None:
    text = log(40_000)
    path = tmp_path / "named without suffix"
    path.write_bytes(COMPRESS[kind](text[:1_000_000]) + COMPRESS[kind](text[1_000_000:]))
    assert_whole(list(read_chunks(source(str(path)), 300_000)), text)


@every_format
def test_a_few_bytes_that_unpack_to_many_chunks(kind: str) -> None:
    text = b"a line\n" * 300_000
    chunks, _ = read(COMPRESS[kind](text) * 2, 70_000)
    assert_whole(chunks, text * 2)


def test_a_line_longer_than_a_chunk_stays_whole() -> None:
    text = b"x" * 1_000_000 + b"\n" + b"y\n"
    chunks, report = read(text, 1000)
    assert [len(chunk.data) for chunk in chunks] == [1_000_001, 2]
    assert report.cut_lines == 0


def test_many_tiny_members() -> None:
    assert text_of(gzip.compress(b"a line\n") * 3000)[0] == b"a line\n" * 3000


def test_skippable_zstd_frames() -> None:
    skippable = struct.pack("<II", 0x184D2A5E, 3) + b"abc"
    data = skippable + COMPRESS["zst"](b"one\n") + skippable + COMPRESS["zst"](b"two\n") + skippable
    text, report = text_of(data)
    assert (text, report.problems) == (b"one\ntwo\n", [])


@pytest.mark.parametrize("kind", ["plain", *COMPRESS])
def test_empty(kind: str) -> None:
    data = COMPRESS[kind](b"") if kind in COMPRESS else b""
    chunks, report = read(data)
    assert chunks == []
    assert report.problems == []


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(log(1000))
    chunks = read_chunks(source(str(path)), 10_000)
    first = next(chunks)
    with path.open("ab") as file:
        file.write(log(1000, seed=2))
    rest = list(chunks)
    assert_whole([first, *rest], log(1000) + log(1000, seed=2))


def test_chunk_bytes_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(read_chunks(source(), 0, BytesIO(b"")))


# Damage


@every_format
def test_an_archive_cut_off_anywhere(kind: str) -> None:
    text = log(30)
    data = COMPRESS[kind](text)
    for length in range(len(data)):
        got, report = text_of(data[:length])
        if length < MAGIC_BYTES[kind]:
            assert got == data[:length], length  # nobody can tell what it is
            continue
        assert text.startswith(got), length
        (problem,) = report.problems
        assert "end early" in problem.what
        assert f"after {len(got)} bytes of text" in problem.what
        assert problem.where == "-"


@every_format
def test_a_large_archive_cut_off_delivers_what_its_decoder_can(kind: str) -> None:
    text = log(60_000)
    data = COMPRESS[kind](text)
    got, report = text_of(data[: len(data) * 3 // 4])
    assert text.startswith(got)
    # bzip2 knows nothing before it has a whole block, of 900 kB.
    assert len(got) > len(text) * (0.4 if kind == "bz2" else 0.7)
    assert len(report.problems) == 1


@every_format
def test_a_byte_changed_anywhere(kind: str) -> None:
    text = log(30)
    data = COMPRESS[kind](text)
    for position in range(MAGIC_BYTES[kind], len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        got, report = text_of(bytes(damaged))
        # Some bytes mean nothing, such as the operating system in gzip's header.
        assert got == text or report.problems, position


def test_gzip_text_is_delivered_up_to_the_damage() -> None:
    data = bytearray(gzip.compress(log(60_000), mtime=0))
    position = len(data) // 2
    data[position : position + 8] = b"\xff" * 8
    sure = zlib.decompressobj(wbits=31).decompress(bytes(data[:position]))
    got, report = text_of(bytes(data))
    assert got.startswith(sure)
    assert "the gzip data are damaged after" in report.problems[0].what


def test_a_wrong_checksum_still_delivers_all_text() -> None:
    data = bytearray(gzip.compress(log(50_000), mtime=0))
    data[-8] ^= 1
    got, report = text_of(bytes(data))
    assert got == log(50_000)
    assert "incorrect data check" in report.problems[0].what


@every_format
def test_rubbish_after_the_archive(kind: str) -> None:
    got, report = text_of(COMPRESS[kind](b"a line\n") + b"rubbish" * 10)
    assert got == b"a line\n"
    assert "are damaged after 7 bytes of text" in report.problems[0].what


@every_format
@given(rubbish=st.binary(max_size=300))
def test_rubbish_behind_the_first_bytes(kind: str, rubbish: bytes) -> None:
    text_of(COMPRESS[kind](b"")[: MAGIC_BYTES[kind]] + rubbish)


def test_a_zstd_window_beyond_memory() -> None:
    # RFC 8878: no content size, a window of 2^28 bytes, one raw block of no bytes.
    _, report = text_of(b"\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00")
    assert "too much memory" in report.problems[0].what


def test_an_xz_dictionary_beyond_memory() -> None:
    data = bytearray(lzma.compress(log(10)))
    size = (data[12] + 1) * 4  # the block header: size, flags, filter 0x21, 1, dictionary, padding, CRC
    assert data[14:16] == b"\x21\x01"
    data[16] = 40  # 4 GiB
    data[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(data[12 : 12 + size - 4]))
    _, report = text_of(bytes(data))
    assert "too much memory" in report.problems[0].what


class FailingDisk(BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 100_000:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(min(size or 0, 50_000))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_disk_that_fails_in_the_middle(compressed: bool) -> None:
    text = log(400_000 if compressed else 4000)
    report = ReadReport()
    disk = FailingDisk(gzip.compress(text, 1) if compressed else text)
    got = b"".join(chunk.data for chunk in read_chunks(source(), 1 << 20, disk, report))
    assert text.startswith(got)
    assert len(got) >= 100_000
    assert report.problems[0].what == "the disk could not read it"


def test_a_file_that_has_gone_and_a_directory(tmp_path: Path) -> None:
    for path, what in ((tmp_path / "gone", "no such file"), (tmp_path, "it is a directory")):
        report = ReadReport()
        assert list(read_chunks(source(str(path)), report=report)) == []
        assert [problem.what for problem in report.problems] == [what]
        assert report.problems[0].where == str(path)


# Memory, pipes, open files

BOMB = """
import sys
from pathlib import Path
from mailscope.intake.reader import ReadReport, Source, read_chunks
import zstandard
# Not ru_maxrss: a child begins with its parent's.
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) >> 10
source, report = Source(sys.argv[1], "bomb", "", 0, None, None, "none"), ReadReport()
before = peak()
total = sum(len(chunk.data) for chunk in read_chunks(source, 1 << 20, report=report))
print(total, report.cut_lines, len(report.problems), peak() - before)
"""


@every_format
def test_a_decompression_bomb_stays_small(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bomb"
    member = COMPRESS[kind](b"\0" * (64 << 20))
    path.write_bytes(member * 4)
    run = subprocess.run([sys.executable, "-c", BOMB, path], capture_output=True, check=True, text=True)
    total, cut_lines, problems, growth_mib = map(int, run.stdout.split())
    assert (total, cut_lines, problems) == (256 << 20, 1, 0)
    assert len(member) * 4 < 300_000
    assert growth_mib < 60


def test_standard_input_that_does_not_block() -> None:
    text = log(2000)
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)

    def write_slowly() -> None:
        for start in range(0, len(text), 40_000):
            time.sleep(0.02)
            os.write(write_end, text[start : start + 40_000])
        os.close(write_end)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    with FileIO(read_end) as stdin:
        chunks = list(read_chunks(source(), 30_000, cast("BinaryIO", stdin)))
    writer.join()
    assert_whole(chunks, text)


def test_standard_input_of_the_process() -> None:
    code = (
        "import sys; from mailscope.intake.reader import *;"
        "chunks = read_chunks(Source('-', '-', '-', 0, None, None, 'none'), 1000);"
        "sys.stdout.buffer.write(b''.join(chunk.data for chunk in chunks))"
    )
    data = gzip.compress(log(500))
    run = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert run.stdout == log(500)


def test_a_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(bz2.compress(log(5000))))
    writer.start()
    chunks = list(read_chunks(source(str(path)), 10_000))
    writer.join()
    assert_whole(chunks, log(5000))


def test_the_file_is_closed_when_the_reader_is(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(log(1000))
    before = len(os.listdir("/proc/self/fd"))
    with closing(read_chunks(source(str(path)), 1000)) as chunks:
        next(chunks)
        assert len(os.listdir("/proc/self/fd")) == before + 1
    assert len(os.listdir("/proc/self/fd")) == before

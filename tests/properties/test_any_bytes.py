"""Whatever the bytes: nothing raises, every line is counted, and the balance sheet adds up."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from running import Run, examples, light, run, source

from mailscope.intake.lines import parse_lines
from mailscope.intake.reader import sniff_compression

EXAMPLES = Path(__file__).parents[2] / "examples"
REAL = [
    line
    for name in ("postfix/mail.log", "postfix/mail.log.1", "qmail/maillog", "qmail/multilog/current")
    for line in (EXAMPLES / name).read_bytes().split(b"\n")[::23]
]
LINE = b"Nov 22 04:00:42 mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, 1),
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


@lru_cache(maxsize=1)
def folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


def read(*files: bytes, chunk_bytes: int = 1 << 20) -> Run:
    """The whole flow over files with these bytes, as a report goes through it."""
    sources = []
    for number, data in enumerate(files):
        path = Path(folder().name) / f"{number}.log"
        path.write_bytes(data)
        sources.append(source(path))
    done = run(sources, chunk_bytes=chunk_bytes, needed=light())
    check(done)
    return done


def check(done: Run) -> None:
    """The balance of lines, and that every message and recipient is told of once."""
    totals = done.totals
    parts = ("recognised", "unrecognised", "blank", "duplicate")
    assert totals.get("read", 0) == sum(totals.get(part, 0) for part in parts)
    lines = done.ledger.result("lines")
    assert lines["count"].sum() == totals.get("read", 0) - totals.get("blank", 0) - totals.get("duplicate", 0)
    trails = [row["trail"] for row in done.rows("messages", "trail")]
    assert len(trails) == len(set(trails))
    assert {row["trail"] for row in done.rows("recipients", "trail")} <= set(trails)
    for tally in done.ledger.wanted:
        done.ledger.result(tally.name)


def lines_of(data: bytes) -> int:
    return data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))


# Bytes of all sorts


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real line with some bytes changed, left out, doubled or cut off."""
    line = bytearray(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(line)))
        match draw(st.integers(0, 4)):
            case 0:
                line[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
            case 1:
                line[at : at + 1] = bytes([draw(st.sampled_from(b"\x00\xff\t \r<>[]():;,=\"'\\%_@0-+."))])
            case 2:
                del line[at:]
            case 3:
                line[at:at] = line[max(0, at - 20) : at]
            case _:
                line[at:at] = draw(st.sampled_from(REAL))[:40]
    return bytes(line)


pieces = st.one_of(
    st.sampled_from(REAL), damaged(), damaged(), st.binary(max_size=40), st.sampled_from([b"", b" ", b"\t\r"])
)
ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"", b"\r"])
texts = st.lists(st.tuples(pieces, ends), max_size=25).map(
    lambda parts: b"".join(piece + end for piece, end in parts)
)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(texts, min_size=1, max_size=2), st.sampled_from([1, 300, 1 << 20]))
def test_any_bytes_are_read_and_counted(files: list[bytes], chunk_bytes: int) -> None:
    done = read(*files, chunk_bytes=chunk_bytes)
    if all(sniff_compression(data[:10]) == "none" for data in files):
        wanted = sum(lines_of(data) + parse_lines(data).glued for data in files)
        assert done.totals.get("read", 0) == wanted


@settings(max_examples=examples(15), deadline=None)
@given(texts, st.sampled_from(sorted(PACK)), st.data())
def test_any_damage_to_an_archive(text: bytes, form: str, data: st.DataObject) -> None:
    packed = bytearray(PACK[form](text * 3))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(packed)))
        if data.draw(st.booleans()):
            del packed[at:]
        else:
            packed[at : at + 1] = data.draw(st.binary(max_size=3))
    read(bytes(packed), chunk_bytes=500)


# Cases that are worth a name


def cases() -> Iterator[tuple[str, bytes, int]]:
    """Name, bytes, number of lines."""
    yield "nothing", b"", 0
    yield "a line feed", b"\n", 1
    yield "only blank lines", b"\n \n\t\n\r\n", 4
    yield "no line feed at the end", LINE, 1
    yield "cut in the middle", LINE + b"\n" + LINE[:30], 2
    yield "cut in the stamp", LINE[9:] + b"\n" + LINE + b"\n" + LINE[:9], 3
    yield "line ends of Windows", (LINE + b"\r\n") * 3, 3
    yield "a carriage return within", LINE + b"\r" + LINE + b"\n", 1
    yield "NUL bytes", b"\x00" * 100 + b"\n" + LINE + b"\x00\n" + b"\x00\n", 3
    yield "a hole as a crash leaves it", LINE + b"\n" + b"\x00" * 5000 + LINE + b"\n", 2
    yield "not UTF-8", b"\xff\xfe\xfd\n" + LINE + b" \xe9\xe8\n\xc3\n", 3
    yield "UTF-16", LINE.decode().encode("utf-16") + b"\n\x00", 2
    yield "a byte order mark", b"\xef\xbb\xbf" + LINE + b"\n", 1
    yield "only a byte order mark", b"\xef\xbb\xbf", 1
    yield "like a zlib stream", b"x\x01" + LINE + b"\n" + LINE, 2
    yield "a line of 3 MB", LINE + b"x" * 3_000_000 + b"\n" + LINE, 2
    yield "a million blanks", b" " * 1_000_000, 1
    yield (
        "a thousand hosts",
        b"".join(LINE.replace(b"mx1", b"h%d" % number) + b"\n" for number in range(1000)),
        1000,
    )
    yield (
        "a thousand programs",
        b"".join(LINE.replace(b"postfix", b"p%d" % number) + b"\n" for number in range(1000)),
        1000,
    )
    yield "the year 9999", b"9999-12-31T23:59:59-12:00 mx1 a[1]: x\n" + LINE + b"\n", 2
    yield "the year 0", b"0000-01-01T00:00:00Z mx1 a[1]: x\n" + LINE + b"\n", 2
    yield (
        "every month in turn",
        b"".join(b"%s 28 00:00:00 mx1 a[1]: x\n" % month for month in (b"Jan", b"Sep", b"Mar", b"Dec") * 50),
        200,
    )
    yield (
        "numbers beyond all bounds",
        LINE.replace(
            b"removed",
            b"from=<a@example.org>, size=99999999999999999999, nrcpt=9999999999999999999 (queue active)",
        ),
        1,
    )


@pytest.mark.parametrize(
    ("data", "lines"), [pytest.param(data, lines, id=name) for name, data, lines in cases()]
)
def test_odd_files(data: bytes, lines: int) -> None:
    assert read(data).totals.get("read", 0) == lines
    done = read(data, LINE + b"\n", chunk_bytes=700)
    assert done.totals["read"] == lines + 1


def test_a_line_of_ten_megabytes_is_cut_into_pieces() -> None:
    """Memory stays bounded: what is longer than 4 MiB is read as several lines, and said to be cut."""
    done = read(LINE + b"x" * 10_000_000 + b"\n" + LINE + b"\n")
    assert done.totals["read"] == 4
    assert done.totals["recognised"] == 1


@pytest.mark.parametrize("form", sorted(PACK))
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_an_archive_that_ends_early(form: str, share: float) -> None:
    packed = PACK[form]((EXAMPLES / "qmail" / "maillog").read_bytes())
    whole = read(packed).totals["read"]
    cut = read(packed[: int(len(packed) * share)]).totals.get("read", 0)
    assert cut <= whole
    if form == "gz" and share > 0.1:
        assert cut > whole * share / 3

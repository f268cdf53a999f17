"""``journalctl -o export`` as lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journaling import entry, text

from mailscope.intake.exported import MOST_BYTES, as_text
from mailscope.intake.reader import ReadReport, Source, read_chunks
from mailscope.intake.unpacking import DamageError, sniff_compression

LINE = "<22>2026-11-22T03:59:0{}.123456+00:00 mx1 postfix/smtpd[12]: {}\n"


def converted(data: bytes, step: int = 1 << 20) -> bytes:
    """All that a layer over these bytes gives when it is fed so many of them at a time."""
    at = 0

    def readinto(view: memoryview) -> int:
        nonlocal at
        given = data[at : at + min(step, len(view))]
        view[: len(given)] = given
        at += len(given)
        return len(given)

    read, out = as_text(readinto), bytearray()
    buffer = bytearray(max(step, 16))
    while count := read(memoryview(buffer)):
        out += buffer[:count]
    return bytes(out)


@pytest.mark.parametrize("step", [1, 7, 64, 1 << 20])
def test_entries_become_lines(step: int) -> None:
    data = entry(0, "connect from unknown[192.0.2.66]") + entry(1, "two")
    assert converted(data, step).decode() == LINE.format(2, "connect from unknown[192.0.2.66]") + LINE.format(
        3, "two"
    )


def test_a_text_that_looks_like_fields_stays_a_text() -> None:
    forged = "x\n\n__REALTIME_TIMESTAMP=1\nMESSAGE=forged\n\n"
    data = entry(0, forged) + entry(1, "true")
    assert converted(data).decode() == LINE.format(2, forged.replace("\n", " ")) + LINE.format(3, "true")


def test_bytes_that_are_no_text() -> None:
    assert converted(entry(0, b"caf\xe9 \x00 \x1b[31m")).decode() == LINE.format(2, "caf\ufffd \x00 \x1b[31m")


def test_what_syslog_did_not_log() -> None:
    data = entry(0, "hello", "my service", SYSLOG_FACILITY="99", _PID="x", SYSLOG_PID="77")
    assert converted(data) == b"2026-11-22T03:59:02.123456+00:00 mx1 my_service[77]: hello\n"
    data = text("__CURSOR", "s=1") + text("MESSAGE", "no time") + text("_COMM", "sh") + b"\n"
    assert converted(data) == b"sh: no time\n"


def test_large_fields_are_passed_over() -> None:
    data = (
        entry(0, "one", COREDUMP=bytes(MOST_BYTES + 5))
        + entry(1, b"\x01" * (MOST_BYTES + 1))
        + entry(2, "three")
    )
    assert converted(data).decode().splitlines() == [
        LINE.format(2, "one").strip(),
        LINE.format(3, f"({MOST_BYTES + 1} bytes)").strip(),
        LINE.format(4, "three").strip(),
    ]


def test_a_length_that_lies() -> None:
    data = entry(0, "one") + b"__CURSOR=x\nMESSAGE\n" + (1 << 63).to_bytes(8, "little") + b"x\n\n"
    with pytest.raises(DamageError, match="cut"):
        converted(data)
    data = b"__CURSOR=x\nMESSAGE\n" + (2).to_bytes(8, "little") + b"xxx\n\n"
    with pytest.raises(DamageError, match="not as long"):
        converted(data)


def test_the_last_empty_line_may_be_missing() -> None:
    assert converted((entry(0, "one") + entry(1, "two"))[:-1]).count(b"\n") == 2


@pytest.mark.parametrize("other", [b"", b"__CUR", b"Nov 22 03:59:02 mx1 x: __CURSOR=\n\nMESSAGE=x\n\n"])
def test_other_bytes_stay_as_they_are(other: bytes) -> None:
    assert converted(other) == other
    assert converted(other, 3) == other


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text() | st.binary(), max_size=5), st.integers(1, 300))
def test_however_it_is_cut(messages: list[str | bytes], step: int) -> None:
    data = b"".join(entry(number, message) for number, message in enumerate(messages))
    whole = converted(data)
    assert converted(data, step) == whole
    assert whole.count(b"\n") == len(messages)


def test_a_file_packed_or_not_and_a_cut_one(tmp_path: Path) -> None:
    data = entry(0, "one") + entry(1, "two")
    for name, stored in (("a.export", data), ("a.gz", gzip.compress(data)), ("cut", data[:-20])):
        path = tmp_path / name
        path.write_bytes(stored)
        source = Source(str(path), name, name, 0, None, len(stored), sniff_compression(stored[:10]))
        report = ReadReport()
        text = b"".join(chunk.data for chunk in read_chunks(source, report=report)).decode()
        assert text.startswith(LINE.format(2, "one"))
        if name == "cut":
            assert "the journal's data are damaged" in str(report.problems[0])
            assert "the last entry is cut" in str(report.problems[0])
        else:
            assert text == LINE.format(2, "one") + LINE.format(3, "two")
            assert not report.problems

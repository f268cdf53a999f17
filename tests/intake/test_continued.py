"""Lines that splogger cut: joined in any company, whatever the chunks; nothing lost from the count."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import run, source

from mailscope.intake.continued import rest_of, whole_records
from mailscope.intake.lines import parse_lines
from mailscope.intake.reader import Chunk

REASON = "Connected_to_192.0.2.7_but_greeting_failed./" + "x_" * 700 + "end/"
LINE = f"delivery 1: deferral: {REASON}"


def cut(stamp: str, text: str, header: str = "Nov 22 04:00:42 mx1 qmail: ") -> list[str]:
    """What splogger writes for a line."""
    pieces = [text[at : at + 799] for at in range(0, len(text), 799)]
    return [f"{header}{stamp}{'+' if number else ' '}{piece}" for number, piece in enumerate(pieces)]


def texts(lines: list[str]) -> list[str]:
    return parse_lines("\n".join(lines).encode()).header.text.to_list()


@pytest.mark.parametrize(
    "header", ["Nov 22 04:00:42 mx1 qmail: ", "2026-11-22T04:00:42.123456+01:00 mx1 qmail: ", ""]
)
def test_a_long_line_is_one(header: str) -> None:
    lines = cut("1795319942.123456", LINE, header)
    assert len(lines) == 2
    assert texts(lines) == [LINE, "+" + LINE[799:]]


def test_other_records_may_stand_between() -> None:
    one, two = cut("1795319942.123456", LINE), cut("1795319942.123457", LINE.replace("1:", "2:", 1))
    other = "Nov 22 04:00:42 mx1 postfix/qmgr[12]: 4FA1B2C3D4: removed"
    found = texts([one[0], other, two[0], one[1], other, two[1]])
    assert [found[0], found[2]] == [LINE, LINE.replace("1:", "2:", 1)]
    assert found[3] == found[5] == "+" + LINE[799:]


@pytest.mark.parametrize(
    "other",
    ["Nov 22 04:00:42 mx2 qmail: 1795319942.123456 x", "Nov 22 04:00:42 mx1 smtpd: 1795319942.123456 x"],
)
def test_another_host_or_tag_is_another_line(other: str) -> None:
    rest = cut("1795319942.123456", LINE)[1]
    assert texts([other, rest]) == ["x", "+" + LINE[799:]]


def test_a_plus_of_the_text_is_no_continuation() -> None:
    lines = [
        "Nov 22 04:00:42 mx1 qmail: 1795319942.123456 new msg 7",
        "Nov 22 04:00:42 mx1 qmail: 1795319942.123456 +1",
    ]
    assert texts(lines) == ["new msg 7", "+1"]
    # An address may look like a stamp: the first one counts.
    odd = "Nov 22 04:00:42 mx1 qmail: 1795319942.123456 +1795319942.123456+x"
    assert texts([lines[0], odd])[0] == "new msg 7"


def log(random: Random) -> str:
    """Short and long lines of qmail-send with lines of another program anywhere between."""
    lines = []
    for number in range(1, 8):
        second, texts_of = (
            40 + number,
            [f"new msg {number}", f"info msg {number}: bytes 9 from <a@example.org> qp 8 uid 9"],
        )
        texts_of.append(f"starting delivery {number}: msg {number} to remote b@example.net")
        texts_of.append(f"delivery {number}: failure: {'x' * random.choice((3, 700, 799, 1600, 2500))}/")
        for place, text in enumerate((*texts_of, f"end msg {number}")):
            stamp = f"1795319{second:03d}.{place * 200_000 + random.randrange(200_000):06d}"
            for record in cut(stamp, text, f"Nov 22 04:00:{second} mx1 qmail: "):
                lines.append(record)
                if random.random() < 0.4:
                    lines.append(f"Nov 22 04:00:{second} mx1 postfix/qmgr[12]: 4FA1B2C3D4: removed")
    return "\n".join(lines) + "\n"


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 3000))
def test_the_chunks_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "maillog"
    text = log(Random(seed))
    path.write_text(text)
    whole, parts = run([source(path)]), run([source(path)], chunk_bytes=size, chunks_a_batch=2)
    assert whole.totals == parts.totals
    assert whole.totals["read"] == whole.totals["recognised"] == text.count("\n")
    for name in ("messages", "recipients", "deliveries"):
        assert getattr(whole, name) == getattr(parts, name), name
    assert whole.tallies == parts.tallies


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 4000))
def test_chunks_stay_the_text(seed: int, size: int) -> None:
    data = log(Random(seed)).encode()
    ends = [data.find(b"\n", at) + 1 for at in range(0, len(data) - 1, size)]
    borders = sorted({0, *ends, len(data)})
    chunks = [Chunk(data[a:b], a, b == len(data)) for a, b in zip(borders, borders[1:], strict=False)]
    before = b""
    for chunk in whole_records(chunks):
        assert chunk.offset == len(before)
        assert chunk.data
        before += chunk.data
    assert before == data


def test_rest_of_a_line() -> None:
    lines = cut("1795319942.123456", "delivery 1: failure: " + "y" * 2000)
    data = "\n".join([lines[0], "other", *lines[1:], "end"]).encode()
    found = list(rest_of(data, 0, lines[0].encode()))
    assert [line.decode() for _, line in found] == lines[1:]
    assert all(data[at : at + len(line)] == line for at, line in found)
    assert not list(rest_of(data, 0, b"short"))


def test_trace_tells_the_whole_reason(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from mailscope.cli.trace import trace

    path = tmp_path / "maillog"
    lines = ["new msg 7", "info msg 7: bytes 298 from <a@example.org> qp 8 uid 9"]
    lines += ["starting delivery 1: msg 7 to remote b@example.net", LINE, "end msg 7"]
    records = [record for at, line in enumerate(lines) for record in cut(f"1795319942.{at:06d}", line)]
    path.write_text("\n".join(records) + "\n")
    result = CliRunner().invoke(trace, ["--tz", "UTC", "--as", "address", "b@example.net", str(path)])
    assert "end" in result.output.replace("\n", "").replace(" ", "").replace("x_", "").replace("_", "")
    assert result.exit_code == 0

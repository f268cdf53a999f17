"""tai64n and tai64nlocal: like daemontools' where that gives a date, and right where it crashes."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from multilogging import in_child

from mailscope.syslog.tai64n.label import EPOCH, OFFSET_S, stamper
from mailscope.syslog.tai64n.local import local_lines
from mailscope.syslog.tai64n.stamping import stamp_lines

LOG = Path(__file__).parents[2] / "examples" / "qmail" / "multilog"
TAI64NLOCAL = shutil.which("tai64nlocal")
ZONES = ("UTC", "America/New_York", "Asia/Shanghai", "Asia/Kathmandu")


def through(blocks: list[bytes], **options: bool | int) -> bytes:
    """What tai64nlocal makes of bytes that come in these pieces."""
    reading, writing = os.pipe()
    out: list[bytes] = []

    def give() -> None:
        for block in blocks:
            os.write(writing, block)
            time.sleep(0.005)

    pid = os.fork()
    if not pid:
        os.close(reading)
        give()
        os._exit(0)
    os.close(writing)
    local_lines(reading, out.append, **options)  # type: ignore[arg-type]
    os.close(reading)
    os.waitpid(pid, 0)
    return b"".join(out)


def label(seconds: int, nanoseconds: int) -> bytes:
    return b"@%016x%08x" % (EPOCH + OFFSET_S + seconds, nanoseconds)


def random_lines(chooser: random.Random) -> bytes:
    lines = []
    for _ in range(300):
        kind = chooser.random()
        text = bytes(chooser.choices(b"abc @0123\xff\t", k=chooser.randrange(40)))
        if kind < 0.7:
            lines.append(
                label(chooser.randrange(-(1 << 33), 1 << 35), chooser.randrange(1 << 32)) + b" " + text
            )
        else:
            # One with an @ in front may hold any digits, which the original turns into garbage.
            lines.append(b"x" + text)
    return b"\n".join(lines) + b"\n"


@pytest.mark.skipif(TAI64NLOCAL is None, reason="needs tai64nlocal (Debian: daemontools)")
@pytest.mark.parametrize("zone", ZONES)
def test_local_times_are_those_of_daemontools(zone: str, tmp_path: Path) -> None:
    assert TAI64NLOCAL is not None
    given = b"".join(path.read_bytes() for path in sorted(LOG.iterdir()) if path.name[0] in "@c")
    given += random_lines(random.Random(zone))
    file = tmp_path / "in"
    file.write_bytes(given)
    environment = {**os.environ, "TZ": zone}
    with file.open("rb") as source:
        theirs = subprocess.run(
            [TAI64NLOCAL], stdin=source, stdout=subprocess.PIPE, env=environment, check=True
        )
    with file.open("rb") as source:
        ours = subprocess.run(
            [sys.executable, "-m", "mailscope", "syslog", "tai64nlocal"],
            stdin=source, stdout=subprocess.PIPE, env=environment, check=True,
        )  # fmt: skip
    assert ours.stdout == theirs.stdout
    assert ours.stdout.count(b"\n") == given.count(b"\n")


@pytest.mark.parametrize(
    "line",
    [
        b"@",
        b"@4000000",
        b"@400000006b0268933283b97",  # a digit short
        b"@400000006b0268933283b97cc text",  # a digit too many
        b"@400000006B0268933283B97C text",  # not as it is written
        b"@ffffffffffffffff00000000 text",  # no such year
        b"@0000000000000000ffffffff text",
        b"x@400000006b0268933283b97c text",
        b"@400000006b026893 3283b97c",
        b"",
    ],
)
def test_what_is_no_label_stays_as_it_is(line: bytes) -> None:
    assert through([line + b"\n"]) == line + b"\n"
    assert through([line]) == line


def test_labels_that_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    whole = (
        label(1795319955, 847493500)
        + b" one @x\n@bad\n"
        + label(0, 5)
        + b"\nlast "
        + label(1, 1)
        + b"\n"
        + label(2, 2)
    )
    expected = b"2026-11-22 03:59:15.847493500 one @x\n@bad\n1970-01-01 00:00:00.000000005\nlast " + label(
        1, 1
    )
    expected += b"\n1970-01-01 00:00:02.000000002"
    for cut in range(1, len(whole), 3):
        assert through([whole[:cut], whole[cut:]]) == expected, cut


def test_other_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    line = label(1795319955, 1500) + b" x\n"
    assert through([line], iso=True) == b"2026-11-22T09:44:15.000001500+05:45 x\n"
    assert through([line], offset_s=37) == b"2026-11-22 09:43:48.000001500 x\n"
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert through([line], iso=True) == b"2026-11-21T22:59:15.000001500-05:00 x\n"


def test_tai64n_stamps_as_lines_come_and_keeps_bytes(tmp_path: Path) -> None:
    given = tmp_path / "in"
    given.write_bytes(b"one\n\n\xff\0x\nlast")
    out: list[bytes] = []
    source = os.open(given, os.O_RDONLY)
    before = time.time_ns() // 1000 * 1000
    stamp_lines(source, out.append)
    os.close(source)
    lines = b"".join(out).split(b"\n")
    assert [line[26:] for line in lines] == [b"one", b"", b"\xff\0x", b"last"]
    for line in lines:
        found = re.fullmatch(rb"@([0-9a-f]{16})([0-9a-f]{8}) .*", line, re.DOTALL)
        assert found
        at = (int(found[1], 16) - EPOCH - OFFSET_S) * 10**9 + int(found[2], 16)
        assert before <= at <= time.time_ns() + 1000
        assert int(found[2], 16) % 1000 == 500


def test_a_line_that_comes_in_pieces_has_one_stamp() -> None:
    reading, writing = os.pipe()
    out: list[bytes] = []
    os.write(writing, b"be")
    pid = os.fork()
    if not pid:
        os.close(reading)
        time.sleep(0.1)
        os.write(writing, b"gun\nnext\n")
        os._exit(0)
    os.close(writing)
    stamp_lines(reading, out.append)
    os.waitpid(pid, 0)
    assert re.fullmatch(rb"@[0-9a-f]{24} begun\n@[0-9a-f]{24} next\n", b"".join(out))
    assert out[0].endswith(b" be")


def test_a_closed_output_ends_it(tmp_path: Path) -> None:
    def work() -> None:
        os.close(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 1)
        os.execv(
            sys.executable,
            [
                sys.executable,
                "-c",
                "import sys; from mailscope.cli.main import run; sys.argv[1:] = ['syslog', 'tai64n']; run()",
            ],
        )

    file = tmp_path / "in"
    file.write_bytes(b"x\n")
    os.environ["PYTHONWARNINGS"] = ""

    def with_input() -> None:
        os.dup2(os.open(file, os.O_RDONLY), 0)
        os.dup2(os.open(tmp_path / "err", os.O_WRONLY | os.O_CREAT), 2)
        work()

    assert in_child(with_input) == 111
    assert b"standard input or output" in (tmp_path / "err").read_bytes()


def test_stamps_never_go_back_within_a_second() -> None:
    stamp = stamper()
    stamps = [stamp() for _ in range(1000)]
    assert stamps == sorted(stamps)

"""``mailscope qmailanalog`` as a process: pipes, file descriptors 4 and 5, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailscope.cli.qmailanalog import qmailanalog

GOLDEN = Path(__file__).parents[1] / "data" / "qmailanalog"
OURS = f"{sys.executable} -m mailscope qmailanalog"


def shell(command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["bash", "-c", command], input=stdin, capture_output=True, check=False)


def test_a_pipeline_gives_the_golden_report(tmp_path: Path) -> None:
    pending = tmp_path / "pending"
    done = shell(f"{OURS} matchup < {GOLDEN / 'input.frac'} 5> {pending} | {OURS} zoverall")
    assert done.stdout == (GOLDEN / "zoverall.out").read_bytes()
    assert pending.read_bytes() == (GOLDEN / "matchup.fd5").read_bytes()
    assert done.stderr == b""


def test_without_descriptor_5_it_says_so_after_the_output() -> None:
    done = shell(f"{OURS} matchup 5>&- < {GOLDEN / 'input.frac'}")
    assert done.stdout == (GOLDEN / "matchup.out").read_bytes()
    assert done.returncode == 111
    assert done.stderr.startswith(b"mailscope: file descriptor 5, ")
    assert done.stderr.count(b"\n") == 1
    # Nothing is pending: nothing is written, and so nothing fails.
    assert shell(f"{OURS} matchup 5>&-", b"1.0 status: local 0/1\n").returncode == 0


def test_mlmatchup_reads_descriptor_4_first(tmp_path: Path) -> None:
    data = (GOLDEN / "input.frac").read_bytes()
    # In the middle of a line: what multilog hands over may end anywhere.
    first, second = data[:9_999], data[9_999:]
    nothing = tmp_path / "nothing"
    nothing.touch()
    one = shell(f"{OURS} mlmatchup 4< {nothing} 5> {tmp_path / 'state'}", first)
    two = shell(f"{OURS} mlmatchup 4< {tmp_path / 'state'} 5> {tmp_path / 'newstate'}", second)
    assert one.stdout + two.stdout == (GOLDEN / "matchup.out").read_bytes()
    assert shell(f"{OURS} mlmatchup 4<&-", first).returncode == 111


def test_a_reader_that_leaves_is_no_error() -> None:
    done = shell(f"set -o pipefail; {OURS} zsendmail < <(cat {GOLDEN}/matchup.out{{,,,,,,,,,,}}) | head -1")
    assert done.stdout.startswith(b"1795319945.621961500 qp 29137: to=local.alice@qm.lab.example")
    assert done.stderr == b""


def test_a_full_disk_is_said() -> None:
    done = shell(f"{OURS} zoverall > /dev/full", b"m 1 2 3 1 0 0 <> 1 2\n")
    assert done.returncode == 111
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "lines"), [("xsender alice@qm.lab.example", "xsender-alice"), ("xqp 29137", "xqp")]
)
def test_selections(command: str, lines: str) -> None:
    done = shell(f"{OURS} {command} < {GOLDEN / 'matchup.out'}")
    assert done.stdout == (GOLDEN / f"{lines}.out").read_bytes()


def test_an_address_of_any_bytes() -> None:
    line = b"d k 1 2 3 4 <o\xe9@example.org> local.a 1 2 x\n"
    assert shell(f"{OURS} xsender $'o\\xe9@example.org'", line).stdout == line


def test_help_lists_every_filter() -> None:
    text = CliRunner().invoke(qmailanalog, ["--help"]).output
    for name in ("matchup", "mlmatchup", "xsender", "xrecipient", "xqp", "zoverall", "columnt", "rxdelay"):
        assert f"  {name} " in text

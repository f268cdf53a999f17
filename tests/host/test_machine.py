"""w, top and accounting: what only the machine knows, with a machine that is made up, and with this one."""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from making import login, process, written

from mailscope.cli.host import host
from mailscope.host.accounts import Accounts
from mailscope.host.clock import Clock
from mailscope.host.logins import w
from mailscope.host.logins.records import LoginFile, each
from mailscope.host.machine import Machine, Process
from mailscope.host.processes import accounting

DATA = Path(__file__).parents[1] / "data" / "host"
NOW = 1_795_322_040  # 2026-11-22 04:34:00 UTC
COMMANDS = {11891: ("sleep 8", 3), 11881: ("sleep 6", 4), 11882: ("sleep 5", 5), 11883: ("sleep 7", 6)}


class Bench(Machine):
    """The test bench at 04:34:00, as far as its w said."""

    @property
    def uptime_s(self) -> float:
        return 4800.0

    @property
    def load(self) -> tuple[float, float, float]:
        return 0.25, 0.43, 1.63

    @property
    def hertz(self) -> int:
        return 100

    def terminal(self, line: bytes) -> os.stat_result | None:
        number = int(line.removeprefix(b"pts/"))
        return os.stat_result((0o20620, 0, 0, 1, 0, 5, 0, NOW - 4, NOW, NOW), {"st_rdev": 0x8800 + number})

    def processes(self) -> list[Process]:  # type: ignore[override]
        uids = {11891: b"carol", 11881: b"alice", 11882: b"alice", 11883: b"bob"}
        found = []
        for pid, (command, pts) in COMMANDS.items():
            uid = self.accounts.uid(uids[pid])
            assert uid is not None
            # carol's login at pts/3 is by another process, which used a tick.
            ticks = 1 if pts == 3 else 0
            found.append(Process(pid, 1000, 0, 0, pid, pid + 1000, 0x8800 + pts, ticks, "login"))
            found.append(
                Process(pid + 1000, 1001, uid, uid, pid + 1000, pid + 1000, 0x8800 + pts, 0, command)
            )
        return found


@pytest.mark.parametrize("options", ["", "-h", "-s", "-f", "-i", "-o"])
def test_w_is_that_of_the_bench(options: str) -> None:
    expected = gzip.decompress(
        (DATA / "golden" / f"live-w{'_' * bool(options)}{options}.txt.gz").read_bytes()
    )
    with LoginFile(str(DATA / "utmp.live.gz")) as file:
        records = list(each(file))
    asked = w.Asked(
        NOW,
        heading=options != "-h",
        short=options == "-s",
        hosts=options != "-f",
        ips=options == "-i",
        old_style=options == "-o",
    )
    from zoneinfo import ZoneInfo

    assert (
        b"".join(w.text(records, asked, Bench(Accounts(DATA / "passwd")), Clock(ZoneInfo("UTC")))) == expected
    )


def test_w_of_a_copy_says_what_it_does_not_know() -> None:
    command = ["w", "--file", str(DATA / "utmp.live.gz"), "--now", f"@{NOW}", "--tz", "UTC"]
    text = CliRunner().invoke(host, command).stdout.splitlines()
    assert text[0] == " 04:34:00 up ?,  4 users,  load average: ?, ?, ?"
    assert text[2] == "carol    pts/3    -                04:33     ?      ?      ?    -"
    assert len(text) == 6
    row = json.loads(CliRunner().invoke(host, [*command, "bob", "--format", "json"]).stdout)
    assert (row["user"], row["idle_s"], row["command"]) == ("bob", None, None)


@pytest.mark.parametrize(
    ("seconds", "usual", "old"),
    [(0.0, b"  0.00s", b"       "), (59.5, b" 59.50s", b"       "), (61.0, b"  1:01 ", b"  1:01m"), (7260.0, b"  2:01m", b"  2:01 "),
     (200_000.0, b"  2days", b"  2days"), (-1.0, b"   ?   ", b"   ?   ")],
)  # fmt: skip
def test_spans_of_time(seconds: float, usual: bytes, old: bytes) -> None:
    assert w._span(seconds, w.Asked(0)) == usual
    assert w._span(seconds, w.Asked(0, old_style=True)) == old


def test_a_session_of_this_host_is_alive(tmp_path: Path) -> None:
    machine = Machine(Accounts())
    now = machine.boot_s + 10
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "loginuid").write_text("0")
    there = Machine(Accounts(), proc=tmp_path, dev=tmp_path)
    assert there.is_alive(b"root", 5, b"pts/0", now)
    assert not there.is_alive(b"daemon", 5, b"pts/0", now)
    assert not there.is_alive(b"no-such-user", 5, b"pts/0", now)
    assert not there.is_alive(b"root", 5, b"pts/0", machine.boot_s - 1)
    assert not there.is_alive(b"root", 6, b"pts/0", now)
    (tmp_path / "tty").touch()
    owner = machine.accounts.name((tmp_path / "tty").stat().st_uid)
    assert there.is_alive(owner, 6, b"tty", now)


def test_top_is_by_day_in_true_units(tmp_path: Path) -> None:
    day = 86_400
    path = written(
        tmp_path / "pacct",
        [process("make", utime=50, mem=4000, io=100, btime=NOW - day), process("make", utime=25, stime=25, mem=8000, btime=NOW - day),
         process("\x1b[1m", utime=10, btime=NOW), process("ls", utime=1, btime=NOW, uid=12345)],
    )  # fmt: skip
    command = ["top", str(path), "--tz", "UTC", "--format"]
    rows = [json.loads(line) for line in CliRunner().invoke(host, [*command, "json"]).stdout.splitlines()]
    assert rows[0] == {
        "day": "2026-11-21",
        "name": "make",
        "calls": 2,
        "cpu_s": 1.0,
        "elapsed_s": 0.0,
        "io_chars": 100,
        "most_kib": 8000,
    }
    assert [row["name"] for row in rows[1:]] == ["?[1m", "ls"]
    users = CliRunner().invoke(host, [*command, "csv", "-m", "--by", "calls", "-n", "1"]).stdout.splitlines()
    assert users[1].startswith("2026-11-21,root,2")
    assert "make" in CliRunner().invoke(host, [*command, "text"]).stdout


def test_sa_has_true_units_beside_gnus(tmp_path: Path) -> None:
    path = written(tmp_path / "pacct", [process("make", utime=100, mem=4000, io=500)] * 2)
    row = json.loads(
        CliRunner().invoke(host, ["sa", "-i", str(path), "--format", "json"]).stdout.splitlines()[1]
    )
    assert (row["average_memory_kib"], row["average_io_chars"], row["cpu_s"]) == (4000.0, 500, 2.0)


def test_bad_records_of_processes_are_counted(tmp_path: Path) -> None:
    bad = bytearray(process("x"))
    bad[1] = 0x41
    path = written(tmp_path / "pacct", [process("a"), bytes(bad), process("b"), b"rest"])
    done = CliRunner().invoke(host, ["lastcomm", "-f", str(path)])
    assert done.exit_code == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["b", "a"]
    assert "1 records of a version that does not exist skipped, the first at byte 64" in done.stderr
    assert "the last record is cut: 4 bytes" in done.stderr


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSYS, "CONFIG_BSD_PROCESS_ACCT"), (errno.EPERM, "run as root"), (errno.EACCES, "plain file")],
)
def test_what_the_kernel_refuses_is_told(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Libc:
        class acct:  # noqa: N801
            argtypes: object = None
            restype: object = None

            def __new__(cls, path: object) -> int:  # type: ignore[misc]
                return -1

    monkeypatch.setattr(accounting.ctypes, "CDLL", lambda *given, **named: Libc)
    monkeypatch.setattr(accounting.ctypes, "get_errno", lambda: number)
    with pytest.raises(accounting.AccountingError, match=words):
        accounting.switch_on(tmp_path / "pacct")


def test_accounting_of_this_kernel(tmp_path: Path) -> None:
    path = tmp_path / "pacct"
    if os.geteuid() or not accounting.is_supported():
        pytest.skip("process accounting cannot be switched here")
    if any(
        accounting.is_on(Path(usual))
        for usual in ("/var/log/account/pacct", "/var/account/pacct", "/var/log/pacct")
    ):
        pytest.skip("this host keeps process accounting")
    try:
        accounting.switch_on(path)
    except accounting.AccountingError as error:
        pytest.skip(str(error))
    try:
        assert accounting.is_on(path)
        assert "is on" in CliRunner().invoke(host, ["accounting", "status", str(path)]).stdout
        subprocess.run([str(shutil.which("true"))], check=True)
        (tmp_path / "folder").mkdir()
        # Emptied while the kernel writes: it goes on in the new file.
        done = CliRunner().invoke(host, ["condense", str(path), "--empty"])
        assert done.exit_code == 0, done.output
        subprocess.run([str(shutil.which("true"))], check=True)
        assert accounting.is_on(path)
    finally:
        accounting.switch_off()
    assert not accounting.is_on(path)
    text = CliRunner().invoke(host, ["sa", "-a", str(path)]).stdout
    assert "true" in text


def test_off_is_an_exit_code(tmp_path: Path) -> None:
    done = CliRunner().invoke(host, ["accounting", "status", str(tmp_path / "none")])
    assert done.exit_code == 1


def test_logins_of_the_controlling_terminal_only(tmp_path: Path) -> None:
    path = written(tmp_path / "utmp", [login(7, "pts/0", "alice")])
    assert CliRunner().invoke(host, ["who", "-m", "--file", str(path)]).stdout == ""

"""Beside the real programs of this host: random files, all options, the same bytes.

GNU acct's ac, sa and lastcomm, util-linux' last and lastb, coreutils' who and users; and, where a namespace of mounts may be made,
shadow's lastlog and procps' w, which read one place only.
"""

from __future__ import annotations

import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from making import login, process, written
from running import examples

from mailscope.cli.host import host

ENV = {**os.environ, "TZ": "Europe/Rome", "LC_ALL": "C.UTF-8", "COLUMNS": "200"}
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"
START = 1_600_000_000

_names = st.sampled_from(
    [b"alice", b"bob", b"a-very-long-name-that-overflows!", b"LOGIN", b"date", b"", b"\xc3\xa9", b"x\x1b[1m"]
)
_lines = st.sampled_from([b"pts/0", b"pts/1", b"tty1", b"ftpd123", b"uucp4", b"", b":0", b"{", b"|"])
_hosts = st.sampled_from(
    [b"", b"192.0.2.7", b"client.example.org", b":0", b"a-very-long-host-name.of.example.org", b"fe80::1"]
)
_systems = st.sampled_from([b"reboot", b"shutdown", b"runlevel"])


@st.composite
def wtmps(draw: st.DrawFn) -> list[bytes]:
    """Files of logins as they may be: sessions, boots, shutdowns, run levels, clock changes, odd types."""
    seconds, records = START + draw(st.integers(0, 10**8)), []
    for _ in range(draw(st.integers(0, 40))):
        seconds += draw(st.sampled_from([0, 1, 59, 60, 3600, 40_000, 86_400, 200_000]))
        if draw(st.integers(0, 7)) == 0:
            kind = draw(st.sampled_from([1, 2, 1, 8]))
            pid = draw(st.sampled_from([53 + 78 * 256, 48, 54, 0]))
            records.append(login(kind, b"~", draw(_systems), b"6.1.0", seconds=seconds, pid=pid, ident=b"~~"))
        else:
            kind = draw(st.sampled_from([7, 7, 7, 8, 8, 6, 5, 0, 3, 4, 9]))
            address = draw(st.sampled_from(["", "192.0.2.7", "2001:db8::1"]))
            records.append(
                login(kind, draw(_lines), draw(_names), draw(_hosts), seconds=seconds, pid=draw(st.integers(0, 2**31 - 1)),
                      ident=draw(st.sampled_from([b"", b"ts/0", b"1"])), address=address)
            )  # fmt: skip
    return records


@st.composite
def paccts(draw: st.DrawFn) -> list[bytes]:
    """Files of processes, many of which are alike, so that the order of equal ones shows."""
    records = []
    for number in range(draw(st.integers(0, 60))):
        comm = draw(
            st.sampled_from(
                [
                    b"ls",
                    b"cat",
                    b"sh",
                    b"a-name-of-16-byt",
                    b"\x1b[1m",
                    *(b"c%d" % each for each in range(20)),
                ]
            )
        )
        records.append(
            process(comm, flag=draw(st.sampled_from([0, 1, 2, 3, 8, 16, 31])), uid=draw(st.sampled_from([0, 1, 65534, 12345])),
                    tty=draw(st.sampled_from([0, 0x8800, 0x8905, 0x0401, 0xFFFF])), btime=START + number * 977,
                    etime=draw(st.sampled_from([0.0, 1.0, 100.5, 1e6])), utime=draw(st.sampled_from([0, 1, 8191, 0x2001, 0xFFFF])),
                    stime=draw(st.integers(0, 300)), mem=draw(st.sampled_from([0, 5, 4000, 0x3FFF])), io=draw(st.integers(0, 65535)),
                    minflt=draw(st.integers(0, 65535)), pid=draw(st.integers(0, 2**32 - 1)))
        )  # fmt: skip
    return records


def theirs(program: str, *arguments: str) -> bytes:
    path = shutil.which(program, path=SBIN)
    if path is None:
        pytest.skip(f"there is no {program}")
    return subprocess.run([path, *arguments], capture_output=True, env=ENV, check=False).stdout


def ours(*arguments: str, now: int | None = None) -> bytes:
    given_ = [*arguments, "--compat", *(["--now", f"@{now}"] if now else [])]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENV.items():
            patch.setenv(name, value)
        return CliRunner().invoke(host, given_).stdout_bytes


def same(program: str, arguments: Sequence[str]) -> None:
    """The same bytes, whatever second it is."""
    for _ in range(5):
        before = int(time.time())
        expected = theirs(program, *arguments)
        found = ours(program, *arguments, now=before)
        if before == int(time.time()) or found == expected:
            break
    assert found == expected, (program, arguments)


@settings(max_examples=examples(25))
@given(wtmps(), st.sampled_from([[], ["-x"], ["-F"], ["-w"], ["-a"], ["-R"], ["-i"], ["-x", "-a", "-i"], ["-n", "3"], ["-x", "-w", "-F"],
       ["--time-format", "iso", "-x"], ["--time-format", "notime"], ["alice", "tty1"], ["0"], ["1"], ["-s", "2021-01-01"], ["-t", "2022-01-01"],
       ["-p", "2021-06-01 10:00"], ["-7"]]))  # fmt: skip
def test_last(records: list[bytes], options: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "wtmp", records)
        if records:
            same("last", [*options, "-f", str(path)])
            same("lastb", [*options, "-f", str(path)])


@settings(max_examples=examples(20))
@given(wtmps(), st.sampled_from([[], ["-d"], ["-p"], ["-dp"], ["-dpaz"], ["-dy"], ["-yz"], ["-d", "alice"], ["--complain"], ["--compatibility", "-dp"],
       ["--reboots"], ["--supplants"], ["--timewarps", "-d"], ["--debug"], ["--tw-leniency", "0", "--complain"]]))  # fmt: skip
def test_ac(records: list[bytes], options: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "wtmp", records)
        arguments = [*options, "-f", str(path)]
        if (
            "Possible overflow"
            not in subprocess.run(["ac", *arguments], capture_output=True, text=True, env=ENV).stderr
            if shutil.which("ac")
            else True
        ):
            same("ac", arguments)


@settings(max_examples=examples(20))
@given(
    wtmps(),
    st.sampled_from(
        [
            [],
            ["-a"],
            ["-u"],
            ["-uH"],
            ["-q"],
            ["-d"],
            ["-r"],
            ["-b"],
            ["-l"],
            ["-p"],
            ["-t"],
            ["-T"],
            ["-s"],
            ["--ips"],
            ["-aH"],
        ]
    ),
)
def test_who_and_users(records: list[bytes], options: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "wtmp", records)
        if records:
            same("who", [*options, str(path)])
            same("users", [str(path)])


SA = [[], ["-a"], ["-m"], ["-M"], ["-u"], ["-c"], ["-cl"], ["-j"], ["-b"], ["-d"], ["-D"], ["-k"], ["-K"], ["-n"], ["-r"], ["-t"], ["-tl"], ["-p"],
      ["-P"], ["-fv3"], ["-am"], ["-nra"], ["--sort-real-time", "-j"], ["-uM"]]  # fmt: skip


@settings(max_examples=examples(25))
@given(paccts(), st.sampled_from(SA))
def test_sa(records: list[bytes], options: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "pacct", records)
        if "-uM" in options:
            options = ["-u"]
        # Of nothing at all, GNU's says that it has met a mistake of its own.
        if records or options != ["-am"]:
            same("sa", [*options, "-i", str(path)])


@settings(max_examples=examples(20))
@given(paccts(), st.sampled_from([[], ["-p"], ["--pid"], ["--forwards"], ["ls"], ["root", "pts/0"], ["--user", "daemon", "--command", "cat"],
       ["--strict-match", "--user", "root", "--command", "ls"], ["--print-controls"], ["--tty", "[4,1]"]]))  # fmt: skip
def test_lastcomm(records: list[bytes], options: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "pacct", records)
        if records:
            same("lastcomm", [*options, "-f", str(path)])


@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("swapped", [False, True])
def test_all_versions_of_records_in_both_byte_orders(version: int, swapped: bool, tmp_path: Path) -> None:
    records = [
        process(
            f"c{n % 7}", uid=n % 3, utime=n * 50, stime=n, etime=n * 1e4, mem=n * 7, io=n * 11, tty=0x8800
        )
        for n in range(50)
    ]
    path = written(tmp_path / "pacct", records)
    options = ["--raw", "--format", str(version), *(["--byteswap"] if swapped else [])]
    raw = theirs("dump-acct", *options, str(path))
    if version == 1:
        raw = (
            b"".join(raw[at : at + 62].ljust(64, b"\0") for at in range(0, len(raw), 62))
            if len(raw) % 64
            else raw
        )
    converted = tmp_path / "converted"
    converted.write_bytes(raw)
    for program, arguments in (("lastcomm", ["-f"]), ("sa", ["-a", "-i"]), ("sa", ["-m", "-i"])):
        same(program, [*arguments, str(converted)])


@cache
def may_mount() -> bool:
    """Whether this process may have a namespace of mounts."""
    if os.geteuid() or not shutil.which("unshare"):
        return False
    return (
        subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
        ).returncode
        == 0
    )


def placed(place: str, path: Path, program: str, *arguments: str) -> bytes:
    """What a program says that finds a file in its usual place."""
    script = f'[ -e "{place}" ] || : > "{place}"; mount --bind "$0" "{place}" && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", script, str(path), program, *arguments]
    return subprocess.run(command, capture_output=True, env=ENV, check=True).stdout


@pytest.mark.skipif(not may_mount(), reason="no namespace of mounts may be made here")
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-u", "daemon"],
        ["-u", "1-5"],
        ["-u", "4-"],
        ["-u", "-3"],
        ["-t", "3"],
        ["-b", "3"],
        ["-u", "root", "-t", "3"],
    ],
)
def test_lastlog(options: list[str], tmp_path: Path) -> None:
    if not shutil.which("lastlog") or not os.path.exists("/var/log/lastlog"):
        pytest.skip("there is no lastlog")
    now = int(time.time())
    data = bytearray(20 * 292)
    for uid, age in ((0, 10), (1, 86_400 * 2), (4, 86_400 * 10), (9, 86_400 * 4)):
        struct.pack_into("<I32s256s", data, uid * 292, now - age, b"pts/123456789", b"client.example.org")
    path = tmp_path / "lastlog"
    path.write_bytes(data)
    assert ours("lastlog", *options, "-f", str(path)) == placed("/var/log/lastlog", path, "lastlog", *options)


@pytest.mark.skipif(not may_mount(), reason="no namespace of mounts may be made here")
@pytest.mark.parametrize(
    "options", [[], ["-s"], ["-f"], ["-h"], ["-i"], ["-o"], ["-u"], ["root"], ["nobody"], ["-hso"]]
)
def test_w(options: list[str], tmp_path: Path) -> None:
    if not shutil.which("w"):
        pytest.skip("there is no w")
    child, master = pty.fork()
    if child == 0:
        os.execvp("sleep", ["sleep", "60"])
    try:
        tty = os.readlink(f"/proc/{child}/fd/0").removeprefix("/dev/")
        records = [
            login(2, "~", "reboot", seconds=START, ident=b"~~"),
            login(
                7,
                tty,
                "root",
                "client.example.org",
                seconds=int(time.time()) - 90_000,
                pid=child,
                address="192.0.2.7",
            ),
            login(7, "pts/99", "root", "gone", pid=2**30),
            login(7, tty, "nobody-such", "gone", pid=child),
        ]
        path = written(tmp_path / "utmp", records)
        # Ours works as if it were the second of theirs: starting Python takes longer than one.
        script = (
            '[ -e /run/utmp ] || : > /run/utmp; mount --bind "$0" /run/utmp && now=$(date +%s) && w "$@" && echo ---- &&'
            f' "{sys.executable}" -m mailscope host w --compat --now "@$now" "$@"'
        )
        for _ in range(20):
            both = subprocess.run(
                ["unshare", "-m", "sh", "-c", script, str(path), *options],
                capture_output=True,
                env=ENV,
                check=True,
            ).stdout
            expected, found = (_but_clock(part) for part in both.split(b"----\n"))
            if found == expected:
                break
        assert found == expected
        assert b"sleep 60" in found or options == ["nobody"]
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(master)


def _but_clock(text: bytes) -> bytes:
    """Without the second and the load, which go on."""
    first, _, rest = text.partition(b"load average")
    return first[9:] + rest.partition(b"\n")[2] if b" up " in first else text

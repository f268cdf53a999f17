"""What the real programs wrote about a test bench's files, byte for byte.

The files are those of a Debian 12 host with GNU acct 6.6.4, util-linux 2.38.1, coreutils 9.1 and shadow 4.13: records of real
sessions (``real``, ``live``), records that were made by hand through utmpdump (``rich``), and process accounting of twenty minutes.
They are packed, which our readers do not mind.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailscope.cli.host import host
from mailscope.host.layouts.addresses import words
from mailscope.host.logins import names
from mailscope.host.machine import Machine

DATA = Path(__file__).parents[1] / "data" / "host"
NOW = "2026-11-22T04:36:15Z"  # the only second at which all runs of ac can have been

LAST = {
    "": [], "-F": ["-F"], "-Fwx": ["-Fwx"], "-R": ["-R"], "-a": ["-a"], "-aix": ["-aix"], "-d": ["-d"], "-i": ["-i"],
    "-n_5": ["-n", "5"], "-p_2026-11-01T10:00:00": ["-p", "2026-11-01T10:00:00"], "-s_2026-11-01": ["-s", "2026-11-01"],
    "-t_2026-11-05": ["-t", "2026-11-05"], "-w": ["-w"], "-x": ["-x"], "-xF": ["-x", "-F"], "-alice": ["alice"],
    "-pts0": ["pts/0"], "-reboot": ["reboot"], "-shutdown": ["-x", "shutdown", "runlevel"], "-tty1": ["1"],
    "--time-format=full": ["--time-format=full"], "--time-format=iso": ["--time-format", "iso"],
    "--time-format=notime": ["--time-format=notime"], "--time-format=short": ["--time-format=short"],
}  # fmt: skip
AC = {
    "": [], "-d": ["-d"], "-p": ["-p"], "-a": ["-a"], "-y": ["-y"], "-z": ["-z"], "-dp": ["-dp"], "-pd": ["-pd"],
    "-dy": ["-dy"], "-dz": ["-dz"], "-alice": ["alice"], "-alice-d": ["-d", "alice", "bob"], "--complain": ["--complain"],
    "--compatibility": ["--compatibility"], "--reboots": ["--reboots"], "--supplants": ["--supplants"],
    "--timewarps": ["--timewarps"], "--tw-leniency_0": ["--tw-leniency", "0"], "--print-year_-d": ["--print-year", "-d"],
    "--print-zeros_-d": ["--print-zeros", "-d"], "-debug": ["--debug"],
}  # fmt: skip
SA = (
    "", "-D", "-K", "-a", "-b", "-c", "-ca", "-cm", "-d", "-i", "-j", "-k", "-l", "-l_-a", "-m", "-n", "-r", "-t", "-u",
    "-v_3_-f", "--percentages", "--print-ratio", "--print-users", "--separate-times", "--sort-ksec", "--sort-num-calls",
    "--sort-real-time", "--user-summary",
)  # fmt: skip
LASTCOMM = {
    "": [], "-p": ["-p"], "--pid": ["--pid"], "root": ["root"], "--command_ls": ["--command", "ls"],
    "--user_alice": ["--user", "alice"], "--tty_pts-1": ["--tty", "pts/1"], "--tty_pts-3": ["--tty", "pts/3"],
    "--strict-match_--user_bob_--command_perl": ["--strict-match", "--user", "bob", "--command", "perl"],
}  # fmt: skip
WHO = {
    "-s": ["-s"],
    "-H": ["-H"],
    "--ips": ["--ips"],
    "-q": ["-q"],
    **{f"-{each}": [f"-{each}"] for each in "bdlprt"},
}
LASTLOG = {"": [], "-u": ["-u", "alice"], "-t": ["-t", "7"], "-b": ["-b", "1"]}

CASES = [
    *((f"last-{kind}{name}", ["last", "-f", f"wtmp.{kind}.gz", *args]) for kind in ("rich", "real") for name, args in LAST.items()),
    *((f"ac-{kind}{name}", ["ac", "-f", f"wtmp.{kind}.gz", *args]) for kind in ("rich", "real") for name, args in AC.items()),
    *((f"lastb{name}-{kind}", ["lastb", "-f", f"btmp.{kind}.gz", *args])
      for kind in ("rich", "real")
      for name, args in {"": [], "-F": ["-F"], "-a": ["-aiw"], "-root": ["root"]}.items()),
    *((f"users-{kind}", ["users", f"wtmp.{kind}.gz"]) for kind in ("rich", "real")),
    *((f"who-{kind}", ["who", f"wtmp.{kind}.gz"]) for kind in ("rich", "real")),
    ("who-a-rich", ["who", "-a", "wtmp.rich.gz"]),
    ("who-a-real", ["who", "-a", "wtmp.real.gz"]),
    ("live-users", ["users", "utmp.live.gz"]),
    *((f"live-who_{name}", ["who", "utmp.live.gz", *args]) for name, args in WHO.items()),
    *((f"lastlog{name}", ["lastlog", "-f", "lastlog.real.gz", "--passwd", "passwd", *args]) for name, args in LASTLOG.items()),
    *((f"sa{name}", ["sa", "-i", "--file", "pacct.golden.gz", "--passwd", "passwd", *name.split("_")]) for name in SA),
    *((f"lastcomm{name}", ["lastcomm", "-f", "pacct.golden.gz", "--passwd", "passwd", *args]) for name, args in LASTCOMM.items()),
]  # fmt: skip
BENCH = {
    "127.0.0.20": "client20.sender.example",
    "127.0.0.21": "client21.sender.example",
    "127.0.0.10": "mx1.remote.example",
}


@pytest.fixture(autouse=True)
def _bench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    # The terminals were gone by then, but for the console's.
    console = os.stat_result((0o20600, 0, 0, 1, 0, 0, 0, 1, 1, 1))
    monkeypatch.setattr(Machine, "terminal", lambda machine, line: console if line == b"tty1" else None)
    # What the bench's DNS said.
    monkeypatch.setattr(names, "looked_up", lambda address: BENCH.get(words(address), words(address)))


@pytest.mark.parametrize(("name", "command"), CASES, ids=[name for name, _ in CASES])
def test_the_text_is_that_of_the_real_program(
    name: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(DATA)
    expected = gzip.decompress((DATA / "golden" / f"{name}.txt.gz").read_bytes())
    # GNU acct and last name the file, which was not packed on the bench.
    given = [part for part in command if part]
    out = CliRunner().invoke(host, [*given, "--compat", "--now", NOW], catch_exceptions=False).stdout_bytes
    for kind in ("rich", "real"):
        for file in (f"wtmp.{kind}", f"btmp.{kind}"):
            out = out.replace(f"{file}.gz begins".encode(), f"{file} begins".encode())
            out = out.replace(f"{file}.gz:".encode(), f"bin/{file}:".encode())
    assert out == expected
    assert expected or name.startswith("live-who")


def test_every_golden_is_used() -> None:
    names_ = {name for name, _ in CASES}
    unused = {path.name.removesuffix(".txt.gz") for path in (DATA / "golden").iterdir()} - names_
    # Those need the processes and terminals of the bench: test_machine.py.
    assert not {name for name in unused if not name.startswith("live-w")}

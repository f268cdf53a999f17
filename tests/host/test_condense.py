"""condense: what GNU's sa -s would have made, once and never twice, whenever it is killed."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from making import process

from mailscope.cli.host import host
from mailscope.host.accounts import Accounts
from mailscope.host.processes import condense as made
from mailscope.host.processes.condense import Summaries, condense
from mailscope.host.processes.summaries import COMMAND, read_commands, read_users
from mailscope.vocabulary.errors import InputError, OutputError

DATA = Path(__file__).parents[1] / "data" / "host"


def records(first: int, count: int) -> bytes:
    return b"".join(
        process(
            f"cmd{n % 13}",
            flag=n % 2,
            uid=n % 3,
            utime=n % 50,
            stime=1,
            mem=n % 60_000,
            io=n % 60_000,
            etime=float(n),
            btime=1_700_000_000 + n,
        )
        for n in range(first, first + count)
    )


def calls(folder: Path) -> tuple[int, int]:
    """Calls in savacct and in usracct."""
    by_command = sum(cost.calls for _key, cost in read_commands(folder / "savacct"))
    return by_command, sum(cost.calls for _name, cost in read_users(folder / "usracct"))


def summaries(folder: Path) -> Summaries:
    return Summaries(folder / "savacct", folder / "usracct")


def test_summaries_are_those_of_gnu(tmp_path: Path) -> None:
    (tmp_path / "pacct.gz").write_bytes((DATA / "pacct.golden.gz").read_bytes())
    done = condense([str(tmp_path / "pacct.gz")], summaries(tmp_path), Accounts(DATA / "passwd"))
    assert done[0].merged == 2630
    assert (tmp_path / "usracct").read_bytes() == (DATA / "usracct").read_bytes()
    # GNU leaves the padding as it finds it.
    theirs, ours = ((path / "savacct").read_bytes() for path in (DATA, tmp_path))
    assert len(theirs) == len(ours)
    assert list(COMMAND.iter_unpack(ours)) == list(COMMAND.iter_unpack(theirs))


@pytest.mark.skipif(shutil.which("sa", path="/usr/sbin:/usr/bin") is None, reason="there is no sa")
def test_gnu_reads_ours_and_we_read_theirs(tmp_path: Path) -> None:
    sa = str(shutil.which("sa", path="/usr/sbin:/usr/bin"))
    (tmp_path / "one").write_bytes(records(0, 500))
    (tmp_path / "two").write_bytes(records(500, 300))
    places = [
        "--other-savacct-file",
        str(tmp_path / "savacct"),
        "--other-usracct-file",
        str(tmp_path / "usracct"),
    ]
    subprocess.run([sa, "-s", *places, str(tmp_path / "one")], check=True)
    condense([str(tmp_path / "two")], summaries(tmp_path), Accounts())
    (tmp_path / "none").write_bytes(b"")
    (tmp_path / "both").write_bytes(records(0, 800))
    for options in (["-a"], ["-m"], ["-c"]):
        whole = subprocess.run(
            [sa, *options, "-i", str(tmp_path / "both")], capture_output=True, check=True
        ).stdout
        merged = subprocess.run(
            [sa, *options, *places, str(tmp_path / "none")], capture_output=True, check=True
        ).stdout
        ours = (
            CliRunner()
            .invoke(host, ["sa", "--compat", *options, *places, str(tmp_path / "none")])
            .stdout_bytes
        )
        assert sorted(whole.splitlines()) == sorted(merged.splitlines())
        assert ours == merged


def test_nothing_is_merged_twice(tmp_path: Path) -> None:
    pacct, where = tmp_path / "pacct", summaries(tmp_path)
    pacct.write_bytes(records(0, 100))
    assert condense([str(pacct)], where, Accounts())[0].merged == 100
    assert condense([str(pacct)], where, Accounts())[0].merged == 0
    with pacct.open("ab") as file:
        file.write(records(100, 50) + b"half a record")
    assert [(one.known, one.merged) for one in condense([str(pacct)], where, Accounts())] == [(100, 50)]
    (tmp_path / "copy.gz").write_bytes(gzip.compress(records(0, 150)))
    assert condense([str(tmp_path / "copy.gz"), str(pacct)], where, Accounts())[0].merged == 0
    assert calls(tmp_path) == (150, 150)
    text = CliRunner().invoke(host, ["condense", str(pacct)])
    assert "0 of 150 records merged, 150 had been before" in text.stdout
    assert text.exit_code == 1  # the last record is cut
    assert CliRunner().invoke(host, ["sa", "-s", str(tmp_path / "copy.gz")]).exit_code == 0
    assert calls(tmp_path) == (150, 150)


def test_emptying(tmp_path: Path) -> None:
    pacct, where = tmp_path / "pacct", summaries(tmp_path)
    pacct.write_bytes(records(0, 100))
    os.chmod(pacct, 0o600)
    condense([str(pacct)], where, Accounts(), empty=True)
    assert pacct.read_bytes() == b""
    assert pacct.stat().st_mode & 0o777 == 0o600
    pacct.write_bytes(records(100, 10))
    condense([str(pacct)], where, Accounts(), empty=True)
    assert calls(tmp_path) == (110, 110)
    assert {path.name for path in tmp_path.iterdir()} == {
        "pacct",
        "savacct",
        "usracct",
        "savacct.lock",
        "savacct.merged",
    }


class _Killed(BaseException):
    """As kill -9 would have it: nothing is tidied up."""


@pytest.mark.parametrize("empty", [False, True])
def test_killed_at_every_step_it_loses_and_doubles_nothing(
    empty: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made.accounting, "is_on", lambda path: False)
    step = 0
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        pacct, where = folder / "pacct", summaries(folder)
        (folder / "old").write_bytes(records(1000, 40))
        condense([str(folder / "old")], where, Accounts())
        pacct.write_bytes(records(0, 60))
        left = [step]

        def counting(real: Any, left: list[int] = left) -> Any:
            def call(*arguments: Any, **named: Any) -> Any:
                if left[0] == 0:
                    raise _Killed
                left[0] -= 1
                return real(*arguments, **named)

            return call

        with monkeypatch.context() as patch:
            for name in ("write", "fsync", "replace", "rename", "unlink", "open"):
                patch.setattr(made.os, name, counting(getattr(os, name)))
            try:
                condense([str(pacct)], where, Accounts(), empty=empty)
                finished = True
            except _Killed:
                finished = False
        # New records may come before the next run.
        with pacct.open("ab") as file:
            file.write(records(60, 5))
        condense([str(pacct)], where, Accounts(), empty=empty)
        condense([str(pacct)], where, Accounts(), empty=empty)
        assert calls(folder) == (105, 105), step
        assert not where.pending.exists()
        if finished:
            break
        step += 1
    assert step > 12


def test_kill_9(tmp_path: Path) -> None:
    pacct, where, written_, chance = tmp_path / "pacct", summaries(tmp_path), 0, random.Random(1)
    command = [sys.executable, "-m", "mailscope", "host", "condense", str(pacct), "--empty"]
    for _ in range(4):
        with pacct.open("ab") as file:
            file.write(records(written_, 20_000))
        written_ += 20_000
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, 1.5))
        run.send_signal(signal.SIGKILL)
        run.wait()
    condense([str(pacct)], where, Accounts(), empty=True)
    assert calls(tmp_path) == (written_, written_)


def test_what_it_cannot_do(tmp_path: Path) -> None:
    where = summaries(tmp_path)
    (tmp_path / "pacct").write_bytes(records(0, 3))
    (tmp_path / "text").write_text("x" * 640)
    with pytest.raises(InputError, match="no records of processes"):
        condense([str(tmp_path / "text")], where, Accounts())
    (tmp_path / "savacct").write_bytes(b"odd")
    with pytest.raises(InputError, match="multiple of 96"):
        condense([str(tmp_path / "pacct")], where, Accounts())
    (tmp_path / "savacct").unlink()
    where.merged.write_text("{")
    with pytest.raises(InputError, match="nobody knows what was merged"):
        condense([str(tmp_path / "pacct")], where, Accounts())
    where.merged.unlink()
    with made._locked(where), pytest.raises(OutputError, match="another run"):
        condense([str(tmp_path / "pacct")], where, Accounts())

"""Sessions and costs on the page Host, out of files of records; and what is said where there are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from making import login, process, written
from siting import running

from mailscope.host.layouts.utmp import BOOT_TIME, DEAD_PROCESS, USER_PROCESS
from mailscope.vocabulary.settings.settings import Settings
from mailscope.web.pages import host_records

NOW = datetime.now(UTC)
EVIL = "<b>\x1b[31mx"


def ago(hours: float) -> int:
    return int((NOW - timedelta(hours=hours)).timestamp())


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    logins = [
        login(BOOT_TIME, "~", "reboot", "6.1.0", seconds=ago(400)),
        login(BOOT_TIME, "~", "reboot", "6.1.0", seconds=ago(50)),
        login(USER_PROCESS, "pts/0", "alice", "192.0.2.7", seconds=ago(5), address="192.0.2.7"),
        login(DEAD_PROCESS, "pts/0", seconds=ago(4)),
        login(USER_PROCESS, "pts/1", EVIL[:30], EVIL, seconds=ago(3)),
        login(DEAD_PROCESS, "pts/1", seconds=ago(2)),
    ]
    processes = [
        process("old", btime=ago(400), utime=5_000),
        *(process("gzip", btime=ago(3), utime=100, stime=50, etime=200, mem=900) for _ in range(3)),
        process(EVIL[:15], btime=ago(2), utime=10, uid=4_242),
    ]
    return (
        str(written(tmp_path / "wtmp", logins)),
        str(written(tmp_path / "pacct", [*processes, b"cut"])),
    )


def test_sessions_and_costs_of_the_span(tmp_path: Path, files: tuple[str, str]) -> None:
    settings = Settings.model_validate({"web": dict(zip(("wtmp", "pacct"), files, strict=True))})
    with running(tmp_path, [f"{NOW.isoformat()} mx thing: x"], settings) as site:
        page = site.get("/host?range=7d")
        assert "\x1b" not in page
        assert "<b>" not in page
        # What was cut is said.
        assert "the last record is cut" in page
        sessions = site.json("/host?range=7d&table=sessions&format=json")
        assert [(row["tty"], row["state"]) for row in sessions] == [
            ("pts/1", "ended"), ("pts/0", "ended"), ("system boot", "running"),
        ]  # fmt: skip
        alice = sessions[1]
        assert (alice["user"], alice["host"], alice["duration_s"]) == ("alice", "192.0.2.7", 3_600)
        commands = site.json("/host?range=7d&table=commands&format=json")
        assert tuple(commands[0][name] for name in ("name", "calls", "cpu_s")) == ("gzip", 3, 4.5)
        assert len(commands) == 2
        users = site.json("/host?range=7d&table=users&format=json")
        assert [row["calls"] for row in users] == [3, 1]
        assert site.json("/host?range=1h&table=sessions&format=json") == []


def test_of_many_processes_the_newest_are_counted(
    tmp_path: Path, files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_records, "MOST_RECORDS", 2)
    settings = Settings.model_validate({"web": {"wtmp": files[0], "pacct": files[1]}})
    with running(tmp_path, [f"{NOW.isoformat()} mx thing: x"], settings) as site:
        assert "only the newest 2 processes are counted" in site.get("/host?range=7d")
        found = site.json("/host?range=7d&table=commands&format=json")
        assert sum(row["calls"] for row in found) == 2


@pytest.mark.parametrize("kind", ["missing", "none", "text", "directory", "pipe"])
def test_where_there_is_nothing_it_says_what_to_do(tmp_path: Path, kind: str) -> None:
    import os

    path = tmp_path / kind
    if kind == "text":
        path.write_text("no records at all, but words of a log\n" * 40)
    elif kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    named = "" if kind == "none" else str(path)
    settings = Settings.model_validate({"web": {"wtmp": named, "pacct": named}})
    with running(tmp_path, [f"{NOW.isoformat()} mx thing: x"], settings) as site:
        page = site.get("/host")
        assert "Set [web] wtmp to a file of logins that the daemon may read." in page
        assert "mailscope host accounting on" in page

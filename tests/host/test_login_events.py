"""wtmp and btmp among the logs: the lines and events they become, and how the daemon follows them."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from making import login, written

from mailscope.cli.main import mailscope
from mailscope.host.layouts.lines import Lines
from mailscope.host.layouts.utmp import LAYOUTS
from mailscope.intake.follow.logins import LoginFeed
from mailscope.intake.live import Resume

T = 1_795_000_000
WTMP = [
    login(2, "~", "reboot", "6.1.0", seconds=T, ident=b"~~"),
    login(1, "~", "runlevel", "6.1.0", seconds=T + 1, pid=53),
    login(6, "tty1", "LOGIN", seconds=T + 2),
    login(7, "pts/0", "alice", "client.example.org", seconds=T + 3, pid=7, address="192.0.2.20", micros=5),
    login(7, "pts/1", "alice", ":0", seconds=T + 4),
    login(7, "pts/2", "bob: from (203.0.113.9): x\n", "2001:db8::7%eth0", seconds=T + 5),
    login(8, "pts/0", seconds=T + 6, pid=7),
    login(8, "tty9", seconds=T + 7),
    login(1, "~", "shutdown", "6.1.0", seconds=T + 8),
]
BTMP = [
    login(6, "ssh:notty", "root", "192.0.2.40", seconds=T, pid=9, address="192.0.2.40"),
    login(7, "tty1", "carol", seconds=T + 1),
    login(6, "ssh:notty", "", "bot.example.net", seconds=T + 2),
]


def events(*files: Path) -> list[dict[str, object]]:
    done = CliRunner().invoke(mailscope, ["events", *map(str, files)])
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_records_become_lines(layout: object) -> None:
    lines = Lines(LAYOUTS[0])
    # In pieces, wherever they are cut.
    data = b"".join(WTMP)
    text = b"".join(lines.feed(data[at : at + 100]) for at in range(0, len(data), 100)).decode()
    assert [line.partition(": ")[2] for line in text.splitlines()] == [
        "system boot: 6.1.0",
        "run-level 5",
        "login on pts/0 from client.example.org (192.0.2.20): alice",
        "session on pts/1 from :0: alice",
        "login on pts/2 from (2001:db8::7): bob: from (203.0.113.9): x?",
        "session on pts/0 ended: alice",
        "system down: 6.1.0",
    ]
    assert text.splitlines()[2].startswith("2026-11-18T")
    assert ".000005+00:00 wtmp[7]: " in text


def test_logins_are_events(tmp_path: Path) -> None:
    wtmp = written(tmp_path / "wtmp", WTMP)
    (tmp_path / "btmp.1.gz").write_bytes(gzip.compress(b"".join(BTMP)))
    found = events(wtmp, tmp_path / "btmp.1.gz")
    kinds = sorted((str(one["event"]), str(one.get("user", ""))) for one in found)
    assert kinds == [
        ("login_failed", ""),
        ("login_failed", "carol"),
        ("login_failed", "root"),
        ("login_succeeded", "alice"),
        ("login_succeeded", "bob: from (203.0.113.9): x?"),
        ("noted", ""),
        ("service_started", ""),
        ("service_stopped", ""),
        ("session_closed", "alice"),
        ("session_opened", "alice"),
    ]
    # What a client calls itself is not where it comes from.
    assert "203.0.113.9" not in [one.get("client_ip") for one in found]


def test_logins_and_about_see_them(tmp_path: Path) -> None:
    wtmp, btmp = written(tmp_path / "wtmp", WTMP), written(tmp_path / "btmp", BTMP)
    report = json.loads(
        CliRunner().invoke(mailscope, ["logins", str(wtmp), str(btmp), "--format", "json"]).stdout
    )
    assert "192.0.2.40" in json.dumps(report)
    about = CliRunner().invoke(mailscope, ["about", "192.0.2.40", str(wtmp), str(btmp)]).stdout
    assert "login failed" in about
    assert "root" in about


def test_detections_see_them(tmp_path: Path) -> None:
    tries = [login(6, "ssh:notty", f"user{n}", seconds=T + n, address="192.0.2.40") for n in range(200)]
    done = CliRunner().invoke(mailscope, ["detect", str(written(tmp_path / "btmp", tries))])
    assert "200 failed logins of 200 accounts from 192.0.2.0/24" in done.stdout


def test_damaged_records_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "wtmp", [*WTMP[:4], login(77, "x"), *WTMP[4:]])
    path.write_bytes(path.read_bytes() + b"rest")
    done = CliRunner().invoke(mailscope, ["events", str(path)])
    assert done.exit_code == 1
    assert "1 of 10 records of logins are damaged and left out, the first at byte 1536" in done.stderr
    assert done.stdout.count("\n") == 7


def test_in_a_directory_they_are_left_to_the_logs_beside_them(tmp_path: Path) -> None:
    written(tmp_path / "wtmp", WTMP)
    (tmp_path / "wtmp.1.gz").write_bytes(gzip.compress(b"".join(WTMP)))
    (tmp_path / "auth.log").write_text(
        "2026-11-22T04:00:00+00:00 mx1 sshd[1]: Accepted password for alice from 192.0.2.20 port 1 ssh2\n"
    )
    done = CliRunner().invoke(mailscope, ["events", str(tmp_path)])
    assert done.stdout.count("\n") == 1
    assert done.stderr.count("records of logins") == 2


def taken(feed: LoginFeed) -> tuple[list[str], Resume | None]:
    lines: list[str] = []
    resume: Resume | None = None
    while arrivals := feed.take(1 << 20):
        for arrival in arrivals:
            lines += [line.partition(": ")[2] for line in arrival.data.decode().splitlines()]
            resume = arrival.resume
    return lines, resume


def test_the_daemon_follows_them_across_rotation_and_restart(tmp_path: Path) -> None:
    path = tmp_path / "wtmp"
    feed = LoginFeed(str(path))
    assert feed.take(1000) == []
    assert "no such file yet" in feed.problems()[0]
    written(path, WTMP[:4])
    path.write_bytes(path.read_bytes() + WTMP[4][:100])  # half a record
    lines, resume = taken(feed)
    assert lines == [
        "system boot: 6.1.0",
        "run-level 5",
        "login on pts/0 from client.example.org (192.0.2.20): alice",
    ]
    assert not feed.problems()
    with path.open("ab") as file:
        file.write(WTMP[4][100:])
    assert taken(feed)[0] == ["session on pts/1 from :0: alice"]
    # What was read and not stored is read again; who was logged in is known again.
    feed.close()
    again = LoginFeed(str(path), resume)
    assert taken(again)[0] == ["session on pts/1 from :0: alice"]
    with path.open("ab") as file:
        file.write(WTMP[6])
    os.rename(path, tmp_path / "wtmp.1")
    written(path, [login(7, "tty1", "dave", seconds=T + 100)])
    assert taken(again)[0] == ["session on pts/0 ended: alice", "login on tty1: dave"]
    again.close()
    # Rotated while nobody looked: the rest of the old file comes first.
    late = LoginFeed(str(path), resume)
    assert taken(late)[0] == [
        "session on pts/1 from :0: alice",
        "session on pts/0 ended: alice",
        "login on tty1: dave",
    ]
    assert not late.problems()
    late.close()


def test_a_file_that_was_rewritten_is_read_anew_and_told(tmp_path: Path) -> None:
    path = written(tmp_path / "btmp", BTMP)
    feed = LoginFeed(str(path))
    lines, resume = taken(feed)
    assert len(lines) == 3
    assert lines[1] == "refused login on tty1: carol"
    feed.close()
    written(path, [login(6, "ssh:notty", "new", seconds=T + 9)])
    after = LoginFeed(str(path), resume)
    assert taken(after)[0] == ["refused login on ssh:notty: new"]
    assert "rotated or rewritten" in after.problems()[0]
    after.close()
    (tmp_path / "text").write_text("no records\n" * 1000)
    text = LoginFeed(str(tmp_path / "text"))
    assert text.take(1000) == []
    assert "no records of logins" in text.problems()[0]
    text.close()


def test_the_settings_name_them(tmp_path: Path) -> None:
    from mailscope.daemon.feeds import feeds
    from mailscope.vocabulary.settings.settings import Settings

    path = written(tmp_path / "wtmp", WTMP)
    settings = Settings.model_validate({"sources": {"discover": False, "logins": (str(path),)}})
    opened = feeds(settings, {}, lambda text: None)
    assert sum(len(arrival.data.splitlines()) for feed in opened for arrival in feed.take(1 << 20)) == 7
    for feed in opened:
        feed.close()

"""Files of logins in any layout and state: told apart by content, damage skipped and counted, packed ones read."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import USUAL, login, written
from running import examples

from mailscope.cli.host import host
from mailscope.host.layouts.utmp import LAYOUTS, Layout, sniff, unpack
from mailscope.host.logins.records import LoginFile, each
from mailscope.vocabulary.errors import InputError

SOME = [
    (2, "~", "reboot", "6.1.0"),
    (7, "pts/0", "alice", "client.example.org"),
    (8, "pts/0", "", ""),
    (7, "tty1", "bob", ""),
]


def made(layout: Layout) -> bytes:
    return b"".join(
        login(*one, seconds=1_700_000_000 + 60 * at, address="192.0.2.7", layout=layout)
        for at, one in enumerate(SOME)
    )


def rows(path: Path, *options: str, now: str = "@1700001000") -> list[dict[str, object]]:
    found = (
        CliRunner().invoke(host, ["last", "-f", str(path), "--format", "json", "--now", now, *options]).stdout
    )
    return [json.loads(line) for line in found.splitlines()]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_layouts_are_told_by_content(layout: Layout, tmp_path: Path) -> None:
    data = made(layout)
    assert len(data) == 4 * layout.size
    assert sniff(data) == layout
    path = tmp_path / "any-name"
    path.write_bytes(data)
    (tmp_path / "usual").write_bytes(made(USUAL))
    assert rows(path) == rows(tmp_path / "usual") != []
    assert [row["user"] for row in rows(path)] == ["bob", "alice", "reboot"]
    assert rows(path)[1]["duration_s"] == 60


def test_one_record_is_enough_and_none_is_none(tmp_path: Path) -> None:
    assert sniff(login(7, "pts/0", "alice")) == USUAL
    assert sniff(b"") is None
    assert sniff(bytes(4000)) is None
    assert sniff(b"Nov 22 04:00:00 mx1 sshd[1]: hello\n" * 100) is None
    (tmp_path / "empty").write_bytes(b"")
    assert rows(tmp_path / "empty") == []
    (tmp_path / "text").write_text("no records\n" * 100)
    with pytest.raises(InputError, match="no records of logins"):
        LoginFile(str(tmp_path / "text"))
    with pytest.raises(InputError, match="no such file"):
        LoginFile(str(tmp_path / "missing"))
    with pytest.raises(InputError, match="directory"):
        LoginFile(str(tmp_path))


def test_seconds_last_beyond_2038(tmp_path: Path) -> None:
    path = written(tmp_path / "wtmp", [login(7, "pts/0", "alice", seconds=3_000_000_000)])
    assert str(rows(path, "--tz", "UTC")[0]["started"]).startswith("2065-01-24")


def test_packed_and_cut_files(tmp_path: Path) -> None:
    data = made(USUAL)
    (tmp_path / "wtmp.1.gz").write_bytes(gzip.compress(data))
    assert len(rows(tmp_path / "wtmp.1.gz")) == 3
    (tmp_path / "cut").write_bytes(data + b"xy")
    done = CliRunner().invoke(host, ["last", "-f", str(tmp_path / "cut")])
    assert done.exit_code == 1
    assert "0 damaged records and 2 other bytes skipped, the first at byte 1536" in done.stderr
    assert done.stdout.count("\n") == 5
    (tmp_path / "broken.gz").write_bytes(gzip.compress(data * 100)[:-30])
    done = CliRunner().invoke(host, ["users", str(tmp_path / "broken.gz")])
    assert done.exit_code == 1
    assert "damaged" in done.stderr
    assert "alice" in done.stdout


def test_a_damaged_record_is_skipped_and_counted(tmp_path: Path) -> None:
    good = [login(7, f"pts/{n}", f"user{n}", seconds=1_700_000_000 + n) for n in range(50)]
    bad = login(99, "pts/0", "nobody")
    path = written(tmp_path / "wtmp", [*good[:20], bad, *good[20:], login(7, "x", "y", micros=5_000_000)])
    with LoginFile(str(path)) as file:
        assert [record.user for record in each(file)] == [b"user%d" % n for n in range(50)]
        assert str(file.problems[0]).endswith(
            "2 damaged records and 0 other bytes skipped, the first at byte 7680"
        )
        assert sum(map(len, file.backwards())) == 50


# A few bytes too few: fields stand beside their places.
@example(1, 14, Layout(order=">", wide=True), bytes(11))
@settings(max_examples=examples(30))
@given(
    st.integers(0, 60),
    st.sampled_from([1, 14, 100, 300, 384, 500, 999]),
    st.sampled_from(LAYOUTS),
    st.binary(max_size=700),
)
def test_reading_goes_on_behind_bytes_that_are_no_records(
    at: int, lost: int, layout: Layout, junk: bytes
) -> None:
    import tempfile

    records = [login(7, f"pts/{n}", f"user{n}", seconds=1_700_000_000 + n, layout=layout) for n in range(60)]
    data = b"".join(records)
    place = at * layout.size
    broken = data[:place] + junk + data[place + lost :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wtmp"
        path.write_bytes(broken)
        try:
            file = LoginFile(str(path))
        except InputError:
            assert at < 16  # what it begins with is no records
            return
        with file:
            if file.layout != layout:
                return  # what is left of few records may look like another layout
            users = [record.user for record in each(file)]
            whole = {b"user%d" % n for n in range(at)} | {
                b"user%d" % n for n in range(at + lost // layout.size + 3, 60)
            }
            assert whole <= set(users)
            read = file.count * layout.size + file.skipped_records * layout.size + file.skipped_bytes
            assert read == len(broken)


def test_records_survive_a_round_trip() -> None:
    record = unpack(
        USUAL, login(7, "pts/0", "alice", "host", seconds=5, pid=-1, ident=b"ts/0", address="2001:db8::1")
    )
    assert (record.line, record.user, record.host, record.pid, record.id) == (
        b"pts/0",
        b"alice",
        b"host",
        -1,
        b"ts/0",
    )
    assert len(record.address) == 16


def test_wtmpdb(tmp_path: Path) -> None:
    path = tmp_path / "wtmp.db"
    with closing(sqlite3.connect(path)) as base:
        base.execute(
            "CREATE TABLE wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, Login INTEGER, Logout INTEGER,"
            " TTY TEXT, RemoteHost TEXT, Service TEXT) STRICT"
        )
        second = 1_000_000
        base.executemany(
            "INSERT INTO wtmp VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            [
                (1, "reboot", 1_700_000_000 * second, None, "~", "6.1.0", None),
                (3, "alice", 1_700_000_100 * second, 1_700_000_160 * second, "pts/0", "192.0.2.7", "sshd"),
                (3, "bob", 1_700_000_200 * second, None, "tty1", None, "login"),
                (1, "reboot", 1_700_001_000 * second, None, "~", "6.1.0", None),
                (3, "carol", 1_700_001_100 * second + 5, None, "pts/9", "", "sshd"),
            ],
        )
        base.commit()
    found = rows(path, now="@1700002000")
    assert [(row["user"], row["state"], row["duration_s"]) for row in found] == [
        ("carol", "gone, no logout", None),
        ("reboot", "running", None),
        ("bob", "crash", 800),
        ("alice", "ended", 60),
        ("reboot", "crash", 1000),
    ]
    text = CliRunner().invoke(host, ["last", "-f", str(path), "--tz", "UTC", "--now", "@1700002000"]).stdout
    assert "bob      tty1                          Tue Nov 14 22:16 - crash  (00:13)" in text
    assert text.endswith("wtmp.db begins Tue Nov 14 22:13:20 2023\n")
    (tmp_path / "bad.db").write_bytes(path.read_bytes()[:3000])
    assert CliRunner().invoke(host, ["last", "-f", str(tmp_path / "bad.db")]).exit_code == 1


def test_lastlog2(tmp_path: Path) -> None:
    path, passwd = tmp_path / "lastlog2.db", tmp_path / "passwd"
    passwd.write_text("alice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n")
    with closing(sqlite3.connect(path)) as base:
        base.execute(
            "CREATE TABLE Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT)"
        )
        base.execute(
            "INSERT INTO Lastlog2 VALUES ('alice', 3000000000, 'pts/0', '192.0.2.7', 'sshd'), ('gone', 0, '', '', '')"
        )
        base.commit()
    command = ["lastlog", "-f", str(path), "--passwd", str(passwd), "--tz", "UTC"]
    text = CliRunner().invoke(host, command).stdout.splitlines()
    assert text[1].startswith("alice            pts/0    192.0.2.7")
    assert text[1].endswith("Sat Jan 24 05:20:00 +0000 2065")
    assert text[2].endswith("**Never logged in**")
    assert len(CliRunner().invoke(host, [*command, "-u", "1000-1001"]).stdout.splitlines()) == 2
    assert (
        json.loads(CliRunner().invoke(host, [*command, "-u", "alice", "--format", "json"]).stdout)["service"]
        == "sshd"
    )


HOSTILE = login(7, b"pts/0", b"\x1b]0;x\x07=cmd", b"=HYPERLINK(1)\xe2\x80\xae")


@pytest.mark.parametrize(
    "command",
    [["last", "-w", "-f"], ["who"], ["users"], ["w", "--file"], ["lastb", "-f"], ["ac", "-p", "-f"]],
)
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_hostile_names_drive_no_terminal_and_no_spreadsheet(
    command: list[str], form: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "wtmp", [HOSTILE])
    out = CliRunner().invoke(host, [*command, str(path), "--format", form]).stdout
    assert out
    assert out.isascii() or "\u202e" not in out
    assert not any(ord(char) < 32 and char not in "\n\t" for char in out)
    if form == "csv":
        assert ",=" not in out
        assert not out.startswith("=")


def test_compat_is_for_text_only(tmp_path: Path) -> None:
    path = written(tmp_path / "wtmp", [HOSTILE])
    done = CliRunner().invoke(host, ["users", str(path), "--compat", "--format", "json"])
    assert done.exit_code != 0
    assert CliRunner().invoke(host, ["users", str(path), "--compat"]).stdout_bytes == b"\x1b]0;x\x07=cmd\n"

"""From the names on the command line to sources in the order in which they were written."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import socket
import tarfile
import threading
from pathlib import Path
from typing import Final

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from mailscope.intake.files import Expansion, expand
from mailscope.intake.reader import read_chunks

LINE: Final = b"Mar  1 00:00:01 mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed\n"
STAMPS: Final = [f"@400000006b0266{number:02x}075bca00" for number in range(4)]


def write(directory: Path, *names: str) -> None:
    """Write files of different content, each a minute younger than the one before."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        path = directory / name
        path.write_bytes(LINE + b"%d in %s\n" % (number, os.fsencode(name)))
        os.utime(path, (1_700_000_000 + 60 * number,) * 2)


def names(expansion: Expansion) -> list[str]:
    return [Path(source.path).name for source in expansion.sources]


def sets(expansion: Expansion) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source in expansion.sources:
        found.setdefault(source.set_id, []).append(Path(source.path).name)
    return found


# Rotated sets


@pytest.mark.parametrize(
    "oldest_first",
    [
        ["mail.log.10.gz", "mail.log.2.gz", "mail.log.1", "mail.log"],
        ["maillog.1.bz2", "maillog.0", "maillog"],
        ["mail.log.old", "mail.log"],
        ["mail.log-20251231.gz", "mail.log-20260228.xz", "mail.log-20260301", "mail.log"],
        ["mail.log.20251231.zst", "mail.log.20260101", "mail.log"],
        ["mail.log-20260301", "mail.log-20260301-060000", "mail.log-20260301-235959.gz", "mail.log"],
        ["mail.log-20260301-1772323200", "mail.log-20260301-1772366400", "mail.log"],
        ["mail.log-2026030106.gz", "mail.log-2026030123", "mail.log"],
        ["mail.log-2026-02-28", "mail.log-2026-03-01", "mail.log"],
        ["mail.log-202512", "mail.log-202601", "mail.log"],
        ["mail-20260228.log.gz", "mail-20260301.log", "mail.log"],
        ["mail.log.1000", "mail.log.999", "mail.log"],
        [f"{STAMPS[0]}.s", f"{STAMPS[1]}.u", f"{STAMPS[2]}.s.gz", f"{STAMPS[3]}.s", "current"],
    ],
    ids=lambda files: files[0],
)
def test_one_set_the_oldest_first(tmp_path: Path, oldest_first: list[str]) -> None:
    shuffled = random.Random(1).sample(oldest_first, len(oldest_first))  # so that mtime says nothing
    write(tmp_path, *shuffled)
    for given_paths in ([str(tmp_path)], [str(tmp_path / name) for name in shuffled]):
        expansion = expand(given_paths)
        assert names(expansion) == oldest_first
        assert [source.age_rank for source in expansion.sources] == [*range(len(oldest_first))][::-1]
        assert len(sets(expansion)) == 1
        assert not expansion.notes
        assert not expansion.problems


def test_sets_stay_apart_in_the_order_given(tmp_path: Path) -> None:
    write(tmp_path / "a", "mail.log", "mail.log.1", "mail.err", "mail.err.1")
    write(tmp_path / "b", "mail.log", "mail.log.1")
    given_paths = ["b/mail.log", "a/mail.err.1", "a/mail.log", "b/mail.log.1", "a/mail.log.1", "a/mail.err"]
    expansion = expand([str(tmp_path / path) for path in given_paths])
    assert sets(expansion) == {
        f"{tmp_path}/b/mail.log": ["mail.log.1", "mail.log"],
        f"{tmp_path}/a/mail.err": ["mail.err.1", "mail.err"],
        f"{tmp_path}/a/mail.log": ["mail.log.1", "mail.log"],
    }


@pytest.mark.parametrize(
    "files",
    [
        ["192.0.2.1", "192.0.2.2"],  # the logs of two hosts
        ["mail.log-20261301", "mail.log-20260132"],  # no dates
        ["mail.info", "mail.warn"],
        ["server-2019", "server-2020"],
        ["a.log", "b.log"],
    ],
)
def test_what_looks_like_a_set_and_is_none(tmp_path: Path, files: list[str]) -> None:
    write(tmp_path, *files)
    assert len(sets(expand([str(tmp_path)]))) == len(files)


def test_rotated_logs_of_a_host_named_by_its_address(tmp_path: Path) -> None:
    write(tmp_path, "192.0.2.1", "192.0.2.1.1", "192.0.2.1.2.gz")
    assert sets(expand([str(tmp_path)])) == {
        f"{tmp_path}/192.0.2.1": ["192.0.2.1.2.gz", "192.0.2.1.1", "192.0.2.1"]
    }


@pytest.mark.parametrize("numbers_are_older", [True, False])
def test_a_change_from_numbers_to_dates_or_back(tmp_path: Path, numbers_are_older: bool) -> None:
    numbered = ["mail.log.2", "mail.log.1"]
    dated = ["mail.log-20260101", "mail.log-20260201"]
    oldest_first = [*numbered, *dated] if numbers_are_older else [*dated, *numbered]
    write(tmp_path, *oldest_first, "mail.log")
    assert names(expand([str(tmp_path)])) == [*oldest_first, "mail.log"]


def test_ranks_begin_at_zero_without_a_live_file(tmp_path: Path) -> None:
    write(tmp_path, "mail.log.3", "mail.log.7")
    assert [(source.name[-1], source.age_rank) for source in expand([str(tmp_path)]).sources] == [
        ("7", 1),
        ("3", 0),
    ]


def test_a_set_is_the_same_through_a_linked_directory(tmp_path: Path) -> None:
    write(tmp_path / "real", "mail.log", "mail.log.1")
    (tmp_path / "link").symlink_to("real")
    expansion = expand([str(tmp_path / "link/mail.log"), str(tmp_path / "real/mail.log.1")])
    assert sets(expansion) == {f"{tmp_path}/real/mail.log": ["mail.log.1", "mail.log"]}


# What a source says


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("none", LINE),
        ("gz", gzip.compress(LINE)),
        ("bz2", bz2.compress(LINE)),
        ("xz", lzma.compress(LINE)),
        ("zst", zstandard.compress(LINE)),
    ],
    ids=["none", "gz", "bz2", "xz", "zst"],
)
def test_compression_is_told_by_content(tmp_path: Path, kind: str, data: bytes) -> None:
    path = tmp_path / "mail.log.1.gz"
    path.write_bytes(data)
    os.utime(path, (1_700_000_000.5,) * 2)
    (source,) = expand([str(path)]).sources
    assert (source.compression, source.size_bytes, source.mtime) == (kind, len(data), 1_700_000_000.5)
    assert (source.path, source.name, source.age_rank) == (str(path), str(path), 0)
    assert [chunk.data for chunk in read_chunks(source)] == [LINE]


def test_standard_input() -> None:
    expansion = expand(["-", "-"])
    (source,) = expansion.sources
    assert (source.path, source.name, source.set_id) == ("-", "standard input", "-")
    assert (source.mtime, source.size_bytes, source.compression) == (None, None, "none")
    assert expansion.notes == ["standard input: given twice, read once"]


def test_a_name_that_would_spoil_the_terminal(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/mail\n\x1b[31m\xff.log")
    Path(path).write_bytes(LINE)
    (source,) = expand([path]).sources
    assert source.name.encode() == os.fsencode(tmp_path) + rb"/mail\n\x1b[31m\udcff.log"
    assert [chunk.data for chunk in read_chunks(source)] == [LINE]


def test_a_pipe_is_not_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    (source,) = expand([str(path)]).sources
    assert (source.mtime, source.size_bytes) == (None, None)
    writer = threading.Thread(target=lambda: path.write_bytes(gzip.compress(LINE)))
    writer.start()
    assert [chunk.data for chunk in read_chunks(source)] == [LINE]
    writer.join()


# Directories


def test_a_directory_of_logs(tmp_path: Path) -> None:
    write(tmp_path, "mail.log", "mail.log.1", ".mail.log.swp")
    write(tmp_path / "mx2/deep", "maillog")
    write(tmp_path / ".snapshot", "mail.log")
    (tmp_path / "wtmp").write_bytes(b"\x02\0\0\0" * 100 + LINE)
    (tmp_path / "btmp.1.gz").write_bytes(gzip.compress(b"\x06\0\0\0" * 100))
    (tmp_path / "system.journal").write_bytes(b"LPKSHHRH" + bytes(100))
    (tmp_path / "old.zip").write_bytes(b"PK\x03\x04" + LINE)
    (tmp_path / "mail.err").write_bytes(b"")
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    os.mkfifo(tmp_path / "pipe")
    expansion = expand([str(tmp_path)])
    assert names(expansion) == ["mail.log.1", "mail.log", "maillog"]
    assert expansion.notes == [
        f"{tmp_path}/.mail.log.swp: skipped, it is hidden",
        f"{tmp_path}/.snapshot: skipped, it is hidden",
        f"{tmp_path}/btmp.1.gz: skipped, it is binary (to read it all the same, name it by itself)",
        f"{tmp_path}/empty.gz: it is empty",
        f"{tmp_path}/mail.err: it is empty",
        f"{tmp_path}/old.zip: skipped, it is a zip archive",
        f"{tmp_path}/pipe: skipped, it is neither a file nor a directory",
        f"{tmp_path}/wtmp: skipped, it is binary (to read it all the same, name it by itself)",
        f"{tmp_path}/system.journal: skipped, it is a systemd journal, which may hold the same lines "
        "(to read it too, name it by itself)",
    ]
    assert not expansion.problems
    assert not expansion.journals


def test_journals_alone_in_a_directory_or_named(tmp_path: Path) -> None:
    write(tmp_path / "logs", "mail.log")
    for name in ("logs/one.journal", "journal/0123/two.journal", "journal/0123/three@4.journal"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"LPKSHHRH" + bytes(100))
    expansion = expand([str(tmp_path / "journal"), str(tmp_path / "logs/one.journal")])
    assert not expansion.problems
    assert not expansion.sources
    assert [os.path.basename(path) for path in expansion.journals] == [
        "three@4.journal",
        "two.journal",
        "one.journal",
    ]


def test_a_directory_of_multilog(tmp_path: Path) -> None:
    write(tmp_path, f"{STAMPS[0]}.s", f"{STAMPS[1]}.u", f"{STAMPS[1]}.t", "current", "previous", "processed")
    for name in ("lock", "state", "newstate"):
        (tmp_path / name).touch()
    expansion = expand([str(tmp_path)])
    assert sets(expansion) == {f"{tmp_path}/": [f"{STAMPS[0]}.s", f"{STAMPS[1]}.u", "current"]}
    assert expansion.notes == [
        f"{tmp_path}/{name}: skipped, multilog keeps it for itself"
        for name in (f"{STAMPS[1]}.t", "previous", "processed")
    ]


def test_a_young_directory_of_multilog(tmp_path: Path) -> None:
    write(tmp_path, "current", "state")
    (tmp_path / "lock").touch()
    assert names(expand([str(tmp_path)])) == ["current"]


def test_links_in_a_directory(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "mail.log")
    write(tmp_path / "logs", "maillog")
    for name, target in (
        ("inside", "maillog"),
        ("round", "."),
        ("outside", "../elsewhere/mail.log"),
        ("directory", "../elsewhere"),
        ("dangling", "/nowhere"),
    ):
        (tmp_path / "logs" / name).symlink_to(target)
    expansion = expand([str(tmp_path / "logs")])
    assert names(expansion) == ["maillog"]
    assert expansion.notes == [
        f"{tmp_path}/logs/{name}: skipped, it is a link that leads out of {tmp_path}/logs"
        for name in ("dangling", "directory", "outside")
    ]


@pytest.mark.parametrize("inside", [[], ["wtmp"], ["below/"]])
def test_a_directory_without_logs(tmp_path: Path, inside: list[str]) -> None:
    for name in inside:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_bytes(bytes(400))
    (problem,) = expand([str(tmp_path)]).problems
    assert str(problem) == f"{tmp_path}: there is no log in it; name the mail log or its directory"


def test_a_directory_whose_log_is_still_empty(tmp_path: Path) -> None:
    (tmp_path / "mail.log").touch()
    expansion = expand([str(tmp_path)])
    assert (expansion.sources, expansion.problems) == ([], [])
    assert expansion.notes == [f"{tmp_path}/mail.log: it is empty"]


# The same text twice


def test_the_same_file_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, "mail.log")
    path = tmp_path / "mail.log"
    (tmp_path / "link").symlink_to("mail.log")
    os.link(path, tmp_path / "hard")
    expansion = expand([str(path), str(path), str(tmp_path / "link"), str(tmp_path), str(tmp_path)])
    assert names(expansion) == ["mail.log"]
    assert expansion.notes == [
        f"{path}: given twice, read once",
        f"{tmp_path}/link: the same as {path}, read once",
        f"{tmp_path}/hard: the same as {path}, read once",
        f"{path}: given twice, read once",
        f"{tmp_path}: given twice, read once",
    ]
    assert not expansion.problems


def test_a_compressed_twin_is_left_out(tmp_path: Path) -> None:
    text = LINE * 5000
    (tmp_path / "mail.log.1").write_bytes(text)
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(text)[:-400])  # gzip was interrupted
    expansion = expand([f"{tmp_path}/mail.log.1", f"{tmp_path}/../{tmp_path.name}/mail.log.1.gz"])
    assert names(expansion) == ["mail.log.1"]
    (note,) = expansion.notes
    assert note.endswith(f"/mail.log.1.gz: skipped, it begins as {tmp_path}/mail.log.1 does, which is read")
    assert expansion.sources[0].age_rank == 0


def test_no_twins(tmp_path: Path) -> None:
    (tmp_path / "mail.log.1").write_bytes(b"one\n" + LINE)
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(b"two\n" + LINE))
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress(b"one\n" + LINE))
    os.utime(tmp_path / "mail.log.1.gz", (1_700_000_000,) * 2)
    assert names(expand([str(tmp_path)])) == ["mail.log.2.gz", "mail.log.1.gz", "mail.log.1"]


# What cannot be read


def test_the_rest_goes_on_past_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "mail.log")
    (tmp_path / "loop").symlink_to("loop")
    paths = [
        f"{tmp_path}/{name}" for name in ("gone", "loop", "mail.log/below", "mail\0log", "\ud800", "mail.log")
    ]
    expansion = expand(paths)
    assert names(expansion) == ["mail.log"]
    assert [problem.what for problem in expansion.problems] == [
        "no such file",
        "its symbolic links go round in circles",
        "no such file: a part of the path is not a directory",
        "no such file",
        "no such file",
    ]
    assert expansion.problems[3].where == f"{tmp_path}/mail\\x00log"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    write(tmp_path / "logs", "mail.log", "mail.log.1")
    write(tmp_path / "logs/private", "mail.log")
    (tmp_path / "logs/mail.log").chmod(0)
    (tmp_path / "logs/private").chmod(0)
    try:
        expansion = expand([str(tmp_path / "logs")])
    finally:
        (tmp_path / "logs/private").chmod(0o700)
    assert names(expansion) == ["mail.log.1"]
    assert [(problem.where, problem.what) for problem in expansion.problems] == [
        (f"{tmp_path}/logs/mail.log", "no permission to read it"),
        (f"{tmp_path}/logs/private", "no permission to read it"),
    ]


def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
        (problem,) = expand(["socket"]).problems
    assert problem.what == "it is neither a file nor a directory nor a pipe"


def test_archives_that_are_not_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("mail.log"), io.BytesIO())
    (tmp_path / "logs.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
    (tmp_path / "mail.log.1.Z").write_bytes(b"\x1f\x9d\x90" + LINE)
    expansion = expand([f"{tmp_path}/logs.tar.gz", f"{tmp_path}/mail.log.1.Z"])
    assert expansion.sources == []
    assert [problem.what for problem in expansion.problems] == [
        "it is a tar archive",
        "it is a file of compress(1)",
    ]
    assert expansion.problems[1].what_to_do == "give it as text: zcat FILE | mailscope ... -"


def test_a_binary_file_named_by_itself_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(bytes(1000) + LINE)  # truncated by copytruncate while the writer went on at its offset
    expansion = expand([str(path)])
    assert names(expansion) == ["mail.log"]
    assert expansion.notes == [f"{path}: it holds NUL bytes, which logs do not; it is read all the same"]


def test_a_damaged_archive_is_left_to_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "mail.log.1.gz"
    path.write_bytes(gzip.compress(LINE)[:12])
    expansion = expand([str(path)])
    assert names(expansion) == ["mail.log.1.gz"]
    assert not expansion.problems


@given(
    files=st.dictionaries(
        st.text("mail.log-_@0123456789gz", min_size=1, max_size=20).filter(lambda name: name.strip(".")),
        st.binary(max_size=50) | st.just(LINE) | st.just(gzip.compress(LINE)),
        max_size=8,
    )
)
def test_any_directory(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    directory = tmp_path_factory.mktemp("logs")
    for name, data in files.items():
        (directory / name).write_bytes(data)
    expansion = expand([str(directory)])
    # Every file is a source, a journal or has a note; only what is empty in a directory of multilog may lack one.
    told = {note.split(": ")[0] for note in expansion.notes} | {source.name for source in expansion.sources}
    told |= set(expansion.journals)
    assert told == {str(directory / name) for name in files}
    for members in sets(expansion).values():
        assert len(members) == len(set(members))

"""Files that are followed: Vector's cases of rotation, and more, each with exact counts."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from following import Clock, Daemon, Program, compress, copytruncate, rename

from mailscope.intake import reader
from mailscope.intake.follow import beside, tail
from mailscope.intake.follow.files import FileFeed, Followed
from mailscope.vocabulary.errors import InputError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "mail.log"


@pytest.fixture
def program(log: Path) -> Program:
    return Program(log)


# What arrives


def test_lines_come_as_they_are_written(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    program.write(2)
    daemon.run()
    assert daemon.lines() == program.written
    first, second = daemon.stored
    assert (first.source, first.offset, first.line_number, first.first) == (str(log), 0, 1, True)
    assert (second.offset, second.line_number, second.first) == (len(first.data), 4, False)
    assert first.set_id == second.set_id == str(log)
    assert second.resume is not None
    assert second.resume["offset"] == log.stat().st_size
    assert second.resume["line_number"] == 6
    assert second.resume["inode"] == log.stat().st_ino
    assert daemon.feed.problems() == []


def test_nothing_new_gives_nothing(log: Path, program: Program) -> None:
    program.write()
    daemon = Daemon(log)
    daemon.run()
    assert daemon.take() == []


def test_a_line_waits_for_its_line_feed(log: Path, program: Program) -> None:
    program.file.write(b"Mar  1 00:00:00 mx1 postfix/qm")
    daemon = Daemon(log)
    daemon.run(30)
    assert daemon.lines() == []
    program.file.write(b"gr[1]: A: removed\nMar")
    daemon.run()
    assert daemon.lines() == [b"Mar  1 00:00:00 mx1 postfix/qmgr[1]: A: removed"]


def test_the_limit_is_kept(log: Path, program: Program) -> None:
    program.write(1000)
    daemon = Daemon(log)
    sizes = [sum(len(arrival.data) for arrival in daemon.take(5000)) for _ in range(3)]
    assert all(0 < size <= 5000 for size in sizes)


def test_each_log_has_its_turn(tmp_path: Path) -> None:
    busy, other = Program(tmp_path / "a.log"), Program(tmp_path / "b.log")
    busy.write(10_000)
    other.write(3)
    daemon = Daemon(tmp_path / "a.log", tmp_path / "b.log")
    daemon.run(2, limit=1000)
    assert daemon.lines(tmp_path / "b.log") == other.written


def test_nul_bytes_are_kept(log: Path) -> None:
    data = b"Mar  1 00:00:00 mx1 x: a\0b\0\nMar  1 00:00:00 mx1 x: \0\n"
    log.write_bytes(data)
    daemon = Daemon(log)
    daemon.run()
    assert b"".join(arrival.data for arrival in daemon.stored) == data


def test_a_line_of_ten_megabytes_comes_in_pieces(log: Path, program: Program) -> None:
    long = b"Mar  1 00:00:00 mx1 x: " + b"y" * 10_000_000
    program.write()
    for start in range(0, len(long), 3_000_000):
        program.file.write(long[start : start + 3_000_000])
    program.file.write(b"\n")
    program.write()
    daemon = Daemon(log)
    daemon.run(20)
    assert daemon.lines() == [program.written[0], long, program.written[1]]
    assert max(len(arrival.data) for arrival in daemon.stored) <= reader.MAX_LINE_BYTES
    assert daemon.stored[-1].line_number > 2


def test_a_line_that_splogger_cut_is_not_parted(log: Path, program: Program) -> None:
    stamp = b"Apr 16 10:22:45 mx qmail: 1018966965.100348"
    head, rest = stamp + b" delivery 7: deferral: " + b"x" * 780 + b"\n", stamp + b"+_died./\n"
    program.file.write(head)
    daemon = Daemon(log)
    daemon.run(1)
    assert daemon.lines() == []
    program.file.write(rest)
    daemon.run(1)
    assert [arrival.data for arrival in daemon.stored if arrival.data] == [head + rest]
    program.file.write(head)  # whose rest never comes
    daemon.run(4)
    assert daemon.stored[-1].data == head


# Rotation while the daemon runs


def test_renamed_and_created(log: Path, program: Program) -> None:
    daemon = Daemon(log)
    for _ in range(5):
        program.write(3)
        daemon.run(1)
        program.write(2)
        rename(log)
        program.reopen()
        program.write(2)
        daemon.run(1)
    daemon.settle()
    assert daemon.lines() == program.written
    assert daemon.feed.problems() == []
    assert [arrival.line_number for arrival in daemon.stored if arrival.first] == [1] * 6


def test_the_program_writes_on_into_the_renamed_file(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    rename(log)
    log.touch()
    new = Program(log, "mx2")
    for _ in range(3):
        program.write(2)
        new.write(2)
        daemon.run()
    daemon.settle()
    program.write(4)  # one that was not told to open its log again
    daemon.settle()
    assert sorted(daemon.lines()) == sorted(program.written + new.written)
    daemon.restart()
    program.write(4)
    daemon.run()
    assert sorted(daemon.lines()) == sorted(program.written + new.written)


def test_renamed_and_not_created_for_a_while(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    rename(log)
    program.write(2)
    daemon.settle()
    program.reopen()
    program.write(2)
    daemon.run()
    assert daemon.lines() == program.written


def test_renamed_twice_between_two_looks(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    for _ in range(3):
        program.write(2)
        rename(log)
        program.reopen()
        program.write(1)
    daemon.run()
    assert daemon.lines() == program.written


def test_copied_and_truncated(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    for unread in (0, 4, 2):
        program.write(unread)
        copytruncate(log)
        program.write(1)
        daemon.run()
    assert daemon.lines() == program.written
    assert daemon.feed.problems() == []


def test_copied_and_truncated_and_grown_beyond(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    program.write(1)
    copytruncate(log)
    program.write(30)
    daemon.run()
    copytruncate(log)
    program.write(2)
    copytruncate(log)
    program.write(60)
    daemon.run()
    assert daemon.lines() == program.written


def test_a_copy_alone_is_not_read(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    Path(f"{log}.1").write_bytes(log.read_bytes())
    daemon.run()
    daemon.restart()
    daemon.run()
    assert daemon.lines() == program.written


def test_truncated_in_place(log: Path, program: Program) -> None:
    daemon = Daemon(log)
    for count in (5, 2, 8):
        program.write(count)
        daemon.run()
        os.truncate(log, 0)
    program.write(1)
    daemon.run()
    assert daemon.lines() == program.written


def test_written_anew_with_the_same_size(log: Path) -> None:
    log.write_bytes(b"Mar  1 00:00:00 mx1 x: one\n")
    daemon = Daemon(log)
    daemon.run()
    log.write_bytes(b"Mar  1 00:00:01 mx1 x: two\n")
    daemon.run()
    assert daemon.lines() == [b"Mar  1 00:00:00 mx1 x: one", b"Mar  1 00:00:01 mx1 x: two"]


def test_what_was_surely_lost_by_truncation_is_said(log: Path, program: Program) -> None:
    program.write(100)
    daemon = Daemon(log)
    daemon.run(1, limit=1000)
    unread = log.stat().st_size - len(b"".join(arrival.data for arrival in daemon.stored)) - 0
    os.truncate(log, 0)
    daemon.run()
    (problem,) = daemon.feed.problems()
    assert str(log) in problem
    assert "truncated before its last" in problem
    assert int("".join(filter(str.isdigit, problem.split("its last")[1].split("bytes")[0]))) <= unread


def test_a_part_of_a_line_before_truncation_is_kept(log: Path, program: Program) -> None:
    program.file.write(b"Feb  1 00:00:00 mx1 postfix/qm")
    daemon = Daemon(log)
    daemon.run()
    os.truncate(log, 0)
    program.write()
    daemon.run()
    assert daemon.lines() == [b"Feb  1 00:00:00 mx1 postfix/qm", *program.written]


def test_the_hole_that_a_program_leaves_after_truncation(log: Path) -> None:
    with open(log, "wb", buffering=0) as file:  # without O_APPEND: it writes on where it was
        file.write(b"Mar  1 00:00:00 mx1 x: one\n" * 100_000)
        daemon = Daemon(log)
        daemon.run(5)
        os.truncate(log, 0)
        file.write(b"Mar  1 00:00:01 mx1 x: two\n")
        daemon.run(3)
        file.write(b"Mar  1 00:00:02 mx1 x: three\n")
        daemon.restart()
        daemon.run(3)
    assert daemon.lines()[100_000:] == [b"Mar  1 00:00:01 mx1 x: two", b"Mar  1 00:00:02 mx1 x: three"]
    assert daemon.stored[-2].offset == 27 * 100_000


def test_the_last_line_of_a_rotated_file_needs_no_line_feed(log: Path, program: Program) -> None:
    program.write(2)
    daemon = Daemon(log)
    program.file.write(b"Mar  1 00:00:00 mx1 x: cut off")
    daemon.run()
    rename(log)
    program.reopen()
    program.write(1)
    daemon.run(3)
    assert daemon.lines() == program.written
    daemon.settle()
    assert sorted(daemon.lines()) == sorted([*program.written, b"Mar  1 00:00:00 mx1 x: cut off"])
    assert all(arrival.data.endswith(b"\n") for arrival in daemon.stored)
    daemon.restart()
    daemon.settle()
    assert len(daemon.lines()) == 4


# Names


def test_a_file_that_appears_later(log: Path) -> None:
    daemon = Daemon(log)
    daemon.run()
    assert daemon.feed.problems() == [f"{log}: no such file yet; it is read as it appears"]
    program = Program(log)
    program.write(3)
    daemon.run()
    assert daemon.lines() == program.written
    assert daemon.feed.problems() == []


def test_the_inode_is_used_again(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    daemon.kill()
    program.file.close()
    inode = log.stat().st_ino
    log.unlink()
    program.reopen()
    if log.stat().st_ino != inode:
        pytest.skip("this file system does not use inode numbers again at once")
    program.write(5)
    daemon.start()
    daemon.run()
    assert daemon.lines() == program.written


def test_replaced_by_a_longer_copy_of_itself(log: Path, program: Program) -> None:
    """What rsync does, and how a network file system with unstable inode numbers looks."""
    program.write(3)
    daemon = Daemon(log)
    for _ in range(3):
        daemon.run()
        copy = log.with_name(".mail.log.Xa3")
        copy.write_bytes(log.read_bytes())
        copy.rename(log)
        program.reopen()
        program.write(2)
    daemon.settle()
    assert daemon.lines() == program.written


def test_replaced_by_another_file(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    program.write(1)
    other = log.with_name("new")
    program.path = other
    program.reopen()
    program.write(10)
    other.rename(log)
    daemon.run()
    assert daemon.lines() == program.written


def test_a_link_that_is_switched(tmp_path: Path) -> None:
    link = tmp_path / "mail.log"
    program = Program(tmp_path / "mail-20260301.log")
    link.symlink_to("mail-20260301.log")
    daemon = Daemon(link)
    for day in range(2, 6):
        program.write(2)
        daemon.run()
        program.write(1)
        program.path = tmp_path / f"mail-2026030{day}.log"
        program.reopen()
        link.unlink()
        link.symlink_to(program.path.name)
        program.write(1)
        if day % 2:
            daemon.restart()
    daemon.settle()
    assert daemon.lines() == program.written


def test_a_directory_that_is_removed_and_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    program = Program(folder / "mail.log")
    program.write(3)
    daemon = Daemon(folder / "mail.log")
    daemon.run()
    program.write(1)
    (folder / "mail.log").unlink()
    folder.rmdir()
    daemon.settle()
    folder.mkdir()
    program.reopen()
    program.write(2)
    daemon.settle()
    assert daemon.lines() == program.written


def test_renamed_and_renamed_back(log: Path, program: Program) -> None:
    program.write(3)
    daemon = Daemon(log)
    daemon.run()
    log.rename(f"{log}.1")
    daemon.run()
    Path(f"{log}.1").rename(log)
    program.write(2)
    daemon.run()
    assert daemon.lines() == program.written


@pytest.mark.parametrize("name", ["logs", "logs/", "logs/*", "logs/*.log*", "**/*.log"])
def test_what_a_directory_or_a_pattern_means(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "logs"
    folder.mkdir()
    programs = [Program(folder / "mail.log", "mx1"), Program(folder / "dovecot.log", "mx2")]
    for program in programs:
        program.write(2)
    (folder / "wtmp.log").write_bytes(b"\x02\0\0\0" * 100)
    (folder / "mail.log.2").write_bytes(b"Feb  1 00:00:00 mx1 x: history\n")
    (folder / "empty.log").touch()
    daemon = Daemon(name)
    daemon.run()
    rename(programs[0].path)
    programs[0].reopen()
    programs.append(Program(folder / "fresh.log", "mx3"))
    for program in programs:
        program.write(2)
    daemon.run(4)
    assert {arrival.source for arrival in daemon.stored} == {str(program.path) for program in programs}
    for program in programs:
        assert daemon.lines(program.path) == program.written


def test_what_is_excluded_is_left_out(tmp_path: Path) -> None:
    programs = [Program(tmp_path / name, name) for name in ("mail.log", "debug.log", "debug.log.1")]
    for program in programs:
        program.write(2)
    daemon = Daemon(Followed(str(tmp_path), exclude=("*/debug.log*",)))
    daemon.run(4)
    assert daemon.lines() == programs[0].written


def test_daily_files_without_a_live_name(tmp_path: Path) -> None:
    program = Program(tmp_path / "mail-20260301.log")
    daemon = Daemon(f"{tmp_path}/mail-*.log")
    for day in range(2, 9):
        program.write(2)
        daemon.run(3)
        program.write(2)
        program.path = tmp_path / f"mail-2026030{day}.log"
        program.reopen()
        program.write(1)
        if day % 3 == 0:
            daemon.restart()
    daemon.settle()
    assert daemon.lines() == program.written
    assert {arrival.source for arrival in daemon.stored} == {f"{tmp_path}/mail.log"}


def test_one_file_under_two_names_is_followed_once(tmp_path: Path) -> None:
    program = Program(tmp_path / "mail.log")
    program.write(3)
    (tmp_path / "maillog").symlink_to("mail.log")
    daemon = Daemon(tmp_path / "mail.log", tmp_path / "maillog")
    daemon.run()
    assert daemon.lines() == program.written
    assert daemon.feed.notes == [f"{tmp_path}/maillog: the same file as {tmp_path}/mail.log, followed once"]


def test_logs_that_come_and_go_are_forgotten(tmp_path: Path) -> None:
    daemon = Daemon(f"{tmp_path}/*.log")
    for number in range(5):
        program = Program(tmp_path / f"{number}.log", f"mx{number}")
        program.write(2)
        daemon.run(4)
        program.path.unlink()
        program.file.close()
        daemon.settle()
    assert len(daemon.lines()) == 10
    assert not os.listdir(tmp_path)
    assert [link for link in open_files() if str(tmp_path) in link] == []


def open_files() -> list[str]:
    out = []
    for number in os.listdir("/proc/self/fd"):
        try:
            out.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            continue
    return out


# Permission


def refuse(monkeypatch: pytest.MonkeyPatch, *refused: Path) -> None:
    """Root may read everything, so a refusal has to be played."""
    names = {str(path) for path in refused}
    really = os.open
    opened = open

    def check(path: object) -> None:
        if str(path) in names:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

    def refusing(path: str, flags: int, *more: int) -> int:
        check(path)
        return really(path, flags, *more)

    def opening(path: str, *more: object, **named: object) -> object:
        check(path)
        return opened(path, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(tail.os, "open", refusing)
    monkeypatch.setattr(beside, "open", opening, raising=False)


def test_permission_that_is_lost_and_regained(
    log: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write(2)
    daemon = Daemon(log)
    daemon.run()
    program.write(1)
    rename(log)
    program.reopen()
    program.write(2)
    with monkeypatch.context() as patch:
        refuse(patch, log)
        daemon.run(3)
        assert daemon.lines() == program.written[:3]
        (problem,) = daemon.feed.problems()
        assert problem.startswith(f"{log}: no permission to read it")
        daemon.restart()
        daemon.run(3)
        assert daemon.lines() == program.written[:3]
    daemon.run()
    assert daemon.lines() == program.written
    assert daemon.feed.problems() == []


def test_a_rotated_file_that_cannot_be_read_for_a_while(
    log: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write(2)
    daemon = Daemon(log)
    daemon.run()
    daemon.kill()
    program.write(2)
    rename(log)
    program.reopen()
    program.write(2)
    with monkeypatch.context() as patch:
        refuse(patch, log.with_name("mail.log.1"))
        daemon.start()
        daemon.run(3)
        assert daemon.lines() == program.written[:2] + program.written[4:]
        assert "no permission" in daemon.feed.problems()[0]
    daemon.restart()
    daemon.run()
    assert sorted(daemon.lines()) == program.written


# Rotation while the daemon does not run


@pytest.mark.parametrize("rotations", [1, 2, 5])
@pytest.mark.parametrize("packed", ["", "all", "delayed"])
@pytest.mark.parametrize("how", ["rename", "copytruncate"])
@pytest.mark.parametrize("unread", [0, 3])
def test_rotated_while_down(
    log: Path, program: Program, rotations: int, packed: str, how: str, unread: int
) -> None:
    program.write(5)
    daemon = Daemon(log)
    daemon.run()
    daemon.kill()
    program.write(unread)
    for _ in range(rotations):
        if packed == "delayed" and Path(f"{log}.1").exists():
            compress(Path(f"{log}.1"))
        if how == "rename":
            rename(log)
            program.reopen()
        else:
            copytruncate(log)
        if packed == "all":
            compress(Path(f"{log}.1"))
        program.write(2)
    daemon.start()
    daemon.run(4)
    assert daemon.lines() == program.written
    assert daemon.feed.problems() == []
    daemon.restart()
    program.write(1)
    daemon.settle()
    assert daemon.lines() == program.written


def test_old_rotated_files_are_not_read_again(log: Path, program: Program) -> None:
    for number in (3, 2, 1):
        Path(f"{log}.{number}").write_bytes(b"Feb  %d 00:00:00 mx1 x: history\n" % (5 - number))
    program.write(2)
    daemon = Daemon(log)
    daemon.run()
    daemon.kill()
    rename(log)
    program.reopen()
    program.write(2)
    daemon.start()
    daemon.run()
    assert daemon.lines() == program.written


def test_packed_in_the_middle_of_a_large_file(log: Path, program: Program) -> None:
    program.write(60_000)
    daemon = Daemon(log)
    daemon.run(2, limit=200_000)
    daemon.kill()
    rename(log)
    compress(Path(f"{log}.1"))
    program.reopen()
    program.write(2)
    for _ in range(3):
        daemon.start()
        daemon.run(1)
        daemon.kill()
    daemon.start()
    daemon.settle()
    assert daemon.lines() == program.written


def test_packed_while_it_is_read(log: Path, program: Program) -> None:
    program.write(2000)
    daemon = Daemon(log)
    daemon.run(1, limit=2000)
    rename(log)
    compress(Path(f"{log}.1"))
    program.reopen()
    program.write(2)
    daemon.run(5)
    assert daemon.lines() == program.written


def test_deleted_while_down_is_said(log: Path, program: Program) -> None:
    program.write(3)
    Path(f"{log}.1").write_bytes(b"Feb  1 00:00:00 mx1 x: history\n")
    os.utime(f"{log}.1", (1_700_000_000,) * 2)
    daemon = Daemon(log)
    daemon.run()
    daemon.kill()
    offset = log.stat().st_size
    log.unlink()
    program.reopen()
    program.write(2)
    daemon.start()
    daemon.run()
    assert daemon.lines() == program.written
    assert daemon.feed.problems() == [
        f"{log}: it is gone or was rewritten: what followed byte {offset} in it is lost"
    ]


def test_deleted_while_down_but_newer_ones_are_there(log: Path, program: Program) -> None:
    program.write(3)
    Path(f"{log}.1").write_bytes(b"Feb  1 00:00:00 mx1 x: history\n")
    os.utime(f"{log}.1", (1_700_000_000,) * 2)
    daemon = Daemon(log)
    daemon.run()
    daemon.kill()
    for _ in range(3):
        rename(log)
        time.sleep(0.01)
        program.reopen()
        program.write(2)
    Path(f"{log}.3").unlink()
    daemon.start()
    daemon.run()
    assert daemon.lines() == program.written
    assert len(daemon.feed.problems()) == 1


def test_rotated_into_another_folder_while_down(log: Path, program: Program) -> None:
    old = log.parent / "old"
    old.mkdir()
    program.write(3)
    daemon = Daemon(Followed(str(log), folders=(str(old),)))
    daemon.run()
    daemon.kill()
    program.write(2)
    log.rename(old / "mail.log.1")
    program.reopen()
    program.write(2)
    daemon.start()
    daemon.run()
    assert daemon.lines() == program.written


def test_an_empty_file_rotated_and_packed_while_down(log: Path, program: Program) -> None:
    """Nothing is known of a file that was empty: neither its text nor, once it is packed, its inode."""
    program.write(2)
    daemon = Daemon(log)
    daemon.run()
    rename(log)
    program.reopen()
    daemon.settle()
    program2 = Program(Path(f"{log}.1"), "late")
    program2.write(1)
    daemon.run()
    daemon.kill()
    program.write(2)
    rename(log)
    compress(Path(f"{log}.1"))
    program.reopen()
    program.write(2)
    daemon.start()
    daemon.run(4)
    assert sorted(daemon.lines()) == sorted(program.written + program2.written)


def test_a_damaged_archive_is_said(log: Path, program: Program) -> None:
    program.write(3000)
    daemon = Daemon(log)
    daemon.run(1, limit=1000)
    daemon.kill()
    rename(log)
    compress(Path(f"{log}.1"))
    packed = Path(f"{log}.1.gz")
    packed.write_bytes(packed.read_bytes()[:-3000])
    program.reopen()
    program.write(2)
    daemon.start()
    daemon.run(5)
    (problem,) = daemon.feed.problems()
    assert problem.startswith(f"{packed}: the gzip data end early") or "damaged" in problem
    assert daemon.lines()[-2:] == program.written[-2:]
    assert daemon.lines()[:-3] == program.written[: len(daemon.lines()) - 3]


# Where to begin


def test_begin_at_the_end(log: Path, program: Program) -> None:
    program.write(3)
    program.file.write(b"Mar  1 00:00:00 mx1 x: ")
    daemon = Daemon(Followed(str(log), start="end"))
    daemon.run()
    (arrival,) = daemon.stored
    assert (arrival.data, arrival.line_number) == (b"", 4)
    daemon.restart()
    program.file.write(b"whole\n")
    daemon.run()
    assert daemon.lines() == [b"Mar  1 00:00:00 mx1 x: whole"]
    assert daemon.stored[-1].line_number == 4


def test_a_file_that_was_not_there_is_read_from_its_beginning(log: Path) -> None:
    daemon = Daemon(Followed(str(log), start="end"))
    daemon.run()
    daemon.kill()
    program = Program(log)
    program.write(3)
    daemon.start()
    daemon.run()
    assert daemon.lines() == program.written


def test_a_new_log_beside_known_ones_is_read_from_its_beginning(tmp_path: Path) -> None:
    old = Program(tmp_path / "a.log")
    old.write(2)
    daemon = Daemon(Followed(f"{tmp_path}/*.log", start="end"))
    daemon.run()
    daemon.kill()
    new = Program(tmp_path / "b.log")
    new.write(2)
    daemon.start()
    daemon.run()
    third = Program(tmp_path / "c.log", "mx3")
    third.write(2)
    daemon.run(4)
    assert daemon.lines() == new.written + third.written


def test_begin_with_the_oldest(log: Path, program: Program) -> None:
    for _ in range(4):
        program.write(3)
        rename(log)
        if _ % 2:
            compress(Path(f"{log}.1"))
        program.reopen()
    program.write(1)
    daemon = Daemon(Followed(str(log), start="oldest"))
    daemon.run(1, limit=300)
    daemon.restart()
    daemon.run(10)
    assert daemon.lines() == program.written


def test_a_resume_point_that_is_damaged(log: Path) -> None:
    with pytest.raises(InputError, match="resume point"):
        FileFeed([Followed(str(log))], {str(log): {"path": "x", "offset": "y"}}, Clock())


# Cost


def test_idle_costs_next_to_nothing(tmp_path: Path) -> None:
    for number in range(20):
        Program(tmp_path / f"{number}.log", f"mx{number}").write(100)
    daemon = Daemon(f"{tmp_path}/*.log")
    daemon.run(3)
    old = time.time() - 100
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    daemon.run(3)
    begun = time.process_time()
    daemon.run(100)
    assert time.process_time() - begun < 1.0, "more than 1 % of a processor"

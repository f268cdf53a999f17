"""The daemon's sealed archive: all that it takes is there, also while the archive could not be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from receiving import waited_for
from serving import Daemon, append, made_lines

from mailscope.daemon.archiving import Archiving
from mailscope.syslog.archive.days import export
from mailscope.syslog.archive.verify import verify
from mailscope.syslog.archive.writer import Archive, begin
from mailscope.vocabulary.errors import InputError, OutputError


def test_the_daemon_archives_what_it_takes(tmp_path: Path) -> None:
    key = begin(tmp_path / "archive")
    daemon = Daemon(tmp_path, f'archive.directory = "{tmp_path}/archive"')
    lines = made_lines(50)
    append(daemon.log, lines)
    daemon.start()
    whole = "".join(f"{line}\n" for line in lines).encode()
    assert waited_for(lambda: b"".join(export(tmp_path / "archive")) == whole, 60), daemon.errors.read_text()
    assert daemon.stop() == 0
    assert verify(tmp_path / "archive", key).good


def test_an_archive_that_was_not_begun_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no archive"):
        Archiving(str(tmp_path / "archive"), print)
    Archiving("", print).take(b"nowhere\n")


def test_lines_wait_while_the_archive_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "a")
    said: list[str] = []
    archiving = Archiving(str(tmp_path / "a"), said.append)
    add = Archive.add

    def full(self: Archive, data: bytes) -> None:
        raise OutputError("the disk is full", str(tmp_path / "a"))

    monkeypatch.setattr(Archive, "add", full)
    archiving.take(b"one\n")
    archiving.take(b"two\n")
    monkeypatch.setattr(Archive, "add", add)
    assert len(said) == 1
    assert "the disk is full" in said[0]
    archiving.close()
    assert b"".join(export(tmp_path / "a")) == b"one\ntwo\n"
    assert said[-1] == "the archive takes lines again"

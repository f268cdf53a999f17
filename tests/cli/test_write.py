"""Where a result goes: a file whole or not at all, a device as it is."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from mailscope.cli.output import writable, write
from mailscope.exports import output
from mailscope.vocabulary.errors import MailscopeError, OutputError


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    def pieces() -> Iterator[str]:
        yield "new "
        assert path.read_text() == "old"
        yield "report"

    write(pieces(), path)
    assert path.read_text() == "new report"
    assert os.listdir(tmp_path) == ["report.txt"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    def pieces() -> Iterator[str]:
        yield "new "
        raise OSError(28, "No space left on device")

    with pytest.raises(MailscopeError, match="disk is full"):
        write(pieces(), path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.txt"]


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    writable(path)
    write(["text"], path)
    reader.join(10)
    assert got == [b"text"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(MailscopeError, match="directory"):
        writable(tmp_path)


def test_a_directory_that_takes_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(path: Path) -> set[str]:
        told = set()
        for attempt in (lambda: writable(path), lambda: write(["text"], path)):
            with pytest.raises(OutputError) as caught:
                attempt()
            told.add(str(caught.value))
        return told

    missing = tmp_path / "missing"
    assert said(missing / "x") == {f"{missing}/x: there is no directory '{missing}'; make it first"}
    (tmp_path / "file").touch()
    assert said(tmp_path / "file" / "x") == {
        f"{tmp_path}/file/x: '{tmp_path}/file' is not a directory; name a file in one"
    }
    # Who tests as root may write anywhere.
    monkeypatch.setattr(output.os, "access", lambda *_: False)
    assert said(tmp_path / "x") == {
        f"{tmp_path}/x: no permission to write in the directory '{tmp_path}'; choose another one"
    }
    monkeypatch.setattr(output.os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert said(tmp_path / "x") == {
        f"{tmp_path}/x: the directory '{tmp_path}' is on a file system that is read-only; choose another one"
    }
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]

"""Where a result goes: a file whole or not at all, a device as it is."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailscope.cli.output import writable, write
from mailscope.vocabulary.errors import MailscopeError


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

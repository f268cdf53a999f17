"""What a look may see, or not see, in the moment in which multilog renames its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from following import Daemon

from mailscope.intake.follow import log
from mailscope.intake.follow.beside import Candidate
from mailscope.intake.follow.files import Followed

FINISHED = "@4000000066{:02x}000000000000.s"


def text(numbers: range) -> bytes:
    """Lines of qmail, over a thousand bytes of them for ten numbers."""
    return b"".join(
        b"@4000000066%06x00000000 delivery %d: success: %s/\n" % (n, n, b"x" * 80) for n in numbers
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "main"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "state").write_bytes(b"kept by the processor\n")
    return folder


@pytest.mark.parametrize("how", ["", "/*"])
def test_no_current_for_a_moment(folder: Path, how: str) -> None:
    """``previous`` and what else multilog keeps are no logs of their own, even then."""
    current = folder / "current"
    current.write_bytes(text(range(10)))
    daemon = Daemon(Followed(f"{folder}{how}"))
    daemon.run()
    current.rename(folder / "previous")
    daemon.restart()
    daemon.run()
    (folder / "previous").rename(folder / FINISHED.format(1))
    current.write_bytes(text(range(10, 20)))
    daemon.run()
    assert b"".join(arrival.data for arrival in daemon.stored) == text(range(20))
    assert {arrival.source for arrival in daemon.stored} == {str(current)}


@pytest.mark.parametrize("moment", ["match", "unread"])
@pytest.mark.parametrize("rotations", [1, 2])
def test_rotated_while_its_files_are_looked_into(
    folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str, rotations: int
) -> None:
    """The newer ``previous`` and ``current`` have the inode numbers of the older ones."""
    (folder / "current").write_bytes(text(range(10)))
    daemon = Daemon(Followed(str(folder)))
    daemon.run()
    written = 10

    def rotate(number: int) -> None:
        """What ``previous`` held is finished; it holds what ``current`` held, and that is empty again."""
        nonlocal written
        previous, current = folder / "previous", folder / "current"
        finished = folder / FINISHED.format(number)
        finished.write_bytes(previous.read_bytes())
        previous.write_bytes(current.read_bytes() + text(range(written, written + 10)))
        written += 10
        current.write_bytes(b"")

    (folder / "current").rename(folder / "previous")
    (folder / "current").write_bytes(b"")
    rotate(1)
    looked: Callable[..., object] = getattr(log, moment)
    left = list(range(2, 2 + rotations))

    def looked_and_rotated(parts: object, files: Sequence[Candidate], *others: object) -> object:
        out = looked(parts, files, *others)
        if left:
            rotate(left.pop(0))
        return out

    monkeypatch.setattr(log, moment, looked_and_rotated)
    daemon.run(5)
    assert not left
    assert b"".join(arrival.data for arrival in daemon.stored) == text(range(written))
    assert daemon.feed.problems() == []


def test_rotated_while_down_and_again_while_looked_into(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is not read again because its file had another name when it was to be opened."""
    current = folder / "current"
    current.write_bytes(text(range(10)))
    daemon = Daemon(Followed(str(folder)))
    daemon.run()
    daemon.kill()
    looked = log.candidates
    left = [1]

    def listed_and_rotated(path: str, folders: Sequence[str] = ()) -> list[Candidate] | None:
        out = looked(path, folders)
        if left:
            os.rename(current, folder / FINISHED.format(left.pop()))
            current.write_bytes(text(range(10, 20)))
        return out

    monkeypatch.setattr(log, "candidates", listed_and_rotated)
    daemon.start()
    daemon.run(3)
    assert not left
    assert b"".join(arrival.data for arrival in daemon.stored) == text(range(20))

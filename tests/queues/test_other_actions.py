"""What is done to queues of Exim and qmail: through stand-ins that say what those programs say."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailscope.queues import actions_exim, actions_qmail
from mailscope.queues.actions import ACTIONS, plan, run
from mailscope.queues.entry import QueueEntry, Spool
from mailscope.queues.selection import Selection
from mailscope.vocabulary.errors import OutputError, UsageError

# As src/queue.c of Exim 4.96 has it; what it was told is written down.
EXIM = """\
#!/bin/sh
echo "$*" >> {calls}
case $1 in
-bP) echo "spool_directory = {spool}";;
-Mf) shift; for id; do case $id in
    1gone*) echo "Spool data file for $id does not exist";;
    1frozen*) echo "Message $id is already frozen";;
    1busy*) echo "Message $id is locked";;
    *) echo "Message $id is now frozen";; esac; done;;
-Mrm) shift; for id; do echo "Message $id has been removed"; done;;
-Mg) rm -f {spool}/input/$2-H;;
esac
"""


def entry(queue: str, queue_id: str, path: Path | str = "") -> QueueEntry:
    return QueueEntry(queue, queue_id, str(path), "a@example.org")


def spool(place: Path) -> Spool:
    return Spool(place, 0.0, pytest.fail)


@pytest.fixture
def exim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "exim"
    (place / "input").mkdir(parents=True)
    program = tmp_path / "bin" / "exim"
    program.parent.mkdir()
    program.write_text(EXIM.format(calls=tmp_path / "calls", spool=place))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return place


def test_exim_freezes_what_is_meant(exim: Path, tmp_path: Path) -> None:
    performer = actions_exim.Performer(spool(exim))
    performer.ready(ACTIONS["hold"])
    ids = ("1aaaaa-000001-AA", "1gone0-000001-AA", "1frozen-00001-AA", "1busy0-000001-AA")
    waiting = [*(entry("queue", name) for name in ids), entry("frozen", "1bbbbb-000001-AA")]
    planned = plan(ACTIONS["hold"], performer, waiting, Selection(), 0)
    assert [each.queue_id for each in planned.left] == ["1bbbbb-000001-AA"]
    (results,) = run(planned, performer)
    assert [(each.outcome, each.words) for each in results] == [
        ("done", "on hold"),
        ("gone", "does not exist"),
        ("gone", "is already frozen"),
        ("failed", "is locked"),
    ]
    assert (tmp_path / "calls").read_text().splitlines()[-1] == f"-Mf {' '.join(ids)}"


def test_exim_returns_and_deletes(exim: Path, tmp_path: Path) -> None:
    performer = actions_exim.Performer(spool(exim))
    header = exim / "input" / "1aaaaa-000001-AA-H"
    header.touch()
    there = entry("queue", "1aaaaa-000001-AA", header)
    assert [each.outcome for each in performer.perform(ACTIONS["bounce"], [there])] == ["done"]
    assert not header.exists()
    assert [each.outcome for each in performer.perform(ACTIONS["bounce"], [there])] == ["gone"]
    assert [each.outcome for each in performer.perform(ACTIONS["delete"], [there])] == ["done"]
    assert (tmp_path / "calls").read_text().splitlines() == ["-Mg 1aaaaa-000001-AA", "-Mrm 1aaaaa-000001-AA"]


def test_another_spool_is_not_that_of_exim(exim: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the queue of this host's Exim"):
        actions_exim.Performer(spool(tmp_path)).ready(ACTIONS["hold"])


@pytest.fixture
def qmail(tmp_path: Path) -> Path:
    place = tmp_path / "queue"
    for part in ("mess/3", "info/3", "remote/3", "local/3", "bounce", "todo", "intd"):
        (place / part).mkdir(parents=True)
    for number in ("26", "49"):
        for part in ("mess/3", "info/3", "remote/3", "bounce"):
            (place / part / number).write_text(number)
    return place


@pytest.fixture
def qmail_send(qmail: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Something of that name that stays in the queue, and ends when it is told by ALRM."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    program = qmail.parent / "qmail-send"
    shutil.copy(os.path.realpath(sleep), program)
    process = subprocess.Popen([str(program), "300"], cwd=qmail)
    until = time.monotonic() + 20
    while actions_qmail._running(qmail) != process.pid:
        assert time.monotonic() < until
        time.sleep(0.05)
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
def test_qmail_send_is_told_to_try_everything(qmail: Path, qmail_send: subprocess.Popen[bytes]) -> None:
    performer = actions_qmail.Performer(spool(qmail))
    performer.ready(ACTIONS["flush"])
    waiting = [entry("queue", "26"), entry("queue", "49")]
    some = plan(ACTIONS["flush"], performer, waiting, Selection(queue_ids=("26",)), 0)
    assert [each.words for (each,) in run(some, performer)] == ["qmail tries all or none: flush --all"]
    assert qmail_send.poll() is None
    everything = plan(ACTIONS["flush"], performer, waiting, Selection(), 0)
    (results,) = run(everything, performer)
    assert [each.outcome for each in results] == ["done", "done"]
    assert qmail_send.wait(20) == -signal.SIGALRM


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
def test_a_queue_at_work_is_left_alone(qmail: Path, qmail_send: subprocess.Popen[bytes]) -> None:
    performer = actions_qmail.Performer(spool(qmail))
    with pytest.raises(OutputError, match="qmail-send runs"):
        performer.ready(ACTIONS["delete"])
    (result,) = performer.perform(ACTIONS["delete"], [entry("queue", "26")])
    assert result.outcome == "failed"
    assert (qmail / "mess/3/26").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
def test_a_message_is_deleted_and_no_other(qmail: Path) -> None:
    performer = actions_qmail.Performer(spool(qmail))
    performer.ready(ACTIONS["delete"])
    assert [each.outcome for each in performer.perform(ACTIONS["delete"], [entry("queue", "26")])] == ["done"]
    assert not list(qmail.rglob("26"))
    assert len(list(qmail.rglob("49"))) == 4
    assert [each.outcome for each in performer.perform(ACTIONS["delete"], [entry("queue", "26")])] == ["gone"]
    with pytest.raises(OutputError, match="no qmail-send runs"):
        performer.ready(ACTIONS["flush"])

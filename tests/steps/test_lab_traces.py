"""The whole traces of the test bench: every message is told from maildrop to its mailbox or the next host."""

from __future__ import annotations

from pathlib import Path

import pytest
from ways import brief, told

LAB = Path(__file__).parents[3] / "shared" / "lab" / "strace"
pytestmark = pytest.mark.skipif(not LAB.exists(), reason="the test bench is not here")


def test_a_trace_of_master_from_its_start() -> None:
    found = told(LAB / "master.f.strace")
    # The last line was cut when strace was told to go.
    assert (found.damaged, found.where[0][1]) == (1, [26371])
    assert len(found.ways) == 11
    for way in found.ways:
        queues = [stay.queue for stay in way.stays]
        assert queues[:3] == ["maildrop", "incoming", "active"]
        assert all(stay.left for stay in way.stays)
        assert all(act.sure for act in way.acts)
        assert any(act.kind in ("mailbox", "reached") for act in way.acts)
        assert not any("." in queue_id for queue_id in way.queue_ids)
    bounces = [note for way in found.ways for note in way.notes if "notice to the sender" in note]
    assert len(bounces) >= 1


def test_the_log_of_the_same_minutes_names_the_same_messages() -> None:
    logged = {
        line.split(": ")[1]
        for line in (LAB / "mail.log.during-strace").read_text().splitlines()
        if "/pickup[" in line
    }
    traced = {queue_id for way in told(LAB / "master.f.strace").ways for queue_id in way.queue_ids}
    assert logged <= traced


def test_all_files_together() -> None:
    files = [
        LAB / "sendmail-local.strace",
        LAB / "sendmail-remote.strace",
        *sorted((LAB / "ff").glob("pid.*")),
    ]
    found = told(*files)
    assert found.damaged == 0
    starts = [brief(way.acts[0]) for way in found.ways]
    assert starts[:2] == ["sendmail: begins: takes mail from programs of this host"] * 2
    assert [way.queue_ids[0] for way in found.ways] == [
        "4jXGQm2J7SzCb6P", "4jXGQm322GzCb6R", "4jXGQm6Yn2zCb6R", "4jXGQq6pNFzCb6d",
    ]  # fmt: skip

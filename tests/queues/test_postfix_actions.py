"""Every action on the queue of a real Postfix does what it says, to the messages that are meant, and nothing
else.

A thousand messages wait, and others come and go meanwhile.  What is where is counted before and after, by
Postfix' own postqueue.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mta import PATIENCE_S, Postfix, require_postfix, running_postfix

from mailscope.queues.postfix import places
from mailscope.store import audit

MESSAGES = 1000
SENDERS = 20
EACH = MESSAGES // SENDERS


# What is needed is loaded first: another user may not be allowed to read where it lies.
AS_ANOTHER = """
import os, pwd, sys
from importlib import import_module
from pkgutil import walk_packages
import mailscope.cli, mailscope.queues, zoneinfo
for each in walk_packages(mailscope.queues.__path__, "mailscope.queues."):
    import_module(each.name)
for each in walk_packages(mailscope.cli.__path__, "mailscope.cli."):
    if each.name.rpartition(".")[2].partition("_")[0] in ("main", "inputs", "when", "queue", "terminal"):
        import_module(each.name)
os.environ["TZ"] = "UTC"
zoneinfo.ZoneInfo("UTC")
user = pwd.getpwnam(sys.argv.pop(1))
os.setgroups([])
os.setegid(user.pw_gid)
os.seteuid(user.pw_uid)
mailscope.cli.main.run()
"""


class Busy:
    """Mail that comes in and goes out all the time."""

    def __init__(self, postfix: Postfix) -> None:
        self._postfix = postfix
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.count = 0

    def _send(self) -> None:
        while not self._stop.wait(0.1):
            self._postfix.send_many([("passing@example.org", "taken@example.net")])
            self.count += 1

    def __enter__(self) -> Busy:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that the users of Postfix may enter."""
    directory = Path(tempfile.mkdtemp(prefix="queue", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def postfix(place: Path) -> Iterator[Postfix]:
    require_postfix()
    with running_postfix(place) as running:
        running.send_many(
            (f"s{number % SENDERS}@example.org", f"defer{number}@d{number % 7}.example.net")
            for number in range(MESSAGES)
        )
        running.settle(MESSAGES)
        (place / "store").mkdir()
        (place / "store" / "manifest.jsonl").touch()
        (place / "mailscope.toml").write_text(f'[store]\ndirectory = "{place / "store"}"\n')
        with Busy(running) as busy:
            yield running
        until = time.monotonic() + PATIENCE_S
        while any(told["sender"] == "passing@example.org" for told in listed(running).values()):
            assert time.monotonic() < until
            time.sleep(0.2)
        # Whatever was done to others, these all came through.
        assert running.log.read_text().count("to=<taken@example.net>") == busy.count > 10


def listed(postfix: Postfix) -> dict[str, dict[str, Any]]:
    told = map(json.loads, postfix.run("postqueue", "-j").splitlines())
    return {each["queue_id"]: each for each in told}


def waiting(postfix: Postfix) -> dict[str, str]:
    """The queue of each message but those that pass."""
    return {
        name: told["queue_name"]
        for name, told in listed(postfix).items()
        if told["sender"].startswith("s") and told["recipients"]
    }


def of(postfix: Postfix, number: int) -> set[str]:
    """The messages of a sender."""
    return {name for name, told in listed(postfix).items() if told["sender"] == f"s{number}@example.org"}


def act(postfix: Postfix, *words: str, code: int = 0) -> str:
    place = postfix.config.parent
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", "queue", *words, "--config", str(postfix.config)],
        env={**os.environ, "MAILSCOPE_CONFIG": str(place / "mailscope.toml")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def results(postfix: Postfix, *words: str) -> Counter[str]:
    """What came of the messages of an action."""
    out = act(postfix, *words, "--yes", "--format", "json")
    return Counter(json.loads(line)["outcome"] for line in out.splitlines())


def moved(postfix: Postfix, before: dict[str, str]) -> dict[str, tuple[str, str]]:
    """What is elsewhere than it was: from where to where."""
    after = waiting(postfix)
    return {
        name: (before.get(name, ""), after.get(name, ""))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }


def settled(postfix: Postfix, count: int, held: int = 0) -> None:
    """Wait until so many messages wait, and so many of them on hold."""
    until = time.monotonic() + PATIENCE_S
    while True:
        found = Counter(waiting(postfix).values())
        if found == Counter({name: n for name, n in (("deferred", count - held), ("hold", held)) if n}):
            return
        assert time.monotonic() < until, found
        time.sleep(0.2)


def test_a_dry_run_does_nothing(postfix: Postfix) -> None:
    before = waiting(postfix)
    told = act(postfix, "delete", "--sender", "s1@example.org", "--dry-run")
    assert f"to be deleted: {EACH} messages" in told
    assert not moved(postfix, before)


def test_nothing_is_done_without_a_yes_or_without_saying_to_what(postfix: Postfix) -> None:
    before = waiting(postfix)
    assert "nobody to say yes" in act(postfix, "delete", "--sender", "s1@example.org", code=2)
    assert "no message is named" in act(postfix, "delete", "--yes", code=2)
    assert not moved(postfix, before)


def test_hold_and_release(postfix: Postfix) -> None:
    mine, before = of(postfix, 1), waiting(postfix)
    assert len(mine) == EACH
    assert results(postfix, "hold", "--sender", "s1@example.org") == {"done": EACH}
    assert moved(postfix, before) == dict.fromkeys(mine, ("deferred", "hold"))
    # What is on hold is no target of hold.
    assert results(postfix, "hold", "--sender", "s1@example.org") == {}
    before = waiting(postfix)
    some = sorted(mine)[:5]
    assert results(postfix, "release", *some) == {"done": 5}
    assert moved(postfix, before) == dict.fromkeys(some, ("hold", "deferred"))
    assert results(postfix, "release", "--all") == {"done": EACH - 5}
    settled(postfix, MESSAGES)


def test_requeue(postfix: Postfix) -> None:
    mine, before = of(postfix, 2), waiting(postfix)
    assert results(postfix, "requeue", "--sender", "s2@example.org") == {"done": EACH}
    postfix.run("postqueue", "-f")
    settled(postfix, MESSAGES)
    # They went through cleanup again, and have new ids; the others are where they were.
    gone = {name for name, (_, now) in moved(postfix, before).items() if not now}
    assert gone <= mine
    assert len(of(postfix, 2)) == EACH
    assert {name for name in before if name not in mine} <= waiting(postfix).keys()


def test_flush_tries_what_is_meant_and_nothing_else(postfix: Postfix) -> None:
    mine = of(postfix, 3)
    size = len(postfix.log.read_text())
    assert results(postfix, "flush", "--sender", "s3@example.org") == {"done": EACH}
    until = time.monotonic() + PATIENCE_S
    tried: set[str] = set()
    while tried != mine:
        lines = postfix.log.read_text()[size:].splitlines()
        tried = {line.split("]: ")[1].split(":")[0] for line in lines if "status=deferred" in line}
        assert tried <= mine
        assert time.monotonic() < until, len(tried)
        time.sleep(0.2)
    settled(postfix, MESSAGES)


def test_expire_marks_and_bounce_returns(postfix: Postfix) -> None:
    marked, returned = of(postfix, 4), of(postfix, 5)
    before = waiting(postfix)
    assert results(postfix, "expire", "--sender", "s4@example.org") == {"done": EACH}
    assert not moved(postfix, before)
    assert {name for name, told in listed(postfix).items() if told["forced_expire"]} == marked
    assert results(postfix, "bounce", "--sender", "s5@example.org") == {"done": EACH}
    until = time.monotonic() + PATIENCE_S
    while of(postfix, 5):
        assert time.monotonic() < until
        time.sleep(0.2)
    log = postfix.log.read_text()
    # The senders were told of each.
    assert log.count("to=<s5@example.org>") == EACH
    assert set(moved(postfix, before)) == returned
    settled(postfix, MESSAGES - EACH)


def test_delete_keeps_what_it_deletes_and_restore_brings_it_back(postfix: Postfix, place: Path) -> None:
    mine, before = of(postfix, 6), waiting(postfix)
    archive = place / "archive"
    told = results(postfix, "delete", "--sender", "s6@example.org", "--keep", str(archive))
    assert told == {"done": EACH}
    assert moved(postfix, before) == dict.fromkeys(mine, ("deferred", ""))
    assert len([path for path in (archive / "deferred").glob("*/*") if path.is_file()]) == EACH
    # An archive can be looked at as a queue can, with the reasons.
    seen = [
        json.loads(line)
        for line in subprocess.run(
            [sys.executable, "-m", "mailscope", "queue", "list", "--spool", str(archive), "--format", "json"],
            capture_output=True,
            check=True,
        ).stdout.splitlines()
    ]
    assert {each["queue_id"] for each in seen} == mine
    assert all("mailbox is busy" in each["recipients"][0]["delay_reason"] for each in seen)
    before = waiting(postfix)
    act(postfix, "restore", "--from", str(archive), "--all", "--yes")
    back = moved(postfix, before)
    assert list(back.values()) == [("", "hold")] * EACH
    for name in back:
        # As Postfix wants it: the inode is in the id.
        found = places.Finder(postfix.config.parent / "queue").find(name)
        assert found is not None
        assert int(name[5:], 16) == found[1].stat().st_ino
    # They come back once.
    assert "to be restored: 0 messages" in act(postfix, "restore", "--from", str(archive), "--all", "--yes")
    assert results(postfix, "release", *back) == {"done": EACH}
    postfix.run("postqueue", "-f")
    # Those that were marked before are returned at this attempt.
    settled(postfix, MESSAGES - 2 * EACH)
    assert len(of(postfix, 6)) == EACH
    assert not of(postfix, 4)
    assert postfix.log.read_text().count("to=<s4@example.org>") == EACH


def test_what_moved_meanwhile_is_no_error(postfix: Postfix) -> None:
    mine = sorted(of(postfix, 7))
    postfix.run("postsuper", "-d", mine[0])
    before = waiting(postfix)
    # One that is gone is not even found; the others are deleted.
    assert results(postfix, "delete", *mine) == {"done": EACH - 1}
    assert moved(postfix, before) == dict.fromkeys(mine[1:], ("deferred", ""))


def test_without_the_right_it_is_said_which_one(postfix: Postfix, place: Path) -> None:
    before = waiting(postfix)
    # Flushing needs no right, but seeing what is there does.
    for user, action, words in (
        ("postfix", "hold", "only root may hold messages"),
        ("nobody", "delete", "only root may delete messages"),
        ("nobody", "flush", "run as root or as the user of Postfix"),
    ):
        done = subprocess.run(
            [
                sys.executable, "-c", AS_ANOTHER, user, "queue", action, "--sender", "s8@example.org",
                "--yes", "--config", str(postfix.config),
            ],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert words in done.stderr
    assert not moved(postfix, before)


def test_it_is_written_down(postfix: Postfix, place: Path) -> None:
    entries = audit.entries(place / "store")
    done = [entry for entry in entries if entry.asked.startswith("done: ")]
    assert {entry.what for entry in done} >= {"queue hold", "queue release", "queue delete", "queue bounce"}
    assert any(entry.asked.startswith(f"{EACH} messages of ") for entry in entries)
    assert sum(len(entry.asked.split()) - 1 for entry in done if entry.what == "queue hold") == EACH

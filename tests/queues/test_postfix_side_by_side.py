"""Postfix' own programs and ours, side by side on the queue of a Postfix that runs here."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mta import Postfix, require_postfix, running_postfix

from mailscope.cli.main import mailscope

ODD = [
    ('"odd sender"@example.org', ["defer.a@one.example.net", "defer.b@two.example.net"]),
    ("", ["defer.c@sub.one.example.net"]),
    ("s@example.org", ["taken@three.example.net", "defer.d@three.example.net", "defer.e@THREE.example.net"]),
]


@pytest.fixture(scope="module", params=["no", "yes"])
def postfix(request: pytest.FixtureRequest) -> Iterator[Postfix]:
    """A queue that stands still, with short queue ids or long ones."""
    require_postfix()
    place = Path(tempfile.mkdtemp(prefix="side", dir="/tmp"))
    place.chmod(0o755)
    try:
        with running_postfix(place) as running:
            with (running.config / "main.cf").open("a") as settings:
                settings.write(f"enable_long_queue_ids = {request.param}\n")
            running.run("postfix", "reload")
            time.sleep(1)
            running.send_many((f"s{n}@example.org", f"defer{n}@d{n % 3}.sub.example.net") for n in range(9))
            with smtplib.SMTP("127.0.0.1", running.port, timeout=60) as server:
                for sender, recipients in ODD:
                    server.sendmail(sender, recipients, MESSAGE)
            running.settle(12)
            running.run("postsuper", "-h", sorted(running.queued())[0])
            running.run("postsuper", "-e", sorted(running.queued())[1])
            yield running
    finally:
        shutil.rmtree(place)


MESSAGE = """\
From: someone@example.org
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
 and a second line

A long line: {}
.
and the end
""".format("x" * 5000)


def ours(postfix: Postfix, *words: str) -> bytes:
    done = CliRunner().invoke(
        mailscope, ["queue", *words, "--config", str(postfix.config), "--tz", "UTC"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


def theirs(postfix: Postfix, *words: str) -> bytes:
    done = subprocess.run(
        [words[0], "-c", str(postfix.config), *words[1:]],
        env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    return done.stdout


def test_listings(postfix: Postfix) -> None:
    assert ours(postfix, "list", "--compat", "postqueue") == theirs(postfix, "postqueue", "-p")
    in_json = ours(postfix, "list", "--compat", "postqueue", "--format", "json")
    assert in_json == theirs(postfix, "postqueue", "-j")
    assert in_json.count(b"\n") == 12
    assert b'\\"odd sender\\"@example.org' in in_json
    assert b'"forced_expire": true' in in_json


def test_postcat(postfix: Postfix) -> None:
    ids = sorted(postfix.queued())
    for flags in ("", "-e", "-h", "-b", "-bh", "-o", "-d", "-v", "-r", "-dov", "-eho", "-rv"):
        words = ("-q", *([flags] if flags else []), *ids)
        expected = theirs(postfix, "postcat", *words)
        assert ours(postfix, "show", *words) == expected, flags
        assert expected


@pytest.mark.parametrize(
    "words",
    [
        "deferred",
        "-s deferred hold",
        "-p -m 1 deferred",
        "-l -b 3 deferred",
        "-t 1 -b 20 -w 132 deferred",
        "",
    ],
)
def test_qshape(postfix: Postfix, words: str) -> None:
    expected = theirs(postfix, "qshape", *words.split()).splitlines()
    found = ours(postfix, "shape", *words.split()).splitlines()
    assert found[:2] == expected[:2]
    assert sorted(found) == sorted(expected)
    order = [[(int(row.split()[1]), len(row.split()[0])) for row in rows[2:]] for rows in (found, expected)]
    assert order[0] == order[1]


def test_flush_of_the_whole_queue(postfix: Postfix) -> None:
    before = postfix.log.read_text().count("status=deferred")
    told = ours(postfix, "flush", "--all", "--yes")
    assert b"11 flushed" in told
    until = time.monotonic() + 60
    while postfix.log.read_text().count("status=deferred") < before + 11:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_postqueue_is_asked_where_files_may_not_be_read(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in ours(postfix, "list", "--format", "json").splitlines()]
        return sorted(
            (
                # postqueue writes local parts in quotes where they need them.
                {name: each[name] for name in SAME}
                | {"sender": each["sender"].replace('"', ""), "for": asked_for(each)}
                for each in found
            ),
            key=lambda each: str(each["queue_id"]),
        )

    before, shape = told(), ours(postfix, "shape", "deferred", "hold", "--now", "2100-01-01T00:00:00Z")
    shut(postfix, monkeypatch)
    assert told() == before
    assert ours(postfix, "shape", "deferred", "hold", "--now", "2100-01-01T00:00:00Z") == shape
    done = CliRunner().invoke(mailscope, ["queue", "list", "--config", str(postfix.config)])
    assert "postqueue was asked" in done.stderr
    # What is done to messages needs their files.
    done = CliRunner().invoke(mailscope, ["queue", "hold", "--all", "--config", str(postfix.config)])
    assert done.exit_code == 1
    assert "none of its queues can be read" in str(done.exception)


def shut(postfix: Postfix, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let us be somebody who may not read the queue."""
    real, place = os.access, str(postfix.config.parent / "queue")

    def access(path: str | Path, mode: int, **how: Any) -> bool:
        return not str(path).startswith(place) and real(path, mode, **how)

    monkeypatch.setattr(os, "access", access)


SAME = ("queue_name", "queue_id", "arrival_time", "message_size", "forced_expire", "reason")


def asked_for(each: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Its recipients; postqueue tells of none that have their copy."""
    return sorted(
        (found["address"].lower(), found["status"], found.get("delay_reason", ""))
        for found in each["recipients"]
        if found["status"] != "done"
    )

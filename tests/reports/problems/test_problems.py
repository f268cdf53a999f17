"""Problems: each shows real lines, and its command lists exactly as many as it says."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from replaying import replay

from mailscope.reports.problems.problem import ORDER

FLOOD = "Nov 20 10:{:02}:{:02} mail postfix/{}\n"


def problems(tmp_path: Path, log: str) -> dict[str, dict[str, Any]]:
    path = tmp_path / "mail.log"
    path.write_text(log)
    return {problem["kind"]: problem for problem in replay(path).report()["problems"]}


def lines(daemon: str, text: str, count: int) -> str:
    return "".join(
        FLOOD.format(n // 60, n % 60, f"{daemon}[{n}]: {text.replace('#', str(n))}") for n in range(count)
    )


QUIET = lines("smtpd", "connect from a.example.org[192.0.2.1]", 3)
FAILED = "warning: unknown[192.0.2.{}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=alice"
FIRES = {
    "panic": lines("qmgr", "panic: myfree: corrupt or unallocated memory block", 1),
    "disk_full": lines(
        "smtpd", "warning: not enough free space in mail queue: 1 bytes < 1.5*message size limit", 1
    ),
    "configuration": lines(
        "smtpd", "fatal: parameter inet_interfaces: no local interface found for 192.0.2.5", 1
    )
    + lines(
        "trivial-rewrite",
        "warning: do not list domain example.org in BOTH mydestination and relay_domains",
        1,
    ),
    "fatal": lines("smtp", "fatal: watchdog timeout", 1),
    "domain_failing": lines(
        "smtp",
        "4A0F1C0D#: to=<u#@example.net>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred "
        "(connect to mx.example.net[192.0.2.9]:25: Connection refused)",
        25,
    ),
    "dns_failing": lines(
        "smtp",
        "4A0F1C0D#: to=<u@d#.example.net>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.3, status=deferred "
        "(Host or domain name not found. Name service error for name=d.example.net type=MX: Host not found, try again)",
        25,
    ),
    "password_guessing": lines("smtpd", FAILED.format(7), 120),
    "account_attacked": "".join(lines("smtpd", FAILED.format(n), 10) for n in range(6)),
    "warnings": lines("bounce", "warning: 4A0F1C0D#: undeliverable postmaster notification discarded", 25),
    "reject_flood": lines(
        "smtpd",
        "NOQUEUE: reject: RCPT from unknown[192.0.2.8]: 554 5.7.1 <a@example.net>: Relay access denied; "
        "from=<x@example.com> to=<a@example.net> proto=ESMTP helo=<h>",
        600,
    ),
    "lines_unknown": lines("smtpd", "something that nobody ever wrote #", 30),
}


@pytest.mark.parametrize("kind", FIRES)
def test_rule_fires_and_shows_its_lines(kind: str, tmp_path: Path) -> None:
    log = QUIET + FIRES[kind]
    found = problems(tmp_path, log)
    assert kind in found, sorted(found)
    problem = found[kind]
    assert problem["severity"] in ORDER
    assert problem["count"] > 0
    assert problem["meaning"]
    assert problem["advice"]
    assert 1 <= len(problem["samples"]) <= 3
    assert set(problem["samples"]) <= set(log.splitlines())


def test_a_quiet_log_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, QUIET) == {}


@pytest.mark.parametrize("kind", ["password_guessing", "warnings", "reject_flood", "dns_failing"])
def test_a_little_of_it_is_no_problem(kind: str, tmp_path: Path) -> None:
    few = "".join(FIRES[kind].splitlines(keepends=True)[:4])
    assert kind not in problems(tmp_path, QUIET + few)


def test_the_most_pressing_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("".join(FIRES.values()))
    found = [problem["severity"] for problem in replay(path).report()["problems"]]
    assert found == sorted(found, key=ORDER.index)
    assert set(found) == set(ORDER)


def test_the_command_lists_as_many_lines_as_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mail log"
    path.write_text(
        "".join(FIRES[kind] for kind in ("disk_full", "configuration", "domain_failing", "fatal"))
    )
    for problem in replay(path).report(again=shlex.join(("--tz", "UTC", str(path))))["problems"]:
        command = shlex.split(problem["evidence"])
        assert command[0] == "mailscope"
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, check=True, env={"TZ": "UTC"}
        )
        assert len(done.stdout.splitlines()) == problem["count"], problem["title"]
        assert set(problem["samples"]) <= set(done.stdout.splitlines())

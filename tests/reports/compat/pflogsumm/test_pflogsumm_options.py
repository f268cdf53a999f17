"""Options as Getopt::Long takes them, the file of options, usage and exit codes; beside the real program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pflogsumm_peers as peers
import pytest
from pflogsumm_ties import settled

ROOT = Path(__file__).parents[4]
LOG = ROOT / "tests" / "data" / "pflogsumm" / "waiting.log"
NOW = "2026-11-22 12:00:00"
CONFIG = """\
# a comment
[default]
host-cnt = 2
user-cnt=none
detail = all
colwidth = 90
zero-fill = yes
syslog-name = "postfix"
date-range = 2026-11
no-such-option = 1
quiet = perhaps
warning-detail = -3
smtpd-stats = true

[other]
user-cnt = 3
"""


def ours(
    release: str, *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "mailscope", "pflogsumm", f"--version-compat={release}", *arguments]
    more = {
        "MAILSCOPE_NOW": NOW.replace(" ", "T"),
        "PYTHONPATH": str(ROOT / "src"),
        "TZ": "UTC",
        **(environment or {}),
    }
    return subprocess.run(words, capture_output=True, env={**os.environ, **more}, input=stdin, check=False)


@pytest.mark.parametrize("release", ["1.3.0", "1.1.5"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--nonsense",), ("-h", "x"), ("-h",), ("--ver",), ("--zero-fill=3",), ("--version",), ("-VERSION",),
        ("--detail",), ("-d", "some day"), ("-d", "2026-02-30"), ("-d", "2026-11-05 2026-11-01"),
        ("--suppress", "help"), ("--suppress", "per-day"), ("--config", "/nonexistent"), ("--dump-config", "-h=3", "-e"),
        ("--bounce", "3", "--dump", "--verp-mung", "-u", "-1", "--syslog=x"), ("--version-of-nothing",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_answers_and_exit_codes(release: str, arguments: tuple[str, ...]) -> None:
    if reason := peers.missing(release):
        pytest.skip(reason)
    theirs, found = peers.run(release, arguments, NOW), ours(release, *arguments)
    assert found.returncode == theirs.exit_code
    assert found.stdout == theirs.stdout
    assert bool(found.stderr) == bool(theirs.stderr)
    complaint = theirs.stderr.splitlines()[:1]
    if complaint and b" at /" not in complaint[0] and not complaint[0].startswith(b"usage"):
        assert complaint[0].split(b": ")[-1] in found.stderr


@pytest.mark.parametrize("release", ["1.3.0", "1.1.5"])
def test_help_is_theirs_and_then_ours(release: str) -> None:
    if reason := peers.missing(release):
        pytest.skip(reason)
    theirs, found = peers.run(release, ["--help"], NOW), ours(release, "--help")
    assert found.stdout.startswith(theirs.stdout)
    assert b"--strict-compat" in found.stdout.removeprefix(theirs.stdout)


def test_a_file_of_options(tmp_path: Path) -> None:
    if reason := peers.missing("1.3.0"):
        pytest.skip(reason)
    path = tmp_path / "options"
    path.write_text(CONFIG)
    arguments = ["--config", str(path), "--user_cnt=1", "--smtp-detail", "3", str(LOG)]
    theirs, found = peers.run("1.3.0", arguments, NOW), ours("1.3.0", *arguments)
    assert settled(found.stdout.decode("latin-1"), "1.3.0") == settled(
        theirs.stdout.decode("latin-1"), "1.3.0"
    )
    # What Perl says of the program's own slips is left out.
    said = [line for line in theirs.stderr.splitlines() if not line.startswith(b"Use of uninitialized")]
    assert sorted(found.stderr.splitlines()) == sorted(said)
    assert b"Option" in found.stdout


def test_no_means_no_unless_strict(tmp_path: Path) -> None:
    path = tmp_path / "options"
    path.write_text("problems-first = no\n")
    plain = ours("1.3.0", str(LOG)).stdout
    first = ours("1.3.0", "--problems-first", str(LOG)).stdout
    assert plain != first
    assert ours("1.3.0", "--config", str(path), str(LOG)).stdout == plain
    assert ours("1.3.0", "--strict-compat", "--config", str(path), str(LOG)).stdout == first
    if not peers.missing("1.3.0"):
        theirs = peers.run("1.3.0", ["--config", str(path), str(LOG)], NOW).stdout.decode("latin-1")
        assert settled(theirs, "1.3.0") == settled(first.decode("latin-1"), "1.3.0")


def test_a_damaged_file_of_options_is_told(tmp_path: Path) -> None:
    path = tmp_path / "options"
    path.write_text("host-cnt = 3\nwhat is this\n")
    found = ours("1.3.0", "--config", str(path), str(LOG))
    assert found.returncode == 2
    assert b"line 2" in found.stderr
    assert found.stderr.count(b"\n") == 1


@pytest.mark.parametrize("release", ["1.3.0", "1.1.5"])
def test_files_that_are_not_there_are_told_and_the_rest_goes_on(release: str) -> None:
    found = ours(release, "/nonexistent/mail.log", str(LOG))
    assert found.stdout == ours(release, str(LOG)).stdout
    assert b"/nonexistent/mail.log" in found.stderr
    assert found.returncode == 1
    assert ours(release, "--strict-compat", "/nonexistent/mail.log", str(LOG)).returncode == 0


def test_no_command_is_run_for_a_name(tmp_path: Path) -> None:
    ours("1.3.0", f"touch {tmp_path}/x|")
    assert not list(tmp_path.iterdir())


def test_standard_input_and_compressed_files(tmp_path: Path) -> None:
    import gzip

    plain = ours("1.3.0", str(LOG)).stdout
    packed = tmp_path / "mail.log.1.gz"
    packed.write_bytes(gzip.compress(LOG.read_bytes()))
    assert ours("1.3.0", str(packed)).stdout == plain
    assert ours("1.3.0", stdin=LOG.read_bytes()).stdout == plain
    assert ours("1.3.0", "-q", "-", stdin=LOG.read_bytes()).stdout == ours("1.3.0", "-q", str(LOG)).stdout


def test_the_mail_queue_follows(tmp_path: Path) -> None:
    command = tmp_path / "mailq"
    command.write_text("#!/bin/sh\necho Mail queue is empty\n")
    command.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    found = ours("1.3.0", "--mailq", str(LOG), environment={"PATH": path})
    end = b"\nCurrent Mail Queue\n------------------\nMail queue is empty\n"
    assert found.stdout == ours("1.3.0", str(LOG)).stdout + end


def test_lines_that_are_not_understood_are_written_down(tmp_path: Path) -> None:
    log, target = tmp_path / "mail.log", tmp_path / "left"
    lines = [
        "Nov 22 01:00:00 mx postfix/smtpd: no pid\n",
        "Nov 22 01:00:00 mx postfix/bounce[1]: A1: sender notice: B2\n",
    ]
    log.write_text("".join(lines))
    assert ours("1.3.0", "--unprocd-file", str(target), str(log)).returncode == 0
    assert target.read_text() == lines[0]
    where = tmp_path / "no" / "such"
    found = ours("1.3.0", "--unprocd-file", str(where), str(log))
    assert (found.returncode, found.stderr.count(b"\n")) == (2, 1)


def test_only_known_releases() -> None:
    found = ours("1.2.0", str(LOG))
    assert found.returncode == 2
    assert b"1.3.0 or 1.1.5" in found.stderr

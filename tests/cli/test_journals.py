"""``--journal``, ``--unit``, ``--cursor-file`` and journal files, for every command over logs."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from journaling import entry

MAILSCOPE = (sys.executable, "-m", "mailscope")
REMOTE = "/lib/systemd/systemd-journal-remote"
ENTRIES = (
    entry(0, "connect from unknown[192.0.2.66]")
    + entry(1, "warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x")
    + entry(2, "disconnect from unknown[192.0.2.66] ehlo=1 auth=0/1 commands=1/2")
)
# Notes its arguments, gives the entries that it finds, and does with the cursor as journalctl does.
FAKE = """#!/bin/sh
printf '%s\\n' "$@" > "$HOME/arguments"
for argument; do
    case $argument in --cursor-file=*) file=${argument#*=}; cat "$file" > "$HOME/cursor" 2>/dev/null; echo s=new > "$file";; esac
done
cat "$HOME/entries"
cat "$HOME/complaint" >&2 2>/dev/null
exit "$(cat "$HOME/status" 2>/dev/null || echo 0)"
"""


class Host:
    """A home with a journalctl that is none."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.write("entries", ENTRIES)
        self.write("bin/journalctl", FAKE.encode()).chmod(stat.S_IRWXU)

    def write(self, name: str, data: bytes) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "HOME": str(self.home), "PATH": f"{self.home}/bin:{os.environ['PATH']}"}
        return subprocess.run(
            [*MAILSCOPE, *words], env=environment, cwd=self.home, text=True, capture_output=True, check=False
        )

    @property
    def arguments(self) -> list[str]:
        return (self.home / "arguments").read_text().splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_the_mail_of_the_journal(host: Host) -> None:
    ran = host.run("coverage", "--journal")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("3 lines: 3 recognised, 0 not")
    assert "SYSLOG_FACILITY=2" in host.arguments
    assert "--output=export" in host.arguments
    assert not any(
        argument.startswith(("--unit", "--since", "--until", "--cursor")) for argument in host.arguments
    )


def test_units_and_the_span_are_handed_on(host: Host) -> None:
    ran = host.run(
        "events", "--unit", "postfix@-.service", "--unit", "dovecot.service", "--tz", "UTC",
        "--since", "2026-11-22 03:59:03", "--until", "2026-11-22 03:59:04",
    )  # fmt: skip
    assert ran.stdout.count("\n") == 1
    assert '"event":"login_failed"' in ran.stdout
    assert host.arguments[-4:] == [
        "--unit=postfix@-.service", "--unit=dovecot.service", "--since=@1795319943", "--until=@1795319944"
    ]  # fmt: skip


def test_the_journal_beside_a_file(host: Host) -> None:
    log = host.write("mail.log", b"Nov 22 03:59:05 mx1 postfix/smtpd[12]: connect from unknown[192.0.2.67]\n")
    ran = host.run("events", "--journal", "--tz", "UTC", str(log))
    assert [line.split('"source":"')[1].split('"')[0] for line in ran.stdout.splitlines()] == [
        "journal"
    ] * 3 + [str(log)]


def test_a_trace_reads_the_journal_twice_from_one_run(host: Host) -> None:
    ran = host.run("trace", "192.0.2.66", "--journal", "--tz", "UTC")
    assert "failed logins on mx1" in ran.stdout


def test_a_cursor_is_kept_when_all_went_well(host: Host) -> None:
    cursor = host.write("last.cursor", b"s=old\n")
    ran = host.run("coverage", "--journal", "--since", "2026-11-22", "--cursor-file", str(cursor))
    assert ran.returncode == 0
    assert (host.home / "cursor").read_text() == "s=old\n"
    assert cursor.read_text() == "s=new\n"
    # journalctl would refuse both.
    assert not any(argument.startswith("--since") for argument in host.arguments)
    assert not list(host.home.glob(".mailscope-*"))


def test_a_cursor_stays_when_something_failed(host: Host) -> None:
    cursor = host.write("last.cursor", b"s=old\n")
    host.write("status", b"1")
    host.write("complaint", b"Failed to \x1b[31mopen files: Permission denied\n")
    ran = host.run("coverage", "--journal", "--cursor-file", str(cursor))
    assert ran.returncode == 1
    assert ran.stderr == (
        "mailscope: journal: journalctl failed: Failed to \\x1b[31mopen files: Permission denied\n"
    )
    assert cursor.read_text() == "s=old\n"
    assert not list(host.home.glob(".mailscope-*"))


def test_hints_of_journalctl_are_passed_on(host: Host) -> None:
    host.write("complaint", b"Hint: You are currently not seeing messages from other users.\n")
    ran = host.run("coverage", "--journal")
    assert ran.returncode == 0
    assert (
        ran.stderr == "mailscope: journalctl: Hint: You are currently not seeing messages from other users.\n"
    )


def test_an_empty_journal(host: Host) -> None:
    host.write("entries", b"")
    ran = host.run("report", "--journal")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("mailscope: journal: there are no lines in it")


def test_options_that_make_no_sense(host: Host) -> None:
    log = host.write("mail.log", b"x\n")
    ran = host.run("coverage", "--cursor-file", "x", str(log))
    assert ran.returncode == 2
    assert ran.stderr.startswith("mailscope: --cursor-file: it is for the host's journal only")
    ran = host.run("coverage", "--journal", "--cursor-file", "no/such/place")
    assert ran.returncode == 1
    assert ran.stderr.startswith("mailscope: no/such/place: no such file")
    (host.home / "bin/journalctl").unlink()
    ran = subprocess.run(
        [*MAILSCOPE, "coverage", "--journal"],
        env={**os.environ, "PATH": f"{host.home}/bin"}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr == "mailscope: journal: there is no journalctl to read it; name the log files to read\n"


@pytest.mark.skipif(
    not (os.path.exists(REMOTE) and shutil.which("journalctl")), reason="needs systemd-journal-remote"
)
def test_real_journal_files(tmp_path: Path) -> None:
    export = tmp_path / "one.export"
    export.write_bytes(ENTRIES + entry(3, "x\ny", "sshd", SYSLOG_FACILITY="4", _SYSTEMD_UNIT="ssh.service"))
    journal = tmp_path / "a [*]" / "one.journal"
    journal.parent.mkdir()
    subprocess.run([REMOTE, "-o", str(journal), str(export)], check=True, capture_output=True)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*MAILSCOPE, *words], text=True, capture_output=True, check=False)

    told = {path: run("events", "--tz", "UTC", str(path)) for path in (export, journal, journal.parent)}
    assert {path: ran.stderr for path, ran in told.items()} == dict.fromkeys(told, "")
    assert told[export].stdout.count("\n") == 4
    assert {ran.stdout.replace(str(journal), str(export)) for ran in told.values()} == {told[export].stdout}
    ran = run("events", "--unit", "ssh.service", str(journal))
    assert ran.stdout.count("\n") == 1
    assert '"text":"x y"' in ran.stdout

    damaged = tmp_path / "damaged.journal"
    damaged.write_bytes(journal.read_bytes()[:3000])
    ran = run("events", str(damaged))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"mailscope: {damaged}: journalctl failed: ")

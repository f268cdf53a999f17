"""A host to run examples on, in a mount namespace of its own: nothing of the real one is changed.

    unshare --mount --propagation private python standin.py DIRECTORY < LINES > RESULTS

In: lines for a shell, as JSON.  Out: for each, its exit code and what it wrote, as JSON.  /var, /etc, /run, /srv
and /mnt are this host's own: two days of made-up logs, a store of them, a queue of Postfix, accounting files.
"""

from __future__ import annotations

import glob
import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
EXAMPLES = Path(__file__).parents[2] / "examples"
QUEUE_ID = "4B5C61F00D"
PATIENCE_S = 120

# What has happened on the host before.
BEFORE = ("mailscope ingest /var/log/mail.log /var/log/auth.log", "mailscope people add root --role admin")

# Programs that examples name and that must not, or cannot, do here what they do elsewhere.
PROGRAMS = {
    "systemctl": "exit 0",
    "runuser": 'shift 3; exec "$@"',
    "ssh": 'shift; exec sh -c "$*"',
    "nft": "exec cat > /dev/null",
    "qmail-send": "echo 'starting delivery 1: msg 7 to local a@example.org'; echo 'status: local 1/10 remote 0/20'",
    "qmail-start": 'shift; echo "status: exiting" | exec "$@"',
    "some-program": "echo one; echo two",
    "sendmail": "exec cat > /dev/null",
}


def own(*places: str) -> None:
    """Lay an empty file system over directories."""
    for place in places:
        Path(place).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "examples", place], check=True)


def etc() -> None:
    """An /etc that may be written to."""
    copy = Path("/run/etc")
    shutil.copytree("/etc", copy, symlinks=True, ignore=shutil.ignore_patterns("mailscope"))
    subprocess.run(["mount", "--bind", copy, "/etc"], check=True)


def logs(work: Path) -> None:
    """Two days of logs until now, one of them with the queue id that examples have; older ones beside them."""
    from mailscope.demo.month import Month

    month = Month(work, datetime.now(UTC).replace(tzinfo=None), days=1, users=3)
    for path in month.logs.iterdir():
        shutil.copy(path, "/var/log")
    log = Path("/var/log/mail.log")
    text = log.read_text()
    found = re.search(r"postfix/qmgr\[\d+\]: (\w+): from=", text)
    assert found is not None
    sender = re.search(rf"{found[1]}: from=<([^>]+)>", text)
    client = re.search(r"client=\S+\[([\d.]+)\]", text)
    assert sender is not None
    assert client is not None
    text = text.replace(found[1], QUEUE_ID).replace(sender[1], "alice@example.org")
    log.write_text(text.replace(client[1], "192.0.2.66"))
    shutil.copy(EXAMPLES / "postfix" / "mail.log.2.gz", "/var/log/mail.log.2.gz")
    shutil.copytree(EXAMPLES / "qmail" / "multilog", "/var/log/qmail", dirs_exist_ok=True)


def accounting() -> None:
    """utmp, wtmp, btmp, lastlog and pacct."""
    host = DATA / "host"
    Path("/var/log/account").mkdir()
    for name, place in (
        ("wtmp.rich", "/var/log/wtmp"), ("btmp.rich", "/var/log/btmp"), ("btmp.real", "/var/log/btmp.1"),
        ("lastlog.real", "/var/log/lastlog"), ("utmp.live", "/run/utmp"), ("utmp.live", "copied-utmp"),
        ("lastlog.real", "copied-lastlog"), ("pacct.golden", "/var/log/account/pacct"),
        ("pacct.golden", "/var/log/account/pacct.1"),
    ):  # fmt: skip
        Path(place).write_bytes(gzip.decompress((host / f"{name}.gz").read_bytes()))
    shutil.copy(host / "passwd", "copied-passwd")
    shutil.copy(host / "wtmp.rich.gz", "wtmp.1.gz")
    for place in ("pacct.1.gz", "/var/log/account/pacct.0.gz"):
        shutil.copy(host / "pacct.golden.gz", place)


def queue() -> str:
    """A queue of Postfix, and a copy of it; gives the id of a message that waits."""
    with tarfile.open(DATA / "queues" / "postfix.tar.xz") as packed:
        packed.extractall("unpacked", filter="fully_trusted")
    for place in ("/var/spool/postfix", "/mnt/copy/postfix"):
        shutil.copytree("unpacked/spool", place)
    waiting = [each for each in Path("/var/spool/postfix/deferred").rglob("*") if each.is_file()]
    return waiting[0].name


def files() -> None:
    """What examples read of the directory that they are run in, and of /etc."""
    shutil.copy(DATA / "strace" / "sendmail-remote.strace", "postfix.strace")
    Path("bounce.eml").write_text("Subject: returned\n\nalice@example.net: 550 5.1.1 User unknown\n")
    Path("password.txt").write_text("correct horse battery staple 7\n")
    Path("mailscope.toml").write_text('time_zone = "UTC"\n')
    Path("syslog.conf").write_text("mail.*\t./mail.out\n")
    shutil.copy("syslog.conf", "/etc/syslog.conf")
    Path("/etc/rsyslog.conf").write_text("mail.*\t-/var/log/mail.log\n")
    Path("log").write_text("1795319945.615 new msg 7\n1795319946.1 end msg 7\n")
    Path("matched").write_text(
        "d k 1795319945.615 1795319945.7 1795319946.1 300 <alice@example.org> local.alice@example.org 1234 500 did_1+0+0/\n"
        "m 1795319945.615 1795319946.1 300 1 0 0 <alice@example.org> 1234 500\n"
    )
    own_detections = Path("/etc/mailscope/detections.d")
    own_detections.mkdir(parents=True)
    shutil.copy(EXAMPLES / "detections" / "rejects_above_usual.toml", own_detections / "relay_abuse.toml")
    for place in ("/etc/prometheus", "/srv/deleted", "/var/lib/mailscope", "/run/mailscope"):
        Path(place).mkdir(parents=True, exist_ok=True)
    Path("/etc/mailscope/mailscope.toml").write_text(
        'domains = ["example.org"]\nnetworks = ["192.0.2.0/24"]\n'
        '[sources]\ndiscover = false\nfiles = ["/var/log/mail.log"]\n'
    )


def run(line: str) -> dict[str, Any]:
    """Run a line: here where it is a command alone, which is much faster than a process for each."""
    plain = line.startswith("mailscope ") and not re.search(
        r"[|<>&]", re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
    )
    return inside(line) if plain else shell(line)


def inside(line: str) -> dict[str, Any]:
    """Run a command in this process."""
    from click.testing import CliRunner

    from mailscope.cli.main import mailscope
    from mailscope.vocabulary.errors import MailscopeError

    began = time.monotonic()
    _, *words = (found for word in shlex.split(line) for found in sorted(glob.glob(word)) or [word])
    done = CliRunner().invoke(mailscope, words, input="y\n", prog_name="mailscope")
    err, code = done.stderr, done.exit_code
    if isinstance(done.exception, MailscopeError):
        err, code = f"{err}{done.exception}", done.exception.exit_code
    elif done.exc_info is not None and not isinstance(done.exception, SystemExit | None):
        err = err + "".join(traceback.format_exception(done.exception))
    return {
        "code": code, "out": done.stdout[-1500:], "err": err[-1500:],
        "seconds": round(time.monotonic() - began, 2),
    }  # fmt: skip


def shell(line: str) -> dict[str, Any]:
    """Run a line with a shell."""
    began = time.monotonic()
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(b"y\n", timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        err += b"\nit does not end\n"
    return {
        "code": process.returncode,
        "out": out.decode(errors="replace")[-1500:],
        "err": err.decode(errors="replace")[-1500:],
        "seconds": round(time.monotonic() - began, 2),
    }


def main(work: Path) -> None:
    """Make the host, and run the lines on it."""
    os.chdir(work)
    (work / "bin").mkdir()
    for name, text in PROGRAMS.items():
        (work / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (work / "bin" / name).chmod(0o755)
    own("/run", "/var", "/srv", "/mnt")
    etc()
    for place in ("/var/log", "/var/tmp", "/var/lib", "/var/spool"):
        Path(place).mkdir()
    (work / "bin" / "mailscope").symlink_to(Path(sys.executable).parent / "mailscope")
    logs(work / "demo")
    accounting()
    files()
    waiting = queue()
    os.environ.update(
        {"PATH": f"{work}/bin:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"}
    )
    for line in BEFORE:
        told = run(line)
        assert told["code"] == 0, told
    answers = []
    for asked in json.load(sys.stdin):
        line = asked["line"].replace("4jXFbq3XyNzCb7Y", waiting)
        answers.append(run(line))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

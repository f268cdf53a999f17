"""A real Exim and a real Sendmail with queues of their own, to hold our reading against.

Both conflict with Postfix: they are unpacked into build/peers (.ci/fetch-mtas), not installed.  Nothing listens.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from peers import PEERS

PATIENCE_S: Final = 60
EXIM_CONF: Final = """\
primary_hostname = mail.example.org
spool_directory = {place}/spool
log_file_path = {place}/log/%slog
queue_only = true
never_users =
trusted_users = root
begin routers
put_off:
  driver = redirect
  domains = later.example.org
  data = :defer: the disk of the mailbox is full
  allow_defer
shut:
  driver = manualroute
  domains = shut.example.org
  route_list = * 127.0.0.1::1
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
begin retry
* * F,2h,15m
"""
SENDMAIL_CF: Final = """\
V10/Berkeley
Djmail.example.org
O QueueDirectory={place}/mq
O DeliveryMode=queueonly
O DontBlameSendmail=GroupWritableDirPathSafe,InsufficientEntropy
O QueueFileMode=0600
O AliasFile=
O StatusFile={place}/stat
O PidFile={place}/pid
O QueueLA=999
O RefuseLA=999
Troot
H?P?Return-Path: <$g>
HReceived: $?sfrom $s $.by $j id $i; $b
H?D?Date: $a
H?F?From: $g
H?M?Message-Id: <$t.$i@$j>
S0
R$* @ shut.example.org\t$#esmtp $@ [127.0.0.1] $: $1@shut.example.org
R$*\t$#local $: $1
Mesmtp, P=[IPC], F=mDFMuXa, S=0, R=0, E=\\r\\n, L=990, T=DNS/RFC822/SMTP, A=TCP $h 1
Mlocal, P=/bin/false, F=lsDFMAw5:/|@qSPfhn9, S=0, R=0, T=DNS/RFC822/X-Unix, A=false
Mprog, P=/bin/sh, F=lsDFMoqeu9, S=0, R=0, T=X-Unix, A=sh -c $u
"""


@dataclass
class Mailer:
    """A program with its settings; ``spool``: its queue."""

    command: Sequence[str]
    spool: Path
    env: dict[str, str]

    def run(self, *words: str, given: str = "") -> bytes:
        """Run it; gives what it said."""
        done = subprocess.run(
            [*self.command, *words],
            input=given.encode(),
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
            env={**os.environ, "TZ": "UTC", **self.env},
        )
        assert not done.stderr, done.stderr.decode(errors="replace")
        return done.stdout


@contextmanager
def exim() -> Iterator[Mailer]:
    """Exim, or a skipped test."""
    program = PEERS / "usr" / "sbin" / "exim4"
    if not program.exists() or os.geteuid() != 0:
        pytest.skip("there is no Exim (.ci/fetch-mtas), or it may not be run")
    try:
        user = pwd.getpwnam("Debian-exim")
    except KeyError:
        pytest.skip("there is no user Debian-exim, without whom Debian's Exim does not run")
    with _place() as place:
        for name in ("spool", "log"):
            (place / name).mkdir()
            os.chown(place / name, user.pw_uid, user.pw_gid)
        settings = place / "conf"
        settings.write_text(EXIM_CONF.format(place=place))
        settings.chmod(0o644)
        yield Mailer([str(program), "-C", str(settings)], place / "spool", _libraries())


@contextmanager
def sendmail() -> Iterator[Mailer]:
    """Sendmail, under a host name of its own (it waits a minute for one with a domain), or a skipped test."""
    program = PEERS / "usr" / "libexec" / "sendmail" / "sendmail"
    if not program.exists() or os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("there is no Sendmail (.ci/fetch-mtas), or it may not be run")
    named = ["unshare", "--uts", "sh", "-c", 'hostname mail.example.org && exec "$@"', "sh"]
    if subprocess.run([*named, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no host name of one's own may be given here")
    with _place() as place:
        (place / "mq").mkdir(mode=0o700)
        settings = place / "sm.cf"
        settings.write_text(SENDMAIL_CF.format(place=place))
        yield Mailer([*named, str(program), "-C", str(settings)], place / "mq", _libraries())


def _libraries() -> dict[str, str]:
    return {"LD_LIBRARY_PATH": ":".join(map(str, PEERS.glob("usr/lib/*-linux-gnu*")))}


@contextmanager
def _place() -> Iterator[Path]:
    """A directory that the mailer's own user may enter, unlike those of pytest."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    try:
        yield place
    finally:
        with suppress(OSError):
            shutil.rmtree(place)

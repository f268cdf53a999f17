"""Other people's syslog daemons as child processes, on folders, sockets and ports of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PEERS = Path(__file__).parents[1] / "build" / "peers"
RSYSLOGD = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin:/sbin")
LOGGER = shutil.which("logger")
_SYSLOG_NG = PEERS / "usr" / "sbin" / "syslog-ng"  # .ci/fetch-syslog-ng: Debian's conflicts with rsyslog's
SYSLOG_NG = str(_SYSLOG_NG) if _SYSLOG_NG.exists() else shutil.which("syslog-ng", path="/usr/sbin:/sbin")


def rsyslog_has(driver: str) -> bool:
    """Whether rsyslogd has a TLS driver (Debian: rsyslog-gnutls, rsyslog-openssl)."""
    return any(Path("/usr/lib").glob(f"*/rsyslog/lmnsd_{driver}.so"))


@contextmanager
def running(command: Sequence[str], ready: Path, env: dict[str, str] | None = None) -> Iterator[None]:
    """A daemon, from when its socket is there until it is told to end; what it said is shown if it fails."""
    said = ready.parent / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})
    try:
        until = time.monotonic() + 20
        while not ready.exists():
            assert process.poll() is None and time.monotonic() < until, said.read_text(errors="replace")  # noqa: PT018
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def rsyslogd(folder: Path, rules: str) -> Iterator[Path]:
    """rsyslogd with these rules; the socket that it takes messages from."""
    assert RSYSLOGD is not None
    inside = folder / "in"
    (folder / "rsyslog.conf").write_text(
        f"""global(workDirectory="{folder}" localHostname="mx1" net.enableDNS="off" maxMessageSize="64k")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{inside}" RateLimit.Interval="0" IgnoreTimestamp="off" UseSysTimeStamp="off")
{rules}
"""
    )
    command = [RSYSLOGD, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")]
    with running(command, inside):
        yield inside


@contextmanager
def syslog_ng(folder: Path, destination: str) -> Iterator[Path]:
    """syslog-ng with this destination; the socket that it takes messages from."""
    assert SYSLOG_NG is not None
    inside = folder / "in"
    (folder / "syslog-ng.conf").write_text(
        f"""@version: 3.38
options {{ keep-hostname(yes); use-dns(no); stats-freq(0); }};
source here {{ unix-dgram("{inside}" host-override("mx1")); }};
destination there {{ {destination} }};
log {{ source(here); destination(there); }};
"""
    )
    command = [SYSLOG_NG, "-F", "-f", str(folder / "syslog-ng.conf"), "-R", str(folder / "persist")]
    command += ["-p", str(folder / "pid"), "-c", str(folder / "control")]
    env = {}
    if str(_SYSLOG_NG) == SYSLOG_NG:
        library = PEERS / "usr" / "lib"
        # Some libraries are unpacked to /lib, where they belong.
        places = (library / "syslog-ng", *library.glob("*-linux-gnu*"), *PEERS.glob("lib/*-linux-gnu*"))
        env["LD_LIBRARY_PATH"] = ":".join(map(str, places))
        command.append(f"--module-path={library / 'syslog-ng' / '3.38'}")
    with running(command, inside, env):
        yield inside


def write(inside: Path, messages: Sequence[bytes]) -> None:
    """Messages as programs write them, each when there is room for it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(inside))
        for message in messages:
            sender.send(message)

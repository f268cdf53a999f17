"""The same options and input given to util-linux's logger and to ours: what comes over the socket is the same."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from multilogging import in_child

LOGGER = shutil.which("logger")
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
# Ids of processes, the length that they are part of, and how well the clock keeps time just now.
ACCURACY = re.compile(rb'syncAccuracy="\d+"')
IN = b"one\n\ntwo <b>\n<22>three\n<5>kernel\n<999>no\n<1x>no\n<22\nlast without an end"
LONG = b"x" * 5000 + b"\nshort\n" + b"y" * 1024 + b"\n\xff\xfe\n"

CASES: tuple[tuple[list[str], bytes], ...] = (
    (["-t", "t", "hello", "world"], b""),
    (["hello"], b""),
    (["-t", "t"], IN),
    (["-t", "t", "-e"], IN),
    (["-t", "t", "--prio-prefix", "-p", "mail.err"], IN),
    (["-t", "t"], LONG),
    (["-t", "t", "-S", "100"], LONG),
    (["-t", "t", "-S", "1k"], LONG),
    (["-t", "t", "-S", "40", "a" * 30, "b" * 30, "c" * 50, "d", "e"], b""),
    (["-t", "t", "", "a", "", "b"], b""),
    (["-t", "t", "-p", "local7.debug", "x"], b""),
    (["-t", "t", "-p", "kern.emerg", "x"], b""),
    (["-t", "t", "-p", "security.warn", "x"], b""),
    (["-t", "t", "-p", "16.3", "x"], b""),
    (["-t", "t", "-p", "panic", "x"], b""),
    (["-t", "t", "-p", "MAIL.Info", "x"], b""),
    (["-t", "t", "--id=4711", "x"], b""),
    (["-t", "t", "--id=1", "--rfc3164", "x"], b""),
    (["-t", "t" * 250, "--rfc3164", "x"], b""),
    (["-t", "t", "--rfc5424", "x"], b""),
    (["-t", "t", "--rfc5424=notime", "x"], b""),
    (["-t", "t", "--rfc5424=notq,nohost", "x"], b""),
    (["-t", "t", "--rfc5424=notime,nohost", "--msgid", "MID", "--id=9", "x"], b""),
    (["-t", "t", "--rfc5424", "--sd-id", "a@1", "--sd-param", 'b="c"', "--sd-param", 'd="e f"', "--sd-id", "g@2.3", "--sd-id", "h@4", "--sd-param", 'i="j"', "x"], b""),
    (["-t", "t", "--rfc5424", "--sd-id", "timeQuality", "--sd-param", 'tzKnown="0"', "x"], b""),
    (["-t", "t", "--octet-count", "hello", "world"], b""),
    (["-t", "t", "--octet-count", "--rfc5424=notime"], IN),
    (["-t", "t", "-s", "hello"], b""),
    (["-t", "t", "-s"], IN),
    (["-t", "t", "--no-act", "-s", "hello"], b""),
    (["x", "-t", "behind"], b""),
    (["-t", "t", "--", "-x", "y"], b""),
    # What both refuse.
    (["-p", "mial.info", "x"], b""),
    (["-p", "mail.infoo", "x"], b""),
    (["-p", "mail.", "x"], b""),
    (["-p", "17.info", "x"], b""),
    (["--sd-id", "noat", "x"], b""),
    (["--sd-id", "a@x", "x"], b""),
    (["--sd-id", "a b@1", "x"], b""),
    (["--sd-param", 'a="b"', "x"], b""),
    (["--sd-id", "a@1", "--sd-param", "nothing", "x"], b""),
    (["--sd-id", "a@1", "--sd-id", "a@1", "x"], b""),
    (["--msgid", "a b", "x"], b""),
    (["-S", "much", "x"], b""),
    (["--id=x", "x"], b""),
    (["-t", "t" * 49, "--rfc5424", "x"], b""),
    (["-f", "/no/such/file"], b""),
)  # fmt: skip


class Run:
    """One run: what came over the socket, what was said, whether it succeeded."""

    def __init__(
        self, taking: socket.socket, command: list[str], given: bytes, folder: Path, *, ours: bool
    ) -> None:
        file = folder / "input"
        file.write_bytes(given)
        said = folder / "said"
        got: list[bytes] = []
        done = threading.Event()

        def take() -> None:
            # A socket holds ten datagrams or so: they are taken as they come.
            while not done.is_set():
                got.extend(received(taking))
                time.sleep(0.001)
            got.extend(received(taking))

        thread = threading.Thread(target=take)
        thread.start()
        if ours:
            self.failed = bool(in_child(lambda: logger(command, file, said)))
        else:
            assert LOGGER is not None
            with file.open("rb") as stream, said.open("wb") as errors:
                self.failed = bool(
                    subprocess.run([LOGGER, *command], stdin=stream, stderr=errors, check=False).returncode
                )
        done.set()
        thread.join()
        self.said = masked(said.read_bytes())
        self.taken = [masked(each) for each in got]


def logger(command: list[str], given: Path, said: Path) -> None:
    os.dup2(os.open(given, os.O_RDONLY), 0)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.stdin, sys.stderr = open(0), open(2, "w")  # noqa: SIM115
    sys.argv = ["mailscope", "syslog", "logger", *command]
    from mailscope.cli.main import run

    run()


def masked(data: bytes) -> bytes:
    return ACCURACY.sub(b"ACCURACY", STAMP.sub(b"STAMP", data))


def received(taking: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield taking.recv(100_000, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return


@pytest.mark.skipif(LOGGER is None, reason="needs logger (Debian: bsdutils)")
def test_messages_are_those_of_util_linux(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taking:
        taking.bind(path)
        for arguments, given in CASES:
            command = ["-u", path, *arguments]
            # The clock may be set between the two.
            for _ in range(3):
                runs = [Run(taking, command, given, tmp_path, ours=ours) for ours in (False, True)]
                if runs[0].taken == runs[1].taken:
                    break
            assert runs[1].taken == runs[0].taken, arguments
            assert runs[1].failed == runs[0].failed, (arguments, runs[1].said)
            if "-s" in arguments:
                assert runs[1].said == runs[0].said, arguments
            assert runs[0].failed or "--no-act" in arguments or runs[0].taken, arguments


@pytest.mark.skipif(LOGGER is None, reason="needs logger (Debian: bsdutils)")
@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (["-T"], socket.SOCK_STREAM),
        (["-T", "--octet-count"], socket.SOCK_STREAM),
        (["-d"], socket.SOCK_DGRAM),
        (["-d", "--rfc3164"], socket.SOCK_DGRAM),
    ],
    ids=["tcp", "octets", "udp", "rfc3164"],
)
def test_over_the_network(options: list[str], kind: socket.SocketKind, tmp_path: Path) -> None:
    taken = []
    for ours in (False, True):
        with socket.socket(socket.AF_INET, kind) as door:
            door.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                door.listen()
            command = ["-n", "127.0.0.1", "-P", str(door.getsockname()[1]), "-t", "t", *options]
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unused:
                Run(unused, command, b"one\n\ntwo\n", tmp_path, ours=ours)
            door.settimeout(10)
            if kind == socket.SOCK_STREAM:
                connection, _ = door.accept()
                with connection:
                    time.sleep(0.1)
                    taken.append(masked(connection.recv(10_000)))
            else:
                taken.append(b"|".join(masked(door.recv(10_000)) for _ in range(3)))
    assert taken[0] == taken[1]
    assert b"two" in taken[1]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as door:
        door.bind(("127.0.0.1", 0))
        port = str(door.getsockname()[1])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unused:
        run = Run(unused, ["-n", "127.0.0.1", "-T", "-P", port, "x"], b"", tmp_path, ours=True)
    assert run.failed
    assert b"failed to connect" in run.said

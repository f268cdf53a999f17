"""The receiver that the settings ask for."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from authority import Authority
from receiving import HOST, connected, lines

from mailscope.syslog.receiver.configured import limits, receiver
from mailscope.syslog.receiver.limits import Limits
from mailscope.vocabulary.settings import intake

ONE = b"<22>Nov 27 10:00:00 mx1 app: text"


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def test_no_socket_no_receiver() -> None:
    assert receiver(intake.Receiver()) is None


def test_the_defaults_are_the_same_on_both_sides() -> None:
    assert limits(intake.Receiver()) == Limits()
    changed = intake.Receiver(
        max_connections=7,
        max_connections_per_address=3,
        max_message_kb=2,
        max_waiting_mb=5,
        idle_timeout_s=60,
        partial_timeout_s=9,
    )
    assert limits(changed) == Limits(2048, 7, 3, 60, 9, queue_bytes=5 << 20)


def test_every_transport(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl (Debian: openssl)")
    authority = Authority(tmp_path)
    certificate, key = authority.issue("127.0.0.1")
    tls = {"certificate": str(certificate), "key": str(key), "client_ca": str(authority.certificate)}
    ports = [free_port() for _ in range(3)]
    settings = intake.Receiver(
        listen=(
            intake.Listener(transport="udp", port=ports[0], networks=("127.0.0.0/8",)),
            intake.Listener(transport="tcp", port=ports[1]),
            intake.Listener(transport="tls", port=ports[2], client_names=("mx1.example.org",), **tls),
            intake.Listener(transport="unix-dgram", path=str(tmp_path / "log"), mode="0600"),
            intake.Listener(transport="unix-stream", path=str(tmp_path / "stream")),
        )
    )
    made = receiver(settings, HOST)
    assert made is not None
    try:
        assert [each.name for each in made.listeners] == [
            f"udp 127.0.0.1:{ports[0]}",
            f"tcp 127.0.0.1:{ports[1]}",
            f"tls 127.0.0.1:{ports[2]}",
            f"unix-dgram {tmp_path}/log",
            f"unix-stream {tmp_path}/stream",
        ]
        assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
        assert not made.listeners[0].allowed.allowed("192.0.2.1")
        certificates = made.listeners[2].certificates
        assert certificates is not None
        assert certificates.names == ("mx1.example.org",)
        with connected(made, 1) as client:
            client.sendall(ONE + b"\n")
        assert lines(made, 1) == [ONE]
    finally:
        made.close()

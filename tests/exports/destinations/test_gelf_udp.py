"""Messages sent over UDP and put together on the other side."""

from __future__ import annotations

import json
import random
import socket
import string
import time
from pathlib import Path
from typing import Any

import pytest
from exporting import EVENTS, events, write
from servers import Datagrams, free_port, udp

from mailscope.exports.destinations.gelf_udp import LARGE_DATAGRAM, SMALL_DATAGRAM
from mailscope.vocabulary.errors import OutputError

pytestmark = pytest.mark.usefixtures("impatient")


def wanted(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in events("--format", "gelf", log).stdout.splitlines()]


def arrived(receiver: Datagrams, number: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 5
    while len(receiver.messages) < number and time.monotonic() < deadline:
        time.sleep(0.01)
    return receiver.messages


def long_line(size: int) -> str:
    """A line that does not compress well."""
    letters = string.ascii_letters + string.digits
    text = "".join(random.Random(size).choices(letters, k=size))
    return f"2026-11-22T03:42:44Z mail unheard-of[1]: {text}\n"


def test_every_event_becomes_a_message(log: Path) -> None:
    with udp() as receiver:
        result = events("--to", f"gelf+udp://127.0.0.1:{receiver.port}", log)
        assert arrived(receiver, EVENTS) == wanted(log)
    assert result.exit_code == 0
    assert receiver.chunked == 0
    assert f"{EVENTS} events read, {EVENTS} sent, 0 refused, 0 given up, 0 retries" in result.stderr


def test_long_messages_come_in_chunks_that_pass_every_network(tmp_path: Path) -> None:
    log = write(tmp_path, long_line(20_000))
    with udp() as receiver:
        events("--to", f"gelf+udp://127.0.0.1:{receiver.port}", log)
        assert arrived(receiver, 1) == wanted(log)
    assert receiver.chunked == 1
    assert receiver.longest == SMALL_DATAGRAM


def test_very_long_ones_in_larger_chunks_and_too_long_ones_not_at_all(tmp_path: Path) -> None:
    log = write(tmp_path, long_line(200_000) + long_line(2_000_000))
    with udp() as receiver:
        result = events("--to", f"gelf+udp://127.0.0.1:{receiver.port}", log)
        assert arrived(receiver, 1) == wanted(log)[:1]
    assert receiver.longest == LARGE_DATAGRAM
    assert result.exit_code == 1
    assert "2 events read, 1 sent, 1 refused, 0 given up" in result.stderr
    assert "more than 128 chunks" in result.stderr


def test_where_nobody_listens_it_is_said(log: Path) -> None:
    result = events("--to", f"gelf+udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", "--retry-for", 0.2, log)
    assert result.exit_code == 1
    assert isinstance(result.exception, OutputError)
    assert "Connection refused" in str(result.exception)
    assert f"{EVENTS} given up" in result.stderr


def test_an_input_that_starts_late_gets_everything(log: Path) -> None:
    from threading import Thread

    port = free_port(socket.SOCK_DGRAM)
    received: list[bytes] = []

    def late() -> None:
        time.sleep(0.3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", port))
            receiver.settimeout(3)
            while len(received) < EVENTS:
                received.append(receiver.recv(65536))

    thread = Thread(target=late)
    thread.start()
    result = events("--to", f"gelf+udp://127.0.0.1:{port}", "--retry-for", 10, log)
    thread.join()
    assert result.exit_code == 0, result.output
    assert len(received) == EVENTS

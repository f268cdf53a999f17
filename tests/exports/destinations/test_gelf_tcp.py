"""Messages sent over TCP to an input that reads, cuts, hangs and closes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from exporting import EVENTS, HOSTILE, busy, events, write
from servers import free_port, tcp

from mailscope.exports.destinations.gelf_tcp import GelfTcp
from mailscope.vocabulary.errors import OutputError

pytestmark = pytest.mark.usefixtures("impatient")


def wanted(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in events("--format", "gelf", log).stdout.splitlines()]


def test_every_event_becomes_a_message(log: Path) -> None:
    with tcp() as stream:
        result = events("--to", f"gelf+tcp://127.0.0.1:{stream.port}", log)
    assert result.exit_code == 0, result.output
    assert stream.messages == wanted(log)
    assert f"{EVENTS} events read, {EVENTS} sent, 0 refused, 0 given up, 0 retries" in result.stderr


def test_a_nul_in_the_text_does_not_end_the_message(tmp_path: Path) -> None:
    log = write(tmp_path, f"2026-11-22T03:42:44Z mail unheard-of[1]: a\0b {HOSTILE}\n")
    with tcp() as stream:
        events("--to", f"gelf+tcp://127.0.0.1:{stream.port}", log)
    assert [message["short_message"] for message in stream.messages] == [f"a\0b {HOSTILE}"]


def test_a_connection_that_is_cut_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GelfTcp, "most_events", 50)
    log = write(tmp_path, busy(1000))
    with tcp(lambda connection: 100_000 if connection < 2 else None) as stream:
        result = events("--to", f"gelf+tcp://127.0.0.1:{stream.port}", log)
    assert result.exit_code == 0, result.output
    assert len(stream.connections) == 3
    assert {message["_line_number"] for message in stream.messages} == set(range(1, 1001))
    assert "1000 events read, 1000 sent, 0 refused, 0 given up, 2 retries" in result.stderr


@pytest.mark.parametrize("pause_s", [0.05, 0.5])
def test_what_lay_unread_when_the_connection_was_reset_goes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause_s: float
) -> None:
    """Acknowledged by the other end's TCP, and gone with it; it is cut amid the stream or after its end."""
    monkeypatch.setattr(GelfTcp, "most_events", 50)
    log = write(tmp_path, busy(1000))
    with tcp(unread_for=lambda connection: pause_s if connection == 0 else None) as stream:
        result = events("--to", f"gelf+tcp://127.0.0.1:{stream.port}", log)
    assert result.exit_code == 0, result.output
    assert stream.connections[0] == b""
    assert {message["_line_number"] for message in stream.messages} == set(range(1, 1001))
    assert "1000 events read, 1000 sent, 0 refused, 0 given up, 1 retries" in result.stderr


def test_a_cut_connection_is_an_error_and_no_signals_death(tmp_path: Path) -> None:
    """SIGPIPE ends filters; a sender must live to tell."""
    log = write(tmp_path, busy(5000))
    with tcp(lambda connection: 0) as stream:
        command = [sys.executable, "-m", "mailscope", "events", str(log), "--retry-for", "0.2"]
        done = subprocess.run(
            [*command, "--to", f"gelf+tcp://127.0.0.1:{stream.port}"], capture_output=True, text=True
        )
    assert done.returncode == 1
    assert "5000 events read" in done.stderr
    assert "5000 given up" in done.stderr


def test_an_input_that_never_reads_is_given_up(tmp_path: Path) -> None:
    log = write(tmp_path, busy(30_000))
    with tcp(reads=False) as stream:
        started = time.monotonic()
        result = events(
            "--to", f"gelf+tcp://127.0.0.1:{stream.port}", "--timeout", 0.3, "--retry-for", 0.5, log
        )
    assert time.monotonic() - started < 25
    assert isinstance(result.exception, OutputError)
    assert "no answer in time" in str(result.exception)
    assert result.exit_code == 1


def test_nobody_there(log: Path) -> None:
    result = events("--to", f"gelf+tcp://127.0.0.1:{free_port()}", "--retry-for", 0.2, log)
    assert isinstance(result.exception, OutputError)
    assert "Connection refused (tried" in str(result.exception)

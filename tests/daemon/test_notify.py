"""What systemd is told, by a socket as it makes it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mailscope.daemon.notify import Notifier


@pytest.mark.parametrize("abstract", [True, False])
def test_messages_arrive(abstract: bool, tmp_path: Path) -> None:
    name = f"@mailscope-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if abstract else name)
        manager.settimeout(5)
        environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
        notifier = Notifier(environment)
        assert environment == {}
        assert notifier.watchdog_s == 15
        notifier.ready("3 files")
        assert manager.recv(999) == b"READY=1\nSTATUS=3 files"
        notifier.status("3 files")  # nothing new
        notifier.status("4\nfiles")
        assert manager.recv(999) == b"STATUS=4?files"
        notifier.alive()
        assert manager.recv(999) == b"WATCHDOG=1"
        notifier.reloading()
        reloading, _, monotonic = manager.recv(999).decode().partition("\nMONOTONIC_USEC=")
        assert reloading == "RELOADING=1"
        assert int(monotonic) > 0
        notifier.stopping("the last batch")
        assert manager.recv(999) == b"STOPPING=1\nSTATUS=the last batch"
        assert notifier.problem == ""


def test_nobody_listens(tmp_path: Path) -> None:
    quiet = Notifier({})
    quiet.ready("x")
    quiet.alive()
    assert (quiet.problem, quiet.watchdog_s) == ("", None)
    gone = Notifier({"NOTIFY_SOCKET": str(tmp_path / "none")})
    gone.ready()
    assert gone.problem.startswith("systemd cannot be told: ")


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert Notifier({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_s is None
    assert Notifier({"WATCHDOG_USEC": "rubbish"}).watchdog_s is None

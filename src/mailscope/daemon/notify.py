"""Telling systemd how the daemon is: ready, reloading, stopping, a line of status, alive.

Source: sd_notify(3), sd_watchdog_enabled(3), systemd.service(5) (``Type=notify``, ``notify-reload``): each
message is lines of ``NAME=VALUE``, sent to the unix socket in NOTIFY_SOCKET; its name begins with ``@`` if it
is abstract.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final

LONGEST_STATUS: Final = 300


class Notifier:
    """The service manager, if one started us and asked to be told; otherwise every call does nothing.

    In: the environment, from which NOTIFY_SOCKET and the watchdog's variables are taken, so that no program
    that is started from here speaks for us.  ``watchdog_s``: how often ``alive`` must be called, half of what
    was asked for; None where nobody asked.  ``problem``: why the last message could not be sent, else empty.
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        path = environment.pop("NOTIFY_SOCKET", "")
        every = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", "")
        self.problem = ""
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        ours = not pid or pid == str(os.getpid())
        self.watchdog_s = int(every) / 2e6 if every.isdecimal() and int(every) and ours else None
        self._status = ""

    def ready(self, status: str = "") -> None:
        """All sources are open, lines are taken; also after a reload."""
        self._send("READY=1", status)

    def reloading(self) -> None:
        """Settings are read again; ``ready`` follows."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "") -> None:
        """The last batch is being finished."""
        self._send("STOPPING=1", status)

    def status(self, text: str) -> None:
        """One line for ``systemctl status``; sent only when it has changed."""
        if text != self._status:
            self._send("", text)

    def alive(self) -> None:
        """Feed the watchdog."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def _send(self, message: str, status: str = "") -> None:
        if not self._address:
            return
        if status:
            self._status = status
            shown = "".join(char if char.isprintable() else "?" for char in status)[:LONGEST_STATUS]
            message = f"{message}\nSTATUS={shown}".lstrip("\n")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A manager that does not read must not hold up the log.
                sender.setblocking(False)
                sender.sendto(message.encode(), self._address)
        except OSError as error:
            self.problem = f"systemd cannot be told: {error.strerror or error}"
        else:
            self.problem = ""

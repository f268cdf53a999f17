"""Signals, as the daemon's loop sees them: flags, and a sleep that they end.

SIGHUP: read the settings again.  SIGTERM and SIGINT: finish the batch and stop.  SIGPIPE, which commands let
end them: a client that hangs up before its answer is written must not end the daemon.
"""

from __future__ import annotations

import select
import signal
import socket
from contextlib import suppress
from types import FrameType
from typing import Any, Final, Self

STOP: Final = (signal.SIGTERM, signal.SIGINT)
RELOAD: Final = signal.SIGHUP


class Signals:
    """A context in which the signals only set flags; must be entered in the main thread.

    ``stop``: it is time to end; ``take_reload`` tells once that settings are to be read again.
    """

    def __init__(self) -> None:
        self.stop = False
        self._reload = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._wakes, self._woken = socket.socketpair()
        for end in (self._wakes, self._woken):
            end.setblocking(False)
        self._before = {number: signal.signal(number, self._caught) for number in (*STOP, RELOAD)}
        self._before[signal.SIGPIPE] = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        # The interpreter writes a byte at once, whatever it is doing.
        self._fd = signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *error: object) -> None:
        signal.set_wakeup_fd(self._fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._wakes.close()
        self._woken.close()

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if number == RELOAD:
            self._reload = True
        else:
            self.stop = True

    def take_reload(self) -> bool:
        """Whether a reload was asked for since the last call."""
        asked, self._reload = self._reload, False
        return asked

    def wake(self) -> None:
        """End the sleep, from any thread."""
        with suppress(BlockingIOError):  # it is awake, and busy
            self._wakes.send(b"\0")

    def sleep(self, seconds: float) -> None:
        """Wait for so long, or until a signal comes."""
        if self.stop or self._reload:
            return
        select.select([self._woken], [], [], max(0.0, seconds))
        while True:
            try:
                if not self._woken.recv(64):
                    return
            except BlockingIOError:
                return

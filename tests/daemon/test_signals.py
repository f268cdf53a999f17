"""Signals end a sleep and set flags; afterwards everything is as before."""

from __future__ import annotations

import os
import signal
import threading
import time

from mailscope.daemon.signals import Signals


def send(number: int, after: float) -> None:
    threading.Timer(after, os.kill, (os.getpid(), number)).start()


def test_signals_end_the_sleep() -> None:
    before = signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        begin = time.monotonic()
        send(signal.SIGHUP, 0.05)
        signals.sleep(20)
        assert signals.take_reload()
        assert not signals.take_reload()
        assert not signals.stop
        signals.sleep(0.01)
        send(signal.SIGTERM, 0.05)
        signals.sleep(20)
        assert signals.stop
        signals.sleep(20)  # no more sleep
        assert time.monotonic() - begin < 10
    assert (signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)) == before

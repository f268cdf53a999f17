"""A syslog receiver at work: what has come, and sockets to send to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mailscope.intake.envelopes.header import Header
from mailscope.intake.lines import parse_lines
from mailscope.syslog.receiver.feed import Receiver
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Transport

HOST = "mailhost"
WITHIN_S = 20.0


@contextmanager
def receiving(*listeners: Listener, limits: Limits | None = None) -> Iterator[Receiver]:
    """A receiver, let go of in any case."""
    receiver = Receiver(listeners, limits, HOST)
    try:
        yield receiver
    finally:
        receiver.close()


def local(transport: Transport, **more: object) -> Listener:
    """A listener on loopback, on a port that the kernel chooses."""
    return Listener(transport, "127.0.0.1", 0, **more)  # type: ignore[arg-type]


def lines(receiver: Receiver, count: int, within_s: float = WITHIN_S) -> list[bytes]:
    """So many lines; what came until then if it takes too long, so that the test shows it.  One more is shown too."""
    out: list[bytes] = []
    until = time.monotonic() + within_s
    while len(out) < count and time.monotonic() < until:
        out += taken(receiver)
        time.sleep(0.01)
    return out + taken(receiver)


def taken(receiver: Receiver) -> list[bytes]:
    """The lines that are there now."""
    return [line for arrival in receiver.take(1 << 30) for line in arrival.data.splitlines()]


def parsed(found: Sequence[bytes]) -> Header:
    """Lines as intake reads them."""
    return parse_lines(b"".join(line + b"\n" for line in found)).header


def waited_for(true: Callable[[], object], within_s: float = WITHIN_S) -> bool:
    """Whether something comes true in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.01)
    return False


def connected(receiver: Receiver, place: int = 0) -> socket.socket:
    """A connection to a receiver's TCP or TLS port."""
    return socket.create_connection(("127.0.0.1", receiver.listeners[place].port))


def sent(receiver: Receiver, *datagrams: bytes, place: int = 0) -> None:
    """Datagrams to its UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", receiver.listeners[place].port))


def total(receiver: Receiver, kind: str) -> int:
    """How often some trouble came up, on all sockets."""
    return sum(counts.of(kind) for counts in receiver.counts.values())


def resident_mib() -> float:
    """Memory of this process at present."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / (1 << 20)

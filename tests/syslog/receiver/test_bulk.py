"""Many datagrams in one call of the system."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from receiving import lines, local, receiving, sent, total

from mailscope.syslog.receiver import bulk
from mailscope.syslog.receiver.bulk import MOST, Bulk
from mailscope.syslog.receiver.listener import Listener

ONE = b"<22>Nov 27 10:00:00 mx1 postfix/smtpd[12]: connect from unknown[192.0.2.1]"


@pytest.fixture(params=["recvmmsg", "recvfrom"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same without the function of the C library."""
    if request.param == "recvfrom":
        monkeypatch.setattr(bulk, "call", lambda: None)
    elif bulk.call() is None:
        pytest.skip("the C library has no recvmmsg of this layout")
    return str(request.param)


def test_datagrams_tell_sender_data_and_true_length(way: str) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        client.bind(("127.0.0.2", 0))
        reader = Bulk(server, 100)
        with pytest.raises(BlockingIOError):
            reader.read()
        wanted = [b"", b"x" * 99, b"x" * 100, b"x" * 101, b"y" * 5000, b"z"]
        for data in wanted:
            client.sendto(data, server.getsockname())
        found = []
        while len(found) < len(wanted):
            found += reader.read()
        assert [each.data for each in found] == [data[:100] for data in wanted]
        assert [each.length for each in found] == [len(data) for data in wanted]
        assert {each.address for each in found} == {bytes([127, 0, 0, 2])}
        with pytest.raises(BlockingIOError):
            reader.read()


def test_more_than_one_call_gives(way: str) -> None:
    with receiving(local("udp"), Listener("udp", "::1", 0)) as receiver:
        wanted = [ONE + b" #%d" % number for number in range(MOST * 3 + 7)]
        sent(receiver, *wanted)
        assert lines(receiver, len(wanted)) == wanted
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
            client.sendto(b"<22>app: six", ("::1", receiver.listeners[1].port))
        (line,) = lines(receiver, 1)
        assert line.endswith(b" ::1 app: six")


def test_a_thread_that_computes_does_not_slow_it_down() -> None:
    if bulk.call() is None:
        pytest.skip("the C library has no recvmmsg of this layout")
    ended = False

    def compute() -> None:
        number = 0
        while not ended:
            number += 1

    computing = threading.Thread(target=compute)
    with receiving(local("udp")) as receiver:
        computing.start()
        try:
            begun = time.monotonic()
            sent(receiver, *(ONE + b" #%d" % number for number in range(10_000)))
            counts = receiver.counts[receiver.listeners[0].name]
            while counts.messages + total(receiver, "kernel") < 10_000 and time.monotonic() - begun < 30:
                time.sleep(0.05)
            # One datagram for each turn of five milliseconds would be 50 seconds.
            assert counts.messages + total(receiver, "kernel") == 10_000
            assert counts.messages > 2_000
        finally:
            ended = True
            computing.join()

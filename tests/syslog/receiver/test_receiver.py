"""Messages over sockets: what comes out, what is counted, what is put up with."""

from __future__ import annotations

import os
import resource
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
from receiving import (
    HOST,
    connected,
    lines,
    local,
    parsed,
    receiving,
    resident_mib,
    sent,
    taken,
    total,
    waited_for,
)

from mailscope.syslog.receiver.limits import Limits, Senders
from mailscope.syslog.receiver.listener import Listener
from mailscope.vocabulary.errors import InputError, UsageError

ONE = b"<22>Nov 27 10:00:00 mx1 postfix/smtpd[12]: connect from unknown[192.0.2.1]"


def numbered(count: int, begin: int = 0) -> list[bytes]:
    return [ONE + b" #%d" % number for number in range(begin, begin + count)]


def test_udp_messages_come_out_in_order_and_whole() -> None:
    with receiving(local("udp")) as receiver:
        wanted = numbered(500)
        sent(receiver, *wanted)
        assert lines(receiver, 500) == wanted
        counts = receiver.counts[receiver.listeners[0].name]
        assert (counts.messages, counts.bytes) == (500, sum(map(len, wanted)))
        assert receiver.problems() == []


def test_offsets_and_line_numbers_go_on() -> None:
    with receiving(local("udp")) as receiver:
        offset, number = 0, 1
        for _ in range(3):
            sent(receiver, *numbered(10))
            assert waited_for(lambda: sum(counts.messages for counts in receiver.counts.values()) % 10 == 0)
            time.sleep(0.05)
            (arrival,) = receiver.take(1 << 20)
            assert (arrival.offset, arrival.line_number, arrival.resume) == (offset, number, None)
            assert arrival.source == f"syslog {receiver.listeners[0].name}"
            offset, number = offset + len(arrival.data), number + arrival.data.count(b"\n")
        assert number == 31


def test_control_characters_of_a_datagram_stay_in_its_line() -> None:
    with receiving(local("udp")) as receiver:
        sent(receiver, ONE + b"\n<0>Nov 27 10:00:00 forged kernel: text\0\n", b"\n", b"", ONE)
        assert lines(receiver, 2) == [ONE + b"#012<0>Nov 27 10:00:00 forged kernel: text#000", ONE]
        assert receiver.counts[receiver.listeners[0].name].empty == 2


def test_a_host_that_is_missing_is_the_peer() -> None:
    with receiving(local("udp"), Listener("udp", "::", 0)) as receiver:
        sent(receiver, b"<22>app: one")
        sent(receiver, b"<22>app: two", place=1)  # IPv4 over an IPv6 socket
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<22>app: three", ("::1", receiver.listeners[1].port))
        header = parsed(lines(receiver, 3))
        assert list(header.host) == ["127.0.0.1", "127.0.0.1", "::1"]
        assert list(header.text) == ["one", "two", "three"]
        assert list(header.pri) == [22, 22, 22]


def test_both_framings_over_tcp_byte_by_byte_and_at_once() -> None:
    with receiving(local("tcp")) as receiver:
        stream = b"%d %s" % (len(ONE) + 2, ONE + b"\nx") + ONE + b" lf\n" + ONE + b" last"
        wanted = [ONE + b"#012x", ONE + b" lf", ONE + b" last"]
        with connected(receiver) as client:
            client.sendall(stream)
        assert lines(receiver, 3) == wanted
        with connected(receiver) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(len(stream)):
                client.send(stream[at : at + 1])
        assert lines(receiver, 3) == wanted


def test_unix_sockets_take_what_syslog_of_the_c_library_writes(tmp_path: Path) -> None:
    dgram, stream = str(tmp_path / "log"), str(tmp_path / "stream")
    with receiving(Listener("unix-dgram", dgram), Listener("unix-stream", stream, mode=0o600)) as receiver:
        assert stat.S_IMODE(os.stat(dgram).st_mode) == 0o666
        assert stat.S_IMODE(os.stat(stream).st_mode) == 0o600
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(dgram)
            client.send(b"<22>Nov 27 10:00:00 postfix/smtpd[7]: one\ntwo")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(stream)
            client.send(b"<22>Nov 27 10:00:00 postfix/smtpd[7]: three\0")
            client.send(b"<22>Nov 27 10:00:00 postfix/smtpd[7]: four\n4\0")
        begin = f"<22>Nov 27 10:00:00 {HOST} postfix/smtpd[7]: ".encode()
        assert sorted(lines(receiver, 3)) == [begin + b"four#0124", begin + b"one#012two", begin + b"three"]
    assert not os.path.exists(dgram)
    assert not os.path.exists(stream)


def test_a_socket_that_is_in_use_is_left_alone_and_one_left_behind_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with receiving(Listener("unix-dgram", path)):
        with pytest.raises(
            InputError, match=r"unix-dgram .*: cannot listen: Address already in use; see which"
        ):
            Listener("unix-dgram", path).open()
        assert os.path.exists(path)
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    left.bind(path)
    left.close()
    with receiving(Listener("unix-dgram", path)):
        pass
    Path(path).write_text("precious")
    with pytest.raises(InputError, match="in use"):
        Listener("unix-dgram", path).open()
    assert Path(path).read_text() == "precious"


def test_a_port_in_use_is_said_and_nothing_stays_open() -> None:
    with receiving(local("tcp")) as receiver:
        port = receiver.listeners[0].port
        before = len(os.listdir("/proc/self/fd"))
        with (
            pytest.raises(
                InputError, match=rf"tcp 127\.0\.0\.1:{port}: cannot listen: Address already in use"
            ),
            receiving(local("udp"), Listener("tcp", "127.0.0.1", port)),
        ):
            pass
        assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"address": "mx1.example.org"}, "not an IP address"),
        ({"address": "/run/a log", "transport": "unix-dgram"}, "with blanks in it"),
        ({"senders": ["192.0.2.1/24"]}, "not a network"),
        ({"transport": "tls"}, "needs a certificate"),
    ],
)
def test_wrong_settings_are_refused(how: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Listener(**({"transport": "udp", "address": "127.0.0.1"} | how))  # type: ignore[arg-type]


def test_wrong_limits_are_refused() -> None:
    with pytest.raises(UsageError, match="connections must be more than 0"):
        Limits(connections=0)
    with pytest.raises(UsageError, match="at least 480"):
        Limits(message_bytes=100)


def test_senders_are_networks() -> None:
    senders = Senders(["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"])
    assert [
        senders.allowed(address) for address in ("192.0.2.9", "2001:db8::9", "198.51.100.7", "fe80::1%eth0")
    ] == [
        True,
        True,
        True,
        False,
    ]
    assert not senders.allowed("198.51.100.8")
    assert Senders().allowed("198.51.100.8")


def test_messages_of_others_are_counted_and_told() -> None:
    with receiving(
        local("udp", senders=["192.0.2.0/24"]), local("tcp", senders=["192.0.2.0/24"])
    ) as receiver:
        sent(receiver, ONE, ONE)
        with connected(receiver, 1) as client:
            assert client.recv(1) == b""
        assert waited_for(lambda: total(receiver, "sender") == 2 and total(receiver, "refused") == 1)
        assert len(list(receiver.problems())) == 2
        assert any(
            "2 messages not taken: their sender is not allowed; the last at" in p for p in receiver.problems()
        )
        own = parsed(lines(receiver, 2))
        assert set(own.tag) == {f"mailscope[{os.getpid()}]"}
        assert any(
            ": 2 messages not taken: their sender is not allowed (last: 127.0.0.1)" in text
            for text in own.text
        )


def test_a_datagram_that_is_too_long_is_cut_with_a_mark() -> None:
    with receiving(local("udp"), limits=Limits(message_bytes=480)) as receiver:
        long = ONE + b"x" * 1000
        sent(receiver, long, long[:480])
        cut = long[:480] + b" [mailscope: %d bytes cut off here]" % (len(long) - 480)
        assert lines(receiver, 2)[:2] == [cut, long[:480]]
        assert total(receiver, "truncated") == 1


def test_the_largest_datagram_is_taken_whole() -> None:
    with receiving(local("udp")) as receiver:
        largest = (ONE + b"x" * 65507)[:65507]
        sent(receiver, largest)
        assert lines(receiver, 1) == [largest]


def test_what_the_kernel_drops_is_counted_exactly_and_said_in_the_log() -> None:
    with receiving(local("udp"), limits=Limits(queue_bytes=50_000)) as receiver:
        count = 120_000
        sent(receiver, *numbered(count))
        assert waited_for(lambda: total(receiver, "kernel") > 0)
        found: list[bytes] = []
        assert waited_for(
            lambda: (
                found.extend(taken(receiver))
                or receiver.counts[receiver.listeners[0].name].messages + total(receiver, "kernel") >= count
            )
        )
        receiver.stop()
        found += taken(receiver)
        messages = [line for line in found if b" mx1 " in line]
        lost = total(receiver, "kernel")
        assert lost > 0
        assert len(messages) + lost == count
        own = parsed([line for line in found if b"mailscope[" in line])
        told = [
            int(text.split(": ")[1].split()[0]) for text in own.text if "the kernel's buffer was full" in text
        ]
        assert sum(told) == lost


def test_a_full_queue_makes_streams_wait_and_loses_nothing() -> None:
    with receiving(local("tcp"), limits=Limits(queue_bytes=100_000)) as receiver:
        # Otherwise the kernel takes tens of megabytes.
        for door in receiver._server._places.doors:
            door.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        count = 150_000
        wanted = numbered(count)
        data = memoryview(b"\n".join(wanted) + b"\n")
        with connected(receiver) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            client.setblocking(False)
            at = client.send(data)
            assert waited_for(lambda: receiver._queue.full)
            patience = 2
            while patience and at < len(data):  # fill what the kernel holds: then the sender waits
                try:
                    at += client.send(data[at:])
                    patience = 2
                except BlockingIOError:
                    patience -= 1
                    time.sleep(0.2)
            assert at < len(data)
            assert receiver._queue.waiting_bytes < 100_000 + 2 * (256 << 10)
            assert any("senders are made to wait" in problem for problem in receiver.problems())
            client.setblocking(True)
            sender = threading.Thread(target=client.sendall, args=(data[at:],))
            sender.start()
            assert lines(receiver, count) == wanted
            sender.join()
        assert receiver.problems() == []


def test_programs_of_this_host_do_not_wait_and_their_losses_are_counted(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with receiving(Listener("unix-dgram", path), limits=Limits(queue_bytes=10_000)) as receiver:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(path)
            client.settimeout(10)
            for message in numbered(5000):
                client.send(message)
        assert waited_for(lambda: receiver.counts[receiver.listeners[0].name].messages == 5000)
        found = taken(receiver)
        lost = total(receiver, "queue")
        assert lost > 4000
        assert len([line for line in found if b" mx1 " in line]) == 5000 - lost
        more = lines(receiver, 1)
        assert any(b": %d messages lost: too many were waiting to be stored" % lost in line for line in more)


def test_connections_are_limited_in_all_and_for_each_address() -> None:
    limits = Limits(connections=5, per_address=3)
    with receiving(local("tcp"), Listener("tcp", "::1", 0), limits=limits) as receiver:
        fours = [connected(receiver) for _ in range(4)]
        sixes = [socket.create_connection(("::1", receiver.listeners[1].port)) for _ in range(3)]
        assert fours[3].recv(1) == b""
        assert sixes[2].recv(1) == b""
        assert (total(receiver, "crowding"), total(receiver, "crowded")) == (1, 1)
        for client in fours + sixes:
            client.close()
        assert waited_for(lambda: sum(counts.connections for counts in receiver.counts.values()) == 0)
        with connected(receiver) as again:
            again.sendall(ONE + b"\n")
            assert waited_for(lambda: ONE in taken(receiver))


def test_slow_and_idle_connections_are_closed_and_give_what_they_had() -> None:
    limits = Limits(message_s=1.0, idle_s=3.0)
    with receiving(local("tcp"), limits=limits) as receiver:
        slow, counted, idle = (connected(receiver) for _ in range(3))
        counted.sendall(b"500 " + ONE)
        idle.sendall(ONE + b" idle\n")
        found: list[bytes] = []
        with slow, counted, idle:
            for letter in b"<22>" + b"slow" * 20:  # a byte now and then keeps no connection open
                try:
                    slow.send(bytes([letter]))
                except OSError:
                    break
                time.sleep(0.1)
            assert waited_for(lambda: total(receiver, "slow") == 2 and total(receiver, "idle") == 1)
            found = taken(receiver)
        assert ONE + b" idle" in found
        assert ONE + b" [mailscope: %d bytes never came]" % (500 - len(ONE)) in found
        assert total(receiver, "incomplete") == 1
        # What the slow one had sent when its time was over.
        (unfinished,) = (line.partition(b" 127.0.0.1 ")[2] for line in found if b" 127.0.0.1 slow" in line)
        assert 4 <= len(unfinished) < 40
        assert (b"slow" * 20).startswith(unfinished)


def test_unfinished_messages_of_many_connections_take_bounded_memory() -> None:
    limits = Limits(unfinished_bytes=4 << 20, per_address=600)
    with receiving(local("tcp"), limits=limits) as receiver:
        before = resident_mib()
        clients = [connected(receiver) for _ in range(500)]
        for client in clients:
            client.sendall(b"<22>" + b"x" * 60_000)  # 30 MB in all
        server = receiver._server
        assert waited_for(lambda: sum(c.kept_bytes > 0 for c in server._opened) == 500)
        time.sleep(0.5)
        kept = sum(connection.kept_bytes for connection in server._opened)
        assert kept == server._unfinished
        assert kept <= (4 << 20) + 500 * 4096
        assert resident_mib() - before < 40
        for client in clients:
            client.sendall(b"\n")
            client.close()
        found = [line for line in lines(receiver, 500) if b"mailscope[" not in line]
        assert len(found) == 500
        assert sum(b"bytes cut off here]" in line for line in found) == total(receiver, "truncated") > 300
        assert waited_for(lambda: not server._opened)
        assert server._unfinished == 0


def test_giant_frames_take_bounded_memory() -> None:
    with receiving(local("tcp")) as receiver:
        before, peak = resident_mib(), 0.0
        with connected(receiver) as client:
            for head in (b"16000000 <22>", b"<22>"):
                client.sendall(head)
                for _ in range(16_000_000 // 100_000):
                    client.sendall(b"x" * 100_000)
                    peak = max(peak, resident_mib())
                client.sendall(b"\n" + ONE + b"\n")
        found = lines(receiver, 4)
        assert ONE in found
        assert total(receiver, "truncated") == 2
        assert max(map(len, found)) < 66_000
        assert peak - before < 20


def test_a_thousand_connections_send_at_once() -> None:
    with receiving(local("tcp"), limits=Limits(per_address=1000)) as receiver:
        clients = [connected(receiver) for _ in range(1000)]
        for turn in range(5):
            for number, client in enumerate(clients):
                client.sendall(b"%s c%d t%d\n" % (ONE, number, turn))
        found = lines(receiver, 5000)
        assert sorted(found) == sorted(b"%s c%d t%d" % (ONE, n, t) for n in range(1000) for t in range(5))
        assert receiver.counts[receiver.listeners[0].name].connections == 1000
        for client in clients:
            client.close()
        assert waited_for(lambda: receiver.counts[receiver.listeners[0].name].connections == 0)
        assert receiver.problems() == []


def test_a_connection_that_breaks_gives_what_had_come() -> None:
    with receiving(local("tcp")) as receiver:
        client = connected(receiver)
        client.sendall(ONE + b"\n" + ONE)
        assert waited_for(lambda: receiver.counts[receiver.listeners[0].name].messages == 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # RST
        client.close()
        assert lines(receiver, 2)[:2] == [ONE, ONE]
        assert total(receiver, "broken") == 1


def test_without_descriptors_connections_wait() -> None:
    with receiving(local("tcp")) as receiver:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        client = socket.socket()
        in_use = max(int(name) for name in os.listdir("/proc/self/fd")) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (in_use, hard))
        try:
            holes = []
            try:
                while True:
                    holes.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                pass
            client.connect(("127.0.0.1", receiver.listeners[0].port))
            client.sendall(ONE + b"\n")
            assert waited_for(lambda: total(receiver, "descriptors") >= 1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for hole in holes:
                os.close(hole)
        assert ONE in lines(receiver, 2)
        client.close()


def test_stop_reads_what_has_come_and_take_gives_it() -> None:
    with receiving(local("udp"), local("tcp")) as receiver:
        wanted = numbered(2000)
        client = connected(receiver, 1)
        client.sendall(b"\n".join(wanted))
        sent(receiver, *numbered(100, 5000))
        receiver.stop()
        found = taken(receiver)
        assert sorted(found) == sorted(wanted + numbered(100, 5000))
        with pytest.raises(OSError, match=r"refused|reset"):
            connected(receiver, 1)
        client.close()


def test_a_mistake_of_our_own_is_not_hidden() -> None:
    with receiving(local("udp")) as receiver:

        def wrong(*_: object) -> bool:
            raise ZeroDivisionError("ours")

        receiver._server._deliver = wrong
        sent(receiver, ONE)
        assert waited_for(lambda: receiver._server.failure is not None)
        with pytest.raises(ZeroDivisionError, match="ours"):
            receiver.take(1)


def test_problems_can_be_asked_while_they_arise() -> None:
    with receiving(local("udp", senders=["192.0.2.0/24"])) as receiver:
        sent(receiver, *numbered(200))
        asked = [receiver.problems() for _ in range(1000)]
        assert waited_for(lambda: total(receiver, "sender") == 200)
        assert all(len(problems) <= 1 for problems in asked)

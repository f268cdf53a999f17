"""SIGTERM and SIGHUP while messages come over sockets: what was received is stored."""

from __future__ import annotations

import re
import signal
import socket
import ssl
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from authority import Authority
from serving import Daemon

MANY = 5_000


def messages(count: int, first: int = 0) -> list[bytes]:
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    return [
        f"<22>1 {at} mx postfix/qmgr 7 - - {number:012X}: removed".encode()
        for number in range(first, first + count)
    ]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listen(transport: str, **more: object) -> str:
    rows = [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
        for name, value in more.items()
    ]
    return "\n".join(["[[receiver.listen]]", f'transport = "{transport}"', *rows, ""])


def to_tcp(port: int, sent: Sequence[bytes]) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"".join(line + b"\n" for line in sent))
    return client


def stored(daemon: Daemon) -> list[str]:
    return [row["queue_id"] for row in daemon.rows("select queue_id from events order by queue_id")]


def numbers(first: int, count: int) -> list[str]:
    return [f"{number:012X}" for number in range(first, first + count)]


@pytest.mark.parametrize("transport", ["tcp", "udp", "unix-stream", "unix-dgram"])
def test_what_a_socket_took_before_sigterm_is_stored(transport: str, tmp_path: Path) -> None:
    local, datagrams = transport.startswith("unix"), transport in ("udp", "unix-dgram")
    kind = socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
    port, path = free_port(kind), tmp_path / "log"
    count = 100 if datagrams else MANY
    more = listen(transport, path=str(path)) if local else listen(transport, port=port)
    with Daemon(tmp_path, more) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        with socket.socket(socket.AF_UNIX if local else socket.AF_INET, kind) as client:
            client.connect(str(path) if local else ("127.0.0.1", port))
            for line in messages(count):
                client.sendall(line if datagrams else line + b"\n")
            assert daemon.stop() == 0
        assert stored(daemon) == numbers(0, count)
        assert not path.exists()


def test_connections_that_were_not_accepted_yet_are_not_lost(tmp_path: Path) -> None:
    """Many short connections, as ``logger`` makes them; the last ones wait in the kernel when it ends."""
    port = free_port()
    with Daemon(tmp_path, listen("tcp", port=port)) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        for number in range(300):
            to_tcp(port, messages(1, number)).close()
        assert daemon.stop() == 0
        assert stored(daemon) == numbers(0, 300)


def test_the_batch_of_a_followed_file_is_finished_and_the_rest_is_read_later(tmp_path: Path) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [f"{at} mx postfix/qmgr[7]: {number:012X}: removed\n" for number in range(60_000)]
    with Daemon(tmp_path) as daemon:
        daemon.log.write_text("".join(lines))
        daemon.start()
        daemon.wait_for(1)
        assert daemon.stop() == 0
        part = daemon.count()
        assert 0 < part <= len(lines)
        daemon.start()
        daemon.wait_for(len(lines))
        assert daemon.stop() == 0
        assert stored(daemon) == numbers(0, len(lines))


def test_sighup_keeps_connections_and_takes_what_closed_sockets_had(tmp_path: Path) -> None:
    kept, gone, new = free_port(), free_port(), free_port()
    both = listen("tcp", port=kept) + listen("tcp", port=gone)
    with Daemon(tmp_path, both) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        staying, leaving = to_tcp(kept, messages(1000)), to_tcp(gone, messages(1000, 1000))
        with closing(staying), closing(leaving):
            good = daemon.config.read_text()
            daemon.config.write_text(good.replace(f"port = {gone}", f"port = {new}"))
            daemon.send(signal.SIGHUP)
            daemon.wait_for_words("settings read again")
            # Closed by us, after all that it had given was taken.
            leaving.settimeout(20)
            assert leaving.recv(1) == b""
            staying.sendall(b"".join(line + b"\n" for line in messages(500, 2000)))
            with pytest.raises(ConnectionRefusedError):
                to_tcp(gone, [])
            to_tcp(new, messages(500, 2500)).close()
            daemon.wait_for(3000)
        assert daemon.stop() == 0
        assert stored(daemon) == numbers(0, 3000)


def test_sighup_without_any_listener_stores_what_had_come(tmp_path: Path) -> None:
    port = free_port()
    with Daemon(tmp_path, listen("tcp", port=port)) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        with closing(to_tcp(port, messages(2000))):
            text = daemon.config.read_text()
            daemon.config.write_text(text.replace(listen("tcp", port=port), ""))
            daemon.send(signal.SIGHUP)
            daemon.wait_for(2000)
            with pytest.raises(ConnectionRefusedError):
                to_tcp(port, [])
        assert daemon.stop() == 0
        assert stored(daemon) == numbers(0, 2000)


def test_an_address_that_is_taken_leaves_the_receiver_as_it_was(tmp_path: Path) -> None:
    port = free_port()
    with Daemon(tmp_path, listen("tcp", port=port)) as daemon, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        daemon.start()
        daemon.wait_until_ready()
        with closing(to_tcp(port, messages(10))) as client:
            good = daemon.config.read_text()
            daemon.config.write_text(good.replace(f"port = {port}", f"port = {taken.getsockname()[1]}"))
            daemon.send(signal.SIGHUP)
            daemon.wait_for_words("the settings stay as they were: ")
            daemon.config.write_text(good)
            # It was opened anew, and senders connect again.
            to_tcp(port, messages(10, 10)).close()
            daemon.wait_for(20)
            del client
        assert daemon.stop() == 0


def test_sighup_reads_certificates_again(tmp_path: Path) -> None:
    port = free_port()
    authority = Authority(tmp_path)
    first, second = authority.issue("first.example.org"), authority.issue("second.example.org")
    certificate, key = tmp_path / "used.pem", tmp_path / "used.key"

    def use(pair: tuple[Path, Path]) -> None:
        certificate.write_bytes(pair[0].read_bytes())
        key.write_bytes(pair[1].read_bytes())

    def shown() -> str:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as secure:
            return str(secure.getpeercert(binary_form=True))

    use(first)
    with Daemon(tmp_path, listen("tls", port=port, certificate=str(certificate), key=str(key))) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        before = shown()
        use(second)
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("settings read again")
        assert shown() != before
        assert daemon.stop() == 0


def test_sighup_reads_patterns_again_and_says_what_waits_for_a_start(tmp_path: Path) -> None:
    patterns = tmp_path / "patterns.d"
    patterns.mkdir()
    with Daemon(tmp_path, f'patterns = "{patterns}"') as daemon:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        line = f"{at} mx ourdaemon[7]: thing 77 done\n"
        daemon.log.write_text(line)
        daemon.start()
        daemon.wait_for(1)
        (patterns / "ourdaemon.toml").write_text(
            '[program]\ntags = ["ourdaemon"]\nmeaning = "Ours."\n\n[[event]]\nevent = "scanned"\n'
            "match = 'thing {uid} done'\nmeaning = \"It is done.\"\n[[event.example]]\n"
            "text = 'thing 77 done'\nfields = { uid = 77 }\n"
        )
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace('time_zone = "UTC"', 'time_zone = "Europe/Rome"'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("settings read again")
        assert re.search("time_zone: the new value is used when", daemon.errors.read_text())
        daemon.config.write_text(text)
        with daemon.log.open("a") as file:
            file.write(line.replace("77", "78"))
        daemon.wait_for(2)
        assert daemon.rows("select event, count(*) as n from events group by event order by event") == [
            {"event": "scanned", "n": 1}, {"event": "unrecognised", "n": 1}
        ]  # fmt: skip
        assert daemon.stop() == 0

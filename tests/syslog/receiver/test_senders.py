"""Real senders: rsyslogd, syslog-ng and logger, and the very lines that come of them."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from authority import Authority
from peers import LOGGER, RSYSLOGD, SYSLOG_NG, rsyslog_has, rsyslogd, syslog_ng, write
from receiving import HOST, lines, local, parsed, receiving, total

from mailscope.syslog.receiver.feed import Receiver
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.tls import Certificates

COUNT = 2000
STAMP = "Nov 27 10:00:00"
TEXT = "4B1C2D3E4F: to=<a{n}@example.org>, relay=none, delay=0.1, status=sent"
WRITTEN = [f"<22>{STAMP} postfix/smtp[{n}]: {TEXT.format(n=n)}".encode() for n in range(COUNT)]
FORWARDED = [f"<22>{STAMP} mx1 postfix/smtp[{n}]: {TEXT.format(n=n)}".encode() for n in range(COUNT)]

needs_rsyslogd = pytest.mark.skipif(RSYSLOGD is None, reason="needs rsyslogd (Debian: rsyslog)")
needs_syslog_ng = pytest.mark.skipif(SYSLOG_NG is None, reason="needs syslog-ng (.ci/fetch-syslog-ng)")
needs_logger = pytest.mark.skipif(LOGGER is None, reason="needs logger (Debian: bsdutils)")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a unix socket's path has at most 107 bytes."""
    with TemporaryDirectory(prefix="ms-") as made:
        yield Path(made)


def port(receiver: Receiver) -> int:
    return receiver.listeners[0].port


@needs_rsyslogd
@pytest.mark.parametrize(
    ("transport", "action"),
    [
        ("udp", "*.* @127.0.0.1:{port}"),
        ("tcp", "*.* @@127.0.0.1:{port}"),
        ("tcp", "*.* @@(o)127.0.0.1:{port}"),
    ],
    ids=["udp", "tcp", "tcp-counted"],
)
def test_rsyslogd_in_the_traditional_form(transport: str, action: str, folder: Path) -> None:
    with (
        receiving(local(transport)) as receiver,  # type: ignore[arg-type]
        rsyslogd(folder, action.format(port=port(receiver))) as inside,
    ):
        write(inside, WRITTEN)
        found = [line for line in lines(receiver, COUNT) if b" rsyslogd" not in line]
        assert found == FORWARDED
        assert receiver.problems() == []


@needs_rsyslogd
@pytest.mark.parametrize("counted", ["traditional", "octet-counted"])
@pytest.mark.parametrize("template", ["RSYSLOG_ForwardFormat", "RSYSLOG_SyslogProtocol23Format"])
def test_rsyslogd_with_stamps_that_tell_the_year(template: str, counted: str, folder: Path) -> None:
    with (
        receiving(local("tcp")) as receiver,
        rsyslogd(
            folder,
            f'action(type="omfwd" target="127.0.0.1" port="{port(receiver)}" protocol="tcp" template="{template}" '
            f'TCP_Framing="{counted}")',
        ) as inside,
    ):
        write(inside, WRITTEN)
        found = [line for line in lines(receiver, COUNT) if b" rsyslogd" not in line]
        header = parsed(found)
        assert set([header.host] if isinstance(header.host, str) else header.host) == {"mx1"}
        # rsyslogd cuts an app-name at a slash (parser.permitSlashInProgramName).
        name = "postfix/smtp" if template == "RSYSLOG_ForwardFormat" else "postfix"
        assert header.tag.to_list() == [f"{name}[{n}]" for n in range(COUNT)]
        assert header.text.to_list() == [TEXT.format(n=n) for n in range(COUNT)]
        assert header.pri is not None
        assert set(header.pri) == {22}
        assert header.time is not None
        assert header.time.null_count() == 0


@needs_rsyslogd
@pytest.mark.parametrize("driver", ["gtls", "ossl"])
def test_rsyslogd_over_tls_with_a_client_certificate(driver: str, folder: Path) -> None:
    if not rsyslog_has(driver):
        pytest.skip(f"needs rsyslogd's driver {driver} (Debian: rsyslog-gnutls, rsyslog-openssl)")
    authority = Authority(folder)
    own = Certificates(*authority.issue("127.0.0.1"), authority.certificate, ["mx1.example.org"])
    certificate, key = authority.issue("mx1.example.org")
    with receiving(local("tls", certificates=own)) as receiver:
        rules = f"""global(DefaultNetstreamDriver="{driver}" DefaultNetstreamDriverCAFile="{authority.certificate}"
    DefaultNetstreamDriverCertFile="{certificate}" DefaultNetstreamDriverKeyFile="{key}")
action(type="omfwd" target="127.0.0.1" port="{port(receiver)}" protocol="tcp" TCP_Framing="octet-counted"
    StreamDriver="{driver}" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
    StreamDriverPermittedPeers="127.0.0.1" template="RSYSLOG_TraditionalForwardFormat")"""
        with rsyslogd(folder, rules) as inside:
            write(inside, WRITTEN)
            found = [line for line in lines(receiver, COUNT) if b" rsyslogd" not in line]
        assert found == FORWARDED
        assert total(receiver, "handshake") == 0


@needs_rsyslogd
def test_line_feeds_and_long_messages_of_rsyslogd(folder: Path) -> None:
    with (
        receiving(local("tcp")) as receiver,
        rsyslogd(folder, f"*.* @@(o)127.0.0.1:{port(receiver)}") as inside,
    ):
        head = f"<22>{STAMP} ".encode()
        write(inside, [head + b"app[1]: one\ntwo\tthree", head + b"app[1]: " + b"x" * 60_000])
        found = [line for line in lines(receiver, 2) if b" rsyslogd" not in line]
        assert found == [head + b"mx1 app[1]: one#012two#011three", head + b"mx1 app[1]: " + b"x" * 60_000]


@needs_syslog_ng
@pytest.mark.parametrize(
    ("transport", "destination"),
    [
        ("udp", 'network("127.0.0.1" port({port}) transport("udp"));'),
        ("tcp", 'network("127.0.0.1" port({port}) transport("tcp"));'),
        ("tcp", 'syslog("127.0.0.1" port({port}) transport("tcp"));'),
    ],
    ids=["udp", "tcp", "tcp-protocol"],
)
def test_syslog_ng(transport: str, destination: str, folder: Path) -> None:
    with (
        receiving(local(transport)) as receiver,  # type: ignore[arg-type]
        syslog_ng(folder, destination.format(port=port(receiver))) as inside,
    ):
        write(inside, WRITTEN)
        found = lines(receiver, COUNT)
        if not destination.startswith("syslog"):
            assert found == FORWARDED
        header = parsed(found)
        assert header.tag.to_list() == [f"postfix/smtp[{n}]" for n in range(COUNT)]
        assert header.text.to_list() == [TEXT.format(n=n) for n in range(COUNT)]
        assert set([header.host] if isinstance(header.host, str) else header.host) == {"mx1"}


@needs_syslog_ng
def test_syslog_ng_over_tls(folder: Path) -> None:
    authority = Authority(folder)
    own = Certificates(*authority.issue("127.0.0.1"), authority.certificate, ["*.example.org"])
    certificate, key = authority.issue("mx1.example.org")
    with receiving(local("tls", certificates=own)) as receiver:
        destination = (
            f'syslog("127.0.0.1" port({port(receiver)}) transport("tls") tls(ca-file("{authority.certificate}") '
            f'cert-file("{certificate}") key-file("{key}") peer-verify(yes)));'
        )
        with syslog_ng(folder, destination) as inside:
            write(inside, WRITTEN)
            header = parsed(lines(receiver, COUNT))
        assert header.text.to_list() == [TEXT.format(n=n) for n in range(COUNT)]
        assert total(receiver, "handshake") == 0


@needs_logger
@pytest.mark.parametrize("form", ["--rfc3164", "--rfc5424"])
@pytest.mark.parametrize(
    ("transport", "how"), [("udp", ["--udp"]), ("tcp", ["--tcp"]), ("tcp", ["--tcp", "--octet-count"])]
)
def test_logger_over_the_network(transport: str, how: list[str], form: str, tmp_path: Path) -> None:
    texts = [f"line {n} of a file" for n in range(500)]
    (tmp_path / "file").write_text("\n".join(texts) + "\n")
    with receiving(local(transport)) as receiver:  # type: ignore[arg-type]
        where = ["-n", "127.0.0.1", "-P", str(port(receiver)), *how]
        command = [
            LOGGER or "",
            *where,
            form,
            "--id=77",
            "-t",
            "job",
            "-p",
            "mail.notice",
            "-f",
            str(tmp_path / "file"),
        ]
        subprocess.run(command, check=True)
        header = parsed(lines(receiver, 500))
        assert header.text.to_list() == texts
        assert set(header.tag) == {"job[77]"}
        host = socket.gethostname() if form == "--rfc5424" else socket.gethostname().partition(".")[0]
        assert set([header.host] if isinstance(header.host, str) else header.host) == {host}
        assert header.pri is not None
        assert set(header.pri) == {21}
        assert receiver.problems() == []


@needs_logger
@pytest.mark.parametrize("transport", ["unix-dgram", "unix-stream"])
def test_logger_on_a_unix_socket(transport: str, tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with receiving(Listener(transport, path)) as receiver:  # type: ignore[arg-type]
        for text in ("one", "two words"):
            command = [LOGGER or "", "-u", path, "--id=77", "-t", "job", "-p", "mail.info", text]
            subprocess.run(command, check=True)
        found = lines(receiver, 2)
        assert [re.sub(rb"[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8}", b"STAMP", line) for line in found] == [
            f"<22>STAMP {HOST} job[77]: one".encode(),
            f"<22>STAMP {HOST} job[77]: two words".encode(),
        ]

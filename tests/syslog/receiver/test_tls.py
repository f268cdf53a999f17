"""Syslog over TLS: certificates, names, and clients that keep us waiting."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from authority import Authority
from receiving import connected, lines, local, receiving, taken, total, waited_for

from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.tls import Certificates, matches, names_of
from mailscope.vocabulary.errors import InputError, UsageError

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl (Debian: openssl)")

ONE = b"<22>Nov 27 10:00:00 mx1 postfix/smtpd[12]: connect from unknown[192.0.2.1]"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def client(authority: Authority, name: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if name:
        context.load_cert_chain(*authority.issue(name))
    return context


def server(authority: Authority, *names: str, ask: bool = False) -> Certificates:
    certificate, key = authority.issue("127.0.0.1")
    return Certificates(certificate, key, authority.certificate if ask or names else None, names)


def test_messages_come_over_tls_with_and_without_lengths(authority: Authority) -> None:
    with receiving(local("tls", certificates=server(authority))) as receiver:
        wanted = [ONE + b" #%d" % number for number in range(3000)]
        with client(authority).wrap_socket(connected(receiver), server_hostname="127.0.0.1") as sender:
            assert sender.version() == "TLSv1.3"
            for number, message in enumerate(wanted):
                sender.sendall(b"%d %s" % (len(message), message) if number % 2 else message + b"\n")
        assert lines(receiver, 3000) == wanted
        assert receiver.problems() == []


def test_large_records_are_read_to_their_end(authority: Authority) -> None:
    with receiving(local("tls", certificates=server(authority))) as receiver:
        wanted = [ONE + b" #%d" % number for number in range(20_000)]
        with client(authority).wrap_socket(connected(receiver), server_hostname="127.0.0.1") as sender:
            sender.sendall(b"\n".join(wanted) + b"\n")
            assert lines(receiver, 20_000) == wanted


@pytest.mark.parametrize(
    ("names", "shown", "allowed"),
    [
        ((), "mx1.example.org", True),
        ((), None, False),
        (("mx1.example.org",), "mx1.example.org", True),
        (("MX1.Example.ORG",), "mx1.example.org", True),
        (("*.example.org",), "mx1.example.org", True),
        (("*.example.org",), "a.mx1.example.org", False),
        (("mx2.example.org", "192.0.2.7"), "192.0.2.7", True),
        (("mx2.example.org",), "mx1.example.org", False),
    ],
)
def test_clients_need_a_certificate_with_an_allowed_name(
    authority: Authority, names: tuple[str, ...], shown: str | None, allowed: bool
) -> None:
    with receiving(local("tls", certificates=server(authority, *names, ask=True))) as receiver:
        try:
            with client(authority, shown).wrap_socket(
                connected(receiver), server_hostname="127.0.0.1"
            ) as sender:
                sender.sendall(ONE + b"\n")
                time.sleep(0.1)
                sender.sendall(ONE + b"\n")
        except OSError:
            assert not allowed
        if allowed:
            assert lines(receiver, 2) == [ONE, ONE]
            assert receiver.problems() == []
        else:
            kind = "certificate" if shown else "handshake"
            assert waited_for(lambda: total(receiver, kind) == 1)
            assert ONE not in taken(receiver)
            assert (shown or "CERTIFICATE") in receiver.problems()[0]


def test_a_certificate_can_be_named_by_its_fingerprint(authority: Authority) -> None:
    certificate, _ = authority.issue("mx1.example.org")
    printed = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
    ).stdout
    name = "SHA256:" + printed.strip().partition("=")[2]
    with receiving(local("tls", certificates=server(authority, name))) as receiver:
        with client(authority, "mx1.example.org").wrap_socket(
            connected(receiver), server_hostname="127.0.0.1"
        ) as sender:
            sender.sendall(ONE + b"\n")
        assert lines(receiver, 1) == [ONE]


def test_a_certificate_of_another_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    with receiving(local("tls", certificates=server(authority, "mx1.example.org"))) as receiver:
        context = ssl.create_default_context(cafile=str(authority.certificate))
        context.load_cert_chain(*other.issue("mx1.example.org"))
        with (
            suppress(OSError),
            context.wrap_socket(connected(receiver), server_hostname="127.0.0.1") as sender,
        ):
            sender.sendall(ONE + b"\n")
            sender.recv(1)
        assert waited_for(lambda: total(receiver, "handshake") == 1)
        assert taken(receiver) == []


def test_clients_that_say_nothing_or_nonsense_keep_nobody_waiting(authority: Authority) -> None:
    limits = Limits(handshake_s=2.0)
    with receiving(local("tls", certificates=server(authority)), limits=limits) as receiver:
        silent = [connected(receiver) for _ in range(100)]
        half = connected(receiver)
        half.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a handshake
        nonsense = connected(receiver)
        nonsense.sendall(b"GET / HTTP/1.1\r\n\r\n")
        begun = time.monotonic()
        with client(authority).wrap_socket(connected(receiver), server_hostname="127.0.0.1") as sender:
            sender.sendall(ONE + b"\n")
            assert ONE in lines(receiver, 1)
        assert time.monotonic() - begun < 2
        assert waited_for(lambda: total(receiver, "handshake") == 102)
        assert receiver.counts[receiver.listeners[0].name].messages == 1
        for each in (*silent, half, nonsense):
            each.close()


def test_datagrams_are_not_lost_while_many_shake_hands(authority: Authority) -> None:
    with receiving(local("tls", certificates=server(authority)), local("udp")) as receiver:
        context = client(authority)
        clients = []
        for _ in range(50):
            raw = connected(receiver)
            raw.setblocking(False)
            clients.append(
                context.wrap_socket(raw, server_hostname="127.0.0.1", do_handshake_on_connect=False)
            )
        left = set(clients)
        sent_messages = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            until = time.monotonic() + 20
            while left and time.monotonic() < until:
                for each in list(left):
                    try:
                        each.do_handshake()
                        left.discard(each)
                    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                        pass
                    datagrams.sendto(ONE, ("127.0.0.1", receiver.listeners[1].port))
                    sent_messages += 1
        assert not left
        assert len(lines(receiver, sent_messages)) == sent_messages
        assert receiver.problems() == []
        for each in clients:
            each.close()


def test_unusable_files_are_said(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("mx1.example.org")
    other, _ = authority.issue("mx2.example.org")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    with pytest.raises(InputError, match=r"missing\.pem: no such file; check the name"):
        Certificates(certificate, tmp_path / "missing.pem").context()
    with pytest.raises(InputError, match=r"cannot be used for TLS.*; it must be in PEM form"):
        Certificates(other, key).context()
    with pytest.raises(InputError, match=r"wrong\.pem: cannot be used for TLS"):
        Certificates(certificate, key, wrong).context()
    with pytest.raises(UsageError, match="no certificate is asked for"):
        Certificates(certificate, key, None, ["mx1.example.org"]).context()
    locked = tmp_path / "locked.pem"
    command = ["openssl", "rsa", "-aes256", "-in", key, "-out", locked, "-passout", "pass:secret"]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(InputError, match="without a passphrase"):
        Certificates(certificate, locked).context()


def test_certificates_are_read_again_and_a_broken_one_changes_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"

    def install(name: str) -> None:
        for source, target in zip(authority.issue(name), (certificate, key), strict=True):
            shutil.copyfile(source, target)

    def shown() -> str:
        context = client(authority)
        context.check_hostname = False
        with context.wrap_socket(connected(receiver)) as sender:
            return str((sender.getpeercert() or {})["subjectAltName"])

    install("127.0.0.1")
    with receiving(local("tls", certificates=Certificates(certificate, key))) as receiver:
        before = connected(receiver)
        with client(authority).wrap_socket(before, server_hostname="127.0.0.1") as old:
            install("logs.example.org")
            assert "127.0.0.1" in shown()
            receiver.reload()
            assert "logs.example.org" in shown()
            certificate.write_text("nothing")
            with pytest.raises(InputError, match="cannot be used for TLS"):
                receiver.reload()
            assert "logs.example.org" in shown()
            old.sendall(ONE + b"\n")
            assert lines(receiver, 1) == [ONE]


def test_names() -> None:
    subject = ((("commonName", "cn.example.org"),),)
    assert names_of({"subject": subject}) == ["cn.example.org"]
    alternative = (("DNS", "A.example.org"), ("IP Address", "192.0.2.7"), ("email", "a@example.org"))
    assert names_of({"subject": subject, "subjectAltName": alternative}) == ["a.example.org", "192.0.2.7"]
    assert matches("a.example.org", "*.example.org")
    assert not matches("example.org", "*.example.org")
    assert not matches(".example.org", "*.example.org")
    assert not matches("*.example.org", "*.example.org")

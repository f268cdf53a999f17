"""The page over TCP: by TLS where there is a certificate, which may be replaced while it is served."""

from __future__ import annotations

import json
import shutil
import signal
import ssl
from pathlib import Path
from typing import Any

import pytest
from authority import Authority
from entering import PASSWORD, Served
from serving import append, made_lines
from visiting import Visitor

from mailscope.vocabulary.errors import InputError, SettingsError
from mailscope.vocabulary.settings.reading import parse
from mailscope.vocabulary.settings.web import Web
from mailscope.web.listener import Listener


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    return


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_by_tls_from_the_first_link_to_a_new_certificate(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("127.0.0.1")
    for file, name in ((certificate, "page.pem"), (key, "page.key")):
        shutil.copy(file, tmp_path / name)
    more = f'certificate = "{tmp_path}/page.pem"\nkey = "{tmp_path}/page.key"\n'
    with Served(tmp_path, more, "https") as daemon:
        append(daemon.log, made_lines(5))
        daemon.start()
        daemon.wait_until_ready()
        said = daemon.errors.read_text()
        link = next(word for word in said.split() if "/welcome?key=" in word)
        assert link.startswith(daemon.address)
        admin = Visitor(daemon.address, trusted=str(authority.certificate))
        form = {"key": link.rpartition("=")[2], "password": PASSWORD, "again": PASSWORD}
        answer = admin.post("/welcome", form)
        assert answer.status == 303, answer.text
        assert list(admin.cookies) == ["__Host-mailscope"]
        assert "secure" in answer.header("set-cookie").lower()
        assert admin.get("/").status == 200
        assert "max-age=" in admin.get("/").header("strict-transport-security")
        with pytest.raises(ssl.SSLError):
            Visitor(daemon.address).get("/")
        # The command counts the same instants as the daemon tells.
        told = json.loads(daemon.ask("store", "status", "--format", "json").stdout)
        assert told["last"] is None or not told["last"].endswith("Z")
        other = Authority(tmp_path)
        for file, name in zip(other.issue("127.0.0.1"), ("page.pem", "page.key"), strict=True):
            shutil.copy(file, tmp_path / name)
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("settings read again")
        with pytest.raises(ssl.SSLError):
            admin.get("/")
        admin.trusted = str(other.certificate)
        assert admin.get("/").status == 200
        (tmp_path / "page.pem").write_text("no certificate")
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("the settings stay as they were")
        assert admin.get("/").status == 200
        assert daemon.stop() == 0


def test_what_cannot_be_served_is_told(tmp_path: Path, authority: Authority) -> None:
    certificate, _ = authority.issue("127.0.0.1")
    _, other = authority.issue("other.example.org")
    listening = Listener(nothing, Web(enabled=True, port=_free()))
    try:
        with pytest.raises(InputError, match="cannot be served there"):
            Listener(nothing, Web(enabled=True, port=int(listening.address.rpartition(":")[2])))
    finally:
        listening.close()
    for cert, key, words in (
        (certificate, other, "cannot be used"),
        (certificate, tmp_path / "none", "no such file"),
        (tmp_path / "none", other, "no such file"),
    ):
        with pytest.raises(InputError, match=words):
            Listener(nothing, Web(enabled=True, port=_free(), certificate=str(cert), key=str(key)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('enabled = true\naddress = "0.0.0.0"', "passwords would travel in the clear"),
        ('enabled = true\naddress = "2001:db8::1"', "passwords would travel in the clear"),
        ('certificate = "/etc/page.pem"', "need each other"),
        ('sign_on_header = "X-Remote-User"', "needs 'proxies'"),
        ('sign_on_header = "X User"', "a name of a header"),
    ],
)  # fmt: skip
def test_settings_that_would_be_dangerous_are_refused(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse(f"[web]\n{text}\n", "mailscope.toml")


def _free() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

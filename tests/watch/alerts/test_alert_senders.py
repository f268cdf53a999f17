"""Messages that leave the host: real servers on loopback take them, refuse them, or hang."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import stat
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from authority import Authority
from sinks import hanging_server, http_sink, smtp_sink
from telling import finding

from mailscope.language.phrase import Phrase
from mailscope.language.translator import translator
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.message import Message
from mailscope.watch.alerts.notice import shown
from mailscope.watch.alerts.senders import sender
from mailscope.watch.alerts.wording import Wording
from mailscope.watch.finding import Finding, Line

HOST = "mx.example.org"
HOSTILE = "x\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>\x1b[2J\u202e`rm -rf /`"


def message(found: Finding | None = None, language: str = "en") -> Message:
    found = found or finding()
    wording = Wording(translator(language), ZoneInfo("Europe/Rome"), HOST, 5, "r")
    return wording.one(shown(found, "r"), found, datetime(2026, 3, 2, 12, 1))


def hostile() -> Message:
    title = Phrase(
        "{count} failed logins of {user} from {addresses} addresses", count=2, user=HOSTILE, addresses=3
    )
    lines = (
        Line("mail.log", 1, datetime(2026, 3, 2), HOSTILE),
        Line("mail.log", 2, datetime(2026, 3, 2), "y" * 9_000),
    )
    return message(finding(title=title, subject={"user": HOSTILE, "client_ip": "$(id)"}, lines=lines))


def route(via: str, **more: Any) -> Route:
    return Route(name="r", via=via, **{"timeout_s": 5, **more})  # type: ignore[arg-type]


def mail_route(port: int, **more: Any) -> Route:
    usual = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_tls": "none",
        "recipients": ("pm@example.org",),
    }
    return route("smtp", **{**usual, **more})


def failure(way: Route, told: Message | None = None) -> str:
    with pytest.raises(MailscopeError) as caught:
        sender(way, HOST).send(told or message())
    return str(caught.value)


TEXT = """\
20 failed logins of anna-a from 3 addresses

Host: mx.example.org
Severity: warning
Seen: 2026-03-02 12:55:00 to 2026-03-02 13:00:00 (Europe/Rome)
Finding: 000000000000000a (brute_force)

Reasons:
- 2 more at once

What to do:
Look whether a login succeeded after the failures. If the user knows nothing of it, block the address; a password that can be guessed should be changed.

$ mailscope about 192.0.2.66
$ mailscope logins --user anna
$ mailscope findings show 000000000000000a
$ mailscope findings ack 000000000000000a

From the log:
| Mar  2 12:00:00 mx dovecot: auth failed
"""


def test_a_mail_says_all_that_is_needed() -> None:
    with smtp_sink() as mails:
        sender(mail_route(mails.port), HOST).send(message())
    ((envelope_from, recipients, mail),) = mails.taken
    assert (envelope_from, recipients) == ("mailscope@mx.example.org", ["pm@example.org"])
    assert mail["Subject"] == "WARNING on mx.example.org: 20 failed logins of anna-a from 3 addresses"
    assert mail.get_content().replace("\r\n", "\n") == TEXT
    assert mail.get_content_type() == "text/plain"
    assert mail["Message-ID"] == f"<r.{message().id}@mx.example.org>"
    # All messages of a finding are one thread.
    assert mail["References"] == "<r.000000000000000a@mx.example.org>"
    assert (mail["X-Mailscope-Finding"], mail["X-Mailscope-Severity"]) == ("000000000000000a", "warning")
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("language", "subject", "advice"),
    [
        ("it", "AVVISO su mx.example.org: 20 accessi falliti di anna-a da 3 indirizzi", "Che fare:"),
        ("sv", "VARNING på mx.example.org: ", "Att göra:"),
        ("zh", "mx.example.org 警告：", "处理办法："),
    ],
)
def test_in_the_language_of_the_route(language: str, subject: str, advice: str) -> None:
    told = message(language=language)
    assert told.title.startswith(subject)
    assert advice in told.text.splitlines()


def test_words_of_strangers_stay_words() -> None:
    told = hostile()
    with smtp_sink() as mails:
        sender(mail_route(mails.port), HOST).send(told)
    ((_, recipients, mail),) = mails.taken
    assert recipients == ["pm@example.org"]
    assert mail["Bcc"] is None
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "References", "X-Mailscope-Finding", "X-Mailscope-Severity",
        "X-Priority", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    } | ({"X-Peer", "X-MailFrom", "X-RcptTo"} & set(mail.keys()))  # fmt: skip
    body = mail.get_content().replace("\r\n", "\n")
    assert all(char.isprintable() or char == "\n" for char in body)
    assert "\nBcc" not in body
    assert max(map(len, body.splitlines())) <= 502
    # Quoted for a shell, whatever it is called.
    assert "$ mailscope about '$(id)'" in body
    assert len(told.title) <= 200


def test_starttls_and_login(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    secret = tmp_path / "password"
    secret.write_text("tops3cret\n")
    safe = {"smtp_tls": "starttls", "smtp_user": "alert", "smtp_password_file": str(secret)}
    trusting = {"ca_file": str(authority.certificate)}
    with smtp_sink(authority.issue("127.0.0.1"), "tops3cret") as mails:
        sender(mail_route(mails.port, **safe, **trusting), HOST).send(message())
        assert len(mails.taken) == 1
        assert mails.logins == ["alert"]
        # Without the authority, nothing is said to a stranger.
        assert "no secure connection" in failure(mail_route(mails.port, **safe))
        secret.write_text("wrong\n")
        told = failure(mail_route(mails.port, **safe, **trusting))
        assert "the login was refused: 535" in told
        assert "wrong" not in told
    assert len(mails.taken) == 1


def test_who_was_refused_is_tried_again_and_the_others_are_not_told_twice() -> None:
    with smtp_sink() as mails:
        way = sender(mail_route(mails.port, recipients=("pm@example.org", "refused@example.org")), HOST)
        for _ in range(2):
            with pytest.raises(
                MailscopeError, match=r"refused for refused@example\.org \(550 5\.1\.1 no such user\)"
            ):
                way.send(message())
    assert [recipients for _, recipients, _ in mails.taken] == [["pm@example.org"]]


@pytest.mark.parametrize(("words", "every_s"), [(b"", 0.0), (b"220-" + b"x" * 400, 0.2)])
def test_a_mail_server_that_hangs_or_drips_costs_no_more_than_the_time_of_the_route(
    words: bytes, every_s: float
) -> None:
    with hanging_server(words, every_s) as port:
        begun = time.monotonic()
        told = failure(mail_route(port, timeout_s=1))
    assert time.monotonic() - begun < 10
    assert told == f"127.0.0.1:{port}: it did not take the message in time; see the settings of the route"


def test_a_mail_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert failure(mail_route(port)).startswith(f"127.0.0.1:{port}: no connection: Connection refused")


def test_a_post_is_signed_and_whole(tmp_path: Path) -> None:
    key = b"0123456789abcdef"
    secret, token = tmp_path / "secret", tmp_path / "token"
    secret.write_text(f"whsec_{base64.b64encode(key).decode()}\n")
    token.write_text("t0ken\n")
    with http_sink() as posts:
        url = f"http://127.0.0.1:{posts.port}/hooks/abc?room=1"
        sender(route("webhook", url=url, secret_file=str(secret), token_file=str(token)), HOST).send(
            message()
        )
    ((path, headers, body),) = posts.taken
    assert path == "/hooks/abc?room=1"
    assert headers["authorization"] == "Bearer t0ken"
    assert headers["webhook-id"] == message().id
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = json.loads(body)
    assert (told["type"], told["severity"], told["host"]) == ("mailscope.found", "warning", HOST)
    assert told["text"] == TEXT
    assert told["data"]["id"] == "000000000000000a"
    assert told["data"]["subject"] == {"user": "anna", "client_ip": "192.0.2.66"}
    assert told["data"]["commands"][-1] == "mailscope findings ack 000000000000000a"
    assert told["data"]["lines"][0]["raw"] == "Mar  2 12:00:00 mx dovecot: auth failed"


def test_an_url_in_a_file_is_told_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "url"
    with http_sink(500) as posts:
        file.write_text(f"http://127.0.0.1:{posts.port}/services/T0/S3CRET\n")
        told = failure(route("webhook", url_file=str(file)))
        posts.status = 302
        assert "302" in failure(route("webhook", url_file=str(file)))
    assert told == f"the URL in {file}: it answered 500 Internal Server Error"
    file.write_text("not an url S3CRET\n")
    assert "S3CRET" not in failure(route("webhook", url_file=str(file)))
    assert [path for path, _, _ in posts.taken] == ["/services/T0/S3CRET"] * 2


def test_a_web_server_that_hangs() -> None:
    with hanging_server() as port:
        begun = time.monotonic()
        told = failure(route("webhook", url=f"http://127.0.0.1:{port}/", timeout_s=1))
    assert time.monotonic() - begun < 10
    assert told == f"http://127.0.0.1:{port}: no answer: timed out"


def test_a_line_for_the_syslog_daemon(tmp_path: Path) -> None:
    place = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taking:
        taking.bind(str(place))
        taking.settimeout(10)
        sender(route("syslog", syslog_socket=str(place), facility="local3"), HOST).send(hostile())
        line = taking.recv(65_536).decode()
    # local3.warning
    assert re.match(
        r"<156>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} mailscope\[[0-9]+\]: WARNING on mx\.example\.org: 2 ", line
    )
    assert line.isprintable()
    assert failure(route("syslog", syslog_socket=str(tmp_path / "none"))).startswith(str(tmp_path / "none"))


def test_a_line_for_another_host() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taking:
        taking.bind(("127.0.0.1", 0))
        taking.settimeout(10)
        port = taking.getsockname()[1]
        sender(route("syslog", syslog_host="127.0.0.1", syslog_port=port), HOST).send(message())
        line = taking.recv(65_536).decode()
    data = f'[mailscope@32473 id="{message().id}" kind="found" finding="000000000000000a"]'
    assert re.match(
        rf"<28>1 [0-9T:.-]+Z mx\.example\.org mailscope [0-9]+ found {re.escape(data)} \ufeffWARNING on ",
        line,
    )


def test_the_hosts_own_program(tmp_path: Path) -> None:
    program, kept = tmp_path / "sendmail", tmp_path / "kept"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {kept}\ncat >> {kept}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    way = route("sendmail", sendmail=str(program), recipients=("-oQ/tmp@example.org",))
    sender(way, HOST).send(message())
    assert kept.read_text().startswith("-i\n-f\nmailscope@mx.example.org\n--\n-oQ/tmp@example.org\nFrom: ")
    program.write_text("#!/bin/sh\necho no room >&2\nexit 75\n")
    assert failure(way) == f"{program}: it failed with exit code 75: no room"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    slow = route("sendmail", sendmail=str(program), recipients=("pm@example.org",), timeout_s=1)
    assert failure(slow) == f"{program}: it did not end within 1 s"


def test_services_of_apprise(tmp_path: Path) -> None:
    urls = tmp_path / "urls"
    with http_sink(200) as posts:
        urls.write_text(f"# chat\njson://127.0.0.1:{posts.port}/room/S3CRET\n")
        way = sender(route("apprise", urls_file=str(urls), timeout_s=120), HOST)
        way.send(hostile())
        ((path, _, body),) = posts.taken
        assert path.rstrip("/") == "/room/S3CRET"
        told = json.loads(body)
        assert told["title"] == hostile().title
        assert told["message"].strip() == hostile().text.strip()
        assert told["type"] == "warning"
        # Those that took it are not asked again; the others are told by their line, never by their URL.
        urls.write_text(f"json://127.0.0.1:{posts.port}/room/S3CRET\nnonsense://S3CRET\n")
        for _ in range(2):
            with pytest.raises(MailscopeError) as caught:
                way.send(message(finding("b")))
            assert "line 2: it is no URL that apprise knows" in str(caught.value)
            assert "S3CRET" not in str(caught.value)
        assert len(posts.taken) == 2


def test_secrets_that_are_not_there(tmp_path: Path) -> None:
    missing = route("apprise", urls_file=str(tmp_path / "none"))
    assert str(tmp_path / "none") in failure(missing)
    (tmp_path / "empty").write_text("\n# nothing\n")
    assert "it is empty" in failure(route("apprise", urls_file=str(tmp_path / "empty")))

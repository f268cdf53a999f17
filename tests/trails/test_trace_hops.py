"""From host to host: what shows it, how sure it is, and what it does not prove."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from tracing import fates, links, only, told

ONE: Final = """\
Nov 22 03:45:11 mx postfix/smtpd[10]: 4B5C61F00D: client=unknown[203.0.113.9]
Nov 22 03:45:11 mx postfix/cleanup[11]: 4B5C61F00D: message-id=<1@example.net>
Nov 22 03:45:11 mx postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.net>, size=912, nrcpt=1 (queue active)
Nov 22 03:45:12 mx postfix/smtp[13]: 4B5C61F00D: to=<bob@example.org>, relay=store.example.org[192.0.2.30]:25, \
delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 6D7E81F00F)
Nov 22 03:45:12 mx postfix/qmgr[12]: 4B5C61F00D: removed
"""
TWO: Final = """\
Nov 22 03:45:12 store postfix/smtpd[10]: 6D7E81F00F: client=mx.example.org[192.0.2.10]
Nov 22 03:45:12 store postfix/cleanup[11]: 6D7E81F00F: message-id=<1@example.net>
Nov 22 03:45:12 store postfix/qmgr[12]: 6D7E81F00F: from=<alice@example.net>, size=950, nrcpt=1 (queue active)
Nov 22 03:45:12 store postfix/local[13]: 6D7E81F00F: to=<bob@example.org>, relay=local, delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
Nov 22 03:45:12 store postfix/qmgr[12]: 6D7E81F00F: removed
"""
NO_ID: Final = ONE.replace("Ok: queued as 6D7E81F00F", "OK")
NAMELESS_RELAY: Final = {"store.example.org[192.0.2.30]": "192.0.2.30[192.0.2.30]"}
NAMELESS_CLIENT: Final = {"mx.example.org[192.0.2.10]": "unknown[192.0.2.10]"}
OTHER_ID: Final = {"<1@example.net>": "<2@example.net>"}
NO_MESSAGE_ID: Final = {"<1@example.net>": "<>"}
OTHER_ENVELOPE: Final = {"alice@example.net": "carol@example.net", "bob@example.org": "dave@example.org"}
OTHER_RELAY: Final = {"store.example.org[192.0.2.30]": "hub.example.org[192.0.2.33]"}
OTHER_CLIENT: Final = {"mx.example.org[192.0.2.10]": "hub.example.org[192.0.2.33]"}


def changed(text: str, *changes: dict[str, str]) -> str:
    for change in changes:
        for old, new in change.items():
            text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("one", "two", "confidence"),
    [
        ((), (), "certain"),
        ((), (NAMELESS_CLIENT,), "certain"),
        ((NAMELESS_RELAY,), (NAMELESS_CLIENT,), "certain"),  # the Message-ID
        ((NAMELESS_RELAY,), (NAMELESS_CLIENT, NO_MESSAGE_ID), "certain"),  # the envelope
        ((NAMELESS_RELAY,), (NAMELESS_CLIENT, NO_MESSAGE_ID, OTHER_ENVELOPE), "likely"),
        ((), (OTHER_ID,), "possible"),  # the names
        ((NAMELESS_RELAY,), (NAMELESS_CLIENT, OTHER_ID), None),
    ],
)
def test_how_sure_a_told_id_is(
    tmp_path: Path, one: tuple[dict[str, str]], two: tuple[dict[str, str]], confidence: str | None
) -> None:
    logs = write(tmp_path, changed(ONE, *one), changed(TWO, *two))
    expected = [("4B5C61F00D", "relayed", "6D7E81F00F", confidence)] if confidence else []
    assert links(told("4B5C61F00D", *logs).stories[0]) == expected


@pytest.mark.parametrize(
    ("one", "two", "kind", "confidence"),
    [
        ((), (), "relayed", "likely"),
        ((NAMELESS_RELAY,), (OTHER_ENVELOPE,), "relayed", "likely"),  # the client's name
        ((NAMELESS_RELAY,), (NAMELESS_CLIENT,), "relayed", "likely"),  # the envelope
        ((NAMELESS_RELAY,), (NAMELESS_CLIENT, OTHER_ENVELOPE), "relayed", "possible"),
        ((OTHER_RELAY,), (OTHER_CLIENT,), "relayed", "possible"),  # by way of a third host
        ((OTHER_RELAY,), (OTHER_CLIENT, OTHER_ENVELOPE), "same_message", "possible"),
    ],
)
def test_how_sure_a_message_id_is(
    tmp_path: Path, one: tuple[dict[str, str]], two: tuple[dict[str, str]], kind: str, confidence: str
) -> None:
    logs = write(tmp_path, changed(NO_ID, *one), changed(TWO, *two))
    assert links(only("4B5C61F00D", *logs)) == [("4B5C61F00D", kind, "6D7E81F00F", confidence)]


def test_what_was_handed_on_to_a_known_message_went_nowhere_else(tmp_path: Path) -> None:
    """The sender gave another copy to a second host: the same Message-ID, and no hop between them."""
    second = changed(ONE, {" mx ": " mx2 ", "4B5C61F00D": "7E8F91F00D", "6D7E81F00F": "8F9A91F00F"})
    logs = write(tmp_path, ONE, TWO, second)
    assert sorted(links(told("4B5C61F00D", *logs).stories[0])) == [
        ("4B5C61F00D", "relayed", "6D7E81F00F", "certain"),
        ("7E8F91F00D", "same_message", "4B5C61F00D", "possible"),
    ]


@pytest.mark.parametrize(("clock", "linked"), [("03:41:30", True), ("03:49:50", True), ("07:45:12", False)])
def test_clocks_may_differ_by_minutes(tmp_path: Path, clock: str, linked: bool) -> None:
    logs = write(tmp_path, ONE, TWO.replace("03:45:12", clock))
    stories = told("4B5C61F00D", *logs).stories
    assert [trail.queue_id for trail in stories[0].trails] == ["4B5C61F00D", "6D7E81F00F"][: 1 + linked]


LIST: Final = """\
Nov 22 03:45:11 lists postfix/smtpd[10]: 4B5C61F00D: client=mx.example.org[192.0.2.10]
Nov 22 03:45:11 lists postfix/cleanup[11]: 4B5C61F00D: message-id=<1@example.net>
Nov 22 03:45:11 lists postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.net>, size=912, nrcpt=2 (queue active)
Nov 22 03:45:12 lists postfix/pipe[13]: 4B5C61F00D: to=<staff@example.org>, relay=mlmmj, delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=sent (delivered via mlmmj service)
Nov 22 03:45:12 lists postfix/local[13]: 4B5C61F00D: to=<bob@example.org>, relay=local, delay=1, \
delays=0/0/0/1, dsn=5.1.1, status=bounced (unknown user: "bob")
Nov 22 03:45:12 lists postfix/qmgr[12]: 4B5C61F00D: removed
Nov 22 03:50:00 lists postfix/smtpd[10]: 5C0D11F00E: client=localhost[127.0.0.1]
Nov 22 03:50:00 lists postfix/cleanup[11]: 5C0D11F00E: message-id=<1@example.net>
Nov 22 03:50:00 lists postfix/qmgr[12]: 5C0D11F00E: from=<staff+bounces@example.org>, size=990, nrcpt=1 (queue active)
"""


def test_a_list_hands_a_post_back_for_its_subscribers(tmp_path: Path) -> None:
    story = only("1@example.net", *write(tmp_path, LIST))
    assert links(story) == [("4B5C61F00D", "forwarded", "5C0D11F00E", "likely")]
    (link,) = story.trails[0].links
    assert (link.recipients, link.after_s) == (["staff@example.org"], 289)
    assert fates(story.trails[0])[1][:2] == ("bob@example.org", "bounced")


def test_mail_from_elsewhere_is_not_what_a_program_handed_back(tmp_path: Path) -> None:
    again = LIST.replace("localhost[127.0.0.1]", "mx2.example.org[192.0.2.11]")
    assert links(told("1@example.net", *write(tmp_path, again)).stories[0]) == []


def write(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"host{number}.log" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths

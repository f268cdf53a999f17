"""The mail that carries a report."""

from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import default
from typing import Any

import html5lib
import pytest
from hostile import PAPER, hostile
from replaying import Replay

from mailscope.language.translator import TELL_ENGLISH, translator
from mailscope.reports.mail.message import address, letter, subject
from mailscope.vocabulary.errors import UsageError

TO = ("postmaster@example.org", "dba@example.net")


def sent(report: dict[str, Any], language: str = "en") -> EmailMessage:
    """A mail as it arrives."""
    made = letter(report, translator(language), PAPER, "mailscope@mx.example.org", TO, "mx.example.org")
    found = email.message_from_bytes(made.as_bytes(), policy=default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture(scope="module")
def mail(examples: Replay) -> EmailMessage:
    return sent(examples.report(top=10))


def test_headers_are_those_of_a_generated_mail(mail: EmailMessage) -> None:
    assert mail["From"] == "Mailscope <mailscope@mx.example.org>"
    assert mail["To"] == ", ".join(TO)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@mx.example.org>")
    assert mail["Date"].datetime.tzinfo is not None
    assert not mail.defects


def test_subject_says_host_worst_and_days(examples: Replay) -> None:
    report = examples.report()
    assert subject(report, TELL_ENGLISH, PAPER, "mx1") == (
        "mx1: 2 lines say that a disk is full or cannot be written, mail of 2026-11-18 to 2026-11-27"
    )
    quiet = {**report, "problems": []}
    assert "nothing wants attention" in subject(quiet, TELL_ENGLISH, PAPER, "mx1")
    assert "niente da controllare" in subject(quiet, translator("it"), PAPER, "mx1")


def test_text_and_html_say_the_same(mail: EmailMessage) -> None:
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert mail.get_content_type() == "multipart/alternative"
    assert text is not None
    assert page is not None
    assert text.get_content().startswith("Mail report")
    assert "Bounces by reason" in page.get_content()
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "multipart/related"]


def test_charts_are_pictures_that_the_mail_brings_along(mail: EmailMessage) -> None:
    page = mail.get_body(("html",))
    assert page is not None
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.get_content())
    assert not list(tree.iter("svg"))
    images = [image.attrib for image in tree.iter("img")]
    assert len(images) == 5
    assert all(image["alt"] for image in images)
    parts = {part["Content-ID"]: part for part in mail.walk() if part.get_content_type() == "image/png"}
    assert {image["src"] for image in images} == {f"cid:{name.strip('<>')}" for name in parts}
    for part in parts.values():
        assert part.get_content().startswith(b"\x89PNG")
        assert part.get_content_disposition() == "inline"


def test_lines_of_the_mail_are_short_enough_for_smtp(examples: Replay) -> None:
    made = letter(
        examples.report(), translator("zh"), PAPER, "mailscope@mx.example.org", TO, "mx.example.org"
    ).as_bytes()
    assert max(map(len, made.split(b"\r\n"))) <= 998
    assert made.isascii()
    assert b"\n" not in made.replace(b"\r\n", b"")


def test_other_languages_arrive_whole(examples: Replay) -> None:
    mail = sent(examples.report(top=3), "zh")
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().startswith("邮件报告")
    assert "磁盘已满" in mail["Subject"]


def test_hostile_text_makes_no_header_and_no_markup(tmp_path: Any) -> None:
    report = hostile(tmp_path).report()
    report["problems"] = [
        {"what": "x\r\nBcc: victim@example.net\r\n\r\n<script>\x1b[2J", "count": 1, "section": ""}
    ]
    mail = sent(report)
    assert mail["Bcc"] is None
    assert "\\x0d\\x0aBcc" in mail["Subject"]
    page = mail.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", page.get_content().replace("\r\n", "\n"))


@pytest.mark.parametrize(
    "text",
    ["", "nobody", "@example.org", "a@", "a@example.org\r\nBcc: b@example.net", "a b@example.org", "a@exämple.org",
     "a@example.org, b@example.net", "<a@example.org>"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        address(text, "--email-to")

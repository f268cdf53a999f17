"""What a query means, and which lines it matches."""

from __future__ import annotations

import pytest

from mailscope.trails.search.query import read_query
from mailscope.vocabulary.errors import UsageError


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("4B5C61F00D", ("queue-id",)),
        ("3pvwXr2Yk0z1tG2", ("queue-id",)),
        ("1613943", ("queue-id",)),
        ("7", ("queue-id",)),
        ("alice@example.org", ("address", "message-id")),
        ("<1@example.org>", ("address", "message-id")),
        ("<no-at-sign.example.org>", ("message-id",)),
        ("@example.org", ("domain",)),
        ("example.org", ("domain",)),
        ("mx-1.example.org", ("domain",)),
        ("münchen.example.org", ("domain",)),
        ("192.0.2.1", ("ip",)),
        ("2001:db8::1", ("ip",)),
        ("[2001:db8::1]", ("ip",)),
        ("delivery 15", ("delivery",)),
        ("delivery 15:", ("delivery",)),
        ("d15", ("delivery",)),
    ],
)
def test_the_kind_is_told_from_the_look(text: str, kinds: tuple[str, ...]) -> None:
    assert read_query(text).kinds == kinds


@pytest.mark.parametrize(
    "text", ["", "  ", "hello", "two words", "a\nb", "4b5c61f00d", "\x1b[31m", "localhost"]
)
def test_what_looks_like_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot tell what"):
        read_query(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a b", "queue-id"),
        ("alice", "address"),
        ("@", "address"),
        ("a@example.org", "domain"),
        ("example.org", "ip"),
        ("fifteen", "delivery"),
        ("<>", "message-id"),
        ("x", "colour"),
    ],
)
def test_what_cannot_be_of_the_kind_is_refused(text: str, kind: str) -> None:
    with pytest.raises(UsageError):
        read_query(text, kind)


HEAD = b"Nov 22 03:45:12 mail postfix/smtp[7]: "


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        ("4B5C61F00D", b"4B5C61F00D: removed", True),
        ("4B5C61F00D", b"4B5C61F00D1: removed", False),
        ("4B5C61F00D", b"A4B5C61F00D: removed", False),
        ("4B5C61F00D", b"C: to=<x@example.org>, status=sent (250 2.0.0 Ok: queued as 4B5C61F00D)", True),
        # A number is a queue id only where one stands.
        ("1613943", b"new msg 1613943", True),
        ("1613943", b"starting delivery 2: msg 1613943 to local a@example.org", True),
        ("1613943", b"triple bounce: discarding bounce/1613943", True),
        ("1613943", b"info msg 16139431: bytes 3 from <> qp 1613943 uid 0", False),
        ("12", b"delivery 12: success: did_1+0+0/", False),
        ("alice@example.org", b"C: to=<Alice@Example.ORG>, relay=local", True),
        ("alice@example.org", b"C: to=<malice@example.org>, relay=local", False),
        ("alice@example.org", b"C: to=<x.alice@example.org>, relay=local", False),
        ("alice@example.org", b"C: to=<alice@example.organic>, relay=local", False),
        ("alice@example.org", b"C: to=<alice@example.org.example.net>, relay=local", False),
        ("alice@example.org", b"C: said: no such user alice@example.org.", True),
        ("1@example.org", b"C: message-id=<1@example.org>", True),
        ("1@example.org", b"C: message-id=<11@example.org>", False),
        ("@example.org", b"C: from=<a@example.org>, size=1, nrcpt=1 (queue active)", True),
        ("@example.org", b"C: from=<a@sub.example.org>, size=1, nrcpt=1 (queue active)", False),
        ("@example.org", b"C: message-id=<a@example.org>", False),
        ("@example.org", b"C: resent-message-id=<a@example.org>", False),
        ("example.org", b"C: from=<a@sub.example.org>, size=1, nrcpt=1 (queue active)", True),
        ("example.org", b"C: client=mx1.example.org[192.0.2.1]", True),
        ("example.org", b"C: client=mx1.notexample.org[192.0.2.1]", False),
        ("example.org", b"C: message-id=<a@mx.example.org>", False),
        ("192.0.2.1", b"C: client=mx1.example.org[192.0.2.1]", True),
        ("192.0.2.1", b"C: client=mx1.example.org[192.0.2.10]", False),
        ("192.0.2.1", b"C: client=mx1.example.org[1.192.0.2.1]", False),
        ("192.0.2.1", b"delivery 2: success: 192.0.2.1_accepted_message./", True),
        ("192.0.2.1", b"no route to 192.0.2.1.", True),
        ("2001:db8::1", b"C: client=mx1.example.org[2001:DB8::1]", True),
        ("2001:db8::1", b"C: client=mx1.example.org[2001:0db8:0000:0000:0000:0000:0000:0001]", True),
        ("2001:db8::1", b"C: client=mx1.example.org[2001:db8::1:2]", False),
        ("d15", b"delivery 15: success: did_1+0+0/", True),
        ("d15", b"starting delivery 15: msg 7 to local a@example.org", True),
        ("d15", b"delivery 115: success: did_1+0+0/", False),
    ],
)
def test_lines_are_checked_exactly(text: str, line: bytes, wanted: bool) -> None:
    query = read_query(text)
    assert query.matches(HEAD + line) is wanted
    if wanted:
        line = (HEAD + line).lower() if query.any_case else HEAD + line
        assert any((needle.lower() if query.any_case else needle) in line for needle in query.needles)


def test_the_logging_host_is_not_what_a_line_is_about() -> None:
    line = b"Nov 22 03:45:12 mail.example.org postfix/qmgr[7]: 4B5C61F00D: removed"
    assert not read_query("example.org").matches(line)
    line = b"2026-11-22T03:45:12+00:00 192.0.2.1 postfix/qmgr[7]: 4B5C61F00D: removed"
    assert not read_query("192.0.2.1").matches(line)


def test_as_overrides_the_guess() -> None:
    line = HEAD + b"C: message-id=<alice@example.org>"
    assert read_query("alice@example.org").matches(line)
    assert not read_query("alice@example.org", "address").matches(line)
    assert read_query("alice@example.org", "message-id").matches(line)
    assert not read_query("ALICE@example.org", "message-id").matches(line)
    assert read_query("15", "delivery").matches(b"delivery 15: success: did_1+0+0/")

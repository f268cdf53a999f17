"""What decides on a cause, and that strangers' parts of a reason do not."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from mailscope.causes import classify
from mailscope.causes.classify import shaped
from mailscope.causes.wording import in_order


def judged(reason: str, direction: str = "outgoing", **known: Any) -> dict[str, Any]:
    frame = pl.DataFrame({"reason": [reason], **{name: [value] for name, value in known.items()}})
    return classify(frame.with_columns(shaped(pl.col("reason"))), direction).row(0, named=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reason", "known", "cause", "basis"),
    [
        (
            "452 4.1.1 <bob@example.org> user is over quota, please try again later",
            {},
            "mailbox_full",
            "words",
        ),
        ("550 5.7.1 <bob@example.org>: mailbox full", {}, "mailbox_full", "words"),
        ("550 5.1.1 access denied", {}, "unknown_recipient", "enhanced_code"),
        ("550 5.7.1 access denied", {}, "policy", "words"),
        ("550 5.7.1 xyzzy", {}, "policy", "enhanced_code"),
        ("451 xyzzy", {}, "remote_error", "reply_code"),
        ("xyzzy", {"reply_code": 556}, "no_mail_accepted", "reply_code"),
        ("xyzzy", {"dsn_status": "4.4.3"}, "dns_failed", "enhanced_code"),
        ("xyzzy", {"status": "expired"}, "expired", "status"),
        ("550 5.0.0 xyzzy", {}, "unclassified", "nothing"),
        ("one_line/another_line/", {}, "local_program", "status"),
        ("", {}, "local_program", "status"),
    ],
)
def test_what_counts_more(reason: str, known: dict[str, Any], cause: str, basis: str) -> None:
    told = judged(reason, **known)
    assert (told["cause"], told["basis"]) == (cause, basis)


def test_an_address_in_a_reason_decides_nothing() -> None:
    told = judged("550 5.1.1 <spam.virus.blocked@mailbox-full.example.org>: User unknown")
    assert told["cause"] == "unknown_recipient"
    assert judged("550 5.1.1 spam-virus@example.org xyzzy")["cause"] == "unknown_recipient"


def test_a_host_name_in_a_reason_decides_nothing() -> None:
    reason = "host greylist.example.org[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)"
    assert judged(reason)["cause"] == "unknown_recipient"


def test_what_qmail_tried_counts_more_than_that_it_gave_up() -> None:
    late = "I'm_not_going_to_try_again;_this_message_has_been_in_the_queue_too_long./"
    assert (
        judged(f"Connected_to_192.0.2.1_but_connection_died._(#4.4.2)/{late}")["cause"] == "connection_lost"
    )
    assert judged(late)["cause"] == "expired"


def test_the_lines_of_a_reply_are_read_as_one_sentence() -> None:
    reason = (
        "host mx.example.net[192.0.2.1] said: 550-5.1.1 The email account that you tried to 550-5.1.1 reach "
        "does not exist. 550 5.1.1 more (in reply to RCPT TO command)"
    )
    assert judged(reason)["basis"] == "words"


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org; x", "zen.spamhaus.org"),
        ("550-192.0.2.1 is in a black list at bl.spamcop.net", "bl.spamcop.net"),
        ("554 Denied [192.0.2.1] is listed in dnsbl.example.org", "dnsbl.example.org"),
        ("554 blocked using Barracuda Reputation; http://www.barracudanetworks.com/", "Barracuda"),
        ("550 5.7.1 Mail from 192.0.2.1 blocked using Trend Micro RBL+", "Trend Micro"),
        ("550 5.1.1 spamhaus is not a user here: no such user", None),
    ],
)
def test_the_blocklist_is_named(reason: str, name: str | None) -> None:
    assert judged(reason)["blocklist"] == name


def test_the_side_decides_on_words_that_both_use() -> None:
    assert judged("Service currently unavailable", "incoming", reply_code=450)["cause"] == "greylisted"
    assert judged("xyzzy", "incoming")["cause"] == "policy"


def test_rows_that_were_pooled_have_no_cause() -> None:
    frame = pl.DataFrame({"shape": [None, "xyzzy"]}, schema={"shape": pl.String})
    assert classify(frame)["cause"].to_list() == [None, "unclassified"]


def test_order_and_number_of_rows_are_kept() -> None:
    reasons = ["mailbox full", "xyzzy", "mailbox full", "greylisted", "xyzzy"]
    frame = pl.DataFrame({"shape": reasons, "dsn_status": ["4.2.2", "4.0.0", "5.2.2", None, None]})
    causes = classify(frame)["cause"].to_list()
    assert causes == ["mailbox_full", "unclassified", "mailbox_full", "greylisted", "unclassified"]
    assert classify(frame.clear())["cause"].to_list() == []


def test_parts_of_a_phrase_stand_in_order() -> None:
    assert in_order("client host x blocked using y", ["client host", "blocked using"])
    assert not in_order("blocked using client host", ["client host", "blocked using"])


def test_long_hostile_reasons_take_no_time() -> None:
    many = pl.DataFrame({"shape": ["client host " * 25 + str(n) for n in range(2_000)]})
    assert set(classify(many)["cause"]) <= {"ip_blocked", "unclassified"}

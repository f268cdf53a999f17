"""What the words of a delivery attempt tell beyond its fields."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.recognise.replies import REPLY_FIELDS, completed, with_replies

HOST = "host mx.example.net[192.0.2.25]"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("250 2.0.0 Ok: queued as 4B5C8120A3", (250, "2.0.0", "4B5C8120A3")),
        ("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 Ok: queued as DF66E9", (250, "2.0.0", "DF66E9")),
        ("250 ok 1100000000 qp 4711", (250, None, None)),
        ("250 OK id=1rABCD-000123-4X", (250, None, "1rABCD-000123-4X")),
        ("250 2.0.0 42D1abCD031337 Message accepted for delivery", (250, "2.0.0", "42D1abCD031337")),
        ("250 Ok: queued as 4B5C8120A3.", (250, None, "4B5C8120A3")),
        ("250", (250, None, None)),
        # What others say: Postfix after BDAT, Exim to Exim after BDAT, OpenSMTPD, Exchange, Gmail (an id of its own kind).
        ("250 2.0.0 Ok: 912 bytes queued as 4B5C8120A3", (250, "2.0.0", "4B5C8120A3")),
        (r"250- 912 byte chunk, total 912\n250 OK id=1xWhQ8-00002n-1a", (250, None, "1xWhQ8-00002n-1a")),
        ("250 OK id=1xWhQ8-0000000002n-1aBc", (250, None, "1xWhQ8-0000000002n-1aBc")),
        ("250 2.0.0 ebe83704 Message accepted for delivery", (250, "2.0.0", "ebe83704")),
        ("250 2.0.0: ebe83704 Message accepted for delivery", (250, None, "ebe83704")),
        ("6AQMAaNm000282 Message accepted for delivery", (None, None, "6AQMAaNm000282")),
        ("250 2.6.0 <1@example.org> [InternalId=7812545545535, Hostname=ex1.example.org] 912 bytes in 0.1, 9 KB/sec Queued mail for delivery", (250, "2.6.0", "7812545545535")),
        ("250 2.0.0 OK  1690810170 d2e1a72fcca58-686c0c9a2d2si1234567b3a.33 - gsmtp", (250, "2.0.0", None)),
        (f"{HOST} said: 550 5.1.1 <bob@example.net>: Unknown (in reply to RCPT TO)", (550, "5.1.1", None)),
        (f"{HOST} said: 452-4.2.2 over quota 452 4.2.2 there (in reply to RCPT TO)", (452, "4.2.2", None)),
        (f"{HOST} said: 554 Denied (in reply to RCPT TO command)", (554, None, None)),
        (f"{HOST} refused to talk to me: 421 4.0.0 Server closing connection", (421, "4.0.0", None)),
        (f"delivery temporarily suspended: {HOST} refused to talk to me: 421 busy", (421, None, None)),
        ("host x[private/dovecot-lmtp] said: 552 5.2.2 <a> Quota exceeded", (552, "5.2.2", None)),
        # A refusal gives no queue id, whatever it says.
        (f"{HOST} said: 550 5.7.1 was queued as 4B5C8120A3", (550, "5.7.1", None)),
        ("connect to mx.example.net[192.0.2.25]:25: Connection refused", (None, None, None)),
        ("delivered to mailbox", (None, None, None)),
        ("forwarded as 4B5C8120A3", (None, None, None)),
        ("Command died with status 1: 550 5.1.1", (None, None, None)),
        ("2500 crows", (None, None, None)),
        ("250 2.0.0.1 odd", (250, None, None)),
        # qmail
        ("192.0.2.7_accepted_message./Remote_host_said:_250_Ok:_queued_as_4B5C61/", (250, None, "4B5C61")),
        ("192.0.2.7_accepted_message./Remote_host_said:_250_OK_id=1rABCD-000123-4X/", (250, None, "1rABCD-000123-4X")),
        ("192.0.2.7_accepted_message./Remote_host_said:_250_2.0.0_ebe83704_Message_accepted_for_delivery/", (250, "2.0.0", "ebe83704")),
        ("192.0.2.7_accepted_message./Remote_host_said:_250_ok_1100000000_qp_4711/", (250, None, None)),
        ("192.0.2.7_does_not_like_recipient./Remote_host_said:_550_5.1.1_Unknown/", (550, "5.1.1", None)),
        ("192.0.2.7_failed_on_DATA_command./Remote_host_said:_554-No_thanks/554_Go_away/", (554, None, None)),
        ("Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/", (None, "5.1.1", None)),
        ("did_1+0+0/", (None, None, None)),
        ("", (None, None, None)),
        (None, (None, None, None)),
    ],
)  # fmt: skip
def test_reply(reason: str | None, expected: tuple[int | None, str | None, str | None]) -> None:
    frame = pl.DataFrame({"reason": [reason]}, schema={"reason": pl.String})
    assert with_replies(frame).select(REPLY_FIELDS).row(0) == expected


def test_what_the_pattern_gives_is_kept() -> None:
    frame = pl.DataFrame({"reason": ["250 2.0.0 Ok: queued as A1B2C3"] * 2, "dsn_status": ["2.6.0", None]})
    assert with_replies(frame)["dsn_status"].to_list() == ["2.6.0", "2.0.0"]


def test_other_events_are_left_alone() -> None:
    frame = pl.DataFrame({"reason": ["550 5.1.1 x"]})
    assert completed("warned", frame).columns == ["reason"]
    assert completed("delivery_attempted", frame)["reply_code"].to_list() == [550]
    assert completed("delivery_attempted", pl.DataFrame({"status": ["sent"]})).columns == ["status"]

"""What a step is called in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailscope.trails.narrative.trail import Step
from mailscope.trails.narrative.words import PHRASES, size, words
from mailscope.vocabulary.events import EVENTS


def step(event: str, service: str | None = None, text: str = "as logged", **fields: Any) -> Step:
    return Step(
        None,
        event,
        "mail",
        service,
        service,
        None,
        1,
        fields,
        text,
        "mail.log",
        1,
        text,
        "A meaning.",
        "exact",
        (0, 0),
    )


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (
            step("accepted", "smtpd", client_host="mx.example.net", client_ip="192.0.2.1"),
            "taken in from mx.example.net [192.0.2.1]",
        ),
        (
            step("accepted", "smtpd", client_host="unknown", client_ip="192.0.2.1"),
            "taken in from [192.0.2.1]",
        ),
        (
            step("accepted", "smtpd", client_ip="192.0.2.1", sasl_user="alice", sasl_method="PLAIN"),
            "taken in from [192.0.2.1], logged in as alice (PLAIN)",
        ),
        (
            step("accepted", "pickup", uid=1000, sender="alice"),
            "handed in on this host by user 1000, from <alice>",
        ),
        (step("accepted", "qmail-send", queue_id="7"), "taken in as message 7"),
        (step("identified", message_id="1@example.org"), "Message-ID <1@example.org>"),
        (step("identified"), "no Message-ID"),
        (
            step("queued", sender="", size_bytes=2345, recipient_count=1),
            "queued: 1 recipient, 2.3 kB, from <>",
        ),
        (
            step("delivery_started", delivery_id=15, transport="remote", recipient="bob@example.org"),
            "remote delivery 15 to <bob@example.org> began",
        ),
        (
            step(
                "delivery_attempted",
                "smtp",
                status="sent",
                recipient="bob@example.org",
                relay_host="mx.example.org",
                relay_ip="192.0.2.2",
                dsn_status="2.0.0",
                reason="250 ok",
            ),
            "delivered to <bob@example.org> via mx.example.org [192.0.2.2]: 250 ok",
        ),
        (
            step(
                "delivery_attempted", "local", status="sent", recipient="bob", reason="delivered to mailbox"
            ),
            "delivered to <bob> by local: delivered to mailbox",
        ),
        (
            step(
                "delivery_attempted",
                "smtp",
                status="deferred",
                recipient="bob@example.org",
                orig_recipient="b@example.org",
                relay_host="none",
                dsn_status="4.4.1",
                reason="connect to mx.example.org[192.0.2.2]:25: Connection refused",
            ),
            "put off for <bob@example.org> (for <b@example.org>): 4.4.1 connect to mx.example.org[192.0.2.2]:25: "
            "Connection refused; it will be tried again",
        ),
        (
            step(
                "delivery_attempted",
                "qmail-send",
                status="bounced",
                delivery_id=1,
                relay_host="remote",
                recipient="bob@example.org",
                reason="192.0.2.9_does_not_like_recipient./Remote_host_said:_550_no/Giving_up_on_192.0.2.9./",
            ),
            "refused for good for <bob@example.org>: 192.0.2.9 does not like recipient. "
            "Remote host said: 550 no. Giving up on 192.0.2.9.",
        ),
        (
            step(
                "delivery_attempted",
                "qmail-send",
                status="sent",
                delivery_id=1,
                relay_host="local",
                recipient="bob@example.org",
                reason="did_1+2+0/",
            ),
            "delivered to <bob@example.org>: 1 mailbox, 2 forwards",
        ),
        (
            step("bounced_to_sender", reason="sender delay notification", next_queue_id="5C0D11F00E"),
            "sender delay notification made, as 5C0D11F00E",
        ),
        (step("bounced_to_sender", qp=501), "bounce written for the sender (process 501)"),
        (step("removed", "qmgr"), "left the queue"),
        (step("deleted", "postsuper"), "deleted by an administrator"),
        (
            step(
                "rejected",
                "smtpd",
                stage="RCPT",
                client_ip="192.0.2.66",
                sender="",
                recipient="bob@example.org",
                reply_code=554,
                dsn_status="5.7.1",
                reason="Relay access denied",
            ),
            "refused at RCPT from [192.0.2.66] (<> to <bob@example.org>): 554 5.7.1 Relay access denied",
        ),
        (step("warned", text="4B5C61F00D: odd"), "odd"),
        (step("statistics"), "A meaning"),
    ],
)
def test_words(told: Step, wanted: str) -> None:
    assert words(told) == wanted


@given(
    st.sampled_from(sorted(EVENTS)), st.sampled_from([None, "smtpd", "smtp", "pickup", "qmail-send", "local"])
)
def test_no_step_is_without_words_however_little_it_carries(event: str, service: str | None) -> None:
    assert words(step(event, service))


def test_phrases_are_for_events_that_there_are() -> None:
    assert set(PHRASES) <= set(EVENTS)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (None, "unknown size"),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (9999, "10.0 kB"),
        (35432, "35 kB"),
        (1_500_000, "1.5 MB"),
        (999_400_000, "999 MB"),
        (5_000_000_000_000, "5000 GB"),
    ],
)
def test_sizes(number: int | None, wanted: str) -> None:
    assert size(number) == wanted

"""What is handed in is taken apart and explained."""

from __future__ import annotations

import pytest

from mailscope.causes.bounces import subjects
from mailscope.causes.explain import MOST, explain
from mailscope.vocabulary.errors import UsageError

DSN = """Reporting-MTA: dns; mx.example.org

Original-Recipient: rfc822;bob@example.net
Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.7.26
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550-5.7.26 Unauthenticated email from example.org is not
    accepted due to domain's DMARC policy.

Final-Recipient: rfc822; carol@example.net
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.example.net[192.0.2.25]:25: Connection
    timed out
"""
QMAIL = """Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.

<dan@example.com>:
192.0.2.25 does not like recipient.
Remote host said: 554 5.7.1 <dan@example.com>: Relay access denied
Giving up on 192.0.2.25.

--- Below this line is a copy of the message.

Subject: the mailbox is full
"""
EXIM = """A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  erin@example.com
    host mx.example.com [192.0.2.25]
    SMTP error from remote mail server after RCPT TO:<erin@example.com>:
    550 5.1.1 User unknown

"""
REJECT = (
    "Nov 22 04:00:42 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 450 4.7.25 Client "
    "host rejected: cannot find your hostname, [192.0.2.66]; from=<m@example.com> to=<bob@example.net> "
    "proto=ESMTP helo=<pc>"
)


def test_a_notification_tells_each_recipient() -> None:
    one, two = explain(DSN)
    assert (one.recipient, one.cause, one.provider) == ("bob@example.net", "dmarc_failed", "Gmail")
    assert one.codes["5.7.26"] == "Multiple authentication checks failed."
    assert (two.recipient, two.cause) == ("carol@example.net", "connection_timed_out")
    assert two.subject.endswith("Connection timed out")


@pytest.mark.parametrize(
    ("bounce", "recipient", "cause"),
    [(QMAIL, "dan@example.com", "relay_denied"), (EXIM, "erin@example.com", "unknown_recipient")],
)
def test_a_bounce_for_people_is_understood(bounce: str, recipient: str, cause: str) -> None:
    [told] = explain(bounce)
    assert (told.recipient, told.cause) == (recipient, cause)


def test_the_lines_of_one_reply_belong_together() -> None:
    [subject] = subjects(
        "550-5.1.1 The email account that you tried\r\n550 5.1.1 to reach does not exist\r\n"
    )
    assert subject.text == "550-5.1.1 The email account that you tried 550 5.1.1 to reach does not exist"


def test_the_same_words_depend_on_the_side() -> None:
    [incoming] = explain(REJECT)
    [outgoing] = explain("450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.66]")
    assert incoming.cause == outgoing.cause == "no_reverse_dns"
    assert (incoming.fault, outgoing.fault) == ("them", "us")
    assert incoming.advice != outgoing.advice
    assert (incoming.direction, incoming.event) == ("incoming", "rejected")


@pytest.mark.parametrize(
    ("text", "cause"),
    [("5.7.26", "sender_unauthenticated"), ("4.4.3", "dns_failed"), ("421", "service_unavailable"),
     ("5.7.606", "ip_blocked"), ("5.7.649", "ip_blocked"), ("5.7.999", "policy"), ("greylisted", "greylisted")],
)  # fmt: skip
def test_codes_and_causes_are_explained(text: str, cause: str) -> None:
    [told] = explain(text)
    assert told.cause == cause
    assert told.advice
    assert told.references


def test_a_code_that_tells_no_cause_says_what_would() -> None:
    [told] = explain("550")
    assert told.cause is None
    assert told.title.startswith("Mailbox unavailable")
    assert "whole reply" in told.advice


def test_a_success_is_no_failure() -> None:
    [told] = explain("2.1.5")
    assert (told.cause, told.kind) == (None, "success")
    [line] = explain("Nov 22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: removed")
    assert (line.cause, line.event, line.kind) == (None, "removed", "message")


def test_messages_of_the_tables_are_explained() -> None:
    [told] = explain("warning: trouble fsyncing local/12/18995", "it")
    assert (told.kind, told.provider, told.fault) == ("warning", "qmail", "us")
    assert told.advice == "Controllare il disco e il log del kernel."


@pytest.mark.parametrize(
    "text", ["", " \n ", "999", "5.9.1", "\n".join(f"line {n}" for n in range(MOST + 1))]
)
def test_what_cannot_be_explained_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        explain(text)

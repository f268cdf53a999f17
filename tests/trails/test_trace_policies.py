"""What programs said that are told neither queue id nor Message-ID joins the message that it is of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from tracing import only, told

from mailscope.trails.narrative.trail import Step, Story
from mailscope.trails.search import find, probe

SPF: Final = (
    "prepend Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.7; helo=mx.example.net; "
    "envelope-from={sender}; receiver=<UNKNOWN>"
)
GREY: Final = (
    "action={action}, reason={reason}, client_name=mx.example.net, client_address=192.0.2.7, sender={sender}, "
    "recipient={recipient}"
)


def lines(*told: tuple[str, str, str]) -> str:
    """Clock, tag and text of each line, on the host mx1 if the tag names no other one."""
    out = []
    for clock, tag, text in told:
        host, _, tag = tag.rpartition("|")
        out.append(f"Nov 22 {clock} {host or 'mx1'} {tag}: {text}\n")
    return "".join(out)


def message(clock: str, queue_id: str, sender: str, recipient: str, pid: int) -> list[tuple[str, str, str]]:
    """A message taken in and delivered, without its client's connect and disconnect."""
    return [
        (clock, f"postfix/smtpd[{pid}]", f"{queue_id}: client=mx.example.net[192.0.2.7]"),
        (clock, "postfix/cleanup[30]", f"{queue_id}: message-id=<{queue_id}@example.net>"),
        (clock, "postfix/qmgr[31]", f"{queue_id}: from=<{sender}>, size=912, nrcpt=1 (queue active)"),
        (
            clock, "postfix/virtual[32]",
            f"{queue_id}: to=<{recipient}>, relay=virtual, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (ok)",
        ),
        (clock, "postfix/qmgr[31]", f"{queue_id}: removed"),
    ]  # fmt: skip


def connect(clock: str, pid: int) -> tuple[str, str, str]:
    return clock, f"postfix/smtpd[{pid}]", "connect from mx.example.net[192.0.2.7]"


def disconnect(clock: str, pid: int) -> tuple[str, str, str]:
    return clock, f"postfix/smtpd[{pid}]", "disconnect from mx.example.net[192.0.2.7] quit=1 commands=1"


def joined(story: Story) -> list[tuple[str | None, str | None, str | None]]:
    """Service, evidence and confidence of each line that was joined by what agrees."""
    (trail,) = story.trails
    return [(step.service, step.evidence, step.confidence) for step in trail.steps if step.evidence]


def words(step: Step) -> str:
    return str(step.words)


ONE: Final = lines(
    connect("04:00:40", 10),
    ("04:00:40", "policyd-spf[99]", SPF.format(sender="a@example.net")),
    (
        "04:00:40",
        "postgrey[98]",
        GREY.format(
            action="pass", reason="client whitelist", sender="a@example.net", recipient="b@example.org"
        ),
    ),
    (
        "04:00:40", "postfix/policyd-weight[97]",
        "decided action=DUNNO; <client=mx.example.net[192.0.2.7]> <helo=mx.example.net> <from=a@example.net> "
        "<to=b@example.org>; delay: 0s",
    ),
    (
        "04:00:40", "postfwd2/policy[96]",
        "[RULES] rule=4, id=R-RATE, client=mx.example.net[192.0.2.7], sender=<a@example.net>, "
        "recipient=<b@example.org>, helo=<mx.example.net>, proto=ESMTP, state=RCPT, delay=0.02s, hits=R-RATE, "
        "action=DUNNO",
    ),
    (
        "04:00:40", "postfix/policy-spf[95]",
        "SPF pass (Mechanism matched): Envelope-from: a@example.net, IP Address: 192.0.2.7, "
        "Recipient: b@example.org",
    ),
    *message("04:00:41", "4B5C61F00D", "a@example.net", "b@example.org", 10),
    disconnect("04:00:42", 10),
)  # fmt: skip
BOTH: Final = "client=192.0.2.7, from=<a@example.net>"
ALL: Final = f"{BOTH}, to=<b@example.org>"


@pytest.mark.parametrize(
    "query", ["4B5C61F00D", "<4B5C61F00D@example.net>", "a@example.net", "b@example.org", "192.0.2.7"]
)
def test_policy_services_join_the_message_whatever_is_asked_for(tmp_path: Path, query: str) -> None:
    log = tmp_path / "mail.log"
    log.write_text(ONE)
    assert joined(only(query, log)) == [
        ("policyd-spf", BOTH, "likely"),
        ("postgrey", ALL, "likely"),
        ("policyd-weight", ALL, "likely"),
        ("postfwd", ALL, "likely"),
        ("policy-spf", ALL, "likely"),
    ]


def test_clamav_milter_names_the_envelope_only(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    scanned = "Clean message from <a@example.net> to <b@example.org>"
    other = "Clean message from <a@example.net> to <c@example.org>"
    late = ("04:09:00", "clamav-milter[50]", scanned)
    began, *rest = message("04:00:41", "4B5C61F00D", "a@example.net", "b@example.org", 10)
    milter = [("04:00:41", "clamav-milter[50]", text) for text in (scanned, other)]
    log.write_text(lines(connect("04:00:40", 10), began, *milter, *rest, disconnect("04:00:42", 10), late))
    assert joined(only("4B5C61F00D", log)) == [
        ("clamav-milter", "from=<a@example.net>, to=<b@example.org>", "likely")
    ]


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        ("04:00:40", SPF.format(sender="other@example.net")),
        ("04:00:40", SPF.format(sender="a@example.net").replace("192.0.2.7", "192.0.2.70")),
        ("04:00:40", SPF.format(sender="")),
        ("04:00:30", SPF.format(sender="a@example.net")),
        ("04:00:50", SPF.format(sender="a@example.net")),
    ],
)
def test_another_messages_verdict_does_not_join(tmp_path: Path, clock: str, text: str) -> None:
    """Of another sender, another client, or before the client's connect or after the message was there."""
    log = tmp_path / "mail.log"
    rest = message("04:00:41", "4B5C61F00D", "a@example.net", "b@example.org", 10)
    told_lines = [
        connect("04:00:40", 10),
        (clock, "policyd-spf[99]", text),
        *rest,
        disconnect("04:00:42", 10),
    ]
    log.write_text(lines(*sorted(told_lines, key=lambda each: each[0])))
    assert joined(only("4B5C61F00D", log)) == []


def test_each_message_of_a_session_has_its_own(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    verdict = "policyd-spf[99]", SPF.format(sender="a@example.net")
    log.write_text(
        lines(
            connect("04:00:40", 10),
            ("04:00:40", *verdict),
            *message("04:00:41", "4B5C61F00D", "a@example.net", "b@example.org", 10),
            ("04:00:50", *verdict),
            *message("04:00:51", "4B5C61F00E", "a@example.net", "c@example.org", 10),
            disconnect("04:00:52", 10),
        )
    )
    for query, clock in (("4B5C61F00D", 40), ("4B5C61F00E", 50)):
        (trail,) = only(query, log).trails
        (step,) = [step for step in trail.steps if step.service == "policyd-spf"]
        assert step.time is not None
        assert (step.time.second, step.confidence) == (clock, "likely")


def test_where_messages_of_two_sessions_fit_it_is_only_possible(tmp_path: Path) -> None:
    """The nearest one has it, and the other one does not, although it is not shown."""
    log = tmp_path / "mail.log"
    log.write_text(
        lines(
            connect("04:00:35", 10),
            connect("04:00:36", 11),
            ("04:00:40", "policyd-spf[99]", SPF.format(sender="a@example.net")),
            *message("04:00:41", "4B5C61F00D", "a@example.net", "b@example.org", 10),
            *message("04:00:46", "4B5C61F00E", "a@example.net", "c@example.org", 11),
            disconnect("04:00:47", 10),
            disconnect("04:00:47", 11),
        )
    )
    assert joined(only("4B5C61F00D", log)) == [("policyd-spf", BOTH, "possible")]


def test_a_verdict_on_a_refused_recipient_joins_the_refusal(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    grey = {"sender": "a@example.net", "action": "greylist", "reason": "new"}
    refused = (
        "NOQUEUE: reject: RCPT from mx.example.net[192.0.2.7]: 450 4.2.0 <c@example.org>: Recipient address "
        "rejected: Greylisted; from=<a@example.net> to=<c@example.org> proto=ESMTP helo=<mx.example.net>"
    )
    passed = GREY.format(
        action="pass", reason="client AWL", sender="a@example.net", recipient="b@example.org"
    )
    log.write_text(
        lines(
            connect("04:00:40", 10),
            ("04:00:40", "postgrey[98]", GREY.format(recipient="c@example.org", **grey)),
            ("04:00:40", "postfix/smtpd[10]", refused),
            ("04:00:40", "postgrey[98]", passed),
            *message("04:00:41", "4B5C61F00D", "a@example.net", "b@example.org", 10),
            disconnect("04:00:42", 10),
        )
    )
    story = only("c@example.org", log)
    assert joined(story) == [
        ("postgrey", "client=192.0.2.7, from=<a@example.net>, to=<c@example.org>", "likely")
    ]
    (step,) = [step for step in story.trails[0].steps if step.evidence]
    assert words(step) == "a policy check said greylist: new"
    assert joined(only("4B5C61F00D", log)) == [("postgrey", ALL, "likely")]


def test_a_policy_host_has_a_log_of_its_own(tmp_path: Path) -> None:
    log, own = tmp_path / "mail.log", tmp_path / "policy.log"
    text = SPF.format(sender="a@example.net")
    log.write_text(
        lines(
            connect("04:00:40", 10),
            *message("04:00:41", "4B5C61F00D", "a@example.net", "b@example.org", 10),
            disconnect("04:00:42", 10),
        )
    )
    own.write_text(
        lines(("03:00:00", "pol|policyd-spf[99]", text), ("04:00:43", "pol|policyd-spf[99]", text))
    )
    assert joined(only("4B5C61F00D", log, own)) == [("policyd-spf", BOTH, "likely")]


@pytest.mark.parametrize("size", [1, 64, 500, 4096])
@pytest.mark.parametrize("few", [0, 4])
def test_the_size_of_blocks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, few: int
) -> None:
    log = tmp_path / "mail.log"
    log.write_text(ONE)
    wanted = [(step.raw, step.evidence) for step in only("4B5C61F00D", log).trails[0].steps]
    monkeypatch.setattr(find, "BLOCK_BYTES", size)
    monkeypatch.setattr(find, "LARGE_BYTES", size)
    monkeypatch.setattr(find, "FEW", few)
    assert [(step.raw, step.evidence) for step in only("4B5C61F00D", log).trails[0].steps] == wanted


def test_a_client_that_sends_much_is_looked_at_near_the_message_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "mail.log"
    monkeypatch.setattr(probe, "MOST_TIED", 5)
    busy = lines(("03:00:00", "policyd-spf[99]", SPF.format(sender="a@example.net"))) * 300
    log.write_text(busy + ONE + busy.replace("03:00", "05:00"))
    assert len(joined(only("4B5C61F00D", log))) == 5


def test_words_that_join_are_not_counted_as_lines_without_a_message(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    stray = lines(("05:00:00", "policyd-spf[99]", SPF.format(sender="a@example.net")))
    log.write_text(ONE + stray)
    assert [told(query, log).other for query in ("a@example.net", "192.0.2.7")] == [1, 3]

"""MTAs that tell several steps in one line, and that log no end of a message."""

from __future__ import annotations

from typing import Any

from running import Run, told

SM = "Nov 22 12:00:{:02} mail sm-mta[7]: {}\n"
FROM = "6AQMAJb0000211: from=<s@example.com>, size=172, class=0, nrcpts={}, msgid=<m@example.com>, proto=ESMTP, daemon=MTA, relay=c.example.com [192.0.2.7]"
TO = "6AQMAJb0000211: to={}, delay=00:00:0{}, xdelay=00:00:00, mailer=esmtp, pri=1, relay=mx.example.net. [192.0.2.25], dsn={}, stat={}"
SENT, LATER, NEVER = ("2.0.0", "Sent (ok)"), ("4.2.0", "Deferred: 452 4.2.2 full"), ("5.1.1", "User unknown")


def sendmail(*lines: str) -> Run:
    return told("".join(SM.format(number, line) for number, line in enumerate(lines)))


def to(addresses: str, outcome: tuple[str, str], second: int = 1) -> str:
    return TO.format(addresses, second, *outcome)


def messages(run: Run) -> list[dict[str, Any]]:
    return sorted(run.rows("messages"), key=lambda row: str(row["queue_id"]))


def ends(run: Run) -> list[tuple[str, str | None]]:
    return [(row["queue_id"], row["ended"]) for row in run.rows("messages")]


def fates(run: Run) -> dict[str | None, str]:
    return {row["recipient"]: row["fate"] for row in run.rows("recipients")}


def test_one_line_for_several_recipients() -> None:
    run = sendmail(FROM.format(3), to("<a@example.net>,<b@example.net>,<c,d@example.net>", SENT))
    assert fates(run) == {"a@example.net": "sent", "b@example.net": "sent", "c,d@example.net": "sent"}
    assert [row["delay_s"] for row in run.rows("deliveries")] == [1.0, 1.0, 1.0]
    assert ends(run) == [("6AQMAJb0000211", "removed")]


def test_a_message_is_open_until_its_last_recipient_is_served() -> None:
    first = [FROM.format(2), to("<a@example.net>", SENT)]
    assert ends(sendmail(*first)) == [("6AQMAJb0000211", None)]
    assert fates(sendmail(*first)) == {"a@example.net": "sent", None: "queued"}
    put_off = [*first, to("<b@example.net>", LATER)]
    assert ends(sendmail(*put_off)) == [("6AQMAJb0000211", None)]
    for outcome, fate in ((SENT, "sent"), (NEVER, "bounced")):
        run = sendmail(*put_off, to("<b@example.net>", outcome, 5))
        assert ends(run) == [("6AQMAJb0000211", "removed")]
        assert fates(run)["b@example.net"] == fate


def test_a_recipient_refused_before_the_message_was_taken_in() -> None:
    refused = "6AQMAJb0000211: ruleset=check_rcpt, arg1=<x@example.com>, relay=c.example.com [192.0.2.7], reject=550 5.7.1 no"
    run = sendmail(refused, FROM.format(1), to("<a@example.net>", SENT))
    [row] = run.rows("messages")
    assert (row["origin"], row["ended"], row["refused"]) == ("sendmail", "removed", False)


def test_a_message_that_a_filter_refused_after_it_was_taken_in() -> None:
    refused = "6AQMAJb0000211: Milter: data, reject=550 5.7.1 Command rejected"
    run = sendmail(FROM.format(1), refused, to("<a@example.net>", ("5.7.1", "Command rejected")))
    assert ends(run) == [("6AQMAJb0000211", "refused")]


def test_a_notification_is_a_message_of_its_own() -> None:
    made = "6AQMAJb0000211: 6AQMAJb0000212: DSN: User unknown"
    run = sendmail(FROM.format(1), to("<a@example.net>", NEVER), made)
    assert [(row["queue_id"], row["origin"], row["sender"], row["ended"]) for row in messages(run)] == [
        ("6AQMAJb0000211", "sendmail", "s@example.com", "removed"),
        ("6AQMAJb0000212", "internal", "", None),
    ]


def test_exim_tells_all_of_a_message_in_its_first_line() -> None:
    run = told(
        "2026-11-22 12:00:00 1xWhQ7-00002n-0S <= s@example.com H=(c.example.com) [192.0.2.7] P=esmtp S=384 id=m@example.com\n"
        "2026-11-22 12:00:02 1xWhQ7-00002n-0S ** a@example.net R=out T=smtp H=mx [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<a@example.net>: 550 no\n"
        "2026-11-22 12:00:02 1xWhQ8-00002n-0S <= <> R=1xWhQ7-00002n-0S U=mail P=local S=1200\n"
        "2026-11-22 12:00:03 1xWhQ7-00002n-0S Completed\n"
    )
    first, bounce = messages(run)
    assert (first["sender"], first["size_bytes"], first["message_id"], first["client_ip"]) == (
        "s@example.com", 384, "m@example.com", "192.0.2.7",
    )  # fmt: skip
    assert (first["origin"], first["ended"]) == ("exim", "removed")
    assert (bounce["origin"], bounce["sender"], bounce["ended"]) == ("internal", "", None)
    assert [row["delay_s"] for row in run.rows("deliveries")] == [2.0]


COURIER = "0000000000000{}.000000006B095377.00000195"


def courier(*lines: tuple[str, str]) -> Run:
    return told("".join(f"Nov 22 12:00:{at:02} mail {tag}: {text}\n" for at, (tag, text) in enumerate(lines)))


def attempt(queue_id: str, recipient: str, module: str = "esmtp") -> tuple[str, str]:
    return "courierd", f"started,id={queue_id},from=<s@example.org>,module={module},host=,addr=<{recipient}>"


def outcome(queue_id: str, recipient: str, words: str) -> tuple[str, str]:
    return "courieresmtp", f"id={queue_id},from=<s@example.org>,addr=<{recipient}>,{words}"


def test_courier_message_ends_with_the_round_that_leaves_nobody_waiting() -> None:
    one = COURIER.format("2EB")
    begin = [
        ("courierd", f"newmsg,id={one}: dns; c.example.com ([::ffff:192.0.2.7])"),
        attempt(one, "a@example.net"),
        attempt(one, "b@example.net"),
        outcome(one, "a@example.net", "success: delivered: mx.example.net [::ffff:192.0.2.25]"),
        outcome(one, "a@example.net", "status: success"),
    ]
    assert ends(courier(*begin)) == [(one, None)]
    put_off = [*begin, outcome(one, "b@example.net", "status: deferred"), ("courierd", f"completed,id={one}")]
    assert ends(courier(*put_off)) == [(one, None)]
    again = [*put_off, attempt(one, "b@example.net"), outcome(one, "b@example.net", "status: failure")]
    run = courier(*again, ("courierd", f"completed,id={one}"), attempt(one, "s@example.org", "dsn"))
    assert ends(run) == [(one, "removed")]
    assert fates(run) == {"a@example.net": "sent", "b@example.net": "bounced"}
    assert [(row["client_ip"], row["sender"]) for row in messages(run)] == [("192.0.2.7", "s@example.org")]


def test_courier_delivers_here_by_another_program_with_the_same_queue() -> None:
    one = COURIER.format("2CF")
    run = courier(
        ("courierd", f"newmsg,id={one}: dns; localhost (localhost [127.0.0.1])"),
        attempt(one, "alice", "local"),
        (
            "courierlocal",
            f"id={one},from=<s@example.org>,addr=<alice@example.org>,size=351,success: Message delivered.",
        ),
        ("courierd", f"completed,id={one}"),
    )
    assert ends(run) == [(one, "removed")]
    assert fates(run) == {"alice@example.org": "sent"}

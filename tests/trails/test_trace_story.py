"""Stories: what belongs to which message, fates, links, times."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
from test_trace_search import FILTERED, QMAIL
from tracing import events, fates, links, only, told

from mailscope.sequence.selection import Selection

RETRIED: Final = """\
Nov 22 03:45:11 mail postfix/pickup[10]: 4B5C61F00D: uid=1000 from=<alice>
Nov 22 03:45:11 mail postfix/cleanup[11]: 4B5C61F00D: message-id=<2@example.org>
Nov 22 03:45:11 mail postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.org>, size=912, nrcpt=3 (queue active)
Nov 22 03:45:12 mail postfix/smtp[13]: 4B5C61F00D: to=<bob@example.net>, relay=mx.example.net[192.0.2.25]:25, \
delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
Nov 22 03:45:12 mail postfix/smtp[13]: 4B5C61F00D: to=<carol@example.net>, relay=mx.example.net[192.0.2.25]:25, \
delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (host mx.example.net[192.0.2.25] said: 450 4.2.0 Greylisted)
Nov 22 04:45:12 mail postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.org>, size=912, nrcpt=3 (queue active)
Nov 22 04:45:14 mail postfix/smtp[13]: 4B5C61F00D: to=<carol@example.net>, relay=mx.example.net[192.0.2.25]:25, \
delay=3603, delays=3601/0/0/2, dsn=2.0.0, status=sent (250 2.0.0 Ok)
"""
BOUNCED: Final = """\
Nov 22 03:45:11 mail postfix/cleanup[11]: 4B5C61F00D: message-id=<3@example.net>
Nov 22 03:45:11 mail postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.net>, size=912, nrcpt=1 (queue active)
Nov 22 03:45:12 mail postfix/local[13]: 4B5C61F00D: to=<nobody@example.org>, relay=local, delay=1, \
delays=0/0/0/1, dsn=5.1.1, status=bounced (unknown user: "nobody")
Nov 22 03:45:12 mail postfix/cleanup[11]: 5C0D11F00E: message-id=<20261122034512.5C0D11F00E@mail.example.org>
Nov 22 03:45:12 mail postfix/bounce[14]: 4B5C61F00D: sender non-delivery notification: 5C0D11F00E
Nov 22 03:45:12 mail postfix/qmgr[12]: 5C0D11F00E: from=<>, size=2000, nrcpt=1 (queue active)
Nov 22 03:45:12 mail postfix/qmgr[12]: 4B5C61F00D: removed
Nov 22 03:45:13 mail postfix/local[13]: 5C0D11F00E: to=<list@example.org>, relay=local, delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=sent (forwarded as 6D7E81F00F)
Nov 22 03:45:13 mail postfix/cleanup[11]: 6D7E81F00F: message-id=<20261122034512.5C0D11F00E@mail.example.org>
Nov 22 03:45:13 mail postfix/qmgr[12]: 6D7E81F00F: from=<>, size=2100, nrcpt=1 (queue active)
Nov 22 03:45:13 mail postfix/qmgr[12]: 5C0D11F00E: removed
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "mail.log"


def test_a_content_filter_makes_one_story(log: Path) -> None:
    log.write_text(FILTERED)
    story = only("4B5C61F00D", log)
    assert [trail.queue_id for trail in story.trails] == ["4B5C61F00D", "5C0D11F00E"]
    assert [trail.matched for trail in story.trails] == [True, False]
    assert links(story) == [("4B5C61F00D", "filtered", "5C0D11F00E", "certain")]
    first, second = story.trails
    assert (first.sender, first.size_bytes, first.message_id) == ("alice@example.net", 912, "1@example.net")
    assert events(first) == [
        *("connected", "accepted", "identified", "queued", "disconnected", "scanned"),
        *("delivery_attempted", "removed"),
    ]
    assert events(second) == [
        "connected", "accepted", "identified", "queued", "delivery_attempted", "removed",
    ]  # fmt: skip
    assert [step.since_s for step in first.steps] == [None, 1, 0, 0, 1, 1, 0, 0]
    assert [step.line_number for step in first.steps] == [1, 2, 4, 6, 7, 12, 13, 14]
    assert fates(second) == [("bob@example.org", "sent", 1)]


def test_a_trail_has_the_same_id_whatever_the_query(log: Path) -> None:
    log.write_text(FILTERED)
    ids = {
        tuple(trail.trail_id for trail in only(query, log).trails)
        for query in ("4B5C61F00D", "5C0D11F00E", "bob@example.org", "<1@example.net>", "192.0.2.7")
    }
    assert len(ids) == 1
    ((first, second),) = ids
    assert len(first) == 16
    assert first != second


def test_each_recipient_has_its_attempts_and_its_fate(log: Path) -> None:
    log.write_text(RETRIED)
    (trail,) = only("4B5C61F00D", log).trails
    assert fates(trail) == [
        ("bob@example.net", "sent", 1),
        ("carol@example.net", "sent", 2),
        (None, "queued", 0),
    ]
    one, two = trail.recipients[1].attempts
    assert (one.status, one.fields["dsn_status"], one.fields["reply_code"]) == ("deferred", "4.2.0", 450)
    assert (two.status, two.fields["delay_s"]) == ("sent", 3603)
    assert trail.ended is None
    assert [step.words for step in trail.steps if step.event == "queued"] == [
        "queued: 3 recipients, 912 bytes, from <alice@example.org>",
        "taken up again for another try",
    ]


def test_notifications_and_forwards_are_linked(log: Path) -> None:
    log.write_text(BOUNCED)
    for query in ("4B5C61F00D", "5C0D11F00E", "6D7E81F00F"):
        assert links(only(query, log)) == [
            ("4B5C61F00D", "bounced", "5C0D11F00E", "certain"),
            ("5C0D11F00E", "forwarded", "6D7E81F00F", "certain"),
        ]


def test_qmails_bounces_are_linked_by_the_process_that_queued_them(log: Path) -> None:
    log.write_text(QMAIL)
    story = only("bob@example.org", log)
    assert links(story) == [("7", "bounced", "9", "certain")]
    assert fates(story.trails[0]) == [("bob@example.org", "bounced", 1)]
    assert fates(story.trails[1]) == [("alice@example.net", "sent", 1)]
    assert story.trails[0].steps[3].fields["queue_id"] == "7"


def test_qmails_forwards_are_linked(log: Path) -> None:
    log.write_text(QMAIL.replace("delivery 2: success: did_1+0+0/", "delivery 2: success: did_0+1+0/qp_501/"))
    assert ("8", "forwarded", "9", "certain") in links(only("8", log))


def test_a_number_used_again_makes_two_stories(log: Path) -> None:
    log.write_text(QMAIL)
    stories = told("7", log).stories
    assert [[trail.sender for trail in story.trails] for story in stories] == [
        ["alice@example.net", ""],
        ["dave@example.net"],
    ]
    assert [[trail.sender for trail in story.trails] for story in told("d1", log).stories] == [
        ["alice@example.net", ""],
        ["dave@example.net"],
    ]


def test_another_host_is_linked_by_what_it_replied(tmp_path: Path) -> None:
    one, two = tmp_path / "mx1.log", tmp_path / "mx2.log"
    one.write_text(RETRIED.replace("250 2.0.0 Ok)", "250 2.0.0 Ok: queued as 6D7E81F00F)", 1))
    two.write_text(
        "Nov 22 03:45:12 mx2 postfix/smtpd[10]: 6D7E81F00F: client=mail.example.org[192.0.2.1]\n"
        "Nov 22 03:45:12 mx2 postfix/cleanup[11]: 6D7E81F00F: message-id=<2@example.org>\n"
        "Nov 22 03:45:12 mx2 postfix/qmgr[12]: 6D7E81F00F: from=<alice@example.org>, size=950, nrcpt=1 (queue active)\n"
    )
    for query in ("4B5C61F00D", "6D7E81F00F"):
        story = only(query, one, two)
        assert [trail.host for trail in story.trails] == ["mail", "mx2"]
        assert links(story) == [("4B5C61F00D", "relayed", "6D7E81F00F", "certain")]


def test_the_same_message_id_on_another_host_is_only_possible(tmp_path: Path) -> None:
    one, two = tmp_path / "mx1.log", tmp_path / "mx2.log"
    one.write_text(RETRIED)
    two.write_text("Nov 22 03:45:12 mx2 postfix/cleanup[11]: 6D7E81F00F: message-id=<2@example.org>\n")
    assert links(only("4B5C61F00D", one, two)) == [("4B5C61F00D", "relayed", "6D7E81F00F", "possible")]


def test_a_claim_about_a_message_of_another_time_is_not_believed(log: Path) -> None:
    log.write_text(
        "Nov 20 03:45:12 mail postfix/smtpd[10]: 6D7E81F00F: client=unknown[192.0.2.1]\n"
        "Nov 20 03:45:12 mail postfix/cleanup[11]: 6D7E81F00F: message-id=<other@example.org>\n"
        + RETRIED.replace("250 2.0.0 Ok)", "250 2.0.0 Ok: queued as 6D7E81F00F)", 1)
    )
    assert links(only("4B5C61F00D", log)) == []


def test_requeued_mail_goes_on_under_its_new_id(log: Path) -> None:
    log.write_text(
        RETRIED + "Nov 22 05:00:00 mail postfix/postsuper[20]: 4B5C61F00D: requeued\n"
        "Nov 22 05:00:01 mail postfix/pickup[10]: 6D7E81F00F: uid=89 from=<alice@example.org> orig_id=4B5C61F00D\n"
        "Nov 22 05:00:01 mail postfix/cleanup[11]: 6D7E81F00F: message-id=<2@example.org>\n"
    )
    for query in ("4B5C61F00D", "6D7E81F00F"):
        assert links(only(query, log)) == [("4B5C61F00D", "requeued", "6D7E81F00F", "certain")]


def test_a_pipe_filter_that_hands_the_message_back(log: Path) -> None:
    log.write_text(
        RETRIED.replace("postfix/smtp[13]", "postfix/pipe[13]").replace(
            "250 2.0.0 Ok", "delivered via dfilt service"
        )
        + "Nov 22 03:45:13 mail postfix/pickup[10]: 6D7E81F00F: uid=89 from=<alice@example.org>\n"
        "Nov 22 03:45:13 mail postfix/cleanup[11]: 6D7E81F00F: message-id=<2@example.org>\n"
    )
    assert links(only("4B5C61F00D", log)) == [("4B5C61F00D", "filtered", "6D7E81F00F", "likely")]


REFUSED: Final = """\
Nov 22 03:45:10 mail postfix/smtpd[10]: connect from unknown[192.0.2.66]
Nov 22 03:45:11 mail postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 \
<bob@example.org>: Relay access denied; from=<spam@example.com> to=<bob@example.org> proto=ESMTP helo=<pc>
Nov 22 03:45:11 mail postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 \
<carol@example.org>: Relay access denied; from=<spam@example.com> to=<carol@example.org> proto=ESMTP helo=<pc>
Nov 22 03:45:12 mail postfix/smtpd[10]: disconnect from unknown[192.0.2.66] ehlo=1 mail=1 rcpt=0/2 commands=2/4
"""


@pytest.mark.parametrize("query", ["192.0.2.66", "spam@example.com", "@example.org", "example.com"])
def test_refused_mail_is_found_without_a_queue_id(log: Path, query: str) -> None:
    log.write_text(REFUSED)
    (trail,) = only(query, log).trails
    assert (trail.queue_id, trail.sender, trail.ended) == (None, "spam@example.com", "refused")
    assert fates(trail) == [("bob@example.org", "rejected", 1), ("carol@example.org", "rejected", 1)]
    assert trail.recipients[0].attempts[0].fields["reply_code"] == 554
    assert events(trail) == ["connected", "rejected", "rejected", "disconnected"]


def test_recipients_refused_of_a_message_that_was_taken(log: Path) -> None:
    log.write_text(RETRIED + REFUSED.replace("NOQUEUE", "4B5C61F00D"))
    trail = only("4B5C61F00D", log).trails[0]
    assert fates(trail)[-2:] == [("carol@example.org", "rejected", 1), (None, "queued", 0)]


def test_lines_that_no_pattern_knows_are_shown_too(log: Path) -> None:
    log.write_text("Nov 22 03:45:10 mail otherfilter[1]: 4B5C61F00D: field added\n")
    (trail,) = only("4B5C61F00D", log).trails
    assert (trail.queue_id, events(trail)) == ("4B5C61F00D", ["unrecognised"])
    assert trail.steps[0].words == "field added"


def test_a_delivery_whose_start_is_before_the_log(log: Path) -> None:
    log.write_text("@400000006b02689300000000 delivery 2: success: did_1+0+0/\n")
    (trail,) = only("d2", log).trails
    assert (trail.queue_id, fates(trail)) == (None, [(None, "sent", 1)])


def test_the_span_chooses_stories_which_are_told_whole(log: Path) -> None:
    log.write_text(RETRIED)
    late = Selection(since=datetime(2026, 11, 22, 4, 0), until=datetime(2026, 11, 22, 5, 0))
    now = datetime(2026, 11, 23)
    os.utime(log, (1795400000, 1795400000))  # 2026-11-23
    (story,) = told("carol@example.net", log, selection=late, now=now).stories
    assert len(story.trails[0].steps) == 7
    assert told("bob@example.net", log, selection=late, now=now).stories == []
    assert told("bob@example.net", log, selection=Selection(hosts=["MAIL"]), now=now).stories
    assert told("bob@example.net", log, selection=Selection(hosts=["mx"]), now=now).stories == []


def test_more_than_the_limit_is_said(log: Path) -> None:
    log.write_text(
        "".join(RETRIED.replace("4B5C61F00D", f"4B5C61F{n:03}").replace("<2@", f"<{n}@") for n in range(9))
    )
    found = told("carol@example.net", log, limit=4)
    assert [story.trails[0].queue_id for story in found.stories] == [f"4B5C61F00{n}" for n in range(4)]
    assert found.more == 5


def test_the_year_is_told_from_the_whole_file(log: Path) -> None:
    line = "{stamp} mail postfix/qmgr[12]: {id}: from=<alice@example.org>, size=1, nrcpt=1 (queue active)\n"
    months = [
        "Nov",
        "Dec",
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
        "Jan",
        "Feb",
    ]
    log.write_text(
        "".join(
            line.format(stamp=f"{month} {day:2} 12:00:00", id=f"4B5C61{number:02X}{day:02X}")
            for number, month in enumerate(months)
            for day in range(1, 29)
        )
    )
    os.utime(log, (1772366400, 1772366400))  # 2026-03-01
    now = datetime(2026, 3, 1)
    found = {
        month: told(f"4B5C61{number:02X}01", log, now=now).stories[0].first_time
        for number, month in enumerate(months[:3])
    }
    assert found == {
        "Nov": datetime(2024, 11, 1, 12),
        "Dec": datetime(2024, 12, 1, 12),
        "Jan": datetime(2025, 1, 1, 12),
    }
    stories = told("alice@example.org", log, limit=1000, now=now).stories
    times = [story.first_time for story in stories]
    assert times == sorted(times, key=str)
    assert (times[0], times[-1]) == (datetime(2024, 11, 1, 12), datetime(2026, 2, 28, 12))


def test_the_hour_that_happens_twice(log: Path) -> None:
    line = "Oct 25 {hour:02}:{minute:02}:00 mail postfix/qmgr[12]: {id}: removed\n"
    hours = [(1, 0), (2, 1), (2, 2), (3, 3)]
    log.write_text(
        "".join(
            line.format(hour=hour, minute=minute, id=f"4B5C6{turn}{hour}{minute:02}")
            for hour, turn in hours
            for minute in range(0, 60, 5)
        )
    )
    os.utime(log, (1793000000, 1793000000))  # 2026-10-26

    def when(name: str) -> datetime | None:
        return only(name, log, zone="Europe/Rome").first_time

    assert when("4B5C61210") == datetime(2026, 10, 25, 0, 10)
    assert when("4B5C62210") == datetime(2026, 10, 25, 1, 10)
    assert when("4B5C63310") == datetime(2026, 10, 25, 2, 10)


def test_the_same_lines_in_two_files_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_text(RETRIED)
    (tmp_path / "mail.info").write_text(RETRIED)
    (trail,) = only("4B5C61F00D", tmp_path / "mail.log", tmp_path / "mail.info").trails
    assert len(trail.steps) == 7


def test_a_rotated_set_without_host_names_is_one_log(tmp_path: Path) -> None:
    lines = QMAIL.splitlines(keepends=True)
    for cut in range(1, len(lines)):
        (tmp_path / "mail.log.1").write_text("".join(lines[:cut]))
        (tmp_path / "mail.log").write_text("".join(lines[cut:]))
        story = only("bob@example.org", tmp_path)
        assert [fates(trail) for trail in story.trails] == [
            [("bob@example.org", "bounced", 1)],
            [("alice@example.net", "sent", 1)],
        ]

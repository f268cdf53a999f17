"""One trace over the logs of five real hosts (examples/fivehosts) tells the whole story of each message."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import examples
from tracing import only, told

from mailscope.trails.narrative.record import record
from mailscope.trails.narrative.trail import Story
from mailscope.trails.narrative.ways import in_all, way_to
from mailscope.trails.search import find

HOSTS: Final = Path(__file__).parents[2] / "examples" / "fivehosts"
LOGS: Final = sorted(HOSTS.rglob("*.log"))
STAFF: Final = "staff@lists.example.org"
VERP: Final = "staff-bounces+gone=example.net@lists.example.org"


def steps(story: Story) -> list[tuple[str, str, str, str]]:
    """The links of a story: from where, how, to where, how sure."""
    names = {trail.trail_id: f"{trail.host} {trail.queue_id}" for trail in story.trails}
    return [
        (names[trail.trail_id], link.kind, names[link.trail_id], link.confidence)
        for trail in story.trails
        for link in trail.links
        if link.direction == "to"
    ]


def ends(story: Story) -> list[tuple[str | None, str | None, str]]:
    """Where, whose, how: the fate of each recipient whose way ends there."""
    passed = [
        {name for link in trail.links if link.direction == "to" for name in link.recipients}
        for trail in story.trails
    ]
    return [
        (trail.host, each.recipient, each.status)
        for trail, on in zip(story.trails, passed, strict=True)
        for each in trail.recipients
        if each.recipient not in on
    ]


def test_through_the_filter_into_a_mailbox() -> None:
    story = only("delivered.1@example.net", *LOGS)
    assert steps(story) == [
        ("mx.example.org 4jbTSn5swwzLRk1", "relayed", "filter 05AD625605B", "certain"),
        ("filter 05AD625605B", "filtered", "filter 9B900256613", "certain"),
        ("filter 9B900256613", "relayed", "mail.example.org A7AC125676B", "certain"),
    ]
    assert ends(story) == [("mail.example.org", "bob@example.org", "sent")]


def test_the_slow_clock_of_a_host_changes_no_order_and_is_told() -> None:
    story = only("delivered.1@example.net", *LOGS)
    first, second, third, last = story.trails
    assert second.first_time is not None
    assert first.first_time is not None
    assert second.first_time < first.first_time
    assert first.links[0].clock_s == -2.9
    assert third.links[1].clock_s == 3.7
    assert first.links[0].agrees == ["message_id", "relay_host", "client_host", "sender", "recipient"]
    # By each host's own clock: 79 ms, a second that has no parts, 93 ms.
    stays = way_to(last, story.trails, last.recipients[0].attempts[-1].time)
    assert [(stay.host, round(stay.seconds or 0, 3)) for stay in stays] == [
        ("mx.example.org", 0.079),
        ("filter", 1.0),
        ("mail.example.org", 0.093),
    ]
    assert round(in_all(stays) or 0, 3) == 1.172


def test_a_post_reaches_each_subscriber_and_its_bounce_the_list() -> None:
    story = only("post.1@example.net", *LOGS)
    lists = "lists.example.org E96EA256854"
    found = steps(story)
    assert [step for step in found if step[0] != lists] == [
        ("mx.example.org 4jbTSn6CjGzLRk4", "relayed", "filter 12FA125605D", "certain"),
        ("filter 12FA125605D", "filtered", "filter E81D325676B", "certain"),
        ("filter E81D325676B", "relayed", lists, "certain"),
        ("lists.example.org C1B87256682", "relayed", "out C8B3A256054", "certain"),
        ("lists.example.org CFA60256368", "relayed", "out D3E0C2560DC", "certain"),
        ("out D3E0C2560DC", "bounced", "out E21ED256366", "certain"),
        ("out E21ED256366", "relayed", "lists.example.org E2E332560DC", "certain"),
        ("lists.example.org BE7782560DC", "relayed", "mail.example.org C2FAB2566A5", "certain"),
        ("lists.example.org CB1F82560DC", "relayed", "mail.example.org CBBAD2560DE", "certain"),
    ]
    assert {(step[1], step[2].partition(" ")[2], step[3]) for step in found if step[0] == lists} == {
        ("forwarded", name, "certain")
        for name in ("C1B87256682", "CFA60256368", "BE7782560DC", "CB1F82560DC")
    }
    (post,) = [trail for trail in story.trails if trail.queue_id == "E96EA256854"]
    assert [step.text.partition(",")[0] for step in post.steps if step.service == "mailman"][-2:] == [
        "<post.1@example.net> smtp to staff@lists.example.org for 4 recips",
        "<post.1@example.net> post to staff@lists.example.org from eve@example.net",
    ]
    assert ends(story) == [
        ("out", "eve@example.net", "sent"),
        ("out", "gone@example.net", "bounced"),
        ("lists.example.org", VERP, "sent"),
        ("mail.example.org", "alice@example.org", "sent"),
        ("mail.example.org", "bob@example.org", "sent"),
    ]


def test_a_post_of_the_sites_own_people() -> None:
    story = only("inward.1@example.org", *LOGS)
    assert steps(story)[0] == (
        *("mail.example.org 43F7E256376", "relayed"),
        *("lists.example.org 763DC2563F2", "certain"),
    )
    assert [(host, name) for host, name, _ in ends(story)] == [
        ("out", "gone@example.net"),
        ("lists.example.org", VERP),
        ("mail.example.org", "alice@example.org"),
        ("out", "eve@example.net"),
        ("mail.example.org", "bob@example.org"),
    ]


def test_mail_that_comes_back_goes_to_its_sender_by_way_of_two_hosts() -> None:
    story = only("former.1@example.net", *LOGS)
    assert steps(story)[2:] == [
        ("filter CED3F256863", "relayed", "mail.example.org D1FD2256B41", "certain"),
        ("mail.example.org D1FD2256B41", "bounced", "mail.example.org E5A78256755", "certain"),
        ("mail.example.org E5A78256755", "relayed", "out E66B6256863", "certain"),
    ]
    assert ends(story) == [
        ("mail.example.org", "former@example.org", "bounced"),
        ("mail.example.org", "carol@example.org", "sent"),
        ("out", "frank@example.net", "sent"),
    ]


def test_what_the_filter_does_not_let_through() -> None:
    virus = only("virus.1@example.net", *LOGS)
    assert steps(virus) == [
        ("mx.example.org 4jbTSn6rNWzLRk9", "relayed", "filter 14D4C25605E", "certain"),
    ]
    assert any("INFECTED" in step.words for step in virus.trails[1].steps)
    spam = only("spam.1@example.net", *LOGS)
    assert steps(spam) == [
        ("mx.example.org 4jbTSn6x0WzLRkH", "relayed", "filter 280B52561B5", "certain"),
        ("filter 280B52561B5", "bounced", "filter AE9D0256117", "certain"),
        ("filter AE9D0256117", "relayed", "out AFC112561B5", "certain"),
    ]
    assert ends(spam) == [
        ("filter", "alice@example.org", "bounced"),
        ("out", "mallory@example.net", "sent"),
    ]


def test_sent_refused_and_put_off_at_once() -> None:
    story = only("outward.1@example.org", *LOGS)
    assert [trail.host for trail in story.trails] == [*("mail.example.org", "out", "out", "mail.example.org")]
    assert ends(story) == [
        ("out", "gone@example.net", "bounced"),
        ("out", "frank@example.net", "sent"),
        ("out", "slow@example.net", "deferred"),
        ("mail.example.org", "alice@example.org", "sent"),
    ]
    assert len(story.trails[1].recipients[2].attempts) == 3


def test_sieve_sends_a_copy_on() -> None:
    story = only("redirected.1@example.net", *LOGS)
    assert steps(story)[3:] == [
        ("mail.example.org 7F029256104", "forwarded", "mail.example.org 9DF87256B55", "certain"),
        ("mail.example.org 9DF87256B55", "relayed", "out 9FCDA256B56", "certain"),
    ]
    assert ends(story) == [
        ("mail.example.org", "erin@example.org", "sent"),
        ("out", "erin@example.net", "sent"),
    ]


def test_sieve_answers_for_one_who_is_away() -> None:
    story = only("away.1@example.net", *LOGS)
    assert steps(story)[3:] == [
        ("mail.example.org A86C4256863", "notified", "mail.example.org C1A3B256754", "likely"),
        ("mail.example.org C1A3B256754", "relayed", "out C36B7256A5D", "certain"),
    ]
    assert ends(story) == [
        ("mail.example.org", "dave@example.org", "sent"),
        ("out", "frank@example.net", "sent"),
    ]


def test_a_log_that_is_missing_leaves_a_gap_in_the_way_and_no_false_link() -> None:
    """Without the filter's log, mx's message and mail's are joined by their Message-ID alone."""
    logs = [path for path in LOGS if path.parent.name != "filter"]
    story = only("delivered.1@example.net", *logs)
    assert steps(story) == [
        ("mx.example.org 4jbTSn5swwzLRk1", "relayed", "mail.example.org A7AC125676B", "possible"),
    ]
    (link,) = story.trails[0].links
    assert (link.evidence, link.agrees) == (
        "message-id=<delivered.1@example.net>",
        ["message_id", "sender", "recipient"],
    )


def told_as_data(query: str, logs: list[Path]) -> list[list[dict[str, Any]]]:
    return [[record(trail) for trail in story.trails] for story in told(query, *logs).stories]


@pytest.fixture(scope="module")
def whole() -> dict[str, list[list[dict[str, Any]]]]:
    return {query: told_as_data(query, LOGS) for query in ("post.1@example.net", "frank@example.net")}


@settings(
    max_examples=examples(6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    query=st.sampled_from(["post.1@example.net", "frank@example.net"]),
    random=st.randoms(use_true_random=False),
    block_bytes=st.sampled_from([700, 5_000, 1 << 20]),
)
def test_neither_the_order_of_the_files_nor_the_size_of_the_pieces_matters(
    whole: dict[str, list[list[dict[str, Any]]]],
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    random: Random,
    block_bytes: int,
) -> None:
    logs = LOGS.copy()
    random.shuffle(logs)
    with monkeypatch.context() as patch:
        patch.setattr(find, "BLOCK_BYTES", block_bytes)
        assert told_as_data(query, logs) == whole[query]

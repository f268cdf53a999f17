"""Everything about one thing: what it is, which lines are about it, what is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from replaying_about import LOG, told

from mailscope.about import gather
from mailscope.about.subject import read_subject
from mailscope.vocabulary.errors import UsageError

EXAMPLES = Path(__file__).parents[2] / "examples" / "postfix"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("192.0.2.66", "ip"), ("2001:db8::66", "ip"), ("[2001:db8::66]", "ip"), ("192.0.2.0/24", "network"),
        ("192.0.2.66/24", "network"), ("2001:db8::/32", "network"), ("alice@example.org", "address"),
        ("@example.org", "domain"), ("example.org", "domain"), ("alice", "user"), ("www-data", "user"),
    ],
)  # fmt: skip
def test_what_is_asked_about(text: str, kind: str) -> None:
    assert read_subject(text).kind == kind


def test_kinds_may_be_said_and_may_be_wrong() -> None:
    assert read_subject("alice.smith", "user").kind == "user"
    for text, kind in (
        ("", None),
        ("a\x1bb", None),
        ("alice", "ip"),
        ("alice", "network"),
        ("alice", "address"),
    ):
        with pytest.raises(UsageError):
            read_subject(text, kind)


def events(picture: dict[str, Any]) -> dict[tuple[str | None, str, str | None], int]:
    return {(row["service"], row["event"], row["result"]): row["count"] for row in picture["happened"]}


def test_an_address_that_tries_passwords(tmp_path: Path) -> None:
    picture = told(tmp_path, "192.0.2.66")
    assert events(picture) == {
        ("smtpd", "connected", None): 1,
        ("smtpd", "login_failed", None): 2,
        ("imap-login", "login_failed", None): 1,
        ("imap-login", "login_succeeded", None): 1,
        ("smtpd", "rejected", None): 1,
        (None, "unrecognised", None): 1,
    }
    assert picture["lines"] == 7
    assert (picture["first"], picture["last"]) == ("2026-11-22T03:50:01+00:00", "2026-11-22T04:10:00+00:00")
    assert [(row["value"], row["count"], row["bad"]) for row in picture["others"]["user"]["rows"]] == [
        ("alice", 2, 1)
    ]
    assert [(row["what"], row["with"], row["failures"]) for row in picture["notable"]] == [
        ("first failed login", None, 0),
        ("first login", "alice", 0),
        ("first success after failures", "alice", 1),
    ]
    assert [(row["event"], row["cause"]) for row in picture["causes"]] == [("rejected", "listed")] or picture[
        "causes"
    ]
    assert picture["hours"] == [
        {"hour": "2026-11-22T03:00+00:00", "count": 5, "bad": 3},
        {"hour": "2026-11-22T04:00+00:00", "count": 2, "bad": 1},
    ]


def test_a_longer_address_is_another_one(tmp_path: Path) -> None:
    assert told(tmp_path, "192.0.2.6")["lines"] == 0


def test_a_network(tmp_path: Path) -> None:
    assert told(tmp_path, "192.0.2.64/28")["lines"] == 6  # all but the line that no pattern knows
    six = told(tmp_path, "2001:db8:1::/48")
    assert events(six) == {("smtpd", "connected", None): 1}
    assert told(tmp_path, "198.51.100.0/24")["messages_total"] == 1
    assert told(tmp_path, "198.51.100.128/25")["lines"] == 0


def test_an_address_with_its_messages(tmp_path: Path) -> None:
    picture = told(tmp_path, "Alice@Example.org")
    assert events(picture) == {("qmgr", "queued", None): 1}
    # The line of the delivery names somebody else, and belongs to the message.
    assert picture["messages_total"] == 1
    assert picture["fates"] == {"sent": 1}
    assert picture["messages"][0]["recipients"] == [{"recipient": "bob@example.net", "fate": "sent"}]
    assert told(tmp_path, "bob@example.net")["messages"][0]["sender"] == "alice@example.org"
    assert told(tmp_path, "example.net")["messages_total"] == 1


def test_a_user_is_a_name_in_a_field(tmp_path: Path) -> None:
    picture = told(tmp_path, "alice")
    # Not alice@example.org, and not the word in another line's reason; the line nobody knows is kept.
    assert events(picture) == {
        ("imap-login", "login_failed", None): 1,
        ("imap-login", "login_succeeded", None): 1,
        (None, "unrecognised", None): 1,
    }
    assert {row["value"] for row in picture["others"]["client_ip"]["rows"]} == {"192.0.2.66"}


@pytest.mark.parametrize("subject", ["192.0.2.66", "alice@example.org", "alice", "example.org"])
def test_both_ways_of_reading_tell_the_same(
    tmp_path: Path, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = told(tmp_path, subject)
    monkeypatch.setattr(gather, "MOST_LINES", 0)
    monkeypatch.setattr(gather, "MOST_MESSAGES", 1)
    assert told(tmp_path, subject) == found


def test_both_ways_tell_the_same_of_a_real_log(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(EXAMPLES, "root@lab.example")
    assert found["messages_total"] == 26
    monkeypatch.setattr(gather, "_search", lambda query, sources, window: None)
    whole = told(EXAMPLES, "root@lab.example")
    assert whole == found


def test_a_span(tmp_path: Path) -> None:
    assert told(tmp_path, "192.0.2.66", since="2026-11-22T04:00:00")["lines"] == 2


def test_the_log_is_as_it_is_said_to_be() -> None:
    assert LOG.count("192.0.2.66") == 7

"""The newest lines about one thing, by the store's tables: the same picture as all lines give, and its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from running import library
from siting import running

from mailscope.about.subject import read_subject
from mailscope.store import sealing
from mailscope.store.reader import Reader
from mailscope.web import newest, questions, subject

DAY = datetime(2026, 11, 22)
LOG = """\
03:50:01 mx1 postfix/smtpd[10]: connect from unknown[192.0.2.66]
03:50:02 mx1 postfix/smtpd[10]: warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x, sasl_username=alice
03:50:04 mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<alice>, method=PLAIN, \
rip=192.0.2.66, lip=192.0.2.25, TLS, session=<a>
03:55:00 mx1 dovecot: imap-login: Login: user=<Alice>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.25, mpid=1, TLS, \
session=<b>
03:55:30 mx1 dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.25, mpid=1, TLS, \
session=<c>
03:56:00 mx1 postfix/smtpd[11]: connect from unknown[2001:db8:1::66]
03:56:00 mx1 postfix/smtpd[11]: 4B5C61F00D: client=pc.example.com[198.51.100.4], sasl_method=PLAIN, sasl_username=alice
03:56:01 mx1 postfix/cleanup[14]: 4B5C61F00D: message-id=<a@example.org>
03:56:01 mx1 postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.org>, size=912, nrcpt=2 (queue active)
03:56:02 mx1 postfix/smtp[13]: 4B5C61F00D: to=<bob@example.net>, relay=mx.example.com[203.0.113.25]:25, delay=1.2, \
delays=0.05/0.01/0.64/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok)
03:56:02 mx1 postfix/smtp[13]: 4B5C61F00D: to=<full@sub.example.net>, relay=mx.example.com[203.0.113.25]:25, delay=1.2, \
delays=0.05/0.01/0.64/0.5, dsn=4.2.2, status=deferred (host mx.example.com[203.0.113.25] said: 452 4.2.2 Mailbox full)
03:59:02 mx1 postfix/smtp[13]: 4B5C61F00D: to=<full@sub.example.net>, relay=mx.example.com[203.0.113.25]:25, delay=181, \
delays=180/0.01/0.64/0.5, dsn=5.2.2, status=bounced (host mx.example.com[203.0.113.25] said: 552 5.2.2 Mailbox full)
03:59:03 mx1 postfix/qmgr[12]: 4B5C61F00D: removed
04:05:00 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 <x@example.com>: Relay access \
denied; from=<y@example.com> to=<x@example.com> proto=ESMTP helo=<pc>
04:10:00 mx1 thing: alice did something at 192.0.2.66 for carol@example.net
04:11:00 mx1 thing: malice did something at 192.0.2.166 for notcarol@example.net
"""
LINES = [f"2026-11-22T{line[:8]}+00:00 {line[9:]}" for line in LOG.splitlines()]
SUBJECTS = (
    "192.0.2.66", "192.0.2.0/24", "2001:db8:1::66", "2001:db8::/32", "203.0.113.25", "192.0.2.6", "alice",
    "alice@example.org", "BOB@example.net", "full@sub.example.net", "example.net", "@example.net",
    "sub.example.net", "example.com", "example.org", "nobody", "nobody@example.org",
)  # fmt: skip
SAME = (
    "kind", "nature", "lines", "first", "last", "programs", "happened", "causes", "others", "notable", "hours",
    "messages", "messages_total", "fates", "lines_shown",
)  # fmt: skip


@pytest.fixture(scope="module", params=["hot", "sealed"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    place = tmp_path_factory.mktemp(request.param)
    with running(place, LINES) as site:
        if request.param == "hot":
            yield site.service.reader()
            return
    from mailscope.store.database import Database

    database = Database(place / "store")
    while (part := sealing.next_slice(database, DAY + timedelta(days=30))) is not None:
        sealing.seal(database, part)
    database.close()
    found = Reader.open(place / "store", library(), ZoneInfo("UTC"))
    yield found
    found.close()


def by_all(reader: Reader, text: str, since: datetime, until: datetime) -> dict[str, Any]:
    return questions.about(reader, questions.Span(since, until), text, None, 10)


def by_newest(reader: Reader, text: str, since: datetime, until: datetime) -> dict[str, Any]:
    return subject.about(reader, since, until, text, None, 10)


@pytest.mark.parametrize("text", SUBJECTS)
def test_it_is_what_all_lines_tell(reader: Reader, text: str) -> None:
    for since in (DAY, datetime(2026, 11, 22, 3, 56)):
        expected = by_all(reader, text, since, DAY + timedelta(days=1))
        found = by_newest(reader, text, since, DAY + timedelta(days=1))
        assert found["since"] is None
        for name in SAME:
            assert found[name] == expected[name], name


def test_lines_that_no_pattern_knows_are_found_by_the_address(reader: Reader) -> None:
    assert by_newest(reader, "Carol@example.net", DAY, DAY + timedelta(days=1))["lines"] == 1


@pytest.mark.parametrize("most", [1, 3, 5])
@pytest.mark.parametrize("text", ["192.0.2.66", "alice", "example.com", "192.0.2.0/24"])
def test_of_more_lines_the_newest_are_told_with_those_of_the_same_instant(
    reader: Reader, text: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "MOST_LINES", most)
    found = by_newest(reader, text, DAY, DAY + timedelta(days=1))
    assert found["lines"] >= most
    since = datetime.fromisoformat(found["since"]).replace(tzinfo=None)
    expected = by_all(reader, text, since, DAY + timedelta(days=1))
    assert (found["lines"], found["happened"]) == (expected["lines"], expected["happened"])


def test_no_more_is_looked_through_than_may_be(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "PIECE", 4)
    monkeypatch.setattr(newest, "MOST_COST", 12.0)
    with reader.database.snapshot(views=False) as looking:
        found = newest.newest(looking, read_subject("192.0.2.66"), DAY, DAY + timedelta(days=1))
    assert found.since is not None
    assert found.since > DAY
    # Whatever is shown is all there is from then on.
    expected = by_all(reader, "192.0.2.66", found.since, DAY + timedelta(days=1))
    assert len(found.rows) == expected["lines"]


def test_pieces_tell_the_same_as_the_whole(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = by_newest(reader, "example.com", DAY, DAY + timedelta(days=1))
    monkeypatch.setattr(newest, "PIECE", 2)
    assert by_newest(reader, "example.com", DAY, DAY + timedelta(days=1)) == whole


def test_the_page_says_that_there_is_more_and_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    span = "from=2026-11-22T00:00Z&to=2026-11-23T00:00Z"
    with running(tmp_path, LINES) as site:
        assert "Those before" not in site.get(f"/about?subject=192.0.2.66&{span}")
        monkeypatch.setattr(newest, "MOST_LINES", 3)
        page = site.get(f"/about?subject=192.0.2.66&{span}")
        assert "Those before" in page
        rows = site.json(f"/about?subject=192.0.2.66&{span}&table=happened&format=json")
        everything = site.json(f"/about?subject=192.0.2.66&{span}&all=everything&table=happened&format=json")
        assert "all=everything" in page
        count = sum(row["count"] for row in everything)
        assert 3 <= sum(row["count"] for row in rows) < count
        assert "Those before" not in site.get(f"/about?subject=192.0.2.66&{span}&all=everything")

"""Who owns a domain sees its mail, and nothing of others' by any page, link, table or question of the API."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urljoin, urlsplit

import pytest
from entering import Served
from serving import append
from visiting import Answer, Visitor

from mailscope.web.people.rules import Rules
from mailscope.web.site import rules

# What stands only in messages, or parts of them, that are none of example.org's.
SECRETS = (
    "victim", "mallory", "spy", "BBBBBBBBBB", "hushhush", "inner-relay", "8888888888", "203.0.113.77", "tenantlogin",
    "lists-secret", "tenant.example", "other.example",
)  # fmt: skip
OTHERS = ("bob", "writer")
MOST_PAGES = 60


def lines() -> list[str]:
    at = datetime.now(UTC) - timedelta(minutes=30)

    def line(program: str, text: str) -> str:
        nonlocal at
        at += timedelta(seconds=1)
        return f"{at.isoformat(timespec='microseconds')} mx postfix/{program}[44]: {text}"

    def to(queue_id: str, who: str, relay: str, reply: str, status: str = "sent", dsn: str = "2.0.0") -> str:
        return line(
            "smtp",
            f"{queue_id}: to=<{who}>, relay={relay}[198.51.100.2]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn={dsn}, status={status} ({reply})",
        )

    return [
        # From theirs to elsewhere: all of it is theirs to see, but for the other's name.
        line("smtpd", "AAAAAAAAAA: client=host.example.org[192.0.2.1], sasl_method=PLAIN, sasl_username=amy@example.org"),
        line("cleanup", "AAAAAAAAAA: message-id=<ours@example.org>"),
        line("qmgr", "AAAAAAAAAA: from=<amy@example.org>, size=912, nrcpt=1 (queue active)"),
        to("AAAAAAAAAA", "bob@example.net", "mx.example.net", "host mx.example.net[198.51.100.2] said: 550 5.1.1 <bob@example.net>: no such user", "bounced", "5.1.1"),
        line("qmgr", "AAAAAAAAAA: removed"),
        # From elsewhere to theirs and to a neighbour, of whom they must not know.
        line("smtpd", "CCCCCCCCCC: client=out.example.com[192.0.2.3], sasl_method=PLAIN, sasl_username=tenantlogin"),
        line("cleanup", "CCCCCCCCCC: message-id=<news@example.com>"),
        line("qmgr", "CCCCCCCCCC: from=<writer@example.com>, size=912, nrcpt=2 (queue active)"),
        to("CCCCCCCCCC", "amy@example.org", "mailbox.example.org", "250 2.0.0 Ok"),
        to("CCCCCCCCCC", "spy@tenant.example", "inner-relay.tenant.example", "250 2.0.0 Ok: queued as 8888888888"),
        line("qmgr", "CCCCCCCCCC: removed"),
        # Between neighbours.
        line("smtpd", "BBBBBBBBBB: client=hushhush.tenant.example[203.0.113.77]"),
        line("cleanup", "BBBBBBBBBB: message-id=<hushhush@tenant.example>"),
        line("qmgr", "BBBBBBBBBB: from=<mallory@tenant.example>, size=912, nrcpt=1 (queue active)"),
        to("BBBBBBBBBB", "victim@other.example", "inner-relay.other.example", "250 2.0.0 Ok: queued as 8888888888"),
        line("qmgr", "BBBBBBBBBB: removed"),
        line("smtpd", "NOQUEUE: reject: RCPT from hushhush.tenant.example[203.0.113.77]: 550 5.1.1 <victim@other.example>: Recipient address rejected: User unknown; from=<lists-secret@tenant.example> to=<victim@other.example> proto=ESMTP helo=<hushhush>"),
        line("smtpd", "warning: hushhush.tenant.example[203.0.113.77]: SASL LOGIN authentication failed: authentication failure, sasl_username=tenantlogin"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("owned")) as running:
        append(running.log, lines())
        running.start()
        running.wait_for(len(lines()))
        yield running
        running.stop()


@pytest.fixture(scope="module")
def owner(daemon: Served) -> Visitor:
    return daemon.entered("dora", "domain owner", "example.org")


def silent(answer: Answer, url: str) -> None:
    """Nothing of others is in it, but what was asked."""
    asked = url.lower()
    for word in (*SECRETS, *OTHERS):
        if word.lower() not in asked:
            assert word.lower() not in answer.text.lower(), f"{url} tells of {word}"
    for word in OTHERS:
        assert f"{word}@" not in answer.text, url


def test_they_see_their_own_mail(owner: Visitor) -> None:
    assert owner.get("/").header("location") == "/domains"
    found = owner.get("/messages?range=24h").text
    assert "AAAAAAAAAA" in found
    assert "CCCCCCCCCC" in found
    assert "amy@example.org" in found
    assert "***@example.net" in found
    (trail,) = owner.get("/v1/trace?query=AAAAAAAAAA").json
    assert trail["recipients"][0]["status"] == "bounced"
    assert "<***@example.net>: no such user" in str(trail)
    assert "example.org" in owner.get("/domains?range=24h").text
    assert owner.get("/about?subject=amy@example.org&range=24h").status == 200


def test_of_shared_mail_they_see_their_part(owner: Visitor) -> None:
    (trail,) = owner.get("/v1/trace?query=CCCCCCCCCC").json
    assert [each["recipient"] for each in trail["recipients"]] == ["amy@example.org"]
    assert trail["sender"] == "***@example.com"
    silent(owner.get("/v1/trace?query=CCCCCCCCCC"), "/v1/trace?query=CCCCCCCCCC")


QUESTIONS = (
    "BBBBBBBBBB", "tenant.example", "other.example", "@tenant.example", "mallory@tenant.example", "spy@tenant.example",
    "victim@other.example", "hushhush@tenant.example", "203.0.113.77", "203.0.113.0/24", "hushhush.tenant.example",
    "inner-relay.other.example", "tenantlogin", "amy@example.org", "example.org", "AAAAAAAAAA", "198.51.100.2", "*", "%",
)  # fmt: skip
ASKING = (
    "/v1/trace?query={}", "/v1/about?subject={}", "/v1/about?subject={}&kind=user", "/messages?q={}&range=28d",
    "/messages?sender={}&range=28d", "/messages?recipient={}&range=28d", "/messages?domain={}&range=28d",
    "/messages?sender_domain={}&range=28d", "/messages?relay={}&range=28d", "/messages?ip={}&range=28d",
    "/messages?user={}&range=28d", "/messages?reason={}&range=28d", "/messages?queue_id={}&range=28d",
    "/messages?message_id={}&range=28d", "/messages?client={}&range=28d", "/about?subject={}&range=28d",
    "/search?q={}", "/domains/{}?range=28d", "/messages/{}", "/causes/{}", "/findings/{}", "/lines?text={}",
    "/lines?ip={}", "/v1/findings/{}", "/messages?q={}&range=28d&table=messages&format=csv",
    "/messages?q={}&range=28d&table=messages&format=json",
    "/messages?relay={}&range=28d&table=deliveries&format=csv",
)  # fmt: skip


@pytest.mark.parametrize("place", ASKING)
def test_no_question_tells_of_others(owner: Visitor, place: str) -> None:
    for question in QUESTIONS:
        url = place.format(quote(question, safe=""))
        answer = owner.get(url)
        assert answer.status < 500, (url, answer.text[:500])
        silent(answer, f"{url} {question}")


def test_no_path_is_open_that_should_not_be(owner: Visitor) -> None:
    token = owner.get("/account").csrf
    for rule in Rules(rules()).all:
        path = re.sub(r"\{[^}]+\}", "BBBBBBBBBB", rule.path)
        for method in rule.methods:
            if method == "GET":
                answer = owner.get(path)
            elif path == "/logout" or rule.in_person or rule.public:
                continue
            else:
                answer = owner.post_json(
                    path,
                    {"statement": "select * from messages", "names": ["victim@other.example"]},
                    **{"x-csrf-token": token},
                )
            silent(answer, path)
            if not (rule.limited or rule.public):
                assert answer.status == 403 or (path == "/" and answer.status == 303), (path, answer.status)


def test_no_link_leads_to_others(owner: Visitor) -> None:
    todo, seen = ["/domains?range=28d", "/messages?range=28d", "/account"], set()
    while todo and len(seen) < MOST_PAGES:
        url = todo.pop(0)
        if url in seen:
            continue
        seen.add(url)
        answer = owner.get(url)
        assert answer.status < 500, (url, answer.text[:500])
        silent(answer, url)
        if "text/html" in answer.header("content-type"):
            for href in re.findall(r'(?:href|action|src)="([^"]+)"', answer.text):
                target = urljoin(url, html.unescape(href).partition("#")[0])
                if not urlsplit(target).netloc and not target.startswith(("/static/", "/logout")):
                    todo.append(target)
    assert len(seen) > 20


def test_all_is_there_for_those_who_see_all(daemon: Served) -> None:
    desk = daemon.entered("hal", "help desk")
    told = desk.get("/v1/trace?query=CCCCCCCCCC").text + desk.get("/v1/trace?query=BBBBBBBBBB").text
    for word in ("spy@tenant.example", "mallory", "victim", "8888888888", "tenantlogin"):
        assert word in told


def test_each_look_is_entered(daemon: Served, owner: Visitor) -> None:
    from mailscope.store import audit

    owner.get("/v1/trace?query=amy@example.org")
    owner.get("/messages?q=carol@example.org")
    found = {(entry.who, entry.what, entry.asked) for entry in audit.entries(daemon.store)}
    assert ("dora (web)", "trace", "amy@example.org") in found
    assert ("dora (web)", "messages", "q=carol@example.org") in found

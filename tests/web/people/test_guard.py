"""Nobody gets past the guard but by a session, a token, or a proxy's word; nothing leaves without its headers."""

from __future__ import annotations

from pathlib import Path

import pytest
from houses import PASSWORD, SHOWN, Place

from mailscope.vocabulary.settings.web import Web
from mailscope.web.people import accounts, passwords, sessions, tokens
from mailscope.web.people.book import Book
from mailscope.web.people.roles import ROLES


@pytest.fixture
def place(tmp_path: Path, cheap: None) -> Place:
    clock = [1_800_000_000.0]
    book = Book(tmp_path, lambda: clock[0])
    for name, role in (("ada", "admin"), ("opal", "operator"), ("hal", "help desk")):
        accounts.add(book, name, role)
    accounts.add(book, "dora", "domain owner", ["Example.ORG."])
    book.run("update accounts set password = ?", passwords.HASHER.hash(PASSWORD))
    return Place(book, clock=clock)


def test_who_has_not_logged_in_gets_nothing(place: Place) -> None:
    browser, program = place.browser(), place.browser(accept="*/*")
    for path in (
        "/",
        "/shown?kind=text/html",
        "/account",
        "/forgotten",
        "/nothing",
        "/v1/report",
        "/v1/openapi.json",
    ):
        assert program.get(path).status == 401, path
        assert set(program.get(path).json) == {"what", "where", "what_to_do"}
        assert program.post(path).status == 401, path
    answer = browser.get("/shown?kind=text/html")
    assert (answer.status, answer.header("location")) == (303, "/login?next=%2Fshown%3Fkind%3Dtext%2Fhtml")
    assert browser.get("/v1/report").status == 401
    assert program.get("/v1/report").header("www-authenticate") == 'Bearer realm="mailscope"'


def test_every_answer_has_its_headers(place: Place) -> None:
    ada = place.browser("ada")
    for answer in (
        ada.get("/login"),
        ada.get("/account"),
        ada.get("/nothing"),
        ada.get("/v1/report"),
        place.browser().get("/"),
    ):
        policy = answer.header("content-security-policy")
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("cache-control") == "no-store"
        assert answer.header("strict-transport-security")


def test_the_cookie_is_of_this_host_and_hidden_from_scripts(place: Place) -> None:
    answer = place.browser().post("/login", {"name": "ada", "password": PASSWORD})
    cookie = answer.header("set-cookie")
    assert cookie.startswith("__Host-mailscope=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= {
        each.strip().lower() for each in cookie.split(";")
    }
    here = place.browser(address="127.0.0.1", scheme="http").post(
        "/login", {"name": "ada", "password": PASSWORD}
    )
    assert "secure" not in here.header("set-cookie").lower()
    # A session that began without TLS is none with it.
    assert place.browser(cookies={"mailscope": "x"}).get("/").status == 303


def test_what_is_not_encrypted_is_not_answered_beyond_this_host(place: Place) -> None:
    for path in ("/login", "/", "/v1/report"):
        assert place.browser(scheme="http").get(path).status == 403
    assert place.browser(scheme="http", address="::ffff:127.0.0.1").get("/login").status == 200


def test_forms_need_the_token_of_their_session(place: Place) -> None:
    ada, opal = place.browser("ada"), place.browser("opal")
    token = ada.get("/account").csrf
    assert len(token) == 64
    for form in ({}, {"csrf": ""}, {"csrf": "x"}, {"csrf": "é"}, {"csrf": opal.get("/account").csrf}):
        assert ada.post("/account/sessions", form).status == 403
    assert ada.post("/account/sessions", {"csrf": token}).status == 303
    assert ada.post_json("/v1/marks", {"title": "x"}).status == 403
    assert ada.post_json("/v1/marks", {"title": "x"}, **{"x-csrf-token": token}).json == {"title": "x"}


@pytest.mark.parametrize(
    "header",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_cannot_send_forms(place: Place, header: dict[str, str]) -> None:
    ada = place.browser("ada")
    token = ada.get("/account").csrf
    assert ada.post("/account/sessions", {"csrf": token}, **header).status == 403
    assert place.browser().post("/login", {"name": "ada", "password": PASSWORD}, **header).status == 403
    assert ada.post("/account/sessions", {"csrf": token}, origin="https://mail.example.org").status == 303


def test_what_has_no_rule_is_not_answered(place: Place) -> None:
    ada = place.browser("ada")
    assert ada.get("/forgotten").status == 404
    answer = ada.post("/v1/report", {"csrf": ada.get("/account").csrf})
    assert (answer.status, answer.header("allow")) == (405, "GET")


@pytest.mark.parametrize(("name", "status"), [("ada", 200), ("opal", 200), ("hal", 200), ("dora", 403)])
def test_roles(place: Place, name: str, status: int) -> None:
    assert place.browser(name).get("/v1/report").status == status


def test_what_the_guard_enters(place: Place) -> None:
    place.browser("opal").get("/v1/report?top=3")
    assert place.entered == [("opal (web)", "login", "192.0.2.9"), ("opal (web)", "report", "top=3")]


def test_tokens_are_for_some_things_and_end(place: Place) -> None:
    secret = tokens.make(place.book, "opal", "graphs", ["look"], 3)
    bearer = {"authorization": f"Bearer {secret}"}
    program = place.browser(accept="*/*")
    assert program.get("/v1/report", **bearer).json["who"].startswith("opal (token ")
    assert program.get("/shown?kind=text/html", **bearer).status == 403
    assert program.post_json("/v1/marks", {}, **bearer).status == 403
    # No account is changed by a token, nor is another one made.
    assert program.get("/account", **bearer).status == 403
    assert (
        program.post("/account/tokens", {"title": "x", "days": "3", "scope": "look"}, **bearer).status == 403
    )
    place.clock[0] += 3 * 86_400
    assert program.get("/v1/report", **bearer).status == 401
    for wrong in ("Bearer nothing", "Basic b3BhbDp4", "Bearer", secret):
        assert program.get("/v1/report", authorization=wrong).status == 401


def test_a_token_needs_no_form_token_and_wins_over_a_cookie(place: Place) -> None:
    secret = tokens.make(place.book, "opal", "marks", ["handle"], 3)
    ada = place.browser("ada")
    assert ada.post_json("/v1/marks", {"title": "x"}, authorization=f"Bearer {secret}").status == 200
    assert ada.get("/v1/report", authorization=f"Bearer {secret}").status == 403


def test_a_token_does_no_more_than_its_account(place: Place) -> None:
    secret = tokens.make(place.book, "ada", "all", list(ROLES["admin"]), 3)
    accounts.change(place.book, "opal", "admin", (), "", "")
    accounts.change(place.book, "ada", "help desk", (), "", "")
    program = place.browser(accept="*/*")
    assert program.post_json("/v1/marks", {}, authorization=f"Bearer {secret}").status == 403
    accounts.disable(place.book, "ada", True)
    assert program.get("/v1/report", authorization=f"Bearer {secret}").status == 401


def test_only_our_proxies_are_believed(place: Place) -> None:
    place.settings = Web(proxies=("192.0.2.80/32",), sign_on_header="X-Remote-User")
    said = {
        "x-remote-user": "opal",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "203.0.113.1, 198.51.100.7",
    }
    stranger = place.browser(accept="*/*")
    assert stranger.get("/v1/report", **said).status == 401
    proxy = place.browser(accept="*/*", address="192.0.2.80", scheme="http")
    assert proxy.get("/v1/report", **said).json == {"who": "opal (proxy)"}
    assert proxy.get("/v1/report", **{**said, "x-remote-user": "nobody"}).status == 401
    proxy.post(
        "/login", {"name": "ada", "password": "wrong"}, **{"x-forwarded-for": "203.0.113.1, 198.51.100.7"}
    )
    # Who is told by the proxy itself, not by what stands before it.
    assert place.entered[-1] == ("ada (web)", "login refused", "198.51.100.7")
    place.settings = Web(proxies=("192.0.2.80/32",))
    assert proxy.get("/v1/report", **said).status == 401


def test_who_is_signed_on_by_a_proxy_needs_form_tokens_too(place: Place) -> None:
    place.settings = Web(proxies=("192.0.2.80/32",), sign_on_header="X-Remote-User")
    proxy = place.browser(address="192.0.2.80")
    token = proxy.get("/account", **{"x-remote-user": "opal"}).csrf
    assert proxy.post("/account/sessions", {}, **{"x-remote-user": "opal"}).status == 403
    assert proxy.post("/account/sessions", {"csrf": token}, **{"x-remote-user": "opal"}).status == 303
    assert proxy.post("/account/sessions", {"csrf": token}, **{"x-remote-user": "ada"}).status == 403


@pytest.mark.parametrize("kind", list(SHOWN))
def test_addresses_of_others_are_hidden_in_every_answer(place: Place, kind: str) -> None:
    shown = place.browser("dora").get(f"/shown?kind={kind}")
    assert shown.status == 200
    assert "bob" not in shown.text
    assert "amy@example.org" in shown.text
    assert shown.text.count("***") == SHOWN[kind].count("bob")
    assert not shown.header("content-length") or int(shown.header("content-length")) == len(shown.body)
    assert place.browser("hal").get(f"/shown?kind={kind}").text == SHOWN[kind]


def test_what_cannot_be_looked_through_is_not_sent(place: Place) -> None:
    shown = place.browser("dora").get("/shown?kind=binary")
    assert shown.status == 403
    assert b"bob" not in shown.body
    assert place.browser("hal").get("/shown?kind=binary").body == b"bob@example.net"


def test_sessions_end(place: Place) -> None:
    ada = place.browser("ada")
    place.clock[0] += 7_000
    assert ada.get("/account").status == 200
    place.clock[0] += 7_000
    assert ada.get("/account").status == 200
    place.clock[0] += 7_201
    assert ada.get("/account").status == 303
    busy = place.browser("ada")
    for _ in range(11):
        place.clock[0] += 3_600
        assert busy.get("/account").status == 200
    place.clock[0] += 3_600
    assert busy.get("/account").status == 303
    assert not [row for row in sessions.of(place.book, "ada") if row.begun > place.clock[0] - 3_600]


def test_an_account_that_is_closed_ends_at_once(place: Place) -> None:
    opal = place.browser("opal")
    accounts.disable(place.book, "opal", True)
    assert opal.get("/account").status == 303
    assert opal.post("/login", {"name": "opal", "password": PASSWORD}).status == 403
    accounts.disable(place.book, "opal", False)
    assert opal.post("/login", {"name": "opal", "password": PASSWORD}).status == 303


def test_a_role_counts_from_the_next_request_on(place: Place) -> None:
    opal = place.browser("opal")
    accounts.change(place.book, "opal", "domain owner", ["example.org"], "", "")
    assert opal.get("/v1/report").status == 403

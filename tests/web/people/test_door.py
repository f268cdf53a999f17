"""Logging in: how often it may fail, codes of an app, the one-time link, one's own account."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher
from houses import PASSWORD, Place
from visiting import Browser

from mailscope.vocabulary.errors import UsageError
from mailscope.web.people import accounts, links, passwords, second_factor, tries
from mailscope.web.people.book import Book

OTHER = "staple gun orchard"
# RFC 6238, appendix B: SHA-1, the last six of its eight digits.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
CODES = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}


@pytest.fixture
def place(tmp_path: Path, cheap: None) -> Place:
    clock = [1_800_000_000.0]
    book = Book(tmp_path, lambda: clock[0])
    for name, role in (("ada", "admin"), ("opal", "operator")):
        accounts.add(book, name, role)
        passwords.set_password(book, name, PASSWORD)
    return Place(book, clock=clock)


def enter(browser: Browser, name: str, password: str = PASSWORD, code: str = "", target: str = "") -> int:
    return browser.post("/login", {"name": name, "password": password, "code": code, "next": target}).status


def test_codes_are_those_of_the_standard() -> None:
    for at, code in CODES.items():
        assert second_factor.code(SECRET, at // 30) == code
        assert second_factor.step_of(SECRET, f"{code[:3]} {code[3:]}", at) == at // 30
        assert second_factor.step_of(SECRET, code, at + 30) == at // 30
        assert second_factor.step_of(SECRET, code, at + 90) is None


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "", "javascript:x", "/\nx"]
)
def test_logging_in_leads_to_pages_of_ours_only(place: Place, target: str) -> None:
    answer = place.browser().post("/login", {"name": "ada", "password": PASSWORD, "next": target})
    assert answer.header("location") == "/"
    assert place.browser("ada").get(f"/login?next={quote(target)}").header("location") == "/"


def test_logging_in_goes_on_where_one_wanted_to_go(place: Place) -> None:
    form = place.browser().get("/login?next=%2Fmessages%3Fq%3D%22%3E%3Cscript%3E")
    assert "<script>" not in form.text
    answer = place.browser().post("/login", {"name": "ada", "password": PASSWORD, "next": "/messages?q=x"})
    assert answer.header("location") == "/messages?q=x"


def test_what_is_wrong_is_not_told_apart(place: Place) -> None:
    told = {
        place.browser().post("/login", {"name": name, "password": password}).text.replace(name, "NAME")
        for name, password in (("ada", "wrong"), ("nobody", "wrong"), ("ada", ""), ("nobody", PASSWORD))
    }
    assert len(told) == 1
    assert "do not belong together" in told.pop()


def test_one_address_may_fail_ten_times(place: Place) -> None:
    browser = place.browser()
    assert [enter(browser, f"name{number}", "x") for number in range(11)] == [403] * 10 + [429]
    # Also with the right password, and on another address of an IPv6 network.
    answer = browser.post("/login", {"name": "ada", "password": PASSWORD})
    assert answer.status == 429
    assert 0 < int(answer.header("retry-after")) <= 900
    place.clock[0] += 901
    assert enter(browser, "ada") == 303


def test_a_network_of_ipv6_counts_as_one_address(place: Place) -> None:
    for number in range(10):
        assert enter(place.browser(address=f"2001:db8:1:2::{number}"), "ada", "x") == 403
    assert enter(place.browser(address="2001:db8:1:2:ffff::1"), "ada") == 429
    assert enter(place.browser(address="2001:db8:1:3::1"), "ada") == 303


def test_many_addresses_may_not_try_one_account_for_ever(place: Place) -> None:
    mine = place.browser("ada", address="192.0.2.200")
    for number in range(tries.OF_ACCOUNT):
        tries.begun(place.book, "ada", f"198.51.100.{number}")
    assert enter(place.browser(address="203.0.113.1"), "ada") == 429
    # Who is there already is not locked out by them; nor are others.
    assert enter(mine, "ada") == 303
    assert enter(place.browser(address="203.0.113.1"), "opal") == 303


def test_who_gets_in_may_mistype_again(place: Place) -> None:
    browser = place.browser()
    for _ in range(3):
        for _ in range(5):
            assert enter(browser, "ada", "x") == 403
        assert enter(browser, "ada") == 303


def test_the_link_is_good_once_and_for_a_day(place: Place) -> None:
    key = links.make(place.book, "opal", "https://mail.example.org").rpartition("=")[2]
    browser = place.browser()
    assert "opal" in browser.get(f"/welcome?key={key}").text
    assert browser.post("/welcome", {"key": key, "password": OTHER, "again": "x"}).status == 422
    assert browser.post("/welcome", {"key": key, "password": "short", "again": "short"}).status == 422
    assert browser.post("/welcome", {"key": key, "password": OTHER, "again": OTHER}).status == 303
    assert browser.get("/account").status == 200
    for answer in (
        browser.get(f"/welcome?key={key}"),
        browser.post("/welcome", {"key": key, "password": OTHER, "again": OTHER}),
        browser.get("/welcome"),
    ):
        assert answer.status == 410
    late = links.make(place.book, "opal", "").rpartition("=")[2]
    place.clock[0] += links.LASTS_S
    assert browser.get(f"/welcome?key={late}").status == 410


def test_the_first_admin_has_a_link_until_there_is_one(tmp_path: Path) -> None:
    book = Book(tmp_path)
    first = links.first(book, "https://mail.example.org/")
    assert first is not None
    assert first.startswith("https://mail.example.org/welcome?key=")
    again = links.first(book, "https://mail.example.org")
    assert again not in (None, first)
    assert links.whose(book, first.rpartition("=")[2]) is None
    assert links.use(book, str(again).rpartition("=")[2], PASSWORD) == "admin"
    assert links.first(book, "https://mail.example.org") is None


def test_a_second_factor_is_set_up_asked_for_and_ended(place: Place) -> None:
    ada = place.browser("ada")
    token = ada.get("/account").csrf
    shown = ada.post("/account/second-factor", {"csrf": token, "do": "begin"})
    secret = re.findall(r"<code>([A-Z2-7]{32})</code>", shown.text)[0]
    assert f"otpauth://totp/Mailscope%20mail.example.org:ada?secret={secret}" in shown.text
    now = int(place.clock[0]) // 30
    form = {"csrf": token, "do": "confirm", "secret": secret}
    assert ada.post("/account/second-factor", {**form, "code": "000000"}).status == 422
    code = second_factor.code(secret, now)
    assert ada.post("/account/second-factor", {**form, "code": code}).status == 303
    browser = place.browser()
    assert enter(browser, "ada") == 403
    # A code is good once, also the one that it was begun with.
    assert enter(browser, "ada", code=code) == 403
    following = second_factor.code(secret, now + 1)
    assert enter(browser, "ada", "wrong", following) == 403
    assert enter(browser, "ada", code=following) == 303
    assert enter(browser, "ada", code=following) == 403
    # A link stands for the password only.
    key = links.make(place.book, "ada", "").rpartition("=")[2]
    fresh = place.browser()
    assert (
        fresh.post("/welcome", {"key": key, "password": OTHER, "again": OTHER}).header("location") == "/login"
    )
    assert not fresh.cookies
    place.clock[0] += 60
    assert enter(browser, "ada", OTHER, second_factor.code(secret, now + 2)) == 303
    token = browser.get("/account").csrf
    assert browser.post("/account/second-factor", {"csrf": token, "do": "end", "old": "wrong"}).status == 422
    assert browser.post("/account/second-factor", {"csrf": token, "do": "end", "old": OTHER}).status == 303
    assert enter(place.browser(), "ada", OTHER) == 303


def test_a_new_password_ends_all_other_sessions(place: Place) -> None:
    here, there = place.browser("ada"), place.browser("ada")
    token = here.get("/account").csrf
    form = {"csrf": token, "password": OTHER, "again": OTHER}
    assert here.post("/account/password", {**form, "old": "wrong"}).status == 422
    assert here.post("/account/password", {**form, "old": PASSWORD}).status == 303
    assert here.get("/account").status == 200
    assert there.get("/account").status == 303
    assert enter(there, "ada") == 403
    assert ("ada (web)", "password changed", "192.0.2.9") in place.entered


def test_guessing_the_old_password_is_bounded(place: Place) -> None:
    ada = place.browser("ada")
    form = {"csrf": ada.get("/account").csrf, "password": OTHER, "again": OTHER, "old": "wrong"}
    for _ in range(11):
        answer = ada.post("/account/password", form)
    assert "wrong too often" in answer.text
    assert ada.post("/account/password", {**form, "old": PASSWORD}).status == 422


def test_tokens_are_made_and_revoked_on_the_page(place: Place) -> None:
    opal = place.browser("opal")
    form = {"csrf": opal.get("/account").csrf, "title": "<script>graphs", "days": "3"}
    assert opal.post("/account/tokens", {**form, "scope": "people"}).status == 422
    assert opal.post("/account/tokens", {**form, "scope": "look", "days": "many"}).status == 422
    shown = opal.post("/account/tokens", {**form, "scope": ["look", "sql"]}).text
    assert "<script>" not in shown
    secret = re.findall(r"<code>(mailscope_[^<]+)</code>", shown)[0]
    program = place.browser(accept="*/*")
    assert program.get("/v1/report", authorization=f"Bearer {secret}").status == 200
    page = opal.get("/account").text
    assert secret not in page
    name = re.findall(r'name="revoke" value="([^"]+)"', page)[0]
    other = place.browser("ada")
    assert other.post("/account/tokens", {"csrf": other.get("/account").csrf, "revoke": name}).status == 503
    assert opal.post("/account/tokens", {"csrf": form["csrf"], "revoke": name}).status == 303
    assert program.get("/v1/report", authorization=f"Bearer {secret}").status == 401


def test_logging_out_ends_the_session(place: Place) -> None:
    ada = place.browser("ada")
    kept = dict(ada.cookies)
    assert ada.post("/logout", {"csrf": ada.get("/account").csrf}).status == 303
    assert not ada.cookies
    ada.cookies = kept
    assert ada.get("/account").status == 303


def test_a_form_that_is_too_long_is_refused(place: Place) -> None:
    assert place.browser().post("/login", {"name": "x" * 70_000}).status == 413
    assert place.browser().post("/login", {"name": "ada", "password": "x" * 60_000}).status == 403


@pytest.mark.parametrize(
    ("language", "word"),
    [("it-IT,en;q=0.5", "Accedi"), ("sv", "Logga in"), ("zh-CN", "登录"), ("xx", "Log in")],
)
def test_the_door_speaks_the_language_of_the_browser(place: Place, language: str, word: str) -> None:
    assert word in place.browser().get("/login", **{"accept-language": language}).text


def test_hashes_are_made_anew_when_they_are_too_cheap(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    costly = PasswordHasher()
    monkeypatch.setattr(passwords, "HASHER", costly)
    assert passwords.right(place.book, "ada", PASSWORD)
    row = place.book.row("select password from accounts where name = 'ada'")
    assert row is not None
    assert row["password"].startswith("$argon2id$")
    assert not costly.check_needs_rehash(row["password"])


def test_a_password_is_never_in_its_own_refusal() -> None:
    with pytest.raises(UsageError) as refused:
        passwords.check("tooshort", "ada")
    assert "tooshort" not in str(refused.value)

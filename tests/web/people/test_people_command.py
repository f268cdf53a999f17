"""``mailscope people``: accounts are made, changed and removed, and each change is entered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope
from mailscope.store import audit
from mailscope.vocabulary.errors import InputError, MailscopeError, UsageError
from mailscope.web.people import accounts, links, passwords, sessions, tokens
from mailscope.web.people.book import FILE, Book
from mailscope.web.people.sessions import Lasting

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mailscope.toml"
    (tmp_path / "store").mkdir()
    file.write_text(
        f'[store]\ndirectory = "{tmp_path}/store"\n[web]\nenabled = true\nurl = "https://mail.example.org/"\n'
    )
    monkeypatch.setenv("MAILSCOPE_CONFIG", str(file))


def run(*words: str, given: str | None = None) -> Result:
    done = CliRunner().invoke(mailscope, ["people", *words], input=given)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "store")


def test_a_new_person_chooses_a_password_by_the_link(tmp_path: Path) -> None:
    told = run("add", "bob", "--role", "help-desk", "--lang", "sv", "--tz", "Europe/Stockholm")
    found = re.fullmatch(r"https://mail\.example\.org/welcome\?key=(\S+)\n", told.stdout)
    assert found
    assert "no password yet" in run("list").stdout
    assert links.use(book(tmp_path), found[1], PASSWORD) == "bob"
    assert links.use(book(tmp_path), found[1], "another long password") is None
    assert passwords.right(book(tmp_path), "bob", PASSWORD)
    assert run("list").stdout.split() == ["bob", "help", "desk"]
    assert accounts.known(book(tmp_path), "bob").zone == "Europe/Stockholm"


def test_the_file_is_for_its_owner_only_and_holds_no_secret(tmp_path: Path) -> None:
    key = run("add", "bob", "--role", "admin").stdout.strip().rpartition("=")[2]
    run("password", "bob", given=f"{PASSWORD}\n")
    token = run("token", "bob", "graphs", "--may", "look").stdout.strip()
    session = sessions.start(book(tmp_path), "bob", "192.0.2.1", Lasting(10, 10))
    file = tmp_path / "store" / FILE
    assert file.stat().st_mode & 0o777 == 0o600
    for secret in (key, PASSWORD, token, session):
        assert secret.encode() not in file.read_bytes()


def test_a_new_password_ends_sessions_and_links(tmp_path: Path) -> None:
    run("add", "bob", "--role", "admin")
    key = run("link", "bob").stdout.strip().rpartition("=")[2]
    lasting = Lasting(1000, 1000)
    session = sessions.start(book(tmp_path), "bob", "192.0.2.1", lasting)
    run("password", "bob", given=f"{PASSWORD}\n")
    assert sessions.found(book(tmp_path), session, lasting) is None
    assert links.whose(book(tmp_path), key) is None


def test_roles_and_domains_are_changed(tmp_path: Path) -> None:
    run("add", "ada", "--role", "admin")
    run("add", "dora", "--role", "domain-owner", "--domain", "Example.ORG", "--domain", "example.net.")
    assert accounts.known(book(tmp_path), "dora").domains == ("example.org", "example.net")
    run("change", "dora", "--lang", "it")
    assert accounts.known(book(tmp_path), "dora").domains == ("example.org", "example.net")
    run("change", "dora", "--role", "auditor")
    found = accounts.known(book(tmp_path), "dora")
    assert (found.role, found.domains, found.language) == ("auditor", (), "it")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "Bob Smith", "--role", "admin"), "cannot be the name"),
        (("add", "\x1b[31m", "--role", "admin"), "cannot be the name"),
        (("add", "ada", "--role", "admin"), "such an account already"),
        (("add", "bob", "--role", "domain-owner"), "needs domains"),
        (("add", "bob", "--role", "operator", "--domain", "example.org"), "sees all domains"),
        (("add", "bob", "--role", "domain-owner", "--domain", "a b"), "it is no domain"),
        (("add", "bob", "--role", "operator", "--lang", "xx"), "no such language"),
        (("add", "bob", "--role", "operator", "--tz", "Mars/Olympus"), "no such time zone"),
        (("change", "ada", "--role", "operator"), "nobody would be left"),
        (("disable", "ada"), "nobody would be left"),
        (("remove", "ada"), "nobody would be left"),
        (("token", "ada", "x", "--may", "fly"), "may not do that"),
        (("token", "ada", "x", "--may", "look", "--days", "367"), "from 1 to 366"),
        (("token", "ada", " ", "--may", "look"), "needs a title"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    run("add", "ada", "--role", "admin")
    before = book(tmp_path).rows("select * from accounts")
    with pytest.raises(UsageError, match=told):
        run(*words)
    assert [tuple(row) for row in book(tmp_path).rows("select * from accounts")] == [
        tuple(row) for row in before
    ]


@pytest.mark.parametrize(
    "command", ["link", "password", "disable", "enable", "remove", "drop-codes", "change"]
)
def test_who_is_unknown_is_told(command: str) -> None:
    with pytest.raises(InputError, match="no such account"):
        run(command, "nobody", given=f"{PASSWORD}\n")


@pytest.mark.parametrize("password", ["short", "mailscope", "adaadaadaada", "aaaaaaaaaaaaaaa", "x" * 1025])
def test_passwords_that_are_easily_guessed(password: str) -> None:
    run("add", "ada", "--role", "admin")
    with pytest.raises(UsageError):
        run("password", "ada", given=f"{password}\n")


def test_tokens_are_listed_and_revoked(tmp_path: Path) -> None:
    run("add", "ada", "--role", "admin")
    secret = run(
        "token", "ada", "graphs\x1b[2J", "--may", "look", "--may", "sql", "--days", "2"
    ).stdout.strip()
    assert tokens.found(book(tmp_path), secret)
    (line,) = run("tokens").stdout.splitlines()
    assert "look, sql: graphs" in line
    assert "\x1b" not in line
    run("revoke", line.split()[0])
    assert tokens.found(book(tmp_path), secret) is None
    with pytest.raises(MailscopeError, match="no such token"):
        run("revoke", line.split()[0])


def test_each_change_is_entered(tmp_path: Path) -> None:
    run("add", "ada", "--role", "admin")
    run("list")
    run("link", "ada")
    found = [(entry.what, entry.asked) for entry in audit.entries(tmp_path / "store")]
    assert found == [("people add", "ada admin"), ("people link", "ada")]


def test_without_a_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no store"):
        run("list", "--store", str(tmp_path / "nowhere"))
    (tmp_path / "store" / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(InputError, match="cannot be read"):
        run("list")

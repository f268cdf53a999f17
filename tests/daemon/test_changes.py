"""Changes of configuration become marks without secrets."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailscope.daemon.changes.masking import without_secrets
from mailscope.daemon.changes.notes import ONLY_CHANGED, ONLY_SECRETS, ChangeNotes
from mailscope.daemon.changes.watched import Form, Watched, named, watched
from mailscope.intake.discovery.files import HostFiles
from mailscope.vocabulary.tables import MARKS

NOW = datetime(2026, 11, 22, 4, 0, 42)
SECRET = "s3cr3t-pa55"


class Host:
    """A host's /etc and /var in a directory, whose changes are noted every ten seconds."""

    def __init__(self, root: Path, state: str | None = None) -> None:
        self.root, self.now = root, NOW
        self.notes = ChangeNotes("mail", lambda: watched(HostFiles(root)), 10, 2_000, state)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(text)
        beside.rename(path)  # as editors do
        return path

    def marks(self) -> list[tuple[str, str]]:
        self.now += timedelta(seconds=10)
        found = self.notes.sample(self.now)
        if found is None:
            return []
        assert tuple(found.columns) == MARKS.names
        assert set(found["kind"]) == {"config"}
        return [
            (title.removeprefix(f"{self.root}/"), details)
            for title, details in found.select("title", "details").iter_rows()
        ]


def test_a_change_is_noted_with_its_difference(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.write("etc/postfix/main.cf", "myhostname = mail.example.org\nsmtpd_banner = hello\n")
    assert host.marks() == []
    assert host.marks() == []
    host.write("etc/postfix/main.cf", "myhostname = mail.example.org\nsmtpd_banner = welcome\n")
    [(title, details)] = host.marks()
    assert title == "etc/postfix/main.cf was changed"
    assert "-smtpd_banner = hello\n+smtpd_banner = welcome" in details
    assert host.marks() == []
    assert host.notes.sample(host.now + timedelta(seconds=9)) is None


def test_tables_that_main_cf_comes_to_name_are_watched(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.write("etc/postfix/main.cf", "myhostname = mail.example.org\n")
    host.marks()
    host.write("etc/postfix/virtual", "a@example.org b@example.net\n")
    host.write("etc/postfix/main.cf", "virtual_alias_maps =\n    proxy:hash:$config_directory/virtual\n")
    titles = [title for title, _ in host.marks()]
    assert titles == ["etc/postfix/main.cf was changed", "etc/postfix/virtual was added"]


def test_what_is_watched(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.write(
        "etc/postfix/main.cf",
        "x_maps = pcre:/etc/postfix/x.pcre, ldap:/etc/postfix/l.cf\n"
        "smtp_sasl_password_maps = lmdb:/etc/postfix/relays\n",
    )
    host.write("etc/postfix/master.cf", "smtp inet n - y - - smtpd\n  -o check=hash:/etc/postfix/extra\n")
    for name in ("x.pcre", "l.cf", "relays", "extra"):
        host.write(f"etc/postfix/{name}", "x\n")
    host.write("etc/dovecot/dovecot.conf", "!include conf.d/*.conf\n!include_try /etc/dovecot/none.conf\n")
    host.write("etc/dovecot/conf.d/10-auth.conf", "passdb {\n  args = /etc/dovecot/dovecot-sql.conf.ext\n}\n")
    host.write("etc/dovecot/dovecot-sql.conf.ext", "connect = host=db password=x\n")
    host.write("var/qmail/control/me", "mail.example.org\n")
    host.write("var/qmail/control/smtproutes", f":relay.example.net alice {SECRET}\n")
    found = {str(each.path.relative_to(tmp_path)): each.form for each in watched(HostFiles(tmp_path))}
    assert found == {
        "etc/postfix/main.cf": "settings",
        "etc/postfix/master.cf": "settings",
        "etc/postfix/x.pcre": "table",
        "etc/postfix/l.cf": "settings",
        "etc/postfix/relays": "credentials",
        "etc/postfix/extra": "table",
        "etc/dovecot/dovecot.conf": "settings",
        "etc/dovecot/conf.d/10-auth.conf": "settings",
        "etc/dovecot/dovecot-sql.conf.ext": "settings",
        "var/qmail/control/me": "table",
        "var/qmail/control/smtproutes": "credentials",
    }
    assert named(HostFiles(tmp_path), ("/etc/postfix/x*",)) == (
        Watched(tmp_path / "etc/postfix/x.pcre", "settings"),
    )


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("settings", f"smtp_password = {SECRET}"),
        ("settings", f"#bind_pw = {SECRET}"),
        ("settings", f"dnpass = /{SECRET}"),
        ("settings", f"connect = host=db user=mail password={SECRET}"),
        ("settings", f"  password: {SECRET}"),
        ("settings", f"doveadm_api_key = {SECRET}"),
        ("settings", f"url = mysql://mail:{SECRET}@db/mail"),
        ("settings", f"alice:{{SSHA512}}{SECRET}:1000:1000::/home/alice"),
        ("credentials", f"[mx.example.org]:587 alice:{SECRET}"),
        ("credentials", f"mx.example.org alice:{SECRET}"),
        ("credentials", f"alice:{{PLAIN}}{SECRET}:1000"),
        ("credentials", f"#old.example.org:25 alice:{SECRET}"),
        ("credentials", SECRET),
        ("secret", f"{SECRET}:587 x"),
        ("settings", f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----"),
        ("settings", f"password =\n   {SECRET}"),
    ],
)
def test_secrets_are_masked(form: Form, line: str) -> None:
    masked = "\n".join(without_secrets(f"before\n{line}\nafter = 1", form))
    assert SECRET not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "line",
    [
        "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd",
        "smtp_sasl_auth_enable = yes",
        "default_pass_scheme = CRYPT",
        "password_query = SELECT user, password FROM users WHERE user = '%u'",
        "passdb {",
        "ssl_key = </etc/ssl/private/mail.key",
        "smtpd_pass_delay = 3",
        "compatibility_level = 3.6",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert without_secrets(line, "settings") == [line]


def test_no_secret_reaches_a_mark_or_the_state(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.write("etc/postfix/main.cf", "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd\n")
    host.write("etc/postfix/sasl_passwd", f"mx.example.org alice:{SECRET}\n")
    host.marks()
    host.write("etc/postfix/sasl_passwd", f"mx.example.org alice:{SECRET}2\n")
    assert host.marks() == [("etc/postfix/sasl_passwd was changed", ONLY_SECRETS)]
    host.write("etc/postfix/sasl_passwd", f"mx.example.net bob:{SECRET}\n")
    [(_, details)] = host.marks()
    assert "-mx.example.org ***\n+mx.example.net ***" in details
    assert SECRET not in details + host.notes.state()


def test_restarts_keep_what_was(tmp_path: Path) -> None:
    first = Host(tmp_path)
    first.write("etc/postfix/main.cf", "a = 1\n")
    first.marks()
    state = first.notes.state()
    first.write("etc/postfix/main.cf", "a = 2\n")
    later = Host(tmp_path, state)
    [(title, details)] = later.marks()
    assert title == "etc/postfix/main.cf was changed"
    assert "-a = 1\n+a = 2" in details
    assert Host(tmp_path, later.notes.state()).marks() == []
    assert json.loads(state)
    with pytest.raises(json.JSONDecodeError):
        Host(tmp_path, "rubbish")


def test_a_file_that_is_gone_for_a_moment(tmp_path: Path) -> None:
    host = Host(tmp_path)
    path = host.write("etc/postfix/main.cf", "a = 1\n")
    host.marks()
    path.unlink()
    assert host.marks() == []
    host.write("etc/postfix/main.cf", "a = 1\n")
    assert host.marks() == []
    path.unlink()
    assert host.marks() == []
    assert host.marks() == [("etc/postfix/main.cf was removed", "")]
    assert host.marks() == []


def test_binary_and_large_files_are_only_told_to_have_changed(tmp_path: Path) -> None:
    host = Host(tmp_path)
    path = host.write("etc/postfix/master.cf", "x\n")
    host.write("etc/postfix/main.cf", "a = 1\n")
    host.marks()
    path.write_bytes(b"a\0b")
    assert host.marks() == [("etc/postfix/master.cf was changed", ONLY_CHANGED)]
    assert host.marks() == []
    path.write_bytes(b"a\0c")
    assert host.marks() == [("etc/postfix/master.cf was changed", ONLY_CHANGED)]
    host.write("etc/postfix/main.cf", "".join(f"a{number} = {number}\n" for number in range(500)))
    [(_, details)] = host.marks()
    assert len(details) < 2_100
    assert details.endswith(" more lines)")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "x.cf"
    path.write_text("a\n")
    path.chmod(0)
    notes = ChangeNotes("mail", lambda: [Watched(path, "settings")])
    notes.sample(NOW)
    assert notes.problems == (f"changes of configuration: {path}: Permission denied",)


def test_files_beyond_the_limit_are_told(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.notes = ChangeNotes("mail", lambda: watched(HostFiles(tmp_path)), 10, 2_000, None, most_files=3)
    for name in ("me", "locals", "rcpthosts"):
        host.write(f"var/qmail/control/{name}", "example.org\n")
    assert host.marks() == []
    assert host.notes.problems == ()
    host.write("var/qmail/control/virtualdomains", "example.net\n")
    host.write("var/qmail/control/timeoutsmtpd", "60\n")
    words = "2 files are not watched, as there are more than 3"
    titles = [title for title, _ in host.marks()]
    assert titles.count(words) == 1
    assert host.marks().count((words, "")) == 0
    assert host.notes.problems == (f"changes of configuration: {words}",)
    # After a restart it is not told anew, unless there are more.
    host.notes = ChangeNotes(
        "mail", lambda: watched(HostFiles(tmp_path)), 10, 2_000, host.notes.state(), most_files=3
    )
    assert words not in [title for title, _ in host.marks()]
    assert host.notes.problems == (f"changes of configuration: {words}",)


def test_files_that_lists_and_defaults_name_are_watched(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.write(
        "etc/postfix/main.cf",
        "myorigin = /etc/mailname\nmynetworks = 127.0.0.0/8, !/etc/postfix/not_ours, /etc/postfix/ours\n"
        "smtpd_tls_key_file = /etc/ssl/private/mail.key\n",
    )
    for name in ("mailname", "aliases", "postfix/ours", "postfix/not_ours", "ssl/private/mail.key"):
        host.write(f"etc/{name}", "example.org\n")
    found = {str(each.path.relative_to(tmp_path / "etc")) for each in watched(HostFiles(tmp_path))}
    assert found == {"postfix/main.cf", "mailname", "aliases", "postfix/ours", "postfix/not_ours"}

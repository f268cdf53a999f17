"""The lab's logs: every line of a covered program is known, in all envelope forms with the same result."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from itertools import zip_longest
from typing import Final

import pytest
from reading import Record, events, folder, is_covered

LAB: Final = folder("lab")
NOW: Final = datetime(2026, 12, 31)
# What the envelope tells; the rest is the program's own line.
ENVELOPE: Final = frozenset({"time", "time_quality", "source", "facility", "severity"})
LOGS: Final = (
    "postfix/full-run.mail.log.bsd",
    "postfix/full-run.mail.log.rfc3339",
    "postfix/mail.log.bsd",
    "postfix/mail.log.rfc3339",
    "postfix/mail.warn.bsd",
    "postfix/master-panic-lines.bsd",
    "postfix/multiday.mail.log.bsd",
    "postfix/phaseA.mail.log.bsd",
    "postfix/phaseAB.mail.log.bsd",
    "syslog/all.pri",
    "syslog/all.rfc5424",
    "syslog/auth.log.bsd",
    "syslog/auth.log.rfc3339",
    "syslog/syslog.bsd",
    "syslog/syslog.rfc3339",
    "syslog/apache/access.common.log",
    "syslog/apache/access.combined.log",
    "syslog/apache/access.vhost_combined.log",
    "syslog/apache/error.log",
    "qmail/multilog-all.frac",
    "qmail/multilog-all.tai64n",
    "qmail/multilog-all.tai64nlocal",
    "qmail/splogger.log.bsd",
    "qmail/splogger.log.rfc3339",
    "qmail/tcpserver-smtpd.raw.log",
    "imap/courier.log.bsd",
    "imap/dovecot.log.bsd",
    "imap/dovecot.log.rfc3339",
    "imap/dovecot-lmtp.log.bsd",
    "imap/dovecot-broken-install.log.bsd",
    "imap/tcpserver-smtpd.raw.log",
)
DIRECTORIES: Final = ("qmail/multilog", "qmail/multilog3", "qmail/smtpd-log", "imap/tcpserver-multilog")


@cache
def read(name: str) -> list[Record]:
    return events((LAB / name).read_bytes(), NOW)


@pytest.mark.parametrize("name", LOGS)
def test_every_line_of_covered_programs_is_recognised(name: str) -> None:
    records = read(name)
    assert records
    unknown = [r for r in records if r["event"] == "unrecognised" and is_covered(r.get("program"))]
    # logger(1) was given a tag with blanks in it, which no reader can tell from text.
    # A script of the web server's wrote to its log without any form.
    odd = ("long tag with space", "tag with space", "stderr-line")
    unknown = [r for r in unknown if not r["text"].startswith(odd)]
    assert unknown == []


@pytest.mark.parametrize("name", DIRECTORIES)
def test_every_line_of_multilog_directories_is_recognised(name: str) -> None:
    files = [path for path in (LAB / name).iterdir() if path.name == "current" or path.suffix in (".s", ".u")]
    assert files
    for path in files:
        unknown = [r for r in events(path.read_bytes(), NOW) if r["event"] == "unrecognised"]
        assert unknown == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postfix/full-run.mail.log.bsd", "postfix/full-run.mail.log.rfc3339"),
        ("postfix/mail.log.bsd", "postfix/mail.log.rfc3339"),
        ("qmail/splogger.log.bsd", "qmail/splogger.log.rfc3339"),
        ("imap/dovecot.log.bsd", "imap/dovecot.log.rfc3339"),
        ("qmail/multilog-all.tai64n", "qmail/multilog-all.frac"),
        ("qmail/multilog-all.tai64n", "qmail/multilog-all.tai64nlocal"),
    ],
)
def test_envelope_forms_give_the_same_records(one: str, other: str) -> None:
    for first, second in zip_longest(map(without_envelope, read(one)), map(without_envelope, read(other))):
        assert first == second


def test_rfc5424_gives_the_same_records_though_it_loses_the_daemon() -> None:
    tag = ("program", "service", "instance")
    records = list(zip_longest(read("syslog/all.pri"), read("syslog/all.rfc5424")))
    covered = [(one, other) for one, other in records if is_covered(one.get("program")) and "program" in one]
    assert len(covered) > 11_000
    for one, other in covered:
        first, second = without_envelope(one, *tag), without_envelope(other, *tag)
        if one.get("service") == "postsuper" and first["event"] == "deleted":
            # "removed" from postsuper: without the tag it is qmgr's word, a hundred times as frequent.
            assert second["event"] == "removed"
            second["event"] = "deleted"
        # sudo fills names up with blanks on the left.
        first["text"] = first["text"].lstrip(" ")
        assert first == second


def test_rfc3339_stamps_are_exact_and_agree_with_bsd_stamps_to_the_second() -> None:
    for one, other in zip_longest(read("postfix/mail.log.bsd"), read("postfix/mail.log.rfc3339")):
        assert "time_quality" not in other
        if "time_quality" in one:
            assert one["time"][:19] == other["time"][:19]


def test_each_refused_ssh_login_is_counted_once() -> None:
    records = [r for r in read("syslog/auth.log.bsd") if r.get("service") == "sshd"]
    failed = [r for r in records if r["event"] == "login_failed"]
    tried = [r for r in records if r["text"].startswith("Failed password")]
    assert len(failed) == len(tried) == 10
    assert all(r["client_ip"] and r["user"] for r in failed)
    # PAM tells them too (it does not know of those whom sshd itself refuses).
    assert sum(r["event"] == "policy_result" for r in records if "authentication failure;" in r["text"]) == 10


def test_sudo_and_su_tell_who_became_whom() -> None:
    records = read("syslog/auth.log.bsd")
    failed = [
        (r["service"], r["user"], r["target_user"])
        for r in records
        if r["event"] == "login_failed" and r["service"] in ("su", "sudo")
    ]
    assert failed == [
        ("sudo", "alice", "alice"),
        ("sudo", "bob", "root"),
        ("sudo", "bob", "root"),
        ("sudo", "carol", "root"),
        ("su", "bob", "alice"),
    ]


def test_access_forms_of_one_web_server_agree() -> None:
    common, combined, vhost = (
        read(f"syslog/apache/access.{form}.log") for form in ("common", "combined", "vhost_combined")
    )
    for one, two, three in zip(common, combined, vhost, strict=True):
        for name in ("time", "client_ip", "user", "method", "url_path", "protocol", "reply_code"):
            assert one.get(name) == two.get(name) == three.get(name)
        assert three["server_port"] in (80, 443)
        assert two.get("user_agent") == three.get("user_agent")


def test_a_log_file_of_dovecots_own_gives_the_same_records_as_syslog() -> None:
    """With ``log_path`` Dovecot leaves host and program out, and writes a level on every line."""
    own: list[bytes] = []
    for line in (LAB / "imap/dovecot.log.bsd").read_bytes().splitlines():
        stamp, text = line[:15], line.split(b" dovecot: ", 1)[1]
        name, rest = text.split(b": ", 1)
        leveled = rest.startswith((b"Warning: ", b"Error: ", b"Fatal: "))
        own.append(stamp + b" " + name + (b": " if leveled else b": Info: ") + rest)
    records = events(b"\n".join(own), NOW)
    for one, other in zip_longest(records, read("imap/dovecot.log.bsd")):
        assert without_envelope(one, "text", "host", "pid") == without_envelope(other, "text", "host", "pid")
        assert "host" not in one


def test_a_dovecot_session_is_told_from_login_to_its_end() -> None:
    records = read("imap/dovecot.log.bsd")
    login = next(r for r in records if r["event"] == "login_succeeded")
    end = next(r for r in records if r["event"] == "session_closed")
    assert (login["service"], end["service"]) == ("imap-login", "imap")
    assert (login["program"], end["program"]) == ("dovecot", "dovecot")
    # The login names the process that serves the session.
    assert login["subject_pid"] == end["pid"] == 11506
    assert login["user"] == end["user"] == "alice"
    assert (end["bytes_in"], end["bytes_out"]) == (152, 1191)


def test_every_refused_dovecot_connection_is_one_failed_login() -> None:
    records = read("imap/dovecot.log.bsd")
    failed = [r for r in records if r["event"] == "login_failed"]
    # One look-up more was for a message to nobody, over LMTP: it has no session.
    refused = [r for r in records if r["event"] == "policy_result" and "<" in r["text"]]
    assert len(failed) == 10
    # What the auth process says of each try adds up to the tries that the login processes count.
    assert sum(r["value"] for r in failed) == len(refused) == 13
    assert {r["user"] for r in failed} == {r["user"] for r in refused} == {"alice", "bob", "nouser"}


def test_no_session_id_of_dovecot_gets_into_a_field() -> None:
    for record in read("imap/dovecot.log.bsd"):
        for session in re.findall(r"session=<([^>]+)>|<([A-Za-z0-9+/]{12,})>", record["text"]):
            kept = [v for name, v in record.items() if name != "text" and isinstance(v, str)]
            assert not any(part in value for part in session if part for value in kept)


def test_stamps_of_another_zone_give_the_same_instants() -> None:
    data = (LAB / "qmail/multilog-all.tai64nlocal.NewYork").read_bytes()
    local = events(data, NOW, "America/New_York")
    assert [r["time"] for r in local] == [r["time"] for r in read("qmail/multilog-all.tai64n")]
    assert {r["time_quality"] for r in local} == {"zone_assumed"}


def test_priorities_tell_facility_and_severity() -> None:
    for form in ("syslog/all.pri", "syslog/all.rfc5424"):
        kinds = {
            (r["facility"], r["severity"]) for r in read(form) if r.get("program", "").startswith("postfix")
        }
        assert ("mail", "info") in kinds
        assert {facility for facility, _ in kinds} == {"mail"}


def without_envelope(record: Record | None, *more: str) -> Record:
    assert record is not None
    return {name: value for name, value in record.items() if name not in ENVELOPE and name not in more}

"""Lines of open corpora about what else a mail host logs: logins, web servers, firewalls, log daemons."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import pytest
from reading import cases, corpora, events, is_covered

CORPORA: Final = corpora()
NOW: Final = datetime(2026, 12, 31)

# ---------------------------------------------------------------- fail2ban

# What makes fail2ban count against a client of sshd: a failed login, a detail of one, or a client that goes away.
AGAINST: Final = {
    "login_failed",
    "policy_result",
    "disconnected",
    "connection_lost",
    "connection_denied",
    "connection_timed_out",
}
# fail2ban reads here that a client may write behind the address; OpenSSH's auth_log() lets it do so only for
# keys, so that the line is one of a user named "test from 127.0.0.1 port 58946 ssh2:".
OTHER_READING: Final = "auth-info: ' from 10.10.1.2 port 55555 ssh2'"
FAIL2BAN_SSHD: Final = [
    case
    for case in cases("fail2ban")
    if case["file"] == "logs/sshd" and OTHER_READING not in case["expect"].get("desc", "")
]
FAIL2BAN_OTHERS: Final = [
    case for case in cases("fail2ban") if re.match("logs/(?:apache|pam-generic)", case["file"])
]


def told(case: dict[str, Any]) -> dict[str, Any]:
    """The one record of a case's line, with the client and the user that the case wants of it."""
    [record] = events(case["line"].encode(), datetime(2005, 8, 14), "Europe/Zurich")
    assert record["event"] != "unrecognised"
    expected = case["expect"]
    # Of several lines of one connection, fail2ban expects the client of the last, which may be named before.
    if expected.get("host") and expected["host"] in case["line"]:
        assert expected["host"] in (record.get("client_ip"), record.get("client_host"))
    if "user" in expected:
        assert record.get("user", "") == expected["user"]
    return record


@pytest.mark.parametrize("case", FAIL2BAN_SSHD, ids=lambda case: case["line"][:60])
def test_fail2ban_sshd(case: dict[str, Any]) -> None:
    record = told(case)
    if not case["expect"]["match"]:
        assert record["event"] != "login_failed"
    elif "users" not in case["expect"]:
        # With "users", it counts tries that came before a login that succeeded.
        assert record["event"] in AGAINST


@pytest.mark.parametrize("case", FAIL2BAN_OTHERS, ids=lambda case: case["line"][:60])
def test_fail2ban_web_and_pam(case: dict[str, Any]) -> None:
    record = told(case)
    if case["file"] == "logs/pam-generic":
        # The form that it "no longer supports" is a failed login all the same.
        assert record["event"] in {"login_failed", "policy_result"}
    if case["file"] == "logs/apache-auth" and "user" in case["line"] and "AH02" not in case["line"]:
        assert record["event"] in {"login_failed", "policy_result"}


def test_a_query_or_a_session_in_a_path_is_never_kept() -> None:
    for case in FAIL2BAN_OTHERS:
        [record] = events(case["line"].encode(), NOW)
        for name in ("url_path", "referer"):
            assert not set("?;") & set(record.get(name, ""))


# ---------------------------------------------------------------- ossec-hids

FILES: Final = (
    "sshd",
    "su",
    "sudo",
    "doas",
    "pam",
    "named",
    "apache",
    "modsecurity",
    "syslog",
    "firewalld",
    "web_appsec",
)
OSSEC: Final = [
    case
    for case in cases("ossec-hids")
    if case["file"].startswith("contrib/logtesting/")
    or case["file"].split("/")[-1].removesuffix(".ini") in FILES
]
# Lines that lost their stamp, or have two years: what is left tells no program.
STAMPLESS: Final = r"^(?:\[(?:error|notice)\] |2015 2015 |type=|MySQL log|Sun Aug 27)"
# What the case says in words -> our event.
MEANT: Final = {
    "invalid user": {"policy_result", "login_failed", "noted"},
    "login failed": {"policy_result"},
    "bad dns": {"lookup_failed"},
    "max auth attempts": {"policy_result"},
    "bad protocol": {"connection_lost"},
    "blocked by tcpwrapper": {"connection_denied"},
    "ssh unable to negotiate": {"connection_lost"},
    "su: failed ": {"login_failed"},
    "su: bad pass": {"login_failed"},
    "su: pam - auth fail": {"login_failed"},
    "su: work fts": {"session_opened"},
    "sudo: all": {"command_run"},
    "Failed attempt to run sudo": {"login_failed"},
    "First time user executed sudo": {"command_run"},
    "3 incorrect password attempts": {"login_failed"},
    "unauthorized user": {"login_failed"},
    "doas command run": {"command_run"},
    "failed auth": {"login_failed"},
    "failed command": {"login_failed"},
    "User login failed.": {"login_failed"},
    "Attempt to login with an invalid user.": {"policy_result"},
    "Login session opened.": {"session_opened"},
    "Login session closed.": {"session_closed"},
    "User missed the password more than one time": {"policy_result"},
    "Query cache denied": {"policy_result"},
    "auth fail": {"login_failed"},
    "rsyslog may be dropping messages due to rate-limiting.": {"lines_lost"},
    "useradd failed": {"warned"},
}


@pytest.mark.parametrize("case", OSSEC, ids=lambda case: case["line"][:60])
def test_ossec_host(case: dict[str, Any]) -> None:
    [record] = events(case["line"].encode(), NOW)
    expected = case["expect"]
    if re.match(STAMPLESS, case["line"]) or not is_covered(record.get("program")):
        return
    if record["program"] == "kernel" and "nouveau" in case["line"]:
        # What drivers say is left unrecognised (docs/decisions/0008).
        assert record["event"] == "unrecognised"
        return
    assert record["event"] != "unrecognised"
    # "(dovecot:auth)" stands for a login that Dovecot tells by itself.
    if expected.get("case") in MEANT and "dovecot" not in case["line"]:
        assert record["event"] in MEANT[expected["case"]]
    # Some of its results are those of another line.
    if "hostname" in expected and expected["hostname"] in case["line"]:
        assert record["host"] == expected["hostname"]
    if "srcip" in expected:
        assert expected["srcip"].removeprefix("::ffff:") in (
            record.get("client_ip"),
            record.get("client_host"),
        )
    # Its decoders do not agree on which of two users is the source.
    for name in ("srcuser", "dstuser"):
        if name in expected:
            assert expected[name] in (record.get("target_user"), record.get("user"))


# ---------------------------------------------------------------- loghub, lnav


def test_loghub_linux() -> None:
    records = events((CORPORA / "loghub/raw/Linux/Linux_2k.log").read_bytes(), NOW)
    unknown = [r for r in records if r["event"] == "unrecognised" and is_covered(r.get("program"))]
    # What the kernel says of the hardware at boot is left unrecognised (docs/decisions/0008).
    assert {r["program"] for r in unknown} == {"kernel"}
    kernel = [r for r in records if r.get("program") == "kernel"]
    assert len(kernel) == 76
    assert {r["event"] for r in kernel} == {"service_started", "unrecognised"}
    templates = [case for case in cases("loghub") if "Linux" in case["file"]]
    assert len(templates) == len(records) == 2000
    failed = [case["expect"] for case in templates if "authentication failure;" in case["line"]]
    assert sum(r["event"] == "login_failed" for r in records) == len(failed) == 490
    for case, record in zip(templates, records, strict=True):
        host = re.search(r" rhost=([0-9.]+)(?: |$)", case["line"])
        if record["event"] == "login_failed" and host:
            assert record["client_ip"] == host[1]


def test_loghub_apache() -> None:
    records = events((CORPORA / "loghub/raw/Apache/Apache_2k.log").read_bytes(), NOW)
    assert len(records) == 2000
    assert {r["event"] for r in records} == {"noted", "warned", "policy_result"}
    for record in records:
        level = re.match(r"\[([a-z]+)\] ", record["text"])
        assert level is not None
        assert (record["event"] == "noted") == (level[1] == "notice")
        client = re.search(r"\[client ([0-9.]+)\]", record["text"])
        assert record.get("client_ip") == (client[1] if client else None)


def test_lnav_access_logs() -> None:
    for name in ("access_log.0", "access_log.1", "shop_access_log.0"):
        data = (CORPORA / "lnav/raw/test" / f"logfile_{name}").read_bytes()
        for line, record in zip(data.decode().splitlines(), events(data, NOW), strict=True):
            assert record["event"] == "request_served"
            assert record["client_ip"] == line.split(" ")[0]
            code, size = re.search(r'" ([0-9]{3}) ([0-9]+)', line).groups()  # type: ignore[union-attr]
            assert (record["reply_code"], record["bytes_out"]) == (int(code), int(size))

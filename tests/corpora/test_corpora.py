"""Lines of open corpora, with what the projects they come from expect of them.

The corpora stand beside this project and are read in place; without them the tests are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from reading import Record, cases, corpora, events, is_covered, recognise_text

from mailscope.intake.clock import Clock
from mailscope.intake.lines import parse_lines

CORPORA: Final = corpora()
NOW: Final = datetime(2026, 12, 31)


def log_files(name: str) -> list[Path]:
    return [path for path in sorted((CORPORA / name / "raw").rglob("*.log")) if path.is_file()]


# ---------------------------------------------------------------- postfix-grok-patterns

# Its program names are guessed from the names of its test files.  Some are no program but a part of a line.
FRAGMENTS: Final = {
    "postfix/command_counter_data": "the counts at the end of smtpd's disconnect line",
    "postfix/delays": "the value of delays=",
    "postfix/relay": "the value of relay=",
}
WHOLE_TLS_FEATURES: Final = (
    6  # of postfix/tls_features the first are delivery lines, the others values of tls=
)
PROGRAMS: Final = {
    "postfix/trivial_rewrite": "postfix/trivial-rewrite",
    "postfix/script": "postfix/postfix-script",
    "postfix/tls_features": "postfix/smtp",
}


def grok_cases() -> list[dict[str, Any]]:
    wanted = []
    for case in cases("postfix-grok-patterns"):
        number = int(re.search(r"([0-9]+)\.yaml", case["file"])[1])  # type: ignore[index]
        if case["program"] in FRAGMENTS:
            continue
        if case["program"] == "postfix/tls_features" and number > WHOLE_TLS_FEATURES:
            continue
        wanted.append(case)
    return wanted


# Its field -> ours, where the value is the same.
SAME: Final = {
    "postfix_anvil_cache_size": "value",
    "postfix_anvil_conn_count": "value",
    "postfix_anvil_conn_rate": "value",
    "postfix_anvil_timestamp": "since",
    "postfix_bounce_queueid": "next_queue_id",
    "postfix_client_hostname": "client_host",
    "postfix_client_ip": "client_ip",
    "postfix_client_port": "client_port",
    "postfix_command_counter_data": "commands",
    "postfix_config_path": "path",
    "postfix_discarded_ehlo_keywords": "reason",
    "postfix_dnsbl_domain": "blocklist",
    "postfix_dnsbl_result": "reason",
    "postfix_error_response": "reason",
    "postfix_from": "sender",
    "postfix_local_response": "reason",
    "postfix_message-id": "message_id",
    "postfix_milter_data": "reason",
    "postfix_pipe_response": "reason",
    "postfix_pix_workaround": "reason",
    "postfix_postscreen_cache_dropped": "dropped",
    "postfix_postscreen_cache_retained": "retained",
    "postfix_postscreen_dnsbl_rank": "dnsbl_rank",
    "postfix_postscreen_toobusy_data": "reason",
    "postfix_postscreen_violation_time": "duration_s",
    "postfix_postsuper_summary_count": "value",
    "postfix_prepend_trigger": "header",
    "postfix_prepend_type": "stage",
    "postfix_prepend_value": "reason",
    "postfix_proxy_smtp_stage": "stage",
    "postfix_proxy_status_code": "reply_code",
    "postfix_proxy_status_code_enhanced": "dsn_status",
    "postfix_relay_hostname": "relay_host",
    "postfix_relay_ip": "relay_ip",
    "postfix_relay_port": "relay_port",
    "postfix_scache_addresses": "addresses",
    "postfix_scache_connection": "connections",
    "postfix_scache_domains": "domains",
    "postfix_scache_hits": "hits",
    "postfix_scache_miss": "misses",
    "postfix_scache_success": "value",
    "postfix_scache_timestamp": "since",
    "postfix_server_ip": "server_ip",
    "postfix_server_port": "server_port",
    "postfix_service": "subject_service",
    "postfix_smtp_response": "reason",
    "postfix_smtp_stage": "stage",
    "postfix_status": "status",
    "postfix_status_code": "reply_code",
    "postfix_status_code_enhanced": "dsn_status",
    "postfix_termination_signal": "signal",
    "postfix_tls_cipher": "tls_cipher",
    "postfix_tls_cipher_size": "tls_cipher_bits",
    "postfix_tls_error": "reason",
    "postfix_tls_key_exchange": "tls_key_exchange",
    "postfix_tls_server_digest": "tls_server_digest",
    "postfix_tls_trustlevel": "tls_trust",
    "postfix_tls_version": "tls_protocol",
    "postfix_verify_cache_dropped": "dropped",
    "postfix_verify_cache_retained": "retained",
    "postfix_version": "version",
}
# Words of the line that are the event itself, or a field in other words.
EVENT_OF_WORD: Final = {
    "removed": "deleted",
    "requeued": "requeued",
    "placed on hold": "held",
    "released from hold": "released",
}
STATISTIC_OF_WORD: Final = {
    "Deleted": "deleted",
    "Requeued": "requeued",
    "Placed on hold": "held",
    "Released from hold": "released",
}
ACCESS: Final = {
    "whitelisted": "allowlisted",
    "blacklisted": "denylisted",
    "whitelist_veto": "allowlist_veto",
}
# What a key in the end of a line is with us.
KEYS: Final = {
    "from": "sender",
    "to": "recipient",
    "orig_to": "orig_recipient",
    "proto": "protocol",
    "helo": "helo",
    "size": "size_bytes",
    "nrcpt": "recipient_count",
    "delay": "delay_s",
    "dsn": "dsn_status",
    "uid": "uid",
    "tls": "tls_level",
}
DELAYS: Final = ("delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s")


def same(ours: object, theirs: str) -> bool:
    if isinstance(ours, int | float):
        return float(ours) == float(theirs)
    return ours == theirs


def holds_keys(record: Record, data: str) -> bool:
    """``from=<a> to=<b>, relay=host[ip]:port``: every value is in the field it should be in."""
    fields = record["fields"]
    for key, value in re.findall(r"([a-z_]+)=(<[^>]*>|[^ ]*?),?(?= |$)", data):
        plain = value[1:-1] if value.startswith("<") else value
        if key == "delays":
            good = [float(part) for part in plain.split("/")] == [fields[name] for name in DELAYS]
        elif key in ("relay", "client"):
            host, ip, port = re.fullmatch(r"([^\[]*)(?:\[([^\]]*)\])?(?::([0-9]+))?", plain).groups()  # type: ignore[union-attr]
            good = fields[f"{key}_host"] == host
            good &= ip is None or ip in (fields.get(f"{key}_ip"), fields.get("path"))
            good &= port is None or fields[f"{key}_port"] == int(port)
        else:
            good = same(fields.get(KEYS[key]), plain)
        if not good:
            return False
    return True


def in_text(record: Record, words: str) -> bool:
    """A message that they keep whole: ours is recognised, and the words that we keep of it are its own."""
    kept = [
        value
        for name, value in record["fields"].items()
        if isinstance(value, str) and name not in ("queue_id", "action", "status")
    ]
    return not kept or any(value in words for value in kept)


def bounce_reason(record: Record, value: str) -> bool:
    return value in record["fields"]["reason"]


SPECIAL: Final[dict[str, Callable[[Record, str], bool]]] = {
    "postfix_queueid": lambda r, v: r["fields"].get("queue_id", "NOQUEUE") == v,
    "postfix_keyvalue_data": holds_keys,
    "postfix_message": in_text,
    "postfix_milter_message": in_text,
    "postfix_proxy_message": lambda r, v: v.endswith(r["fields"]["reason"]),
    "postfix_status_message": lambda r, v: r["fields"]["reason"].endswith(v),
    "postfix_status_data": lambda r, v: v in r["fields"]["reason"],
    # The level is the event; info lines carry none.
    "postfix_message_level": lambda r, v: r["event"] in LEVELS[v],
    "postfix_action": lambda r, v: r["fields"]["action"] == v,
    "postfix_milter_result": lambda r, v: r["fields"]["action"] == f"milter-{v}",
    "postfix_proxy_result": lambda r, v: r["fields"]["action"] == f"proxy-{v}",
    "postfix_bounce_reason": bounce_reason,
    "postfix_bounce_recipient": bounce_reason,
    "postfix_postsuper_action": lambda r, v: r["event"] == EVENT_OF_WORD[v],
    "postfix_postsuper_summary_action": lambda r, v: r["fields"]["statistic"] == STATISTIC_OF_WORD[v],
    "postfix_verify_cleanup_type": lambda r, v: r["fields"]["statistic"] == f"{v} cleanup",
    # anvil.c writes seconds and nothing else; the cases in other units are made up.
    "postfix_anvil_conn_period": lambda r, v: not v.endswith("s") or f"{r['fields']['period_s']}s" == v,
    "postfix_client_ip_unknown": lambda r, v: "client_ip" not in r["fields"],
    "postfix_postscreen_access": lambda r, v: (
        r["fields"]["action"] == ACCESS.get(v.lower().replace(" ", "_"), v.lower().replace(" ", "_"))
    ),
    "postfix_postscreen_violation": lambda r, v: (
        r["event"] == "connection_lost"
        or v.lower() == r["fields"].get("reason")
        or v.lower().replace(" ", "_").replace("-", "_") == r["fields"]["action"]
    ),
    # How the connection ended is the event: lost, timed out, or TLS that failed; or the reason.
    "postfix_smtpd_lostconn_data": lambda r, v: (
        r["event"]
        == {"lost connection": "connection_lost", "timeout": "connection_timed_out"}.get(v, r["event"])
    ),
    "postfix_smtp_lostconn_data": lambda r, v: (
        r["event"] == "connection_lost"
        if v == "lost connection" and "stage" in r["fields"]
        else r["fields"]["reason"] == v
    ),
    "postfix_smtp_lostconn_reason": lambda r, v: r["fields"]["stage"] == v,
    # One field with us, as it is logged: "ECDSA (P-256)", "RSA-PSS (4096 bits)".
    "postfix_tls_server_signature": lambda r, v: r["fields"]["tls_server_signature"].startswith(v),
    "postfix_tls_server_signature_curve": lambda r, v: f"({v})" in r["fields"]["tls_server_signature"],
    "postfix_tls_server_signature_size": lambda r, v: f"({v} bits)" in r["fields"]["tls_server_signature"],
}
LEVELS: Final = {
    "warning": {"warned", "reject_warned", "lookup_failed", "connection_lost"},
    "info": {"noted"},
    "fatal": {"failed"},
}


@pytest.mark.parametrize("case", grok_cases(), ids=lambda case: case["file"].removeprefix("test/"))
def test_postfix_grok_patterns(case: dict[str, Any]) -> None:
    [record] = recognise_text(PROGRAMS.get(case["program"], case["program"]), case["line"])
    assert record["event"] != "unrecognised"
    for field, value in case["expect"].items():
        if field == "postfix_smtp_stage" and record["fields"].get("action") == "bare_newline":
            # postscreen writes the line that ended so, not the stage (postscreen_smtpd.c).
            assert record["fields"]["command"] == value
        elif field in SAME:
            assert same(record["fields"].get(SAME[field]), value), (field, value, record)
        else:
            assert SPECIAL[field](record, value), (field, value, record)


# ---------------------------------------------------------------- fail2ban


READ: Final = ("logs/postfix", "logs/courier-auth", "logs/dovecot")
# A refusal that Dovecot's auth process tells is the detail of a failure that is counted elsewhere.
REFUSED: Final = {"login_failed", "policy_result"}


def fail2ban_cases() -> list[dict[str, Any]]:
    return [case for case in cases("fail2ban") if case["file"] in READ]


@pytest.mark.parametrize("case", fail2ban_cases(), ids=lambda case: case["line"][:60])
def test_fail2ban(case: dict[str, Any]) -> None:
    zone = ZoneInfo("Europe/Zurich")
    [record] = events(case["line"].encode(), datetime(2005, 8, 14), zone.key)
    assert record["event"] != "unrecognised"
    expected = case["expect"]
    if "host" in expected:
        assert record["client_ip"] == expected["host"]
    if "user" in expected:
        assert expected["user"] in (record.get("user"), record.get("sasl_user"))
    if case["file"] == "logs/dovecot" and not case.get("filter_options"):
        # Its aggressive modes also want whoever only connects.
        assert (record["event"] in REFUSED) == expected["match"]
    # It leaves out the leap seconds of TAI64N.
    if "time" in expected and not case["line"].startswith("@"):
        # Its tests read stamps without a year as of August 2005, in Zurich.
        header = parse_lines(case["line"].encode()).header
        bound = datetime(2005, 8, 14, tzinfo=UTC)
        [instant] = Clock("-", zone, bound).instants(header)[0]
        local = instant.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, microsecond=0)
        assert local == datetime.strptime(expected["time"], "%Y-%m-%dT%H:%M:%S")


# ---------------------------------------------------------------- ossec-hids

# What the case says in words -> our event.
MEANT: Final = {
    "auth failed": REFUSED,
    "dovecot auth failed": REFUSED,
    "unknown user": REFUSED,
    "XXX unknown 1002": REFUSED,
    "User login failed.": REFUSED,
    "aborted login": {"login_failed"},
    "session disconnected": {"disconnected"},
    "XXX logged out": {"session_closed"},
    "user authentication failure": {"login_succeeded"},
    "dovecot is starting": {"service_started"},
    "fatal error": {"failed"},
}


def ossec_cases() -> list[dict[str, Any]]:
    return [
        case
        for case in cases("ossec-hids")
        if case["file"].endswith("/dovecot.ini")
        or "(dovecot:auth)" in case["line"]
        or case["expect"].get("decoder") == "courier"
    ]


@pytest.mark.parametrize("case", ossec_cases(), ids=lambda case: case["line"][:60])
def test_ossec_mailbox_servers(case: dict[str, Any]) -> None:
    [record] = events(case["line"].encode(), NOW)
    assert record["event"] != "unrecognised"
    expected = case["expect"]
    if expected.get("case") in MEANT:
        assert record["event"] in MEANT[expected["case"]]
    address = expected.get("srcip") or re.search(r"(?:rip=|rhost=|[a-z],)([0-9a-f:.]+)", case["line"])
    if address is not None:
        wanted = address if isinstance(address, str) else address[1]
        assert record.get("client_ip", record.get("reason")) == wanted.removeprefix("::ffff:") or (
            wanted in record["reason"]
        )


# ---------------------------------------------------------------- lightmeter, Parse::Syslog::Mail

# Lines that the corpus's makers cut in two: the end of one without its beginning, a beginning without its end.
CUT: Final = {"18_expired.log": {"ir/)"}, "10_pickup.log": {"(28236-10) Passed,"}}


@pytest.mark.parametrize("path", log_files("lightmeter"), ids=lambda path: path.name)
def test_lightmeter(path: Path) -> None:
    records = events(path.read_bytes(), NOW)
    assert records
    unknown = [r["text"] for r in records if r["event"] == "unrecognised" and is_covered(r.get("program"))]
    assert set(unknown) == CUT.get(path.name, set())


@pytest.mark.parametrize("path", log_files("parse-syslog-mail"), ids=lambda path: path.name)
def test_parse_syslog_mail(path: Path) -> None:
    """Its own tests want host, program, time and, where the line has one, the id of every record."""
    for record in events(path.read_bytes(), NOW):
        assert "time" in record
        assert "host" in record
        if not is_covered(record.get("program")):
            continue
        # The addresses of some lines were made unreadable before they were published.
        if ".xxx." in record["text"] or ".yyy" in record["text"]:
            continue
        assert record["event"] != "unrecognised", record["text"]
        queue_id = re.match(r"([0-9A-F]{6,}|[0-9A-Za-z]{8}[0-9]{6})(?:\[[0-9]\])?: ", record["text"])
        assert record.get("queue_id") == (queue_id[1] if queue_id else None)


def test_parse_syslog_mail_has_postfix_lines() -> None:
    records = [r for path in log_files("parse-syslog-mail") for r in events(path.read_bytes(), NOW)]
    assert sum(is_covered(r.get("program")) for r in records) > 150


# ---------------------------------------------------------------- Sendmail, Exim, OpenSMTPD


def test_who_attacks_sendmail_as_fail2ban_tells_it() -> None:
    """Lines that make fail2ban's jail fire name the client that it would block."""
    lines = (CORPORA / "fail2ban/raw/logs/sendmail-auth").read_text(encoding="utf-8").splitlines()
    checked = 0
    for said, line in zip(lines, lines[1:], strict=False):
        if said.startswith("# failJSON: ") and '"match": true' in said:
            wanted = json.loads(said.removeprefix("# failJSON: "))
            [record] = events(f"{line}\n".encode(), NOW)
            assert record["event"] in ("login_failed", "warned"), line
            assert record["client_ip"] == wanted["host"], line
            checked += 1
    assert checked > 8


@pytest.mark.parametrize("name", ["opensmtpd", "exim"])
def test_lines_of_ossec_are_known(name: str) -> None:
    text = (CORPORA / f"ossec-hids/raw/contrib/ossec-testing/tests/{name}.ini").read_text(encoding="utf-8")
    lines = re.findall(r"^log [0-9]+ pass = (.*)$", text, re.MULTILINE)
    assert lines
    for record in events("".join(f"{line}\n" for line in lines).encode(), NOW):
        assert record["event"] != "unrecognised"
        assert record["service"] == name

"""``mailscope about``: text and JSON, where an address is, what is said when nothing is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mailscope.about.places import located
from mailscope.vocabulary.errors import InputError

LOG = """\
Nov 22 03:50:01 mx1 postfix/smtpd[10]: connect from unknown[192.0.2.66]
Nov 22 03:50:03 mx1 postfix/smtpd[10]: warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: \x1b]0;x\x07
Nov 22 03:51:00 mx1 thing\x1b[2J: 192.0.2.66 \u202e and more
Nov 22 03:56:00 mx1 postfix/smtpd[11]: 4B5C61F00D: client=pc.example.com[192.0.2.66], sasl_method=PLAIN, sasl_username=erin
Nov 22 03:56:01 mx1 postfix/qmgr[12]: 4B5C61F00D: from=<erin@example.org>, size=912, nrcpt=1 (queue active)
"""
MARKER = b"\xab\xcd\xefMaxMind.com"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text(LOG)
    return path


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mailscope", *map(str, words)], text=True, capture_output=True, check=False
    )


def test_text_is_safe_and_fits(log: Path) -> None:
    ran = run("about", "192.0.2.66", "--tz", "UTC", log)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("192.0.2.66: IPv4 address, ")
    assert "4 lines of 2 programs on 1 host" in ran.stdout
    assert "mailscope trace 192.0.2.66 FILES" in ran.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.stdout)
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_json(log: Path) -> None:
    told = json.loads(run("about", "erin", "--tz", "UTC", "--format", "json", log).stdout)
    assert (told["kind"], told["lines"], told["messages_total"]) == ("user", 1, 1)
    assert told["messages"][0]["sender"] == "erin@example.org"
    assert told["dns_name"] is None


def test_standard_input_and_a_year_that_passed(tmp_path: Path) -> None:
    log = tmp_path / "old.log"
    lines = [
        f"{day} 03:50:01 mx1 postfix/smtpd[10]: connect from unknown[192.0.2.66]\n"
        for day in ("Dec 30", "Jan  2")
    ]
    log.write_text("".join(lines))
    told = json.loads(run("about", "192.0.2.66", "--format", "json", "--tz", "UTC", log).stdout)
    assert int(told["last"][:4]) == int(told["first"][:4]) + 1
    piped = subprocess.run(
        [sys.executable, "-m", "mailscope", "about", "192.0.2.0/24", "-"], input=LOG, text=True, capture_output=True, check=False
    )  # fmt: skip
    assert "3 lines" in piped.stdout


def test_nothing_found(log: Path) -> None:
    ran = run("about", "192.0.2.6", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "mailscope: nothing found about ip 192.0.2.6 in 1 file\n"
    ran = run("about", "--as", "network", "erin", log)
    assert ran.returncode == 2
    assert "'erin' is not a network" in ran.stderr


UINT16, UINT32, UINT64 = 5, 6, 9
KINDS = {
    **dict.fromkeys(
        ("binary_format_major_version", "binary_format_minor_version", "ip_version", "record_size"), UINT16
    ),
    "build_epoch": UINT64,
}


def field(value: object, kind: int = UINT32) -> bytes:
    """A value in the data section of a MaxMind database (MaxMind DB File Format 2.0)."""
    if isinstance(value, dict):
        body = b"".join(field(name) + field(each, KINDS.get(name, UINT32)) for name, each in value.items())
        return bytes([7 << 5 | len(value)]) + body
    if isinstance(value, str):
        raw = value.encode()
        length = bytes([2 << 5 | len(raw)]) if len(raw) < 29 else bytes([2 << 5 | 29, len(raw) - 29])
        return length + raw
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(field, value))
    assert isinstance(value, int)
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    if kind == 9:  # beyond the seventh, types stand in a byte of their own
        return bytes([len(raw), 9 - 7]) + raw
    return bytes([kind << 5 | len(raw)]) + raw


def database(path: Path, entry: dict[str, object]) -> Path:
    """A database of one node, both of whose branches lead to the same entry."""
    leaf = (1 + 16).to_bytes(3, "big")
    about = {
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1, "database_type": "Test",
        "description": {"en": "x"}, "ip_version": 4, "languages": ["en"], "node_count": 1, "record_size": 24,
    }  # fmt: skip
    path.write_bytes(leaf + leaf + bytes(16) + field(entry) + MARKER + field(about))
    return path


def test_where_it_is(log: Path, tmp_path: Path) -> None:
    pytest.importorskip("maxminddb")
    country = database(tmp_path / "c.mmdb", {"country": {"iso_code": "SE", "names": {"en": "Sweden"}}})
    asn = database(
        tmp_path / "a.mmdb",
        {"autonomous_system_number": 64496, "autonomous_system_organization": "Example \x1b[1m"},
    )
    ran = run("about", "192.0.2.66", "--geoip", country, "--geoip", asn, log)
    assert ran.stdout.splitlines()[1] == "  Sweden, AS64496, Example \\x1b[1m"
    told = json.loads(run("about", "erin", "--geoip", country, "--format", "json", log).stdout)
    assert told["places"] == {"192.0.2.66": {"country": "SE", "country_name": "Sweden"}}


def test_a_database_that_is_none(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("maxminddb")
    with pytest.raises(InputError, match="no MaxMind database"):
        located(["192.0.2.1"], log)
    with pytest.raises(InputError, match="no such file"):
        located(["192.0.2.1"], Path("none.mmdb"))
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(InputError, match=r"not installed; install it: pip install 'mailscope\[geoip\]'"):
        located(["192.0.2.1"], log)

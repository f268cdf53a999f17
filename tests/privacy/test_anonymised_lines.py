"""Lines of real and of hostile logs: nothing left of persons, everything else as before."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.cli.main import mailscope
from mailscope.intake.lines import parse_lines
from mailscope.privacy.lines import Anonymiser
from mailscope.privacy.pseudonyms import Pseudonyms
from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library, shipped

ROOT = Path(__file__).parents[2]
LAB = ROOT.parent / "shared" / "lab"
LIBRARY = Library(shipped())
NAMES = Pseudonyms(b"k" * 32)
ANONYMISER = Anonymiser(LIBRARY, NAMES)
ENGINE = Engine(LIBRARY)
LOGS = [
    *sorted((ROOT / "examples" / "fivehosts").glob("*/*.log")),
    ROOT / "examples" / "postfix" / "mail.log",
    ROOT / "examples" / "qmail" / "maillog",
    *sorted((ROOT / "tests" / "data" / "mtas").iterdir()),
]
OF_THE_LAB = [
    LAB / "postfix" / "full-run.mail.log.bsd",
    LAB / "imap" / "dovecot.log.rfc3339",
    LAB / "imap" / "courier.log.bsd",
]
STAMP = "Nov 22 04:00:42 mail "
LINES = f"""{STAMP}postfix/smtpd[1]: connect from pc7.example.org[192.0.2.1]
{STAMP}postfix/local[1]: 4B5C61F00D: to=<bob@example.org>, relay=local, delay=0.1, delays=0/0/0/0.1, dsn=5.1.1, status=bounced (unknown user: "bob")
{STAMP}postfix/smtp[1]: 4B5C61F00D: to=<bob@example.org>, relay=mx.example.org[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.org[192.0.2.9] said: 550 5.1.1 <bob@example.org>: user unknown (in reply to RCPT TO command))
{STAMP}postfix/smtpd[1]: message repeated 3 times: [ connect from pc7.example.org[192.0.2.1]]

{STAMP}dovecot: imap(alice)<11506><2Adx79VgKt9>: Disconnected: Logged out in=152 out=1191
{STAMP}foo[1]: login by user=alice rhost=192.0.2.4 via alice@example.org
{STAMP}sudo: alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls
192.0.2.1 - alice [22/Nov/2026:04:00:42 +0000] "GET /webmail?u=alice%40example.org HTTP/1.1" 200 12 "-" "Mozilla/5.0"
{{"__REALTIME_TIMESTAMP":"1764000000000000","_HOSTNAME":"mail","SYSLOG_IDENTIFIER":"postfix/local","_PID":"12","PRIORITY":"6","MESSAGE":"4B5C61F00D: to=<bob@example.org>, relay=local, delay=0.1, delays=0/0/0/0.1, dsn=5.1.1, status=bounced (unknown user: \\"bob\\")"}}
@4000000069266d3a0c6c8c74 delivery 7: failure: 192.0.2.9_does_not_like_recipient./Remote_host_said:_550_5.1.1_bob@example.org_unknown/
@4000000069266d3a0c6c8c74 info msg 7: bytes 10 from <alice@example.org> qp 700 uid 1000
"""


def rewritten(text: str) -> str:
    return ANONYMISER.chunk(text.encode()).decode()


def labels(data: bytes) -> list[str]:
    """The pattern that knows each line."""
    parsed = parse_lines(data)
    found = ENGINE.recognise(parsed.header.tag, parsed.header.text)
    out = ["unrecognised"] * len(parsed.raw)
    for part in found.parts:
        for row in part.frame["row"].unique():
            out[row] = part.pattern.label
    return out


def numbers(value: Any) -> Any:
    """A report without its texts: shape and figures."""
    if isinstance(value, dict):
        return {name: numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [numbers(each) for each in value]
    return value if isinstance(value, int | float | None) else "text"


def report(path: Path) -> Any:
    result = CliRunner().invoke(
        mailscope, ["report", "--tz", "UTC", "--format", "json", "--top", "0", str(path)]
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_nothing_is_left_of_persons() -> None:
    new = rewritten(LINES)
    for name in ("alice", "bob@", '"bob', "example.org", "pc7", "192.0.2.", "2Adx79VgKt9"):
        assert name not in new, name
    assert labels(LINES.encode()) == labels(new.encode())
    assert new.count("\n") == LINES.count("\n")
    lines = new.splitlines()
    # Within a line and across lines, what was the same is the same.
    bob = NAMES.user("bob")
    assert f"to=<{bob}@" in lines[1]
    assert f'unknown user: "{bob}"' in lines[1]
    assert f"host {NAMES.host('mx.example.org')}[" in lines[2]
    assert "user unknown (in reply" in lines[2]
    assert f'unknown user: \\"{bob}\\"' in lines[9]
    assert lines[4] == ""


def test_line_by_line_gives_the_same() -> None:
    whole = rewritten(LINES)
    assert "".join(rewritten(f"{line}\n") for line in LINES.splitlines()) == whole
    assert rewritten(LINES) == whole


@pytest.mark.parametrize("path", LOGS, ids=lambda path: "-".join(path.parts[-2:]))
def test_lines_are_read_as_before_and_addresses_are_gone(path: Path) -> None:
    data = path.read_bytes()
    new = ANONYMISER.chunk(data)
    assert labels(new) == labels(data)
    gone = set(re.findall(rb"[A-Za-z0-9._+-]{2,}@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+", data))
    kept = {each for each in gone if each in new}
    assert kept == set()
    ips = set(re.findall(rb"(?<![0-9.])(?!127\.)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9.])", data))
    still = {each for each in ips if re.search(rb"(?<![0-9.])" + re.escape(each) + rb"(?![0-9.])", new)}
    # The last two are versions, of Dovecot and Sendmail.
    assert still <= {b"0.0.0.0", b"255.255.255.255", b"2.3.19.1", b"8.17.1.9"}


@pytest.mark.parametrize("path", LOGS[:3] + OF_THE_LAB, ids=lambda path: "-".join(path.parts[-2:]))
def test_reports_give_the_same_numbers(path: Path, tmp_path: Path) -> None:
    if not path.exists():
        pytest.skip("the lab's logs are not here")
    data = path.read_bytes()
    before, after = tmp_path / "mail.log", tmp_path / "new" / "mail.log"
    after.parent.mkdir()
    before.write_bytes(data)
    after.write_bytes(ANONYMISER.chunk(data))
    assert numbers(report(after)) == numbers(report(before))


def test_hostile_bytes_and_odd_ends() -> None:
    marks = f"{STAMP}postfix/smtpd[1]: warning: \U0010ffff hostname a\U0010ffffb@example.org \x00\x1b[31m"
    assert "example.org" not in rewritten(marks)
    assert not rewritten(marks).endswith("\n")
    assert ANONYMISER.chunk(b"\xff\xfe from=<alice@example.org>\n").count(b"alice") == 0
    assert ANONYMISER.chunk(b"") == b""
    assert ANONYMISER.chunk(b"\n \n") == b"\n \n"
    long = f"{STAMP}postfix/smtpd[1]: {'<a@example.org>' * 5_000}"
    assert "@example" not in rewritten(long)


FRAGMENTS = st.sampled_from(
    [
        STAMP, "postfix/smtpd[1]: ", "dovecot: imap(alice)<1><s>: ", "Error: ", "connect from ", "alice@example.org",
        "<", ">", "[", "]", '"', "192.0.2.1", "2001:db8::1", "::", "@", "%40", "=", "user=", " ", "\t", "\r", "\x00",
        "\U0010ffff", "é", "\ufeff", "{", "}", "\\", "4B5C61F00D: ", "to=<", "status=sent (", ")", "session=<x>",
        "message repeated 2 times: [ ", "1018966965.100348 ", "1018966965.100348+", "x" * 800, "maps_find: a: b: ",
    ]
)  # fmt: skip


@given(st.lists(st.lists(FRAGMENTS, max_size=12).map("".join), min_size=1, max_size=6))
@settings(deadline=None, max_examples=examples(25))
def test_any_text_is_rewritten_line_by_line(lines: list[str]) -> None:
    # A record that was glued to another counts as a line of its own while it is read, and is one again after.
    text = "".join(f"{line}\n" for line in lines)
    whole = rewritten(text)
    assert whole.count("\n") == text.count("\n")
    assert whole == "".join(rewritten(f"{line}\n") for line in lines)
    assert rewritten(text) == whole


def test_records_that_splogger_cut_do_not_depend_on_each_other() -> None:
    first = f"{STAMP}qmail: 1018966965.100348 delivery 7: deferral: {'bob@example.org_' * 60}"
    second = f"{STAMP}qmail: 1018966965.100348+<alice@example.org>_but_connection_died./"
    whole = rewritten(f"{first}\n{second}\n")
    assert whole == rewritten(f"{first}\n") + rewritten(f"{second}\n")
    assert "bob@" not in whole
    assert "alice" not in whole


def test_domains_and_addresses_are_kept_when_asked() -> None:
    line = f"{STAMP}postfix/qmgr[1]: 4B5C61F00D: from=<alice@example.org>, size=1, nrcpt=1 (queue active)\n"
    keeping = Anonymiser(LIBRARY, Pseudonyms(b"k" * 32, keep_domains=True))
    assert keeping.chunk(line.encode()).decode().partition("@")[2].startswith("example.org>")
    cut = Anonymiser(LIBRARY, Pseudonyms(b"k" * 32, addresses="truncate", ips="truncate"))
    assert b"from=<x@example.org>" in cut.chunk(line.encode())
    only = Anonymiser(LIBRARY, Pseudonyms(b"k" * 32, addresses="keep"))
    assert only.chunk(line.encode()).decode() == line


def test_unrecognised_lines_are_counted() -> None:
    anonymiser = Anonymiser(LIBRARY, NAMES)
    anonymiser.chunk(
        f"{STAMP}foo[1]: something\n{STAMP}postfix/smtpd[1]: connect from a[192.0.2.1]\n".encode()
    )
    assert anonymiser.unrecognised == 1

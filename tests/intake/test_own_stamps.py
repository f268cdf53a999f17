"""Log files that programs write without syslog: access and error logs, fail2ban.log, BIND, unbound, sulog."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from running import NOW, UTC_ZONE

from mailscope.intake.clock import Clock
from mailscope.intake.lines import parse_lines

LINES = {
    '192.0.2.1 - alice [22/Nov/2026:04:00:42 +0100] "GET / HTTP/1.1" 200 1234 "-" "UA"': (
        "httpd",
        datetime(2026, 11, 22, 3, 0, 42),
        '192.0.2.1 - alice [22/Nov/2026:04:00:42 +0100] "GET / HTTP/1.1" 200 1234 "-" "UA"',
    ),
    'www.example.org:443 2001:db8::1 - - [22/Nov/2026:04:00:42 +0000] "-" 408 -': (
        "httpd",
        datetime(2026, 11, 22, 4, 0, 42),
        'www.example.org:443 2001:db8::1 - - [22/Nov/2026:04:00:42 +0000] "-" 408 -',
    ),
    '192.0.2.1 - - [22/Nov/2026:04:00:42] "GET / HTTP/1.1" 200 1': (
        "httpd",
        datetime(2026, 11, 22, 4, 0, 42),
        '192.0.2.1 - - [22/Nov/2026:04:00:42] "GET / HTTP/1.1" 200 1',
    ),
    "[Sun Nov 22 04:00:42.123456 2026] [core:error] [pid 12:tid 34] [client 192.0.2.1:5555] AH00126: x": (
        "httpd[12]",
        datetime(2026, 11, 22, 4, 0, 42, 123456),
        "[core:error] [pid 12:tid 34] [client 192.0.2.1:5555] AH00126: x",
    ),
    "[Sun Nov 22 04:00:42 2026] [error] [client 192.0.2.1] File does not exist: /x": (
        "httpd",
        datetime(2026, 11, 22, 4, 0, 42),
        "[error] [client 192.0.2.1] File does not exist: /x",
    ),
    "2026/11/22 04:00:42 [error] 12#34: *5 access forbidden by rule": (
        "nginx[12]",
        datetime(2026, 11, 22, 4, 0, 42),
        "[error] 12#34: *5 access forbidden by rule",
    ),
    "2026-11-22 04:00:42,123 fail2ban.actions        [12]: NOTICE  [sshd] Ban 192.0.2.1": (
        "fail2ban[12]",
        datetime(2026, 11, 22, 4, 0, 42, 123000),
        "fail2ban.actions        [12]: NOTICE  [sshd] Ban 192.0.2.1",
    ),
    "22-Nov-2026 04:00:42.123 general: info: running": (
        "named",
        datetime(2026, 11, 22, 4, 0, 42, 123000),
        "general: info: running",
    ),
    "[1795320042] unbound[12:0] info: service stopped (unbound 1.17.1).": (
        "unbound[12]",
        datetime(2026, 11, 22, 4, 0, 42),
        "[12:0] info: service stopped (unbound 1.17.1).",
    ),
    "SU 11/22 04:00 + tty1 alice-root": ("su", datetime(2026, 11, 22, 4, 0), "+ tty1 alice-root"),
}
SYSLOG = "Nov 22 04:00:42 mx1 postfix/smtpd[9]: connect from unknown[192.0.2.1]"


def read(data: str) -> list[tuple[Any, ...]]:
    """Tag, instant and text of each line; the host is that of the last one."""
    header = parse_lines(data.encode()).header
    time = Clock("test", UTC_ZONE, NOW.replace(tzinfo=UTC_ZONE)).instants(header)[0]
    return list(zip(header.tag, time, header.text, strict=True))


@pytest.mark.parametrize("line", LINES)
def test_a_line_alone(line: str) -> None:
    assert read(line) == [LINES[line]]
    assert parse_lines(line.encode()).header.host is None


@pytest.mark.parametrize("line", LINES)
def test_beside_syslog(line: str) -> None:
    wanted = ("postfix/smtpd[9]", datetime(2026, 11, 22, 4, 0, 42), "connect from unknown[192.0.2.1]")
    assert read(f"{SYSLOG}\n{line}\n{SYSLOG}") == [wanted, LINES[line], wanted]
    assert read(f"{line}\n{SYSLOG}") == [LINES[line], wanted]


def test_all_together() -> None:
    assert read("\n".join(LINES)) == list(LINES.values())


@pytest.mark.parametrize(
    "line",
    [
        '192.0.2.1 - - [32/Nov/2026:04:00:42 +0000] "GET /" 200 1',
        "[Sun Nov 31 04:00:42 2026] [error] x",
        "2026/13/22 04:00:42 [error] 12#34: x",
        "22-Foo-2026 04:00:42.123 general: info: running",
        "SU 13/22 04:00 + tty1 alice-root",
    ],
)
def test_what_is_no_instant_is_text(line: str) -> None:
    [(tag, time, text)] = read(line)
    assert (tag, time, text) == (None, None, line)


def test_a_host_in_brackets_and_a_program_in_brackets() -> None:
    """metalog writes the program where others write the host."""
    header = parse_lines(
        b"Nov 22 04:00:42 [sshd] User root not allowed\n"
        b"Nov 22 04:00:42 [sshd]: User root not allowed\n"
        b"Nov 22 04:00:42 [2001:db8::1] sshd[3]: User root not allowed"
    ).header
    assert isinstance(header.host, pl.Series)
    assert header.host.to_list() == [None, None, "[2001:db8::1]"]
    assert header.tag.to_list() == ["sshd", "sshd", "sshd[3]"]
    assert header.text.unique().to_list() == ["User root not allowed"]

"""A small log and the command run over it, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope

LOG: Final = """\
2026-11-22T03:42:44.452449+00:00 mail postfix/smtpd[10]: connect from mx.example.org[192.0.2.7]
2026-11-22T03:42:44.552449+00:00 mail postfix/smtpd[10]: 4B5C61F00D: client=mx.example.org[192.0.2.7]
<22>Nov 22 03:42:44 mail postfix/cleanup[11]: 4B5C61F00D: message-id=<1@example.org>
2026-11-22T03:42:44.752449+00:00 mail postfix/qmgr[12]: 4B5C61F00D: from=<>, size=912, nrcpt=1 (queue active)

2026-11-22T03:42:45.852449+00:00 mail postfix/smtp[13]: 4B5C61F00D: to=<bob@example.net>, \
relay=mx1.example.net[192.0.2.25]:25, delay=1.2, delays=0.05/0.01/0.64/0.5, dsn=2.0.0, \
status=sent (250 2.0.0 Ok: queued as 4B5C8120A3)
2026-11-22T03:42:45.862449+00:00 mail postfix/smtp[13]: 4B5C61F00E: to=<eve@example.net>, \
relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, status=deferred (connect to \
mx2.example.net[2001:db8::25]:25: Connection timed out)
2026-11-22T03:42:46.052449+00:00 mail postfix/submission/smtpd[14]: no such line is known
2026-11-22T03:42:46.152449+00:00 mail postfix/smtpd[14]: connect from unknown[unknown]
2026-11-22T03:42:46.252449+00:00 mail postfix/smtpd[14]: warning: hostname h.example.org does not resolve \
to address 192.0.2.9
2026-11-22T03:42:46.252449+00:00 mail postfix/smtpd[14]: warning: hostname h.example.org does not resolve \
to address 192.0.2.9
"""
EVENTS: Final = 10
HOSTILE: Final = 'x\x1b[2J\x07\x7f\u202e"\\,"pid":null,"a":{"b":null}\t{"c":null'


def write(folder: Path, text: str = LOG, name: str = "mail.log") -> Path:
    """A log in a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def busy(lines: int) -> str:
    """A log of many lines, each of its own."""
    return "".join(
        f"2026-11-22T03:{n // 60000:02}:{n // 1000 % 60:02}.{n % 1000:03}000+00:00 mail postfix/qmgr[12]: "
        f"4B5C61{n:06X}: from=<u{n}@example.org>, size={n}, nrcpt=1 (queue active)\n"
        for n in range(lines)
    )


def events(*arguments: object) -> Result:
    """``mailscope events`` with some arguments."""
    return CliRunner().invoke(mailscope, ["events", "--tz", "UTC", *map(str, arguments)])

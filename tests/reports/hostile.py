"""A log whose every word is out for trouble, and the report of it."""

from __future__ import annotations

from pathlib import Path

from replaying import Replay, replay

from mailscope.cli.terminal import columns, fit, safe
from mailscope.reports.layout import Paper

SCRIPT = "<script>alert(1)</script></style></svg><img src=x onerror=alert(2)>"
TERMINAL = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066"
FORMULA = "=cmd|'/C calc'!A0"
MARKDOWN = "`](http://evil.example) | **x** ``` <b>"
ENTITY = "&lt;b&gt;&#x41;${7*7}{{7*7}}%s{0}"
LONG = "w" * 100_000
WORDS = (SCRIPT, TERMINAL, FORMULA, MARKDOWN, ENTITY, LONG)
PAPER = Paper(80, safe, fit, columns)


def hostile(folder: Path) -> Replay:
    """Senders, recipients, relays, reasons, warnings, programs and file names that strangers chose."""
    log = folder / "mail.log"
    lines = []
    for number, word in enumerate(WORDS):
        one = word.replace(" ", "_")
        queue_id = f"AAAAAAAAA{number}"
        head = f"Nov 20 10:{number:02}"
        lines += [
            f"{head}:00 mail postfix/smtpd[1]: {queue_id}: client=unknown[192.0.2.1]",
            f"{head}:01 mail postfix/qmgr[2]: {queue_id}: from=<{one}@example.org>, size=1, nrcpt=1 (queue active)",
            f"{head}:02 mail postfix/smtp[3]: {queue_id}: to=<{one}@example.net>, relay=mx.example.net[192.0.2.2]:25, "
            f"delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred ({word})",
            f"{head}:03 mail postfix/smtpd[1]: warning: {word}",
            f"{head}:04 mail {one[:40]}: hello",
        ]
    log.write_text("\n".join(lines) + "\n")
    return replay(log)

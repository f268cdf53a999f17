"""Add the lines of a mail host's other programs to a Postfix log, at the times of its own lines.

In: a log in BSD form.  Out: the same lines with those of Dovecot, Rspamd and sshd between them, as many as
Postfix's; their forms are those of Dovecot 2.3 (login-common, mail-storage), Rspamd 3 (task log), OpenSSH 9.
Only names and addresses kept for examples (RFC 2606, RFC 5737).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

# Lines of one login with Dovecot, one message through Rspamd, one session of sshd; what varies in braces.
DOVECOT = (
    "dovecot: imap-login: Login: user=<u{user}@example.org>, method=PLAIN, rip=192.0.2.{host}, "
    "lip=198.51.100.1, mpid={pid}, TLS, session=<{session}>",
    "dovecot: lmtp(u{user}@example.org)<{pid}><{session}>: msgid=<{message}@example.net>: "
    "saved mail to INBOX",
    "dovecot: imap(u{user}@example.org)<{pid}><{session}>: Disconnected: Logged out in={size} out={other} "
    "deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=1 body_bytes={size}",
    "dovecot: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user="
    "<u{user}@example.org>, method=PLAIN, rip=192.0.2.{host}, lip=198.51.100.1, TLS, session=<{session}>",
)
RSPAMD = (
    "rspamd[{pid}]: <{short}>; proxy; rspamd_message_parse: loaded message; id: <{message}@example.net>; "
    "queue-id: <{queue_id}>; size: {size}; checksum: <d41d8cd98f00b204e9800998ecf8427e>",
    "rspamd[{pid}]: <{short}>; proxy; rspamd_task_write_log: id: <{message}@example.net>, qid: <{queue_id}>, "
    "ip: 192.0.2.{host}, from: <a{user}@example.net>, (default: F (no action): [-0.10/15.00] "
    "[MIME_GOOD(-0.10){{text/plain;}},ARC_NA(0.00){{}},R_SPF_ALLOW(-0.20){{+mx;}}]), len: {size}, "
    "time: 145.2ms, dns req: 21, digest: <d41d8cd98f00b204e9800998ecf8427e>, rcpts: <u{user}@example.org>, "
    "mime_rcpts: <u{user}@example.org>",
)
SSHD = (
    "sshd[{pid}]: Accepted publickey for admin from 192.0.2.{host} port 50{user} ssh2: "
    "ED25519 SHA256:abcdefghij",
    "sshd[{pid}]: pam_unix(sshd:session): session opened for user admin(uid=1000) by (uid=0)",
    "sshd[{pid}]: Received disconnect from 192.0.2.{host} port 50{user}:11: disconnected by user",
    "sshd[{pid}]: Disconnected from user admin 192.0.2.{host} port 50{user}",
    "sshd[{pid}]: pam_unix(sshd:session): session closed for user admin",
    "sshd[{pid}]: Failed password for invalid user test from 192.0.2.{host} port 50{user} ssh2",
)
# How often a program has a turn, for each line of Postfix: together as many lines as Postfix.
TURNS = ((DOVECOT, 0.14), (RSPAMD, 0.11), (SSHD, 0.037))


def mix(source: Path, target: Path, seed: int = 1) -> None:
    """Write a log with the others' lines between those of another one."""
    draw = random.Random(seed)
    with source.open(encoding="ascii") as lines, target.open("w", encoding="ascii") as out:
        for line in lines:
            out.write(line)
            head = line[: line.index(" postfix/")] if " postfix/" in line else None
            if head is None:
                continue
            for program, chance in TURNS:
                if draw.random() < chance:
                    out.writelines(f"{head} {text}\n" for text in _turn(program, draw))


def _turn(program: tuple[str, ...], draw: random.Random) -> Iterator[str]:
    values = {
        "user": draw.randrange(100, 999),
        "host": draw.randrange(1, 255),
        "pid": draw.randrange(300, 99_999),
        "session": f"{draw.getrandbits(90):x}",
        "message": f"{draw.getrandbits(64):x}",
        "queue_id": f"{draw.getrandbits(44):011X}",
        "short": f"{draw.getrandbits(24):06x}",
        "size": draw.randrange(400, 90_000),
        "other": draw.randrange(400, 90_000),
    }
    for text in program:
        yield text.format_map(values)


def foreign_patterns(folder: Path, count: int = 100) -> None:
    """Write pattern files of programs that a log does not hold: so many patterns."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [
        f"[[event]]\nevent = \"noted\"\nmatch = 'thing {number} of {{user}} took {{duration_s}} s'\n"
        f'meaning = "The program told of thing {number}."\n'
        f'[[event.example]]\ntext = "thing {number} of alice took 1.5 s"\n'
        'fields = { user = "alice", duration_s = 1.5 }\n'
        for number in range(count)
    ]
    blocks.insert(0, '[program]\ntags = ["other-program"]\n')
    (folder / "other-program.toml").write_text("\n".join(blocks))

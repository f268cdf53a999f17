"""Logs of many made-up hosts that send each other mail."""

from __future__ import annotations

import gzip
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from generate import main as generate

BEGIN = datetime(2026, 3, 2)
DOMAIN = "example.org"


def write(directory: Path, hosts: int = 24, lines: int = 250, relayed: int = 12, *, seed: int = 5) -> Path:
    """The logs of hosts, each in its own directory; of some, in one file that several wrote.

    Each log is rotated into two files; some are packed.  Every host hands some messages to the next one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names = [f"mx{number:02}" for number in range(hosts)]
    more = _relayed(names, relayed)
    central: list[str] = []
    for number, name in enumerate(names):
        log = directory / "log"
        form = ("rfc3164", "rfc3339")[number % 2]
        words = ["--lines", str(lines), "--days", "0.1", "--seed", str(seed + number), "--host", name]
        generate([*words, "--start", "2026-03-02", "--format", form, "-o", str(log)])
        found = [(_when(line), line) for line in log.read_text().splitlines()]
        log.unlink()
        found += [(time, _line(time, name, text, form)) for time, text in more[name]]
        in_order = [line for _, line in sorted(found, key=lambda pair: pair[0])]
        if number % 6 == 5:
            central += in_order
        else:
            _rotated(directory / name, in_order, packed=number % 4 == 0)
    if central:
        (directory / "central").mkdir()
        central.sort(key=_when)
        (directory / "central" / "mail.log").write_text("".join(f"{line}\n" for line in central))
    return directory


def _relayed(names: list[str], count: int) -> dict[str, list[tuple[datetime, str]]]:
    """What hosts log of messages that each hands to the next one."""
    found: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for number, name in enumerate(names):
        other = names[(number + 1) % len(names)]
        for at in range(count if len(names) > 1 else 0):
            time = BEGIN + timedelta(minutes=5 + 10 * at, seconds=number)
            mine, theirs = f"A{number:02X}{at:06X}", f"B{number:02X}{at:06X}"
            message = f"{mine}@{name}.{DOMAIN}"
            told = (
                (name, 0, f"postfix/smtpd[11]: {mine}: client=client.{DOMAIN}[192.0.2.9]"),
                (name, 0, f"postfix/cleanup[12]: {mine}: message-id=<{message}>"),
                (
                    name,
                    0,
                    f"postfix/qmgr[13]: {mine}: from=<a{at}@{DOMAIN}>, size=900, nrcpt=1 (queue active)",
                ),
                (other, 0, f"postfix/smtpd[21]: {theirs}: client={name}.{DOMAIN}[192.0.2.{number + 10}]"),
                (other, 0, f"postfix/cleanup[22]: {theirs}: message-id=<{message}>"),
                (
                    other,
                    1,
                    f"postfix/qmgr[23]: {theirs}: from=<a{at}@{DOMAIN}>, size=990, nrcpt=1 (queue active)",
                ),
                (
                    name,
                    1,
                    f"postfix/smtp[14]: {mine}: to=<b{at}@{other}.{DOMAIN}>, relay={other}.{DOMAIN}[192.0.2.8]:25, "
                    f"delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {theirs})",
                ),
                (name, 1, f"postfix/qmgr[13]: {mine}: removed"),
                (
                    other,
                    2,
                    f"postfix/local[24]: {theirs}: to=<b{at}@{other}.{DOMAIN}>, relay=local, delay=1, "
                    "delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)",
                ),
                (other, 2, f"postfix/qmgr[23]: {theirs}: removed"),
            )
            for host, seconds, text in told:
                found[host].append((time + timedelta(seconds=seconds), text))
    return found


def _line(time: datetime, host: str, text: str, form: str) -> str:
    if form == "rfc3164":
        return f"{time:%b} {time.day:2} {time:%H:%M:%S} {host} {text}"
    return f"{time.isoformat(timespec='microseconds')}+00:00 {host} {text}"


def _when(line: str) -> datetime:
    if line[:4].isdigit():
        return datetime.fromisoformat(line.split(" ", 1)[0]).replace(tzinfo=None)
    return datetime.strptime(f"2026 {line[:15]}", "%Y %b %d %H:%M:%S")


def _rotated(directory: Path, lines: list[str], *, packed: bool) -> None:
    directory.mkdir()
    half = len(lines) // 2
    old, new = ("".join(f"{line}\n" for line in part) for part in (lines[:half], lines[half:]))
    if packed:
        (directory / "mail.log.1.gz").write_bytes(gzip.compress(old.encode(), mtime=0))
    else:
        (directory / "mail.log.1").write_text(old)
    (directory / "mail.log").write_text(new)

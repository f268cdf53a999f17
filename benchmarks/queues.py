"""A queue of many messages: `mailscope queue list` and `shape` beside the real qshape, in the same run.

    python benchmarks/queues.py --messages 100000
    python benchmarks/queues.py --messages 2000 --json FILE

Writes a spool of Postfix as cleanup(8), qmgr(8) and bounce(8) leave it (deferred, hashed by one level, with a
defer log for each message), then runs each program `--runs` times, in turn, and tells the least wall time,
the least processor time (its children's with it) and the greatest memory.  Where qshape is not installed
(Debian: postfix), it is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NOW = 1_795_319_755
DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
REASONS = (
    "connect to mx.{domain}[192.0.2.25]:25: Connection refused",
    "connect to mx.{domain}[192.0.2.25]:25: Connection timed out",
    "host mx.{domain}[192.0.2.25] said: 450 4.7.1 Greylisted, try again later (in reply to RCPT TO command)",
    "host mx.{domain}[192.0.2.25] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)",
    "Host or domain name not found. Name service error for name={domain} type=MX: Host not found, try again",
)


def record(kind: str, text: str) -> bytes:
    """A record of a queue file."""
    payload, length = text.encode(), b""
    left = len(payload)
    while True:
        length += bytes([left & 0x7F | (0x80 if left > 0x7F else 0)])
        left >>= 7
        if not left:
            return kind.encode() + length + payload


def encoded(number: int, base: int, least: int = 1) -> str:
    """A number in the letters of long queue ids."""
    text = ""
    while number or len(text) < least:
        number, digit = divmod(number, base)
        text = DIGITS[digit] + text
    return text


def message(came: float, sender: str, recipients: list[str]) -> bytes:
    """A queue file, whole."""
    seconds, micros = int(came), int(came % 1 * 1e6)
    content = b"".join(
        record("N", line)
        for line in (
            "Received: from client.example.net (client.example.net [192.0.2.7])",
            "\tby mx.example.org (Postfix) with ESMTPS id 4jXFRM1gN6zCb8g",
            f"From: <{sender}>",
            f"To: {recipients[0]}",
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            f"Message-ID: <{seconds}.{micros}@example.net>",
            "",
            "x" * 60,
            "x" * 70,
        )
    )
    envelope = record("T", f"{seconds} {micros}") + record("A", f"create_time={seconds}")
    envelope += b"".join(
        record("A", text)
        for text in (
            "log_ident=4jXFRM1gN6zCb8g", "rewrite_context=remote", "log_client_name=client.example.net",
            "log_client_address=192.0.2.7", "log_client_port=49979", "log_helo_name=client.example.net",
            "log_protocol_name=ESMTPS", "client_name=client.example.net", "client_address=192.0.2.7",
        )
    )  # fmt: skip
    envelope += record("S", sender)
    for each in recipients:
        envelope += record("A", f"dsn_orig_rcpt=rfc822;{each}") + record("O", each) + record("R", each)
    envelope += record("p", f"{0:15d}") + record("M", "")
    offset = 97 + len(envelope)
    size = f"{len(content):15d} {offset:15d} {len(recipients):15d} {0:15d} {len(content):15d} {0:15d}"
    return record("C", size) + envelope + content + record("X", "") + record("E", "")


def log(recipients: list[str], reason: str) -> bytes:
    """A defer log."""
    return "".join(
        f"\n<{each}>: {reason}\nrecipient={each}\noffset=661\ndsn_orig_rcpt=rfc822;{each}\nstatus=4.4.1\n"
        f"action=delayed\ndiag_type=smtp\ndiag_text={reason}\nmta_type=dns\nmta_mname=mx.example.net\nreason={reason}\n\n"
        for each in recipients
    ).encode()


def spool(place: Path, count: int, seed: int = 1) -> None:
    """Write a spool with so many deferred messages."""
    chance = random.Random(seed)
    domains = [f"{name}.example.{top}" for name in range(300) for top in ("org", "net", "com")]
    for queue in ("maildrop", "incoming", "active", "hold"):
        (place / queue).mkdir(parents=True)
    for queue in ("deferred", "defer"):
        for letter in "0123456789ABCDEF":
            (place / queue / letter).mkdir(parents=True)
    for number in range(count):
        age = min(432_000, chance.expovariate(1 / 40_000))
        came = NOW - age
        micros = int(came % 1 * 1e6)
        name = f"{encoded(int(came), 52, 6)}{encoded(micros, 52, 4)}z{encoded(1_000_000 + number, 51)}"
        letter = f"{micros:05X}"[0]
        domain = domains[min(int(chance.paretovariate(0.7)) - 1, len(domains) - 1)]
        whom = [f"u{chance.randrange(10_000)}@{domain}" for _ in range(chance.choice((1, 1, 1, 1, 2, 3)))]
        path = place / "deferred" / letter / name
        path.write_bytes(message(came, f"s{chance.randrange(500)}@example.org", whom))
        path.chmod(0o700)
        os.utime(path, (NOW, NOW + chance.randrange(4000)))
        (place / "defer" / letter / name).write_bytes(log(whom, chance.choice(REASONS).format(domain=domain)))


def run(command: list[str], output: Path) -> tuple[float, float, int]:
    """Wall seconds, seconds of processor and greatest memory in bytes of a command."""
    with output.open("wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
    assert process.returncode == 0, command
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss << 10


def measured(place: Path, runs: int) -> dict[str, Any]:
    """The figures of each program."""
    ours = [str(Path(sys.executable).parent / "mailscope"), "queue"]
    where = ["--spool", str(place)]
    commands = {
        "list": [*ours, "list", *where],
        "list as postqueue": [*ours, "list", "--compat", "postqueue", *where],
        "shape": [*ours, "shape", *where, "deferred"],
    }
    qshape = shutil.which("qshape")
    if qshape is not None:
        commands["qshape"] = [qshape, str(place / "deferred")]
    found: dict[str, Any] = {
        name: {"seconds": float("inf"), "cpu_seconds": float("inf"), "memory_bytes": 0} for name in commands
    }
    for _ in range(runs):
        for name, command in commands.items():
            took, cpu, memory = run(command, place.parent / f"{name}.txt")
            found[name]["seconds"] = min(found[name]["seconds"], took)
            found[name]["cpu_seconds"] = min(found[name]["cpu_seconds"], cpu)
            found[name]["memory_bytes"] = max(found[name]["memory_bytes"], memory)
    return found


def main() -> None:
    """Make the spool, run the programs, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "postfix"
        spool(place, asked.messages)
        found = measured(place, asked.runs)
    for name, figures in found.items():
        ratio = f"  {found['qshape']['seconds'] / figures['seconds']:5.1f} times" if "qshape" in found else ""
        used = f"{figures['seconds']:8.2f} s {figures['cpu_seconds']:8.2f} s CPU"
        print(f"{name:<18}{used} {figures['memory_bytes'] / 1e6:6.0f} MB{ratio}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()

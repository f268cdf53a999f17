"""Entries in systemd's export format ("Journal Export Formats"), as journalctl writes them."""

from __future__ import annotations

ID = "0123456789abcdef0123456789abcdef"
START = 1795319942123456  # 2026-11-22 03:59:02.123456 UTC


def text(name: str, value: str | bytes) -> bytes:
    """A field; one that holds anything but printable text tells its length."""
    raw = value.encode() if isinstance(value, str) else value
    if isinstance(value, str) and value.isprintable():
        return name.encode() + b"=" + raw + b"\n"
    return name.encode() + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n"


def entry(number: int, message: str | bytes, tag: str = "postfix/smtpd", **fields: str | bytes) -> bytes:
    """The entry of a second after the one before, of the mail facility unless ``fields`` say otherwise."""
    time, monotonic = START + number * 1_000_000, 1000 + number * 1_000_000
    whole: dict[str, str | bytes] = {
        "__CURSOR": f"s={ID};i={number + 1:x};b={ID};m={monotonic:x};t={time:x};x=0",
        "__REALTIME_TIMESTAMP": str(time),
        "__MONOTONIC_TIMESTAMP": str(monotonic),
        "_BOOT_ID": ID,
        "_HOSTNAME": "mx1",
        "SYSLOG_FACILITY": "2",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": tag,
        "_PID": "12",
        "MESSAGE": message,
    }
    return b"".join(text(name, value) for name, value in (whole | fields).items()) + b"\n"

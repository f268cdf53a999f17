"""A message becomes a line that the envelopes read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receiving import parsed
from running import examples

from mailscope.syslog.receiver.message import Message
from mailscope.syslog.receiver.relayed import line

NOW = datetime(2026, 11, 27, 10, 0, 0, 123456, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000 + 123456
RECEIVED = b"2026-11-27T10:00:00.123456+00:00"
LOCAL = b"mailhost"


def made(data: bytes, peer: str = "192.0.2.7", *, names_host: bool = True) -> bytes:
    return line(Message(peer, "udp", NOW_US, data), LOCAL, names_host=names_host)


def read(data: bytes, **how: Any) -> dict[str, Any]:
    """What intake makes of the line of a message."""
    header = parsed([made(data, **how)])
    out = {}
    for name in ("pri", "time", "local", "stamp", "host", "tag", "text"):
        column = getattr(header, name)
        out[name] = column if column is None or isinstance(column, str) else column[0]
    return out


@pytest.mark.parametrize(
    "message",
    [
        b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
        b"<22>Nov  7 10:00:00 mx1.example.org postfix/smtpd[12]: connect from unknown[192.0.2.1]",
        b"<22>Nov 27 10:00:00 2001:db8::7 postfix/smtpd[12]: text",
        b"<22>Nov 27 10:00:00 [192.0.2.9] postfix/smtpd[12]: text",
        b"<022>Nov 27 10:00:00 mx1 postfix/smtpd[12]: text",
        b"<22>2026-11-27T10:00:00.123456+01:00 mx1 postfix/smtpd[12]: text",
        b"<22>2026-11-27T09:00:00Z mx1 qmail: 1018966965.100348 new msg 214283",
        b'<165>1 2003-10-11T22:14:15.003Z h.example.com app - ID47 [a@32473 iut="3" x="a\\]b\\""][b@1] \xef\xbb\xbfA',
        b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed",
        b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 -",
        b"<13>Nov 27 10:00:00 mx1 tag: caf\xe9 \xe4\xb8\xad",
    ],
)
def test_whole_messages_stay_as_they_are(message: bytes) -> None:
    assert made(message) == message
    assert made(message + b"\n\0") == message
    assert made(message + b"\r\n") == message


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        # RFC 3164, section 5.4, examples 2 and 4, and RFC 5424 section 6.5 examples with what they lack.
        (b"Use the BFG!", b"<13>" + RECEIVED + b" 192.0.2.7 Use the BFG!"),
        (b"<13>text without anything", b"<13>" + RECEIVED + b" 192.0.2.7 text without anything"),
        (b"<13>app[7]: text", b"<13>" + RECEIVED + b" 192.0.2.7 app[7]: text"),
        (b"<22>Nov 27 10:00:00 app[7]: text", b"<22>Nov 27 10:00:00 192.0.2.7 app[7]: text"),
        (b"Nov 27 10:00:00 mx1 app: text", b"<13>Nov 27 10:00:00 mx1 app: text"),
        (b"<22> Nov 27 10:00:00 mx1 app: text", b"<22>Nov 27 10:00:00 mx1 app: text"),
        (b"<22>Nov 27 10:00:00 mx1", b"<22>Nov 27 10:00:00 mx1 "),
        (b"<22>", b"<22>" + RECEIVED + b" 192.0.2.7 "),
        (b"<22>Nov 32 10:00:00 mx1 app: x", b"<22>" + RECEIVED + b" 192.0.2.7 Nov 32 10:00:00 mx1 app: x"),
        (b"<22>Nov 27 24:00:00 mx1 app: x", b"<22>" + RECEIVED + b" 192.0.2.7 Nov 27 24:00:00 mx1 app: x"),
        (b"<192>text", b"<13>" + RECEIVED + b" 192.0.2.7 <192>text"),
        (b"<>text", b"<13>" + RECEIVED + b" 192.0.2.7 <>text"),
        (b"<12345>text", b"<13>" + RECEIVED + b" 192.0.2.7 <12345>text"),
        (b"<34>1 - - app 12 - - text", b"<34>1 " + RECEIVED + b" 192.0.2.7 app 12 - - text"),
        (b"<34>1 - mx1 - - - -", b"<34>1 " + RECEIVED + b" mx1 - - - -"),
        # No structured data, damaged data: in the older form.
        (b"<34>1 2003-10-11T22:14:15Z mx1 app 12 - text", b"<34>2003-10-11T22:14:15Z mx1 app[12]: text"),
        (b"<34>1 2003-10-11T22:14:15Z mx1 app x ID [a b", b"<34>2003-10-11T22:14:15Z mx1 app: x ID [a b"),
        (b"<34>1 garbage", b"<34>" + RECEIVED + b" 192.0.2.7 1 garbage"),
        (b"<13>a\nb\0c\td\x1be\x7f", b"<13>" + RECEIVED + b" 192.0.2.7 a#012b#000c#011d#033e\x7f"),
        (b"<22>Nov 27 10:00:00 mx1 app: a\nb\n", b"<22>Nov 27 10:00:00 mx1 app: a#012b"),
    ],
)
def test_what_a_message_lacks_is_put_in(message: bytes, wanted: bytes) -> None:
    assert made(message) == wanted


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (
            b"29: 000030: mx1: *Nov 27 10:00:00.123 UTC: %SYS-5-CONFIG_I: x",
            RECEIVED + b" mx1 %SYS-5-CONFIG_I: x",
        ),
        (
            b"29: .Nov 27 09:59:00.123 GMT: %SYS-5-CONFIG_I: x",
            b"2026-11-27T09:59:00.123Z 192.0.2.7 %SYS-5-CONFIG_I: x",
        ),
        (b"29: Nov 27 10:59:00 CET: %SYS-5-CONFIG_I: x", b"Nov 27 10:59:00 192.0.2.7 %SYS-5-CONFIG_I: x"),
        (
            b": 2026 Nov 27 10:00:00 UTC: %ETHPORT-5-IF_UP: up",
            b"2026-11-27T10:00:00Z 192.0.2.7 %ETHPORT-5-IF_UP: up",
        ),
        (
            b"Nov 27 2026 10:00:00 fw1 : %ASA-6-302013: Built",
            b"Nov 27 2026 10:00:00 fw1 %ASA-6-302013: Built",
        ),
        (
            b"Nov 27 2026 10:00:00: %ASA-6-302013: Built",
            b"Nov 27 2026 10:00:00 192.0.2.7 %ASA-6-302013: Built",
        ),
        (b"46: 00:00:46: %LINK-3-UPDOWN: up", RECEIVED + b" 192.0.2.7 %LINK-3-UPDOWN: up"),
        (b"46: 1w2d: %LINK-3-UPDOWN: up", RECEIVED + b" 192.0.2.7 %LINK-3-UPDOWN: up"),
        # In the year that is nearest: a message of December that comes in January.
        (b"9: Feb 29 10:00:00 UTC: %SYS-5-CONFIG_I: x", None),
    ],
)
def test_forms_of_cisco(message: bytes, wanted: bytes | None) -> None:
    found = made(b"<189>" + message)
    assert found == b"<189>" + (wanted or RECEIVED + b" 192.0.2.7 %SYS-5-CONFIG_I: x")


def test_a_year_is_the_nearest_one() -> None:
    new_year = int(datetime(2027, 1, 1, 0, 0, 5, tzinfo=UTC).timestamp()) * 1_000_000
    found = line(
        Message("192.0.2.7", "udp", new_year, b"<189>9: Dec 31 23:59:59 UTC: %A-5-B: x"),
        LOCAL,
        names_host=True,
    )
    assert found == b"<189>2026-12-31T23:59:59Z 192.0.2.7 %A-5-B: x"


def test_a_program_of_this_host_tells_no_host() -> None:
    assert made(b"<22>Nov 27 10:00:00 su root on pts/1", "", names_host=False) == (
        b"<22>Nov 27 10:00:00 mailhost su root on pts/1"
    )
    assert made(b"<22>text", "", names_host=False) == b"<22>" + RECEIVED + b" mailhost text"
    whole = b"<22>1 2026-11-27T10:00:00Z other app 1 - - text"
    assert made(whole, "", names_host=False) == whole


def test_intake_reads_priority_host_tag_and_instant() -> None:
    found = read(b"<22>postfix/smtpd[12]: connect\nfrom")
    assert found["pri"] == 22
    assert found["time"] == NOW.replace(tzinfo=None)
    assert (found["host"], found["tag"], found["text"]) == (
        "192.0.2.7",
        "postfix/smtpd[12]",
        "connect#012from",
    )
    found = read(b"<189>29: *Nov 27 10:00:00.123: %SYS-5-CONFIG_I: Configured", peer="2001:db8::1")
    assert (found["host"], found["tag"], found["text"]) == ("2001:db8::1", "%SYS-5-CONFIG_I", "Configured")
    found = read(b'<22>1 - - app 7 - [a b="]"] text')
    assert (found["pri"], found["host"], found["tag"], found["text"]) == (22, "192.0.2.7", "app[7]", "text")


BEGINNINGS = st.sampled_from(
    [
        b"",
        b"<13>",
        b"<191>1 ",
        b"<13>1 2026-11-27T10:00:00Z ",
        b"<13>1 2026-11-27T10:00:00Z a b c d ",
        b"<13>1 2026-11-27T10:00:00Z a b c d [",
        b"<13>Nov 27 10:00:00 ",
        b"<13>Nov 27 10:00:00 mx1 ",
        b"<13>2026-11-27T10:00:00Z mx1 ",
        b"<189>29: *Nov 27 10:00:00: ",
        b"29: %A-1-B: ",
    ]
)


@settings(max_examples=examples(400), deadline=None)
@given(BEGINNINGS, st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)), st.booleans())
def test_any_message_is_one_line_that_tells_priority_host_and_time(
    begin: bytes, rest: bytes, names: bool
) -> None:
    message = begin + rest
    found = made(message, names_host=names)
    assert all(byte >= 32 for byte in found)
    assert Message("", "udp", 0, found).pri is not None
    header = parsed([found])
    assert header.pri is not None
    assert header.pri[0] in range(192)
    assert header.host is not None
    # Nothing of what was sent is gone, apart from a device's count of its messages and from what ends a line.
    if b"%" not in message:
        text = b"".join(
            bytes([byte]) if byte > 32 else b"" for byte in rest.decode(errors="replace").encode()
        )
        assert all(byte in found.decode(errors="replace").encode() for byte in text)


def test_long_and_odd_messages_take_no_time() -> None:
    begun = time.perf_counter()
    for data in (
        b'["' * 30_000,
        b'[a b="' + b"\\" * 60_000,
        b'[a b="c"' * 8_000,
        b"[" * 60_000,
        b"[]" * 30_000,
    ):
        message = b"<13>1 2026-11-27T10:00:00Z a b c d " + data
        assert b" a b: " in made(message) or made(message) == message
    assert made(b"<13>" + b"1:" * 30_000)
    assert made(b"<13>Nov 27 10:00:00 " + b"a:" * 30_000 + b" %A-1-B:")
    assert made(b"<13>Nov 27 10:00:00 " + b"a." * 30_000 + b" %A-1-B:")
    assert made(b"<13>" + b": %A-" * 10_000)
    assert time.perf_counter() - begun < 2

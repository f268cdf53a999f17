"""Every form of envelope: stamp, host, program tag and text of single lines, and of lines together."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from running import NOW, UTC_ZONE

from mailscope.intake.clock import Clock
from mailscope.intake.envelopes import ENVELOPES, own_stamps
from mailscope.intake.envelopes.header import Header
from mailscope.intake.lines import parse_lines

LAB = Path(__file__).parents[3] / "shared" / "lab"
TAG = "postfix/smtpd[2345]"
TEXT = "connect from unknown[192.0.2.1]"


def part(header: Header, name: str) -> Any:
    """A part of a single line's header."""
    value = getattr(header, name)
    return value[0] if isinstance(value, pl.Series) else value


def single(line: str) -> Header:
    return parse_lines(line.encode()).header


def parts(line: str) -> tuple[Any, Any, Any]:
    """Host, tag, text."""
    header = single(line)
    return part(header, "host"), part(header, "tag"), part(header, "text")


def instant(line: str, zone: ZoneInfo = UTC_ZONE) -> Any:
    """When it was, by a clock of November 2026."""
    clock = Clock("test", zone, NOW.replace(tzinfo=UTC_ZONE))
    return clock.instants(single(line))[0][0]


# RFC 3164 and its relatives


@pytest.mark.parametrize(
    ("stamp", "wanted"),
    [
        ("Nov 22 04:00:42", "Nov 22 04:00:42"),
        ("Nov  2 04:00:42", "Nov  2 04:00:42"),
        ("Nov 2 04:00:42", "Nov  2 04:00:42"),
        ("Nov 02 04:00:42", "Nov 02 04:00:42"),
        ("Nov 22 04:00:42.186", "Nov 22 04:00:42"),
        ("Nov 22 04:00:42,186", "Nov 22 04:00:42"),
        ("Nov 22 04:00:42:", "Nov 22 04:00:42"),
        ("16 15:53:25", "??? 16 15:53:25"),
        ("6 15:53:25", "???  6 15:53:25"),
    ],
)
def test_stamps_without_a_year(stamp: str, wanted: str) -> None:
    line = f"{stamp} mx1 {TAG}: {TEXT}"
    header = single(line)
    assert part(header, "stamp") == wanted
    assert header.time is None
    assert header.local is None
    assert parts(line) == ("mx1", TAG, TEXT)


@pytest.mark.parametrize(
    ("stamp", "wanted"),
    [
        ("Nov 22 2026 04:00:42", datetime(2026, 11, 22, 4, 0, 42)),
        ("Nov  2 2013 04:00:42:", datetime(2013, 11, 2, 4, 0, 42)),
        ("Nov 2 2013 04:00:42.123", datetime(2013, 11, 2, 4, 0, 42)),
    ],
)
def test_cisco_stamps_have_a_year(stamp: str, wanted: datetime) -> None:
    line = f"{stamp} mx1 {TAG}: {TEXT}"
    header = single(line)
    assert part(header, "local") == wanted
    assert part(header, "stamp") is None
    assert parts(line) == ("mx1", TAG, TEXT)


@pytest.mark.parametrize(
    "stamp", ["Foo 22 04:00:42", "Nov 22 4:00:42", "Nov22 04:00:42", " 16 15:53:25", "Nov 122 04:00:42"]
)
def test_what_is_no_stamp_is_text(stamp: str) -> None:
    line = f"{stamp} mx1 {TAG}: {TEXT}"
    assert parts(line) == (None, None, line)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (f"Nov 22 04:00:42 {TAG}: {TEXT}", (None, TAG, TEXT)),
        ("Nov 22 04:00:42 last message repeated 3 times", ("last", None, "message repeated 3 times")),
        ("Nov 22 04:00:42 mail qmail: new msg 7", ("mail", "qmail", "new msg 7")),
        ("Nov 22 04:00:42 mail qmail : new msg 7", ("mail", "qmail", "new msg 7")),
        ("Nov 22 04:00:42 mail qmail[12] : new msg 7", ("mail", "qmail[12]", "new msg 7")),
        ("Nov 22 04:00:42 mail qmail:", ("mail", "qmail", "")),
        ("Nov 22 04:00:42 mail qmail: ", ("mail", "qmail", "")),
        ("Nov 22 04:00:42 mail", ("mail", None, "")),
        ("Nov 22 04:00:42 mail no tag here", ("mail", None, "no tag here")),
        ("Nov 22 04:00:42 mail no tag: here", ("mail", None, "no tag: here")),
        ("Nov 22 04:00:42 mail a[1]: b: c: d", ("mail", "a[1]", "b: c: d")),
        ("Nov 22 04:00:42 2001:db8::1 a[1]: b", ("2001:db8::1", "a[1]", "b")),
        ("Nov 22 04:00:42 mail postfix/smtps/smtpd[9]: x", ("mail", "postfix/smtps/smtpd[9]", "x")),
        ("Nov 22 04:00:42 mail caf\u00e9[1]: \u00fc: x", ("mail", "caf\u00e9[1]", "\u00fc: x")),
    ],
)
def test_host_tag_and_text(line: str, wanted: tuple[Any, Any, Any]) -> None:
    assert parts(line) == wanted


def test_hosts_tags_and_texts_of_lines_together() -> None:
    lines = [
        "Nov 22 04:00:42 mx1 a[1]: x",
        "Nov 22 04:00:42 a[1]: y",
        "Nov 22 04:00:42 mx2 a : z",
        "Nov 22 04:00:42 mx1x a[1]: u: v",
    ]
    header = parse_lines("\n".join(lines).encode()).header
    assert isinstance(header.host, pl.Series)
    assert header.host.to_list() == ["mx1", None, "mx2", "mx1x"]
    assert header.tag.to_list() == ["a[1]", "a[1]", "a", "a[1]"]
    assert header.text.to_list() == ["x", "y", "z", "u: v"]


# Stamps with a year


@pytest.mark.parametrize(
    ("stamp", "wanted"),
    [
        ("2026-11-22T04:00:42.186609+00:00", datetime(2026, 11, 22, 4, 0, 42, 186609)),
        ("2026-11-22T04:00:42.186609+01:00", datetime(2026, 11, 22, 3, 0, 42, 186609)),
        ("2026-11-22T04:00:42.186-03:30", datetime(2026, 11, 22, 7, 30, 42, 186000)),
        ("2026-11-22T04:00:42Z", datetime(2026, 11, 22, 4, 0, 42)),
        ("2026-11-22T04:00:42+0100", datetime(2026, 11, 22, 3, 0, 42)),
        ("2026-11-22 04:00:42,186+0100", datetime(2026, 11, 22, 3, 0, 42, 186000)),
        ("2026-11-22T00:00:00.1+01:00", datetime(2026, 11, 21, 23, 0, 0, 100000)),
        ("2026-12-31T23:59:60Z", datetime(2027, 1, 1, 0, 0, 0)),
    ],
)
def test_stamps_with_a_zone(stamp: str, wanted: datetime) -> None:
    line = f"{stamp} mx1 {TAG}: {TEXT}"
    header = single(line)
    assert part(header, "time") == wanted
    assert header.local is None
    assert parts(line) == ("mx1", TAG, TEXT)


@pytest.mark.parametrize(
    ("stamp", "wanted"),
    [
        ("2013-06-10 06:27:30", datetime(2013, 6, 10, 6, 27, 30)),
        ("2013-06-10T06:27:30", datetime(2013, 6, 10, 6, 27, 30)),
        ("2013-06-10 06:27:30,123", datetime(2013, 6, 10, 6, 27, 30, 123000)),
        ("2013 Jun 10 06:27:30.123", datetime(2013, 6, 10, 6, 27, 30, 123000)),
        ("2013 Jun  1 06:27:30", datetime(2013, 6, 1, 6, 27, 30)),
        ("2013 Jun 1 06:27:30.5", datetime(2013, 6, 1, 6, 27, 30, 500000)),
        ("2013-06-10 06:27:30.12345678", datetime(2013, 6, 10, 6, 27, 30, 123456)),
    ],
)
def test_stamps_without_a_zone(stamp: str, wanted: datetime) -> None:
    line = f"{stamp} mx1 {TAG}: {TEXT}"
    header = single(line)
    assert part(header, "local") == wanted
    assert header.time is None
    assert parts(line) == ("mx1", TAG, TEXT)
    assert instant(line, ZoneInfo("America/New_York")) == wanted + timedelta(hours=4)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-13-22T04:00:42Z",
        "2026-11-31T04:00:42Z",
        "2026-11-22T24:00:42Z",
        "2026 Foo 22 04:00:42",
        "+026-11-22T04:00:42Z",
        "2026-11-22T04:00:4Z",
    ],
)
def test_what_is_no_iso_stamp_is_text(stamp: str) -> None:
    line = f"{stamp} mx1 {TAG}: {TEXT}"
    assert parts(line) == (None, None, line)


@pytest.mark.parametrize(
    "odd",
    [
        "2026-11-22T04:00:+2.186609+00:00 mx1 a[1]: y",
        "2026-11-22T04:00:42.+86609+00:00 mx1 a[1]: y",
        "2026- 1-22T04:00:42.186609+00:00 mx1 a[1]: y",
        "+026-11-22T04:00:42.186609+00:00 mx1 a[1]: y",
    ],
)
def test_a_damaged_stamp_among_good_ones_is_text(odd: str) -> None:
    """The fast way through many lines of one form must not take a sign or a blank for a digit."""
    good = "2026-11-22T04:00:42.186609+00:00 mx1 a[1]: x"
    header = parse_lines(f"{good}\n{odd}\n{good}\n".encode()).header
    assert header.text.to_list() == ["x", odd, "x"]


def test_iso_without_host_or_with_nothing_behind() -> None:
    assert parts(f"2026-11-22T04:00:42Z {TAG}: {TEXT}") == (None, TAG, TEXT)
    assert parts("2026-11-22T04:00:42Z mx1") == ("mx1", None, "")
    assert parts("2026-11-22 03:59:04.407222500 new msg 7") == (None, None, "new msg 7")


def test_iso_stamps_with_different_zones_and_fractions_together() -> None:
    lines = [
        "2026-11-22T04:00:42.186609+00:00 mx1 a[1]: x",
        "2026-11-22T04:00:42.186+01:00 mx2 a[1]: x",
        "2026-11-22 04:00:42 mx3 a[1]: x",
        "2026 Nov 22 04:00:42,5 mx4 a[1]: x",
    ]
    for turn in range(len(lines)):
        turned = lines[turn:] + lines[:turn]
        header = parse_lines("\n".join(turned).encode()).header
        assert header.time is not None
        assert header.local is not None
        wanted = {line: (part(single(line), "time"), part(single(line), "local")) for line in turned}
        assert list(zip(header.time, header.local, strict=True)) == [wanted[line] for line in turned]


# RFC 5424


@pytest.mark.parametrize(
    ("line", "time", "wanted"),
    [
        (
            "<22>1 2026-11-22T04:00:42.186609+01:00 mx1 postfix/smtpd 2345 - - connect",
            datetime(2026, 11, 22, 3, 0, 42, 186609),
            ("mx1", TAG, "connect", 22),
        ),
        ("<22>1 - - - - - - connect", None, (None, None, "connect", 22)),
        ("<22>1 - - - - - -", None, (None, None, "", 22)),
        (
            '<22>1 2026-11-22T04:00:42Z mx1 app - ID47 [ex@1 a="b"][x y="\\"]\\\\" z="\\]"] te]xt',
            datetime(2026, 11, 22, 4, 0, 42),
            ("mx1", "app", "te]xt", 22),
        ),
        (
            '<22>1 2026-11-22T04:00:42.5Z mx1 app 9 - [timeQuality tzKnown="1"] \ufeffbom',
            datetime(2026, 11, 22, 4, 0, 42, 500000),
            ("mx1", "app[9]", "bom", 22),
        ),
        (
            "<22>1 2026-11-22T04:00:42.123456789Z mx1 app 9 - - nano",
            datetime(2026, 11, 22, 4, 0, 42, 123456),
            ("mx1", "app[9]", "nano", 22),
        ),
        (
            "<999>1 2026-11-22T04:00:42Z mx1 app proc-1 - - x",
            datetime(2026, 11, 22, 4, 0, 42),
            ("mx1", "app", "x", None),
        ),
    ],
)
def test_rfc5424(line: str, time: datetime | None, wanted: tuple[Any, ...]) -> None:
    header = single(line)
    assert part(header, "time") == time
    assert (*parts(line), part(header, "pri")) == wanted


@pytest.mark.parametrize(
    "line",
    [
        "<22>1 2026-11-22T04:00:42Z mx1 app",
        "<22>1 2026-11-22T04:00:42Z mx1 app - - [unclosed x",
        "<22>1 2026-1-1 mx1 app - - - x",
    ],
)
def test_damaged_rfc5424_is_text(line: str) -> None:
    header = single(line)
    assert header.time is None
    assert parts(line) == (None, None, line)


# Stamps in front of the bare text


def test_seconds_and_fraction() -> None:
    for line in ("1092664405.514548 end msg 7", "1092664405.514548999 end msg 7"):
        assert instant(line) == datetime(2004, 8, 16, 13, 53, 25, 514548)
        assert parts(line) == (None, None, "end msg 7")


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        # daemontools: 2**62 + 10 + Unix time; FORMATS, B10: 0x6b026671 is 0x6b026667 of date(1).
        ("@400000006b02667100000000", datetime(2026, 11, 22, 3, 49, 59)),
        ("@400000000000000a00000000", datetime(1970, 1, 1)),
        # tai64nlocal(8) shows this one 22 seconds earlier, by a table of leap seconds that few systems have.
        ("@4000000037c219bf2ef02e94", datetime(1999, 8, 24, 4, 4, 5, 787492)),
        ("@400000006b0268921845b8e4", datetime(2026, 11, 22, 3, 59, 4, 407222)),
    ],
)
def test_tai64n(label: str, wanted: datetime) -> None:
    assert instant(f"{label} end msg 7") == wanted
    assert parts(f"{label} end msg 7") == (None, None, "end msg 7")
    assert parts(label) == (None, None, "")


@pytest.mark.parametrize(
    "label",
    [
        "@400000006b02667",
        "@400000006b02667100000000ff",
        "@400000006B02667100000000",
        "@800000006b02667100000000",
        "@ffffffffffffffffffffffff",
        "@000000000000000000000000",
    ],
)
def test_damaged_tai64n_is_text(label: str) -> None:
    line = f"{label} end msg 7"
    assert parts(line) == (None, None, line)


def test_the_lab_agrees_with_tai64nlocal() -> None:
    """The same log as multilog wrote it, as tai64nlocal showed it in two zones, and as seconds."""
    if not LAB.is_dir():
        pytest.skip("the lab's logs are not there")
    read = {}
    for form, zone in (
        ("tai64n", "UTC"),
        ("tai64nlocal", "UTC"),
        ("tai64nlocal.NewYork", "America/New_York"),
        ("frac", "UTC"),
    ):
        header = parse_lines((LAB / "qmail" / f"multilog-all.{form}").read_bytes()).header
        times, _ = Clock("test", ZoneInfo(zone), NOW.replace(tzinfo=UTC_ZONE)).instants(header)
        read[form] = (times.to_list(), header.text.to_list())
        assert len(times) == 1046
        assert times.null_count() == 0
    assert all(got == read["tai64n"] for got in read.values())


# The registry


# Log files that programs beside the MTA write themselves


@pytest.mark.parametrize(
    ("line", "tag", "text"),
    [
        ("2026-11-22 04:00:42 #12(normal) <b1>; task; x", "rspamd[12]", "(normal) <b1>; task; x"),
        ("Sun Nov 22 04:00:42 2026 -> /x: Eicar FOUND", "clamav", "/x: Eicar FOUND"),
        ("Sun Nov 22 04:00:42 2026 [12] info: spamd: x", "spamd[12]", "info: spamd: x"),
        ("Nov 22 04:00:42 2026 (12) post to staff", "mailman[12]", "post to staff"),
        ("[22-Nov-2026 04:00:42]: <a1> x: y", "roundcube", "<a1> x: y"),
    ],
)
def test_files_of_other_programs(line: str, tag: str, text: str) -> None:
    assert parts(line) == (None, tag, text)
    assert instant(line) == datetime(2026, 11, 22, 4, 0, 42)


def test_stamps_of_other_programs() -> None:
    fraction = "2026-11-22 04:00:42.123 #12(controller) <b1>; x"
    assert instant(fraction) == datetime(2026, 11, 22, 4, 0, 42, 123000)
    zoned = "[22-Nov-2026 04:00:42 +0100]: x"
    assert instant(zoned, ZoneInfo("Asia/Tokyo")) == datetime(2026, 11, 22, 3, 0, 42)
    assert instant("Sun Nov  2 04:00:42 2026 -> x", ZoneInfo("Europe/Rome")) == datetime(
        2026, 11, 2, 3, 0, 42
    )


def test_files_of_other_programs_among_others() -> None:
    lines = [
        "Nov 22 04:00:42 mx1 a[1]: x",
        "Nov 22 04:00:42 2026 (12) post",
        "[22-Nov-2026 04:00:42 +0000]: y",
        "Sun Nov 22 04:00:42 2026 -> z",
        "[99-Foo-2026 04:00:42]: w",
    ]
    header = parse_lines("\n".join(lines).encode()).header
    assert header.tag.to_list() == ["a[1]", "mailman[12]", "roundcube", "clamav", "roundcube"]
    assert header.text.to_list() == ["x", "post", "y", "z", "w"]


def test_every_envelope_knows_its_own_lines_only() -> None:
    """The order in which envelopes are tried does not matter: no beginning fits two of them.

    Only fail2ban's and Exim's are iso's, too, and come before it.
    """
    lines = {
        "own_files": "Sun Nov 22 04:00:42 2026 -> x",
        "rfc3164": "Nov 22 04:00:42 mx1 a[1]: x",
        "fail2ban": "2026-11-22 04:00:42,123 fail2ban.actions [1]: x",
        "exim": "2026-11-22 04:00:42 1xWhQ7-00002n-0S Completed",
        "iso": "2026-11-22T04:00:42Z mx1 a[1]: x",
        "rfc5424": "<22>1 2026-11-22T04:00:42Z mx1 a 1 - - x",
        "tai64n": "@400000006b02667100000000 x",
        "epoch": "1092664405.514548 x",
        "journal_json": '{"__REALTIME_TIMESTAMP":"1092664405514548","MESSAGE":"x"}',
        "localised": "août 22 04:00:42 mx1 a[1]: x",
        "access": '192.0.2.1 - - [22/Nov/2026:04:00:42 +0000] "GET / HTTP/1.1" 200 1',
        "httpd_error": "[Sun Nov 22 04:00:42 2026] [error] x",
        "nginx_error": "2026/11/22 04:00:42 [error] 12#34: x",
        "named": "22-Nov-2026 04:00:42.123 x",
        "unbound": "[1795320042] unbound[12:0] info: x",
        "sulog": "SU 11/22 04:00 + tty1 alice-root",
    }
    own = {id(value): name.lower() for name, value in vars(own_stamps).items()}
    names = [own.get(id(form)) or str(vars(form)["__name__"]).rpartition(".")[2] for form in ENVELOPES]
    assert names == list(lines)
    for envelope, name in zip(ENVELOPES, names, strict=True):
        fits = dict(zip(lines, pl.Series(list(lines.values())).str.contains(envelope.SNIFF), strict=True))
        if name == "iso":
            assert fits.pop("fail2ban")
            assert fits.pop("exim")
        assert [other for other, fit in fits.items() if fit] == [name]

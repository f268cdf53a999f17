"""Which lines a search finds, in which files, with how few passes."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracing import sources

from mailscope.intake.reader import ReadReport
from mailscope.trails.search import find, marks, sessions, wants
from mailscope.trails.search.closure import Closure
from mailscope.trails.search.numbers import line_numbers
from mailscope.trails.search.query import read_query
from mailscope.trails.search.run import search
from mailscope.trails.search.wants import Found

FILTERED: Final = """\
Nov 22 03:45:10 mail postfix/smtpd[10]: connect from mx.example.net[192.0.2.7]
Nov 22 03:45:11 mail postfix/smtpd[10]: 4B5C61F00D: client=mx.example.net[192.0.2.7]
Nov 22 03:45:11 mail postfix/smtpd[14]: connect from mx.example.com[192.0.2.8]
Nov 22 03:45:11 mail postfix/cleanup[11]: 4B5C61F00D: message-id=<1@example.net>
Nov 22 03:45:11 mail postfix/smtpd[14]: 4B5C61F00C: client=mx.example.com[192.0.2.8]
Nov 22 03:45:11 mail postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.net>, size=912, nrcpt=1 (queue active)
Nov 22 03:45:12 mail postfix/smtpd[10]: disconnect from mx.example.net[192.0.2.7] ehlo=1 quit=1 commands=2
Nov 22 03:45:13 mail postfix/smtpd[15]: connect from localhost[127.0.0.1]
Nov 22 03:45:13 mail postfix/smtpd[15]: 5C0D11F00E: client=localhost[127.0.0.1]
Nov 22 03:45:13 mail postfix/cleanup[11]: 5C0D11F00E: message-id=<1@example.net>
Nov 22 03:45:13 mail postfix/qmgr[12]: 5C0D11F00E: from=<alice@example.net>, size=999, nrcpt=1 (queue active)
Nov 22 03:45:13 mail amavis[20]: (1-2) Passed CLEAN, <alice@example.net> -> <bob@example.org>, \
Queue-ID: 4B5C61F00D, Hits: -, queued_as: 5C0D11F00E, 90 ms
Nov 22 03:45:13 mail postfix/smtp[13]: 4B5C61F00D: to=<bob@example.org>, relay=127.0.0.1[127.0.0.1]:10024, \
delay=2, delays=1/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5C0D11F00E)
Nov 22 03:45:13 mail postfix/qmgr[12]: 4B5C61F00D: removed
Nov 22 03:45:14 mail postfix/local[16]: 5C0D11F00E: to=<bob@example.org>, relay=local, delay=1, \
delays=1/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
Nov 22 03:45:14 mail postfix/qmgr[12]: 5C0D11F00E: removed
Nov 22 03:45:15 mail postfix/smtpd[14]: disconnect from mx.example.com[192.0.2.8] ehlo=1 quit=1 commands=2
"""
QMAIL: Final = """\
@400000006b02689300000000 new msg 7
@400000006b02689400000000 info msg 7: bytes 10 from <alice@example.net> qp 500 uid 1000
@400000006b02689500000000 starting delivery 1: msg 7 to remote bob@example.org
@400000006b02689600000000 new msg 8
@400000006b02689700000000 starting delivery 2: msg 8 to local carol@example.net
@400000006b02689800000000 delivery 2: success: did_1+0+0/
@400000006b02689900000000 end msg 8
@400000006b02689a00000000 delivery 1: failure: 192.0.2.9_does_not_like_recipient./
@400000006b02689b00000000 bounce msg 7 qp 501
@400000006b02689c00000000 end msg 7
@400000006b02689d00000000 new msg 9
@400000006b02689e00000000 info msg 9: bytes 99 from <> qp 501 uid 1001
@400000006b02689f00000000 new msg 7
@400000006b0268a000000000 info msg 7: bytes 33 from <dave@example.net> qp 502 uid 1000
@400000006b0268a100000000 starting delivery 1: msg 7 to local carol@example.net
@400000006b0268a200000000 starting delivery 1: msg 9 to local alice@example.net
@400000006b0268a300000000 delivery 1: success: did_1+0+0/
"""


@pytest.fixture
def filtered(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text(FILTERED)
    return path


@pytest.fixture
def qmail(tmp_path: Path) -> Path:
    path = tmp_path / "current"
    path.write_text(QMAIL)
    return path


def close(query: str, *paths: Path, limit: int = 100) -> Found:
    return Closure(read_query(query), sources(paths), limit).run()


def numbers(found: Found, *paths: Path) -> list[int]:
    """Line numbers of what was found, in the only file."""
    return sorted(line_numbers(sources(paths), found.lines).values())


def test_all_lines_of_an_id_and_of_the_message_it_went_on_as(filtered: Path) -> None:
    found = close("4B5C61F00D", filtered)
    assert numbers(found, filtered) == [2, 4, 6, 9, 10, 11, 12, 13, 14, 15, 16]


def test_backwards_from_the_second_pass_too(filtered: Path) -> None:
    assert close("5C0D11F00E", filtered).lines == close("4B5C61F00D", filtered).lines


def test_the_message_id_alone_finds_both(filtered: Path) -> None:
    assert close("<1@example.net>", filtered).lines == close("4B5C61F00D", filtered).lines


def test_sessions_are_those_of_the_process_around_the_acceptance(filtered: Path) -> None:
    found = search(read_query("4B5C61F00D"), sources([filtered]), 10)
    told = line_numbers(sources([filtered]), {at for group in found.sessions.values() for at in group})
    assert sorted(told.values()) == [1, 7, 8]


def test_a_session_beyond_the_reach_is_left_out(filtered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "REACH_BYTES", 20)
    found = search(read_query("4B5C61F00D"), sources([filtered]), 10)
    assert not any(found.sessions.values())


def test_qmails_ends_of_deliveries_name_no_message(qmail: Path) -> None:
    found = close("7", qmail)
    # Both messages that had the number, and the bounce of the first, whose sender's process tells it.
    assert numbers(found, qmail) == [1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
    assert numbers(close("8", qmail), qmail) == [4, 5, 6, 7]


def test_a_bounce_finds_what_it_is_about(qmail: Path) -> None:
    found = close("9", qmail)
    assert {1, 2, 3, 8, 9, 10, 11, 12, 16, 17} <= set(numbers(found, qmail))


def test_only_the_message_that_an_address_belongs_to(qmail: Path) -> None:
    found = close("bob@example.org", qmail)
    assert set(numbers(found, qmail)) == {1, 2, 3, 8, 9, 10, 11, 12, 16, 17}
    assert numbers(close("dave@example.net", qmail), qmail) == [13, 14, 15]


def test_an_ip_in_a_delivery_report_finds_its_start(qmail: Path) -> None:
    assert {1, 2, 3, 8, 9, 10} <= set(numbers(close("192.0.2.9", qmail), qmail))


def test_a_delivery_number_finds_every_message_with_one(qmail: Path) -> None:
    assert numbers(close("d2", qmail), qmail) == [4, 5, 6, 7]


def test_a_delivery_ends_in_the_next_file_of_the_set(tmp_path: Path) -> None:
    lines = QMAIL.splitlines(keepends=True)
    (tmp_path / "mail.log.1").write_text("".join(lines[:6]))
    (tmp_path / "mail.log").write_text("".join(lines[6:]))
    found = close("8", tmp_path)
    assert sorted(found.lines) == [
        (0, len("".join(lines[:3]))),
        (0, len("".join(lines[:4]))),
        (0, len("".join(lines[:5]))),
        (1, 0),
    ]
    assert any(b"delivery 1: failure" in line for line in close("bob@example.org", tmp_path).lines.values())


def test_an_id_that_only_a_remote_server_told(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(FILTERED.replace("Ok: queued as 5C0D11F00E", "Ok: queued as 4dFrrWwy0z1tG2"))
    found = close("4dFrrWwy0z1tG2", path)
    assert {2, 4, 6, 13, 14} <= set(numbers(found, path))


def test_beyond_the_limit_messages_are_only_counted(qmail: Path, filtered: Path) -> None:
    found = close("7", qmail, limit=1)
    assert found.more == 1
    assert 13 not in numbers(found, qmail)
    found = close("mail.log", filtered, limit=1)
    assert (found.lines, found.more) == ({}, 0)
    found = close("alice@example.net", filtered, limit=1)
    assert found.more == 1  # the second pass is followed all the same, as it is linked
    assert 16 in numbers(found, filtered)


@pytest.mark.parametrize("query", ["4B5C61F00D", "bob@example.org", "<1@example.net>", "192.0.2.7"])
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_files_give_the_same(filtered: Path, tmp_path: Path, query: str, pack: Any) -> None:
    packed = tmp_path / "packed" / "old.log"
    packed.parent.mkdir()
    packed.write_bytes(pack(FILTERED.encode()))
    one = search(read_query(query), sources([filtered]), 10, numbered=True)
    two = search(read_query(query), sources([packed]), 10, numbered=True)
    assert (one.lines, one.sessions, one.numbers, one.loose) == (
        two.lines,
        two.sessions,
        two.numbers,
        two.loose,
    )


@pytest.mark.parametrize("query", ["4B5C61F00D", "7", "bob@example.org", "d1"])
@pytest.mark.parametrize("size", [1, 7, 64, 500, 4096])
def test_the_size_of_blocks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, size: int
) -> None:
    path = tmp_path / "mail.log"
    path.write_text(FILTERED + QMAIL)
    wanted = close(query, path).lines
    monkeypatch.setattr(find, "BLOCK_BYTES", size)
    assert close(query, path).lines == wanted


@pytest.mark.parametrize("query", ["4B5C61F00D", "7", "bob@example.org"])
def test_many_needles_are_found_as_few_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes((FILTERED + QMAIL).encode() + b"\xff\xfe not UTF-8 4B5C61F00D \xc3\xa4\n")
    wanted = close(query, path).lines
    monkeypatch.setattr(find, "FEW", 0)
    monkeypatch.setattr(find, "LARGE_BYTES", 300)
    assert close(query, path).lines == wanted


def test_links_are_looked_for_near_the_lines_that_name_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mail.log"
    filler = "Nov 22 04:00:00 mail postfix/anvil[1]: statistics: max cache size 1 at Nov 22 04:00:00\n" * 200
    again = FILTERED.replace("4B5C61F00D", "6D7E81F00F").replace("5C0D11F00E", "7E8F91F010")
    path.write_text(FILTERED + filler + again)
    monkeypatch.setattr(wants, "LEAST_REACH_BYTES", 3000)
    monkeypatch.setattr(find, "BLOCK_BYTES", 500)
    # The same Message-ID far away is not met, but what belongs together is.
    assert numbers(close("4B5C61F00D", path), path) == [2, 4, 6, 9, 10, 11, 12, 13, 14, 15, 16]
    monkeypatch.setattr(wants, "LEAST_REACH_BYTES", 1 << 20)
    assert len(close("4B5C61F00D", path).lines) == 22


def test_the_reach_goes_on_in_the_neighbouring_files_of_a_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wants, "LEAST_REACH_BYTES", 3000)
    lines = FILTERED.splitlines(keepends=True)
    for cut in range(1, len(lines)):
        (tmp_path / "mail.log.1").write_text("".join(lines[:cut]))
        (tmp_path / "mail.log").write_text("".join(lines[cut:]))
        assert len(close("4B5C61F00D", tmp_path).lines) == 11


def test_refusals_are_kept_and_other_lines_counted(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(
        "Nov 22 03:45:10 mail postfix/smtpd[10]: connect from unknown[192.0.2.66]\n"
        "Nov 22 03:45:11 mail postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 no; "
        "from=<a@example.net> to=<b@example.org> proto=SMTP helo=<x>\n"
        "Nov 22 03:45:12 mail postfix/smtpd[10]: disconnect from unknown[192.0.2.66]\n"
    )
    found = close("192.0.2.66", path)
    assert [line.split()[5] for line in found.loose.values()] == [b"NOQUEUE:"]
    assert found.other == 2


def test_a_file_that_has_gone_is_a_problem_and_not_an_error(filtered: Path) -> None:
    files = sources([filtered])
    filtered.unlink()
    found = search(read_query("4B5C61F00D"), files, 10)
    assert not found.lines
    assert [problem.what for problem in found.reports[0].problems] == ["no such file"]


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=3), st.integers(1, 40), st.booleans())
@settings(max_examples=200, deadline=None)
def test_every_place_is_found_whatever_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, needle: bytes, size: int, any_case: bool
) -> None:
    needle = needle.replace(b"\n", b"x")
    path = tmp_path_factory.mktemp("bytes") / "log"
    path.write_bytes(b"x" + data)
    (source,) = sources([path]) or [None]
    if source is None or source.compression != "none":
        return
    old = find.BLOCK_BYTES
    try:
        find.BLOCK_BYTES = size  # type: ignore[misc]
        blocks = [
            (block.offset, block.data, places)
            for block, places in find.find(source, [needle], any_case=any_case, report=ReadReport())
        ]
    finally:
        find.BLOCK_BYTES = old  # type: ignore[misc]
    assert b"".join(data for _, data, _ in blocks) == b"x" + data
    text = (b"x" + data).lower() if any_case else b"x" + data
    wanted = needle.lower() if any_case else needle
    assert [offset + place for offset, _, places in blocks for place in places] == [
        at for at in range(len(text)) if text.startswith(wanted, at)
    ]


@given(st.binary(max_size=200))
def test_marks_take_any_line(line: bytes) -> None:
    line = line.replace(b"\n", b"")
    marks.own_id(line)
    marks.named(line)
    marks.place(line)
    marks.started(line)
    marks.ended(line)
    marks.info_qp(line)
    marks.message_id(line)
    marks.begins(line)


@pytest.mark.parametrize(
    ("line", "own"),
    [
        (b"Nov 22 03:45:12 mail postfix/qmgr[12]: 4B5C61F00D: removed", b"4B5C61F00D"),
        (b"Nov 22 03:45:12 mail postfix/qmgr[12]: warning: 4B5C61F00D: odd", b"4B5C61F00D"),
        (b"<22>1 2026-11-22T03:45:12Z mail postfix/qmgr 12 - - 4B5C61F00D: removed", b"4B5C61F00D"),
        (b"4B5C61F00D: removed", b"4B5C61F00D"),
        (b"Nov 22 03:45:12 mail postfix/smtpd[12]: NOQUEUE: reject: x: 4B5C61F00D: y", None),
        (b"Nov 22 03:45:12 mail postfix/smtpd[12]: connect from a[192.0.2.1]: 4B5C61F00D: y", None),
        (b"Nov 22 03:45:12 mail qmail: 1795320042.186490 end msg 12", b"12"),
        (b"@400000006b02689300000000 info msg 12: bytes 3 from <> qp 5 uid 0", b"12"),
        (b"@400000006b02689300000000 delivery 12: success: new_msg_3/", None),
    ],
)
def test_whose_line_it_is(line: bytes, own: bytes | None) -> None:
    assert marks.own_id(line) == own

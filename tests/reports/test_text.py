"""The report on a terminal."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from replaying import Replay, replay

from mailscope.cli.terminal import columns, fit, safe
from mailscope.language.choice import LANGUAGES
from mailscope.language.translator import translator
from mailscope.reports.forms.text import render
from mailscope.reports.layout import Column, Paper, beside, pairs, plain, table


def paper(width: int) -> Paper:
    return Paper(width, safe, fit, columns)


def text(report: dict[str, Any], width: int = 80, language: str = "en") -> str:
    return plain(render(report, paper(width), translator(language)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [60, 80, 100, 132, 160])
def test_no_line_is_wider_than_the_terminal(width: int, language: str, examples: Replay) -> None:
    # The balance sheet and tables of many numbers need 80 columns.
    lines = text(examples.report(top=30), width, language).splitlines()
    assert max(map(columns, lines)) <= max(width, 80)


def test_problems_come_first(examples: Replay) -> None:
    shown = text(examples.report(top=10))
    assert shown.index("Lines read") < shown.index("Wants attention") < shown.index("By day")
    attention = shown.partition("Wants attention")[2].partition("\n\n")[0]
    for what in ("a disk is full", "errors that ended", "DNS gave no answer", "warnings", "concurrencylocal"):
        assert what in attention


def test_balance_says_that_it_adds_up_or_what_is_missing(examples: Replay) -> None:
    report = copy.deepcopy(examples.report())
    assert "All sums add up." in text(report)
    report["balance"][2]["remainder"] = 5
    shown = text(report)
    assert "All sums add up." not in shown
    assert "messages accepted: +5 not accounted for" in shown


def test_empty_sections_are_left_out(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("Nov 20 10:00:00 mail postfix/smtpd[1]: connect from a.example.org[192.0.2.1]\n")
    shown = text(replay(log).report())
    assert "Connections" in shown
    for title in ("Senders", "Bounces by reason", "Failed logins", "qmail concurrency", "Delays"):
        assert title not in shown
    assert "Nothing wants attention." in shown


def test_short_logs_are_shown_hour_by_hour_without_gaps(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    line = "Nov 20 {}:00:00 mail postfix/smtp[3]: AAAAAAAAA1: to=<a@example.net>, relay=none, delay=1, "
    line += "delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to example.net: Connection refused)\n"
    log.write_text(line.format("08") + line.format("11"))
    part = text(replay(log).report()).partition("By hour")[2].partition("\n\n")[0]
    assert [row.split()[0] for row in part.splitlines()[2:]] == ["08:00", "09:00", "10:00", "11:00"]


def test_long_logs_are_shown_by_day_and_hour_of_the_day(examples: Replay) -> None:
    shown = text(examples.report())
    assert "By day" in shown
    assert "By hour of the day" in shown
    assert "\nBy hour  by_hour\n" not in shown


def test_qmail_reasons_are_readable(examples: Replay) -> None:
    assert "Sorry, no mailbox here by that name" in text(examples.report(top=0))


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    hostile = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe"
    log.write_text(
        f"Nov 20 10:00:00 mail postfix/smtpd[1]: warning: {hostile}\n"
        f"Nov 20 10:00:01 mail evil{hostile}: hello\n"
        f"Nov 20 10:00:02 mail postfix/qmgr[2]: AAAAAAAAA1: from=<{hostile}@example.org>, size=1, nrcpt=1 "
        "(queue active)\n"
    )
    report = replay(log).report()
    report["sources"] = [hostile]
    shown = text(report, 132)
    assert all(char.isprintable() for char in shown.replace("\n", ""))
    assert "\\x1b" in shown


def test_wide_characters_keep_the_columns_in_line() -> None:
    lines = plain(
        table(
            [Column("Who", ["日本語", "ascii"]), Column("n", ["1", "22"], right=True)],
            paper(40),
        )
    ).splitlines()
    assert [columns(line) for line in lines] == [12, 12, 12]


def test_chinese_stands_in_columns(examples: Replay) -> None:
    part = (
        text(examples.report(), language="zh").partition("按日统计")[2].partition("\n\n")[0].splitlines()[1:]
    )
    assert part[0].split() == ["日期", "接收", "已投递", "延迟", "退信", "拒收", "字节"]
    for place, heading in enumerate(part[0].split()[1:], 1):
        end = columns(part[0][: part[0].index(heading) + len(heading)])
        assert all(row[:end].endswith(row.split()[place]) for row in part[1:])


def test_balance_goes_below_where_words_are_long() -> None:
    one = pairs([("a" * 50, "1", "")], paper(80))
    assert plain(beside([one, one], paper(80))).splitlines() == ["a" * 50 + " 1", "", "a" * 50 + " 1"]


def test_fates_and_other_words_of_ours_are_translated(examples: Replay) -> None:
    shown = text(examples.report(), language="it")
    assert "prima della coda" in shown
    assert "Consegnati" in shown
    assert "Sorry, no mailbox here by that name" in shown


def test_long_reasons_go_on_in_a_second_line() -> None:
    reason = "word " * 30
    lines = plain(table([Column("n", ["1"], right=True), Column("Reason", [reason])], paper(60))).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("     word")
    assert lines[2].endswith("…")
    assert max(map(len, lines)) <= 60


def test_blocks_of_unequal_length_stand_side_by_side() -> None:
    one = pairs([("a", "1", ""), ("bb", "22", "bad")], paper(20))
    two = pairs([("c", "3", "")], paper(20))
    assert plain(beside([one, two], paper(20))) == "a   1      c 3\nbb 22\n"


def test_zeros_have_no_colour() -> None:
    lines = table([Column("bounced", ["0", "3"], right=True, style="bad")], paper(80))
    assert [line[0][1] for line in lines] == ["head", "", "bad"]

"""Findings are told in each language: what we say is translated, what strangers and programs say is not."""

from __future__ import annotations

import ast
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import mailscope.watch.detections
from mailscope.cli.findings_text import Telling, filled
from mailscope.language.choice import ENGLISH, LANGUAGES
from mailscope.language.phrase import Phrase
from mailscope.language.translator import translator
from mailscope.watch.detections.distributed_guessing import DistributedGuessing
from mailscope.watch.finding import Finding, Line
from mailscope.watch.told import FIGURES

AT = datetime(2026, 3, 1, 11)
FINDING = Finding(
    id="0123456789abcdef", detection="distributed_guessing", subject={"user": "anna; reboot"},
    severity="critical", first_time=AT, last_time=AT + timedelta(minutes=5), found_time=AT, score=71.6,
    title=Phrase("{count} failed logins of {user} from {addresses} addresses", count=40, user="anna\x1b[2J", addresses=9),
    figures={"failures": 40, "window_s": 600, "of_a_later_version": "x\ny"}, lines=(Line("mail.log", 7, AT, "raw \x1b"),),
    reasons=(Phrase("{what}: {count} more at the same time", what=Phrase("a disk is full"), count=2),), over_time=AT,
)  # fmt: skip
HANDLED = {"acknowledged_by": "eva", "acknowledged_time": AT, "muted_until": "2036-01-02T07:00:00.000000Z"}
DONE = [
    {"time": AT, "action": "noted", "author": "eva", "words": "not {us}", "muted_until": None},
    {"time": AT, "action": "muted", "author": "eva", "words": "", "muted_until": AT + timedelta(days=1)},
]


def telling(language: str) -> Telling:
    return Telling(translator(language), ZoneInfo("Europe/Rome"), [DistributedGuessing.about])


def test_one_finding_is_told_in_italian() -> None:
    told = list(telling("it").whole({**FINDING.plain(), **HANDLED}, DONE))
    about, tr = DistributedGuessing.about, translator("it")
    assert told == [
        "CRITICO 40 accessi falliti di anna\\x1b[2J da 9 indirizzi",
        "  distributed_guessing, dal 2026-03-01 12:00:00 al 2026-03-01 12:05:00, finito, "
        "rilevato il 2026-03-01 12:00:00, punteggio 72 su 100  [0123456789abcdef]",
        "  - un disco è pieno: altri 2 nello stesso momento",
        "  preso in carico da eva il 2026-03-01 12:00:00",
        "  silenziato fino al 2036-01-02 08:00:00",
        "  fallimenti: 40",
        "  contati su (s): 600",
        "  of a later version: x\\x0ay",
        "",
        f"  Che cosa rileva: {tr(about.sees)}",
        f"  Perché conta: {tr(about.why)}",
        f"  Falsi positivi: {tr(about.false_positives)}",
        f"  Che fare: {tr(about.advice)}",
        "  $ mailscope logins --user 'anna; reboot'",
        "  $ mailscope about 'anna; reboot'",
        "",
        "  | raw \\x1b",
        "  2026-03-01 12:00:00 eva annotato: not {us}",
        "  2026-03-01 12:00:00 eva silenziato fino al 2026-03-02 12:00:00",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_names_and_lines_stay_as_they_are(language: str) -> None:
    told = list(telling(language).all([FINDING.plain(), FINDING.plain()], lines=True))
    english = list(telling(ENGLISH).all([FINDING.plain(), FINDING.plain()], lines=True))
    assert len(told) == len(english)
    for line, same in zip(told, english, strict=True):
        if same.startswith(("  $ ", "  | ")) or not same:
            assert line == same
        else:
            assert (line == same) == (language == ENGLISH)
    assert sum("auth_policy" in line for line in told) == 1


def test_nothing_is_told_in_chinese() -> None:
    assert list(telling("zh").rows([])) == ["没有任何发现"]


def test_a_command_is_only_told_where_the_finding_says_what_it_needs() -> None:
    assert filled("mailscope about {client_ip}", {"user": "anna"}) is None
    assert filled("mailscope about {user}", {"user": "$(reboot)"}) == "mailscope about '$(reboot)'"


def test_every_figure_of_a_detection_has_a_name() -> None:
    used = set()
    for path in Path(mailscope.watch.detections.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "figures":
                keys = [
                    key for each in ast.walk(node.value) if isinstance(each, ast.Dict) for key in each.keys
                ]
                used |= {key.value for key in keys if isinstance(key, ast.Constant)}
    assert len(used) > 20
    assert used <= set(FIGURES), f"add to watch/told.py: {sorted(map(str, used - set(FIGURES)))}"

"""``mailscope coverage``: what is recognised, and what the rest looks like."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope
from mailscope.cli.terminal import safe
from mailscope.recognise import coverage as counting
from mailscope.vocabulary.errors import InputError

STAMP: Final = "2026-11-22T03:42:44Z mail"
KNOWN: Final = f"{STAMP} postfix/qmgr[12]: 4B5C61F00D: removed\n"


def log(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mail.log"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(mailscope, ["coverage", *map(str, arguments)])


def counted(*arguments: object) -> dict[str, Any]:
    result = run("--format", "json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_lines_add_up(tmp_path: Path) -> None:
    again = tmp_path / "mail.err"
    again.write_text(KNOWN)
    path = log(tmp_path, KNOWN, "\n", f"{STAMP} postfix/qmgr[12]: nonsense\n", f"{STAMP} other[1]: x\n")
    found = counted(path, again)
    assert found["lines"] == {"read": 5, "recognised": 1, "unrecognised": 2, "blank": 1, "duplicate": 1}
    assert found["covered"]["lines"] == 2
    assert found["not_covered"]["lines"] == 1


def test_programs_are_told_apart_by_tag(tmp_path: Path) -> None:
    path = log(
        tmp_path, KNOWN, KNOWN, f"{STAMP} postfix/qmgr[13]: nonsense\n", f"{STAMP} postfix-mx2/smtpd[1]: ?\n"
    )
    assert counted(path)["covered"]["programs"] == [
        {"program": "postfix/qmgr", "lines": 3, "recognised": 2, "unrecognised": 1, "share": 66.667},
        {"program": "postfix-mx2/smtpd", "lines": 1, "recognised": 0, "unrecognised": 1, "share": 0.0},
    ]


def test_lines_that_differ_in_numbers_and_names_have_one_shape(tmp_path: Path) -> None:
    lines = [
        f"{STAMP} postfix/qmgr[{n}]: the {n}th of user{n}@example.org at 192.0.2.{n}\n" for n in range(40, 90)
    ]
    [shape] = counted(log(tmp_path, KNOWN, *lines))["covered"]["shapes"]
    assert shape == {
        "program": "postfix/qmgr",
        "shape": "the Nth of ADDRESS at IP",
        "count": 50,
        "sample": lines[0].rstrip("\n"),
        "source": str(tmp_path / "mail.log"),
        "line_number": 2,
    }


def test_shapes_are_sorted_and_limited(tmp_path: Path) -> None:
    lines = [f"{STAMP} postfix/qmgr[1]: {'very ' * n}odd\n" for n in range(9) for _ in range(n + 1)]
    covered = counted("--top", 2, log(tmp_path, *lines))["covered"]
    assert [row["count"] for row in covered["shapes"]] == [9, 8]
    assert covered["shapes_found"] == 9
    assert "... and 7 more (--top)" in run("--top", 2, tmp_path / "mail.log").stdout


def test_programs_without_patterns_are_apart(tmp_path: Path) -> None:
    path = log(tmp_path, KNOWN, *[f"{STAMP} dhcpd[{n}]: lease {n}\n" for n in range(5)])
    found = counted(path)
    assert found["covered"]["share"] == 100
    assert found["covered"]["shapes"] == []
    assert [(row["program"], row["lines"]) for row in found["not_covered"]["programs"]] == [("dhcpd", 5)]
    assert found["not_covered"]["programs"][0]["sample"] == f"{STAMP} dhcpd[0]: lease 0"


@pytest.mark.parametrize("covered", [True, False])
def test_lines_without_tag_count_where_any_is_known(tmp_path: Path, covered: bool) -> None:
    known = "@400000006b02689324a6d9c4 new msg 1614398\n" if covered else KNOWN
    found = counted(log(tmp_path, known, "@400000006b02689324a6d9c4 odd words\n"))
    assert found["covered"]["unrecognised"] == int(covered)
    assert found["not_covered"]["lines"] == int(not covered)


def test_the_share_can_be_held_to_a_minimum(tmp_path: Path) -> None:
    path = log(tmp_path, *[KNOWN] * 9, f"{STAMP} postfix/qmgr[1]: nonsense\n", f"{STAMP} other[1]: x\n")
    assert run("--min-share", 90, path).exit_code == 0
    result = run("--min-share", 90.1, path)
    assert result.exit_code == 1
    assert "90.000 % of the lines of covered programs are recognised, less than 90.1 %" in result.stderr
    assert run("--min-share", 101, path).exit_code == 2


def test_a_single_unknown_line_is_never_rounded_away(tmp_path: Path) -> None:
    path = log(tmp_path, *[KNOWN] * 300_000, f"{STAMP} postfix/qmgr[1]: nonsense\n")
    assert counted(path)["covered"]["share"] == 99.999
    assert run("--min-share", 100, path).exit_code == 1


def test_samples_do_not_drive_the_terminal(tmp_path: Path) -> None:
    path = log(
        tmp_path, f"{STAMP} postfix/qmgr[1]: \x1b[2Jboo\x9b1m\n", f"{STAMP} \x1b]0;x\x07[1]: \u202eboo\n"
    )
    for form in ("text", "json"):
        output = run("--format", form, path).stdout
        assert all(safe(line) == line for line in output.split("\n"))


def test_a_long_sample_is_cut(tmp_path: Path) -> None:
    path = log(tmp_path, f"{STAMP} postfix/qmgr[1]: {'x' * 100_000}\n")
    assert max(map(len, run(path).stdout.split("\n"))) < 700
    assert len(counted(path)["covered"]["shapes"][0]["sample"]) == counting.LONGEST_SAMPLE


def test_made_up_shapes_and_programs_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_SHAPES", 40)
    monkeypatch.setattr(counting, "MOST_PROGRAMS", 20)
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(500)]
    frequent = [f"{STAMP} postfix/qmgr[1]: nonsense\n"] * 50
    lines = [*frequent, *(f"{STAMP} postfix/qmgr[1]: {word}\n{STAMP} {word}[1]: hello\n" for word in words)]
    found = counted(log(tmp_path, *lines))
    assert found["lines"]["unrecognised"] == 1050
    covered, others = found["covered"], found["not_covered"]
    assert covered["shapes_found"] <= 41
    assert covered["shapes"][0]["shape"] is None
    assert covered["shapes"][1] == {**covered["shapes"][1], "shape": "nonsense", "count": 50}
    assert others["programs_found"] <= 20
    assert others["lines"] == 500
    assert others["programs"][0]["program"] == counting.OTHERS


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    assert isinstance(run(log(tmp_path, "\n\n")).exception, InputError)


def test_text_for_people(tmp_path: Path) -> None:
    path = log(tmp_path, KNOWN, f"{STAMP} postfix/qmgr[1]: nonsense\n", f"{STAMP} other[1]: x\n")
    assert (
        run(path).stdout
        == f"""\
3 lines: 1 recognised, 2 not, 0 blank, 0 duplicate

       lines unrecognised recognised  program
           2            1   50.000 %  postfix/qmgr
           2            1   50.000 %  all of them

Unrecognised lines of these programs, 1 shapes:
           1  postfix/qmgr: nonsense
              {path}:2: {STAMP} postfix/qmgr[1]: nonsense

Not covered, because no pattern file knows these programs (1 lines):
           1  other
"""
    )

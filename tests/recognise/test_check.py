"""The self-check of pattern files finds what would make a pattern lie."""

from __future__ import annotations

import pytest
from patterns import EVENT, SHIPPED, event, program

from mailscope.recognise.check import check, read_text
from mailscope.recognise.library import Library
from mailscope.recognise.program import parse_program
from mailscope.vocabulary.errors import PatternError


def faults(events: str, header: str = "tags = ['x']") -> list[str]:
    return list(check(Library([program(header=header, events=events)])))


@pytest.mark.parametrize("name", sorted(SHIPPED.programs))
def test_every_pattern_file_passes(name: str) -> None:
    assert list(check(SHIPPED, [name])) == []


def test_a_good_file_passes() -> None:
    assert faults(EVENT) == []


def test_an_unknown_name() -> None:
    assert list(check(SHIPPED, ["postfix/nonsense"])) == ["postfix/nonsense: there is no such pattern file"]


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ("[[event]]\nevent = 'noted'\nmatch = 'x'\nmeaning = 'M.'\n", "it has no example"),
        (event("x=[0-9]", "y=1", ""), "its example does not match"),
        (event("x={value}", "x=1", "value = 2"), "its example gives {'value': 1}, expected {'value': 2}"),
        (event("x={value}", "x=1", ""), "its example gives {'value': 1}, expected {}"),
        (
            event("x=.*", "x=1", "") + event("x=[0-9]", "x=2", ""),
            "is matched by site/x.toml event 1 (noted) as well",
        ),
        (event(r"x=\d", "x=1", ""), r"write an ASCII class instead of \d"),
        (
            event("x=.*", "x=1", "", "fallback = true") + event("x=[0-9]", "x=2", ""),
            "its example is taken by",
        ),
        (
            event("x=.*", "x=1", "", "fallback = true") + event("x=[0-9]", "x=2", "", "fallback = true"),
            "tried before",
        ),
        (event("x=.*", "x=1", "") + "[[event.not_example]]\ntext = 'x=2'\n", "it matches its not_example"),
    ],
)
def test_faults(events: str, complaint: str) -> None:
    found = faults(events)
    assert any(complaint in fault for fault in found), found
    assert all(fault.startswith("site/x.toml event ") and "\n" not in fault for fault in found)


def test_a_regex_that_is_wrong_is_named_once_with_its_file() -> None:
    text = '[program]\nname = "site/levels"\n' + event("level [a-", "level a", "")
    included = parse_program("site/levels", "site/levels.toml", text, whole=False)
    reader = program(header="tags = ['x']\nincludes = ['site/levels']", events=EVENT)
    library = Library([reader, included])
    for names in ((), ("site/x",), ("site/levels",)):
        found = list(check(library, names))
        assert [fault.partition(": not a regex")[0] for fault in found] == [
            "site/levels.toml event 1 (noted)"
        ]
    with pytest.raises(PatternError, match=r"site/levels\.toml event 1 \(noted\): not a regex"):
        read_text(included.patterns[0], reader, "level a")


def test_a_fallback_may_match_what_an_ordinary_pattern_knows() -> None:
    assert faults(event("x=[0-9]", "x=2", "") + event("x=.*", "x=a", "", "fallback = true")) == []


def test_a_file_that_nobody_reads() -> None:
    assert faults(EVENT, "") == ["site/x.toml: it has no tags and no program includes it"]


def test_an_included_file_is_held_against_its_readers() -> None:
    common = program("c/common", "", event("x={value}", "x=1", "value = 1"))
    reader = program("a/reader", "includes = ['c/common']\ntags = ['r']", event("x=.", "x=2", ""))
    [found] = check(Library([common, reader]), ["c/common"])
    assert "c/common.toml event 1 (noted): its example is matched by a/reader.toml event 1" in found


def test_a_queue_id_in_front_is_part_of_the_record() -> None:
    header = "tags = ['x']\nstrip = 'queue_id'"
    good = event("gone", "4B5C61F00D: gone", 'queue_id = "4B5C61F00D"')
    assert faults(good, header) == []
    assert "its example does not match" in faults(good)[0]

"""From a match text with tokens to a regex and typed fields."""

from __future__ import annotations

import re

import pytest
from patterns import SHIPPED

from mailscope.recognise.pattern import Pattern, expand
from mailscope.recognise.prefix import beginnings
from mailscope.recognise.queue_id import split_queue_id
from mailscope.recognise.tokens import FIELD_TOKENS, KIND_TOKENS, TOKENS, token_of
from mailscope.vocabulary.errors import PatternError
from mailscope.vocabulary.fields import BY_NAME, FIELDS


def pattern(match: str) -> Pattern:
    return Pattern("x.toml", 1, "noted", match, "M.", {"status": "sent"})


def test_tokens_are_replaced() -> None:
    assert expand("size={size_bytes}, x={:hex} y={reason:quoted}", "") == (
        'size=(?P<size_bytes>[0-9]+), x=(?:[0-9A-Fa-f]+) y=(?P<reason>[^"]*)'
    )
    assert expand("a{3}", "") == "a{3}"
    assert expand("{postfix}/smtpd", "") == f"{TOKENS['postfix']}/smtpd"


@pytest.mark.parametrize(
    ("match", "complaint"),
    [
        ("{}", "empty token"),
        ("{colour}", "unknown field {colour}"),
        ("{reason:nonsense}", "unknown token 'nonsense'"),
        ("{:nonsense}", "unknown token 'nonsense'"),
        ("(?P<colour>x)", "unknown field in (?P<colour>"),
    ],
)
def test_mistakes_are_named_with_their_place(match: str, complaint: str) -> None:
    with pytest.raises(PatternError) as caught:
        expand(match, "x.toml event 3")
    text = str(caught.value)
    assert text.startswith("x.toml event 3: ")
    assert complaint in text
    assert "; " in text, "no advice"
    assert "\n" not in text


def test_fields_come_in_their_types() -> None:
    read = pattern("n={size_bytes} d={delay_s} r={reason}").read
    assert read("n=12 d=0.50 r=3") == {"status": "sent", "size_bytes": 12, "delay_s": 0.5, "reason": "3"}
    assert read("n=12 d=0.50") is None


def test_absent_parts_are_left_out_and_empty_ones_kept() -> None:
    read = pattern("from=<{sender}>(?:, size={size_bytes})?").read
    assert read("from=<>") == {"status": "sent", "sender": ""}


def test_the_whole_text_must_match() -> None:
    assert pattern("removed").read("removed ") is None
    assert pattern("removed").read(" removed") is None
    assert pattern("a|bc").read("abc") is None


def test_every_fields_token_exists_and_every_token_is_a_regex() -> None:
    assert {token_of(field.name, field.kind) for field in FIELDS} <= TOKENS.keys()
    assert FIELD_TOKENS.keys() <= BY_NAME.keys()
    assert set(KIND_TOKENS.values()) <= TOKENS.keys()
    for regex in TOKENS.values():
        re.compile(regex)
        assert not re.search(r"\\[dwsDWS]", regex)


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("warning: x", {"warn"}),
        ("(?:reject|hold): ", {"reje", "hold"}),
        ("a(?:b)?c", {"abc", "ac"}),
        (r"\(x", {"(x"}),
        ("[ab]c", {"ac", "bc"}),
        ("[^x]y", {""}),
        ("x[0-9]+", {f"x{n}" for n in range(10)}),
        ("ab*c", {"a"}),
        ("x|y", {"x", "y"}),
        ("", {""}),
    ],
)
def test_beginnings(regex: str, expected: set[str]) -> None:
    assert beginnings(regex, 4) == expected


def proper(pattern: Pattern, text: str) -> str:
    """What of an example is held against its pattern: without queue id, without the program's name or what leads it."""
    openings = [program.opening for program in SHIPPED.programs.values() if program.opening]
    begun = [found[2] for opening in openings if (found := opening.read(text))]
    begun += [program.leading.read(text)[1] for program in SHIPPED.programs.values() if program.leading]
    fits = [each for each in (text, split_queue_id(text)[1], *begun) if pattern.read(each) is not None]
    return fits[0]


def test_dispatch_never_overlooks_a_pattern() -> None:
    for program in SHIPPED.programs.values():
        for each in program.patterns:
            for example in each.examples:
                text = proper(each, example.text)
                for depth in (4, 16):
                    assert each.agreement(text[:depth], depth) is not None, (each.label, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4B5C61F00D: removed", ("4B5C61F00D", "removed")),
        ("4jXGcg59TJzCb6w: removed", ("4jXGcg59TJzCb6w", "removed")),
        ("NOQUEUE: reject: x", (None, "reject: x")),
        ("warning: 4B5C61F00D: x", (None, "warning: 4B5C61F00D: x")),
        ("statistics: max", (None, "statistics: max")),
        ("4B5C61F00D:removed", (None, "4B5C61F00D:removed")),
        ("", (None, "")),
    ],
)
def test_queue_ids_in_front(text: str, expected: tuple[str | None, str]) -> None:
    assert split_queue_id(text) == expected

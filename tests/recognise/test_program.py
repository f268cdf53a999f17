"""A wrong pattern file is one clear line: which file, which event, what, and what to do."""

from __future__ import annotations

import pytest
from patterns import EVENT, program

from mailscope.recognise.program import parse_program
from mailscope.vocabulary.errors import PatternError


def test_a_file_is_read_whole() -> None:
    found = program(header="service = 's'\ntags = ['x', '{postfix}/x']\nfamily = 'f'\nrank = 2\nbare = true")
    assert (found.name, found.service, found.family, found.rank, found.bare, found.strip) == (
        "site/x", "s", "f", 2, True, None,
    )  # fmt: skip
    [pattern] = found.patterns
    assert pattern.label == "site/x.toml event 1 (removed)"
    assert pattern.examples[0].fields == {"queue_id": "4B5C61F00D"}


def test_patterns_of_shipped_files_are_read_when_they_are_asked_for() -> None:
    wrong = EVENT.replace('"removed"', '"exploded"')
    found = parse_program("site/x", "site/x.toml", f'[program]\nname = "site/x"\n{wrong}', whole=False)
    with pytest.raises(PatternError):
        _ = found.patterns


@pytest.mark.parametrize(
    ("header", "events", "complaint"),
    [
        ("tags = [", "", "not TOML"),
        ("", "[[event]\n", "not TOML"),
        ("colour = 1", "", "unknown key 'colour'"),
        ("name = 'other'", "", "not TOML"),
        ("strip = 'tag'", "", "program.strip is 'tag'"),
        ("tags = ['(']", "", "not a regex"),
        ("tags = ['{colour}']", "", "unknown field {colour}"),
        ("", EVENT.replace('"removed"', '"exploded"'), "unknown event 'exploded'"),
        ("", EVENT.replace("meaning", "meening"), "unknown key 'meening'"),
        ("", EVENT.replace("meaning = ", "fallback = true\n# "), "'meaning' is missing"),
        ("", EVENT.replace('"It is gone."', '""'), "'meaning' is missing"),
        (
            "",
            EVENT.replace("[[event.example]]", "set = { colour = 1 }\n[[event.example]]"),
            "unknown field 'colour'",
        ),
        (
            "",
            EVENT.replace("[[event.example]]", 'set = { queue_id = "x" }\n[[event.example]]'),
            "'queue_id' is both captured and set",
        ),
        ("", EVENT.replace("{queue_id}", "{wherever}"), "unknown field {wherever}"),
        ("", EVENT.replace("{queue_id}", "(?P<queue_id>["), "not a regex"),
        ("", EVENT + "[colour]\n", "unknown key 'colour'"),
        ("tags = 'x'", "", "'tags' is not a list"),
        ("tags = [1]", "", "a tag is not a text"),
        ("bare = 1", "", "'bare' is not true or false"),
        ("rank = 'late'", "", "'rank' is not a whole number"),
        ("", "[[event]]\nevent = 1\n", "'event' is not a text"),
        ("", EVENT.replace("text  ", "words  "), "unknown key 'words'"),
        ("", EVENT.replace("text    =", "# ="), "'text' is missing"),
        ("", EVENT.replace('{ queue_id = "4B5C61F00D" }', "1"), "'fields' is not a table"),
        ("", EVENT.replace("[[event.example]]", "example = [1]\n[[x]]"), "unknown key 'x'"),
        ("", EVENT.split("[[event.example]]")[0] + "example = [1]", "it is not a table"),
    ],
)
def test_mistakes(header: str, events: str, complaint: str) -> None:
    with pytest.raises(PatternError) as caught:
        program(header=header, events=events or EVENT)
    text = str(caught.value)
    assert text.startswith("site/x.toml")
    assert complaint in text
    assert "; " in text, "no advice"
    assert "\n" not in text


@pytest.mark.parametrize("content", ["program = 1", "event = 1\n[program]\nname = 'site/x'", "[[program]]"])
def test_what_is_no_table(content: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_program("site/x", "site/x.toml", content)
    assert str(caught.value).startswith("site/x.toml: ")


def test_the_name_must_be_the_path() -> None:
    with pytest.raises(PatternError, match="must be the file's path, 'site/y'"):
        parse_program("site/y", "site/y.toml", '[program]\nname = "site/x"\n')


def test_the_wrong_event_is_named_by_its_number() -> None:
    with pytest.raises(PatternError, match=r"site/x\.toml event 2: unknown event 'exploded'"):
        program(events=EVENT + EVENT.replace('"removed"', '"exploded"'))

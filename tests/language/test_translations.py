"""Every text that people are shown has a translation, and no translation is left over."""

from __future__ import annotations

import string
import tomllib
from pathlib import Path

import pytest
from collecting import collected, in_source

from mailscope.language import translator as words
from mailscope.language.choice import ENGLISH, LANGUAGES

OTHERS = [language for language in LANGUAGES if language != ENGLISH]


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_no_translation_is_stale(language: str) -> None:
    wanted, found = collected(), set(words.texts(language))
    assert not sorted(wanted - found), f"not told in {language}: add to language/{language}/"
    assert not sorted(found - wanted), f"no longer said: remove from language/{language}/"


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_places_of_their_texts(language: str) -> None:
    for text, told in words.texts(language).items():
        assert told.strip(), text
        if places(text):
            assert places(told) == places(text), text


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_stands_twice(language: str) -> None:
    files = (Path(words.__file__).parent / language).glob("*.toml")
    keys = [text for file in files for text in tomllib.loads(file.read_text(encoding="utf-8"))]
    assert len(keys) == len(set(keys)), sorted(text for text in set(keys) if keys.count(text) > 1)
    assert all(text == words.key(text) for text in keys)


@pytest.mark.parametrize("language", OTHERS)
def test_languages_differ_from_english(language: str) -> None:
    told = words.texts(language)
    same = [text for text in told if told[text] == text and text.strip("{}: ,.").isalpha() and len(text) > 8]
    assert not same, f"still English in {language}: {same}"


def test_texts_are_found_in_the_source() -> None:
    # The collector itself: a marked text, one in a table, and one of a section.
    assert {
        "Mail report",
        "Nothing wants attention.",
        "Mon",
        "Bounces by reason",
        "before_queue",
    } <= collected()
    assert len(set(in_source())) > 20

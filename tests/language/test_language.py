"""Which language is chosen, and how texts are told in it."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from mailscope.language.choice import choose
from mailscope.language.phrase import Phrase
from mailscope.language.translator import TELL_ENGLISH, Translator, translator
from mailscope.vocabulary.errors import UsageError


@pytest.mark.parametrize(
    ("option", "environment", "language"),
    [
        ("it", {"LANG": "sv_SE.UTF-8"}, "it"),
        ("zh_CN.UTF-8", {}, "zh"),
        ("ZH-Hans", {}, "zh"),
        (None, {}, "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LANG": "it_IT@euro"}, "it"),
        (None, {"LC_MESSAGES": "sv_SE", "LANG": "it_IT"}, "sv"),
        (None, {"LC_ALL": "C", "LC_MESSAGES": "sv_SE", "LANG": "it_IT"}, "en"),
        (None, {"LC_ALL": "", "LANG": "it"}, "it"),
        (None, {"LANG": "C.UTF-8"}, "en"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_language_is_the_option_or_that_of_the_environment(
    option: str | None, environment: dict[str, str], language: str
) -> None:
    assert choose(option, environment) == language


@pytest.mark.parametrize("option", ["de", "", "english", "it it"])
def test_unknown_language_names_those_there_are(option: str) -> None:
    with pytest.raises(UsageError, match="choose one of en, zh, it, sv"):
        choose(option, {})


def test_texts_are_told_with_their_values() -> None:
    tr = Translator("it", {"{n} of {total}": "{n} su {total}", "errors": "errori", "two words": "due parole"})
    assert tr("{n} of {total}", n=1, total=2) == "1 su 2"
    assert tr("errors") == "errori"
    assert tr("two  words") == "due parole"
    assert tr("not there: {braces}") == "not there: {braces}"


def test_phrases_remember_what_they_are_made_of() -> None:
    tr = Translator("it", {"{name} failed": "{name} falliti", "logins": "accessi"})
    phrase = Phrase("{name} failed", name=Phrase("logins"))
    assert phrase == "logins failed"
    assert json.dumps(phrase) == '"logins failed"'
    assert tr(phrase) == "accessi falliti"
    assert tr(Phrase("{name} failed", name="{hostile!r} %s")) == "{hostile!r} %s falliti"


def test_phrases_can_be_copied_whatever_is_in_them() -> None:
    phrase = Phrase("{name} failed", name="{0} {x}")
    for twin in (copy.deepcopy(phrase), pickle.loads(pickle.dumps(phrase))):
        assert twin == "{0} {x} failed"
        assert TELL_ENGLISH(twin) == phrase


def test_counts_have_a_singular() -> None:
    assert TELL_ENGLISH.count(1, "{n} line", "{n} lines") == "1 line"
    assert TELL_ENGLISH.count(0, "{n} line", "{n} lines") == "0 lines"


def test_shipped_languages_can_be_loaded() -> None:
    assert translator("en").texts == {}
    assert translator("it")("errors") == "errori"

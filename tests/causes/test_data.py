"""The data of the causes: its self-check finds nothing, and finds what is wrong where something is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailscope.causes import catalogue, check, codes, messages, wording
from mailscope.causes.check import _held
from mailscope.language.choice import LANGUAGES


def test_all_examples_and_phrases_are_understood_as_written() -> None:
    assert list(check.check()) == []


def test_a_cause_without_a_translation_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    cause = catalogue.get("mailbox_full")
    words = {language: told for language, told in cause.words.items() if language != "sv"}
    known = catalogue.catalogue() | {"mailbox_full": replace(cause, words=words)}
    monkeypatch.setattr(check, "catalogue", lambda: known)
    assert "cause 'mailbox_full' has no title in 'sv'" in set(check._texts())


def test_a_phrase_behind_another_rule_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = list(wording.rules())
    hidden = replace(rules[-1], cause="virus", says=("relay access denied",), examples=("x",))
    monkeypatch.setattr(check, "rules", lambda: (*rules, hidden))
    faults = [fault for fault in check._examples("outgoing") if "relay access denied" in fault]
    assert len(faults) == 1
    assert "is told to be relay_denied" in faults[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_stands_in_every_language(language: str) -> None:
    for cause in catalogue.catalogue().values():
        for direction in (catalogue.OUTGOING, catalogue.INCOMING):
            text = cause.text(language, direction)
            assert text.title
            assert text.meaning
            assert text.advice
            assert text.fault
    assert all(code.meaning[language] for code in codes.enhanced_codes().values())
    assert all(code.meaning[language] for code in codes.reply_codes().values())
    assert all(message.words[language]["meaning"] for message in messages.messages())


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_translations_differ_from_english(language: str) -> None:
    for cause in catalogue.catalogue().values():
        here, english = cause.text(language), cause.text("en")
        assert here.meaning != english.meaning, cause.name
        assert here.advice != english.advice, cause.name


def test_every_registered_enhanced_code_is_there() -> None:
    """The IANA registry, by subject: the highest detail of each (December 2024)."""
    highest = {0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}
    for subject, last in highest.items():
        for detail in range(last + 1):
            assert f"X.{subject}.{detail}" in codes.enhanced_codes(), (subject, detail)


def test_every_cause_can_be_told_by_something() -> None:
    told = {rule.cause for rule in wording.rules()} | {code.cause for code in codes.enhanced_codes().values()}
    told |= {code.cause for code in codes.reply_codes().values()}
    assert set(catalogue.catalogue()) - told == set()


def test_there_are_real_replies_for_every_rule() -> None:
    assert all(rule.examples for rule in wording.rules())
    assert sum(len(rule.examples) for rule in wording.rules()) > 400


def test_phrases_are_held_among_other_words() -> None:
    rule = replace(wording.rules()[0], says=("^begins", "a * b"), examples=("whole",), final=None)
    texts = [text for text, _ in _held(rule)]
    assert texts == ["whole", "begins by them", "it is said: a  something  b by them"]

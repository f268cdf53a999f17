"""The self-check of the causes' data: the examples are the tests.

Every rule has examples; each example, and each phrase on its own, is classified as the rule says.  So no
phrase is hidden behind an earlier rule, and no text that was once understood is lost.  Every text stands in
every language, every code leads to a cause that there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.causes.catalogue import INCOMING, OUTGOING, Direction, catalogue
from mailscope.causes.classify import classify, shaped
from mailscope.causes.codes import enhanced_codes, reply_codes
from mailscope.causes.files import read
from mailscope.causes.messages import CLASSES, find, messages
from mailscope.causes.wording import Rule, rules
from mailscope.language.choice import ENGLISH, LANGUAGES

TEXTS: Final = ("title", "meaning", "advice")
# Stands where a phrase has a "*".
ANYTHING: Final = " something "
BEFORE: Final = "it is said: "
AFTER: Final = " by them"


def check() -> Iterator[str]:
    """Yield one plain sentence for each thing that is wrong."""
    yield from _texts()
    yield from _names()
    yield from _messages()
    for direction in (OUTGOING, INCOMING):
        yield from _examples(direction)


def count() -> int:
    """How many examples and phrases are held against the rules."""
    return sum(len(rule.examples) + len(rule.says) for rule in rules())


def _texts() -> Iterator[str]:
    for cause in catalogue().values():
        used = {name for words in cause.words.values() for name in words}
        for language in LANGUAGES:
            words = cause.words.get(language, {})
            for name in {*TEXTS, *used}:
                if not words.get(name, "").strip():
                    yield f"cause '{cause.name}' has no {name} in '{language}'"
        if not cause.references:
            yield f"cause '{cause.name}' has no reference"
    for fault, told in read("faults").items():
        yield from (f"fault '{fault}' is not told in '{lang}'" for lang in LANGUAGES if not told.get(lang))
    for code in (*enhanced_codes().values(), *reply_codes().values()):
        yield from (
            f"code {code.code} is not told in '{lang}'"
            for lang in LANGUAGES
            if not code.meaning[lang].strip()
        )


def _names() -> Iterator[str]:
    known, faults = catalogue(), read("faults")
    for cause in known.values():
        for fault in (cause.fault, cause.fault_incoming):
            if fault not in faults:
                yield f"cause '{cause.name}': there is no fault '{fault}'"
    for code in (*enhanced_codes().values(), *reply_codes().values()):
        if code.cause is not None and code.cause not in known:
            yield f"code {code.code}: there is no cause '{code.cause}'"
    for rule in rules():
        if rule.cause not in known:
            yield f"{rule.label}: there is no such cause"
        if not rule.examples:
            yield f"{rule.label}: it has no example"
        if rule.only not in (None, OUTGOING, INCOMING):
            yield f"{rule.label}: only = '{rule.only}' is no direction"
        for phrase in rule.says:
            if phrase != phrase.lower() or len(phrase.strip("*^ ")) < 3:
                yield f"{rule.label}: phrase {phrase!r} must be in small letters, and three at least"


def _messages() -> Iterator[str]:
    for message in messages():
        where = f"causes/data/messages.toml, {message.says!r}"
        if message.kind not in CLASSES:
            yield f"{where}: '{message.kind}' is no class"
        if find(message.example) is not message:
            yield f"{where}: its example is taken for another message"
        if message.fault not in read("faults"):
            yield f"{where}: there is no fault '{message.fault}'"
        for language in LANGUAGES:
            words = message.words[language]
            if not words["meaning"] or bool(words["advice"]) != bool(message.words[ENGLISH]["advice"]):
                yield f"{where}: it is not told in '{language}'"


def _examples(direction: Direction) -> Iterator[str]:
    """Hold every example and phrase of one direction's rules against what is made of it."""
    held = [
        (rule, text, code) for rule in rules() if rule.only in (None, direction) for text, code in _held(rule)
    ]
    frame = pl.DataFrame({"reason": [text for _, text, _ in held], "dsn_status": [code for *_, code in held]})
    told = classify(frame.select(shaped(pl.col("reason")), "dsn_status"), direction)
    for (rule, text, _), cause, place in zip(held, told["cause"], told["rule"], strict=True):
        if cause != rule.cause:
            by = "" if place is None else f" by {rules()[place].label}"
            yield f"{rule.label}: {text!r} is told to be {cause}{by} ({direction})"


def _held(rule: Rule) -> Iterator[tuple[str, str | None]]:
    code = None if rule.final is None else "5.0.0" if rule.final else "4.0.0"
    yield from ((text, None) for text in rule.examples)
    for phrase in rule.says:
        # Among other words, unless it must stand at the beginning: one long word would be taken for qmail's.
        text = phrase.replace("*", ANYTHING)
        yield (text[1:] + AFTER if phrase.startswith("^") else BEFORE + text + AFTER), code

"""A language's words, looked up by the English text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mailscope.language.choice import ENGLISH
from mailscope.language.phrase import Clause, Phrase, Told, unstopped

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Translator:
    """Tells texts in one language.

    ``texts``: the translation of each English text, blanks in a row counting as one.  A text without a
    translation is told in English, so that nothing is ever left out.
    """

    language: str = ENGLISH
    texts: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, text: str, **values: Any) -> str:
        """The text in this language, with its values in place.

        In: a plain text, a template and the values of its ``{places}``, or a Phrase.  Of a text without
        values nothing is read as a place.
        """
        if isinstance(text, Told):
            return text.translations.get(self.language, text)
        if isinstance(text, Clause):
            return unstopped(self.texts.get(key(text.template), text.template))
        if isinstance(text, Phrase):
            values = {name: self._value(value) for name, value in text.values.items()} | values
            text = text.template
        found = self.texts.get(key(text), text) if self.texts else text
        return found.format(**values) if values else found

    def count(self, number: int, one: str, many: str, **values: Any) -> str:
        """The text for one, or for any other number; both may hold ``{n}``."""
        return self(one if number == 1 else many, n=number, **values)

    def _value(self, value: Any) -> Any:
        return self(value) if isinstance(value, Phrase) else value


def translator(language: str) -> Translator:
    """The words of a language, one of ``choice.LANGUAGES``."""
    return Translator(language, texts(language))


@cache
def texts(language: str) -> dict[str, str]:
    """All translations of a language, by the English text; none for English."""
    found: dict[str, str] = {}
    if language != ENGLISH:
        for file in sorted((HERE / language).glob("*.toml")):
            found |= tomllib.loads(file.read_text(encoding="utf-8"))
    return found


def key(text: str) -> str:
    """What a text is looked up by: the text, blanks in a row counting as one."""
    return " ".join(text.split())


TELL_ENGLISH = Translator()

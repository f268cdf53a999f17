"""A text that can still be told in another language.

What is counted and found is put into words in English, where it is found; who shows it translates it.  So
a text with figures in it must remember what it was made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Phrase(str):
    """An English text, made of a template and the values in it.

    It is a string as any other (JSON and comparisons see the English text).  ``template`` is what is
    looked up in another language; ``values`` go into its ``{places}``.  Values may be words of strangers:
    they are inserted, never read as a template.  A value that is itself a Phrase is translated too.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Phrase:
        """Make the English text."""
        made = super().__new__(cls, template.format(**values) if values else template)
        made.template = template
        made.values = values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What a copy is made of."""
        return (self.template,), self.values


class Told(Phrase):
    """A text that brings its own translations, by language, as those of the catalogue of causes do."""

    translations: Mapping[str, str]

    def __new__(cls, english: str, translations: Mapping[str, str]) -> Told:
        """Make the English text."""
        made = super().__new__(cls, english)
        assert isinstance(made, Told)
        made.translations = translations
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What a copy is made of."""
        return (self.template, self.translations), {}


class Clause(Phrase):
    """A sentence that is told without its full stop, as a part of a line; it is looked up with it."""

    def __new__(cls, sentence: str) -> Clause:
        """Make the English text."""
        made = str.__new__(cls, unstopped(sentence))
        made.template = sentence
        made.values = {}
        return made


def unstopped(sentence: str) -> str:
    """A sentence without the full stop at its end, Chinese ones too."""
    return sentence.removesuffix(".").removesuffix("。")

"""The commands that a detection advises, for one finding."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from string import Formatter

from mailscope.vocabulary.shown import safe


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """A command for a finding's subject, quoted for a shell; None where it does not say what is needed."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    if any(name not in values for name in names):
        return None
    return safe(template.format(**{name: quote(values[name]) for name in names}))

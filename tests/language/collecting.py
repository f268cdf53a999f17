"""All texts that are shown to people and can be told in every language.

From the source: the English text in every ``Phrase("...")`` and ``tr("...")``.  From the registries: what their
entries are called.  A new registry of texts is added to ``REGISTRIES``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from running import UTC_ZONE

import mailscope
from mailscope.language.translator import key
from mailscope.recognise.library import shipped
from mailscope.reports.report import Settings, build
from mailscope.reports.sections import SECTIONS
from mailscope.tallies.ledger import Ledger
from mailscope.watch.registry import abouts

SOURCE = Path(mailscope.__file__).parent
# tr.count(number, one, many) holds two texts.
TELLING = {"Phrase": (0,), "tr": (0,), "tr.count": (1, 2)}
# In a template: {{ tr("...") }}.
IN_TEMPLATE = re.compile(r'\btr\("([^"]+)"')


def in_source() -> Iterator[str]:
    """Texts that stand where they are shown."""
    for path in SOURCE.rglob("*.html"):
        yield from IN_TEMPLATE.findall(path.read_text(encoding="utf-8"))
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from called_with(node)


def called_with(call: ast.Call) -> Iterator[str]:
    """The texts of a call that tells some: Phrase("..."), tr("..."), tr.count(n, "...", "..."), map(Phrase, (...))."""
    name = ast.unparse(call.func).removeprefix("self.")
    for place in TELLING.get(name, ()):
        yield from constants(call.args[place])
    if name == "map" and ast.unparse(call.args[0]) == "Phrase":
        assert isinstance(call.args[1], ast.Tuple), ast.unparse(call)
        for each in call.args[1].elts:
            yield from constants(each)


def constants(node: ast.expr) -> Iterator[str]:
    """The text, or both of ``one if ... else other``; none where it is found out while running."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def of_sections() -> Iterator[str]:
    """Headings, meanings, and what rows and numbers are called."""
    for section in SECTIONS:
        yield from (section.title, section.meaning)
        for label in section.labels:
            yield from (label.title, *label.words)
        yield from (number.title for number in section.numbers)


def of_the_balance() -> Iterator[str]:
    """What the balance sheet adds up."""
    report = build(Ledger(), Settings(UTC_ZONE))
    for equation in report["balance"]:
        yield from (equation["name"], *equation["parts"])
    yield from (name for name in report["recipients"] if name != "total")


# Pattern files whose meanings are told in every language, beside all of qmail's.
POSTFIX = (
    "anvil", "bounce", "cleanup", "delivery", "discard", "error", "local", "master", "pickup", "pipe", "postscreen",
    "postsuper", "qmgr", "scache", "smtp", "smtpd", "smtpd-access", "virtual",
)  # fmt: skip
TOLD_PATTERNS = frozenset(f"postfix/{name}" for name in POSTFIX)


def of_patterns() -> Iterator[str]:
    """What log lines mean."""
    for program in shipped():
        if program.name.startswith("qmail/") or program.name in TOLD_PATTERNS:
            yield from (pattern.meaning for pattern in program.patterns)


def of_detections() -> Iterator[str]:
    """What is told of each detection, beside its findings."""
    for about in abouts():
        yield from (about.sees, about.why, about.false_positives, about.advice)


REGISTRIES: tuple[Callable[[], Iterator[str]], ...] = (
    of_sections,
    of_the_balance,
    of_patterns,
    of_detections,
)


def collected() -> set[str]:
    """The keys of all texts."""
    return {key(text) for text in (*in_source(), *(t for each in REGISTRIES for t in each()))}

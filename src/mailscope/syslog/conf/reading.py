"""Reading a configuration: lines into rules, with remarks on those that are none."""

from __future__ import annotations

import glob
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mailscope.intake.discovery.selectors import Selector, selector_so_far
from mailscope.language.phrase import Phrase
from mailscope.syslog.conf.actions import BadAction, parse_action, template_form
from mailscope.syslog.conf.differences import elsewhere
from mailscope.syslog.conf.filters import PROPERTY, UnknownFilter, hosts, programs, prop
from mailscope.syslog.conf.rules import Configuration, Dialect, Filter, Form, Remark, Rule
from mailscope.vocabulary.errors import InputError

_LARGEST_BYTES: Final = 4 << 20
_DEEPEST: Final = 8  # includes within includes
_SIGNS_OF_RSYSLOG: Final = re.compile(
    r"^\s*(?:\$[A-Z]|(?:module|input|template|action|ruleset|global|include)\s*\(|if\s|&|\S+\s+@@|:.*\"\s+\S)",
    re.MULTILINE,
)
_SIGNS_OF_BSD: Final = re.compile(r"^\s*#?(?:![A-Za-z0-9*+-]|\+[A-Za-z0-9@*])", re.MULTILINE)
_SCRIPT: Final = re.compile(
    r"(?:module|input|template|action|ruleset|global|include|main_queue|timezone|parser|lookup_table)\s*\(|if\s",
)
_ROUTING_SCRIPT: Final = re.compile(r"(?:action|ruleset|include)\s*\(|if\s")
# grammar/lexer.l of rsyslog, PRIFILT: no underscores, no 8 or 9.
_SELECTOR_OF_RSYSLOG: Final = re.compile(r"[*a-z]+[0-7]*[.,][,!=;.*a-z0-7]+", re.IGNORECASE)
_RULE: Final = re.compile(r"(\S+)\s+(\S.*)", re.DOTALL)


def guess(text: str) -> Dialect:
    """Whose language a text is most likely in."""
    if _SIGNS_OF_RSYSLOG.search(text):
        return Dialect.RSYSLOG
    return Dialect.BSD if _SIGNS_OF_BSD.search(text) else Dialect.SYSKLOGD


def read(path: Path, dialect: Dialect | None = None, this_host: str | None = None) -> Configuration:
    """Read a file and what it includes.

    ``dialect``: guessed where it is None; ``this_host``: what ``+@`` means.  Raises InputError where the file
    cannot be read; what is wrong in it is remarked on.
    """
    text = _text(path)
    made = Configuration(dialect or guess(text))
    _Reader(made, (this_host or socket.gethostname()).encode()).read(path, text, 0)
    return made


class _Reader:
    def __init__(self, made: Configuration, this_host: bytes) -> None:
        self.made, self.this_host = made, this_host
        self.form: Form = "rfc3339" if made.dialect is Dialect.RSYSLOG else "traditional"
        self.where = ""
        self.blocks: dict[str, Filter] = {}

    def remark(self, phrase: Phrase, *, bad: bool = True) -> None:
        self.made.remarks.append(Remark(self.where, bad, phrase))

    def read(self, path: Path, text: str, depth: int) -> None:
        """Read a file's text.  Blocks end with it."""
        outer, self.blocks = self.blocks, {}
        nested = 0
        for number, line in _logical_lines(text):
            self.where = f"{path}:{number}"
            if nested or (self.made.dialect is Dialect.RSYSLOG and _SCRIPT.match(line)):
                # A statement of rsyslog's newer language, to the end of its brackets.
                if not nested:
                    # Modules, inputs and templates route no message; the others do.
                    routes = _ROUTING_SCRIPT.match(line) is not None
                    self.remark(Phrase("a statement of RainerScript: it is passed over"), bad=routes)
                nested = max(0, nested + _depth(line))
                continue
            self._line(line, depth)
        self.blocks = outer

    def _line(self, line: str, depth: int) -> None:
        dialect = self.made.dialect
        if line.startswith("#"):
            if dialect is not Dialect.BSD or line[1:2] not in ("!", "+", "-", ":"):
                return
            line = line[1:]
        words = line.split(None, 1)
        if words[0] in ("include", "$IncludeConfig") and len(words) == 2:
            self._include(words[1].strip(), depth)
        elif line.startswith("$") and dialect is Dialect.RSYSLOG:
            self._directive(words)
        elif line[0] == "&" and dialect is Dialect.RSYSLOG:
            self._again(line[1:].strip())
        elif (found := PROPERTY.match(line)) and line[found.end() :].strip():
            self._property_rule(found, line)
        elif line[0] in "!+:" or (line[0] == "-" and not line.startswith("-/")):
            self._block(line)
        else:
            self._rule(line)

    def _include(self, name: str, depth: int) -> None:
        if depth >= _DEEPEST:
            self.remark(Phrase("files that include each other: this one is not read again"))
            return
        pattern = os.path.join(name, "*.conf") if os.path.isdir(name) else name
        found = sorted(glob.glob(pattern))
        if not found and not glob.has_magic(name) and not os.path.isdir(name):
            self.remark(Phrase("there is no file '{name}' to include", name=name))
        for each in found:
            here = self.where
            try:
                self.read(Path(each), _text(Path(each)), depth + 1)
            except InputError as error:
                self.where = here
                self.remark(Phrase("'{name}' cannot be read: {why}", name=each, why=error.what))
            self.where = here

    def _directive(self, words: list[str]) -> None:
        if words[0].lower() == "$actionfiledefaulttemplate" and len(words) == 2:
            form = template_form(words[1])
            if form is not None:
                self.form = form
                return
        self.remark(Phrase("'{name}' is passed over: it routes no message", name=words[0]), bad=False)

    def _again(self, action: str) -> None:
        """``& action``: another action for the messages of the rule before."""
        if not self.made.rules:
            self.remark(Phrase("& needs a rule before it"))
            return
        before = self.made.rules[-1]
        self._add(
            before.text.split(None, 1)[0] if before.selector else "&", before.selector, before.filters, action
        )

    def _property_rule(self, found: re.Match[str], line: str) -> None:
        if self.made.dialect is not Dialect.RSYSLOG:
            self.remark(Phrase("a property and an action on one line: rsyslog alone reads that"))
            return
        try:
            condition = prop(*found.groups())
        except UnknownFilter as error:
            self.remark(Phrase("'{name}' is no property, operation or expression", name=str(error)))
            return
        self._add(found[0], None, (condition,), line[found.end() :].strip())

    def _block(self, line: str) -> None:
        if self.made.dialect is Dialect.RSYSLOG:
            self.remark(Phrase("blocks of programs and hosts are not read by rsyslog since version 7"))
            return
        sign, names = line[0], line[1:].strip()
        kind = {"!": "program", "+": "host", "-": "host", ":": "property"}[sign]
        found = PROPERTY.fullmatch(line) if sign == ":" else None
        if names.lstrip("+") in ("*", "") or (sign == ":" and names == "*"):
            self.blocks.pop(kind, None)
        elif sign == "!":
            self.blocks[kind] = programs(names)
        elif sign in "+-":
            self.blocks[kind] = hosts(sign, names, self.this_host)
        elif found is None:
            self.remark(Phrase('it is no filter: :property, operation, "value"'))
        else:
            try:
                self.blocks[kind] = prop(*found.groups())
            except UnknownFilter as error:
                self.blocks[kind] = Filter(line, lambda record: False)
                self.remark(Phrase("'{name}' is no property, operation or expression", name=str(error)))

    def _rule(self, line: str) -> None:
        found = _RULE.fullmatch(line)
        if found is None:
            self.remark(Phrase("it is no rule: a selector, blanks, and an action"))
            return
        if self.made.dialect is Dialect.RSYSLOG and not _SELECTOR_OF_RSYSLOG.fullmatch(found[1]):
            self.remark(Phrase("rsyslog does not read '{text}' as a selector", text=found[1][:60]))
            return
        selector, fault = selector_so_far(found[1], self.made.dialect.selecting)
        if fault and self.made.dialect is not Dialect.RSYSLOG:
            self.remark(Phrase("the rule is passed over: {why}", why=fault))
            return
        if fault:
            self.remark(Phrase("what is behind the mistake counts for nothing: {why}", why=fault))
        before = len(self.made.rules)
        self._add(found[1], selector, tuple(self.blocks.values()), found[2].strip())
        if len(self.made.rules) > before:
            for phrase in elsewhere(found[1], found[2].strip(), self.made.dialect):
                self.remark(phrase, bad=False)

    def _add(self, selecting: str, selector: Selector | None, filters: tuple[Filter, ...], text: str) -> None:
        try:
            action, remarks = parse_action(text, self.made.dialect, self.form)
        except BadAction as error:
            self.remark(error.phrase)
            return
        self.made.rules.append(Rule(self.where, f"{selecting} {text}", selector, filters, action))
        for remark in remarks:
            self.remark(remark)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_BYTES).decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    except OSError as error:
        raise InputError.from_os_error(error, path) from error


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something, those that a backslash ends joined with the next; the number of the first."""
    held, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first if held else number
        stripped = line.strip()
        if stripped.endswith("\\") and not (not held and stripped.startswith("#")):
            held += stripped[:-1]
            continue
        if whole := (held + stripped).strip():
            yield first, whole
        held = ""
    if held.strip():
        yield first, held.strip()


def _depth(line: str) -> int:
    """How many brackets a line opens beyond those that it closes; strings and comments apart."""
    bare = re.sub(r"#.*", "", re.sub(r'"(?:\\.|[^"\\])*"|\'[^\']*\'', "", line))
    return sum(bare.count(sign) for sign in "({") - sum(bare.count(sign) for sign in ")}")

"""rsyslog's configuration as a tree of statements: old rules and RainerScript, mixed as they come.

In: a configuration's text.  Out: statements in their order, includes put in their place.  What cannot be
read is passed over up to the end of its line, as rsyslogd does after its error message.  What stands under
a condition that is not known here is taken as never reached.

Source: rsyslog 8.23, grammar/lexer.l and grammar.y.  Not followed: ``foreach``, ``call_indirect``, values
given by ``set``, BSD-style blocks, and files whose names a template makes (``dynaFile``, ``?name``).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mailscope.intake.discovery.probes import Probe
from mailscope.intake.discovery.property_filters import PROPERTY_FILTER, property_filter
from mailscope.intake.discovery.rsyslog_expressions import ExpressionError, parse_condition
from mailscope.intake.discovery.rsyslog_statements import (
    Call,
    If,
    Ruleset,
    Statement,
    Stop,
    UseRuleset,
    Write,
)
from mailscope.intake.discovery.selectors import Dialect, parse_selector

_JOIN: Final = "\0"  # stands for a backslash and line end: no text holds it, and lines can still be counted
_BLANK_RE: Final = re.compile(r"(?:[\s\0]|#[^\n]*|/\*.*?\*/)+", re.DOTALL)
_OBJECT_RE: Final = re.compile(r"([a-z_]+)\s*\(", re.IGNORECASE)
_PARAMETER_RE: Final = re.compile(
    r"""([a-z][a-z0-9_.]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|`[^`]*`|\[[^\]]*\])""", re.I
)
_SELECTOR_RE: Final = re.compile(r"[*a-z][*a-z]*[0-7]*[.,](?:[,!=;.*a-z0-7]|\0[ \t]*)+", re.IGNORECASE)
_WORD_RE: Final = re.compile(r"[a-z_]+(?![a-z0-9_])", re.IGNORECASE)
_NAME_RE: Final = re.compile(r"\s*([a-z][a-z0-9_.-]*)", re.IGNORECASE)
_TO_SEMICOLON_RE: Final = re.compile(r"""(?:[^;"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*;?""", re.DOTALL)
_DEEPEST: Final = 100  # blocks within blocks; Python's own stack ends soon after
_LINE_RE: Final = re.compile(r"[^\n]*")


@dataclass
class ScriptReader:
    """Reads one file.

    ``include`` reads what an include names and gives its statements; ``channels`` holds the files of
    ``$outchannel`` directives, common to all files; ``shown`` is the file's name for ``where``.
    """

    text: str
    shown: str
    include: Callable[[str], list[Statement]]
    channels: dict[str, str]
    position: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        lines = self.text.split("\n")
        joined = [
            line[:-1] + _JOIN if line.endswith("\\") and not line.lstrip().startswith("#") else line + "\n"
            for line in lines
        ]
        self.text = "".join(joined)
        self._line_ends = [match.start() for match in re.finditer(rf"[\n{_JOIN}]", self.text)]

    def statements(self) -> list[Statement]:
        """Read up to the end, or to the brace that ends a block."""
        found: list[Statement] = []
        while self._skip_blanks() and not self._at("}"):
            start, depth = self.position, self.depth
            try:
                found += self._statement()
            except ExpressionError:
                self.position, self.depth = start, depth
                self._rest_of_line()
            if self.position == start:  # whatever it is, it must not hold us up
                self.position += 1
        return found

    def _statement(self) -> list[Statement]:
        """Read a statement with the actions that ``&`` hangs on it.

        What stands too deep is not read, nor what follows it: there would be no telling when it applies.
        """
        if self.depth >= _DEEPEST:
            self.position = len(self.text)
            return []
        self.depth += 1
        found = self._single()
        while self._skip_blanks() and self._at("&"):
            self.position += 1
            self._skip_blanks()
            found += self._single()
        self.depth -= 1
        return found

    def _single(self) -> list[Statement]:
        text, start = self.text, self.position
        if self._at("{"):
            return self._block()
        if self._at("$"):
            return self._directive()
        first_on_line = not text[text.rfind("\n", 0, start) + 1 : start].strip(" \t")
        if first_on_line and (match := PROPERTY_FILTER.match(text, start)):
            self.position = match.end()
            return self._filtered(property_filter(*match.groups()), match[0])
        if match := _OBJECT_RE.match(text, start):
            return self._object(match)
        if first_on_line and (match := _SELECTOR_RE.match(text, start)):
            self.position = match.end()
            words = re.sub(rf"{_JOIN}\s*", "", match[0])
            return self._filtered(_selector_test(words), words)
        word = _WORD_RE.match(text, start)
        match word[0].lower() if word else "":
            case "if":
                return self._if()
            case "stop":
                self.position += len("stop")
                return [Stop()]
            case "call":
                self.position += len("call")
                name = _NAME_RE.match(text, self.position)
                self.position = name.end() if name else self.position
                return [Call(name[1])] if name else []
            case "set" | "unset" | "reset" | "call_indirect":
                values = _TO_SEMICOLON_RE.match(text, start)
                self.position = values.end() if values else start
                return []
            case "foreach":
                self._pass_word("do")
                self._body()
                return []
        return self._old_action()

    def _block(self) -> list[Statement]:
        self.position += 1
        found = self.statements()
        self.position += 1
        return found

    def _body(self) -> tuple[Statement, ...]:
        self._skip_blanks()
        return tuple(self._statement())

    def _filtered(self, test: Callable[[Probe], bool], shown: str) -> list[Statement]:
        return [If(test, self._body(), (), shown)]

    def _if(self) -> list[Statement]:
        start = self.position
        test: Callable[[Probe], bool]
        try:
            test, self.position = parse_condition(self.text, start + len("if"))
        except ExpressionError:
            test = _never
            self._pass_word("then")
        shown = " ".join(self.text[start : self.position].removesuffix("then").replace(_JOIN, " ").split())
        then = self._body()
        otherwise: tuple[Statement, ...] = ()
        self._skip_blanks()
        word = _WORD_RE.match(self.text, self.position)
        if word and word[0].lower() == "else":
            self.position = word.end()
            otherwise = self._body()
        return [If(test, then, otherwise, shown)]

    def _object(self, match: re.Match[str]) -> list[Statement]:
        """``action(...)``, ``include(...)``, ``ruleset(...) {...}``; other objects are passed over."""
        name, line = match[1].lower(), self._where()
        if name == "if":
            return self._if()
        self.position = match.end()
        given: dict[str, str] = {}
        while self._skip_blanks() and (parameter := _PARAMETER_RE.match(self.text, self.position)):
            given[parameter[1].lower()] = re.sub(r"\\(.)", r"\1", parameter[2] or "")
            self.position = parameter.end()
            if self._skip_blanks() and self._at(","):
                self.position += 1
        if not self._at(")"):
            raise ExpressionError(f"{name}() is not closed")
        self.position += 1
        if name == "action" and given.get("type", "").lower().endswith("omfile") and given.get("file"):
            return [Write(given["file"], line)]
        if name == "include" and given.get("file"):
            return self.include(given["file"])
        if name in ("ruleset", "template") and self._skip_blanks() and self._at("{"):
            body = self._block()
            return [Ruleset(given.get("name", ""), tuple(body))] if name == "ruleset" else []
        return []

    def _directive(self) -> list[Statement]:
        words = self._rest_of_line().split(None, 1)
        name, value = words[0].lower(), words[1].strip() if len(words) > 1 else ""
        if name == "$includeconfig" and value:
            return self.include(value.split()[0])
        if name == "$ruleset" and value:
            return [UseRuleset(value.split()[0])]
        if name == "$outchannel" and value.count(","):
            channel, file = value.split(",")[:2]
            self.channels[channel.strip()] = file.strip()
        return []

    def _old_action(self) -> list[Statement]:
        """``-/file;Template``, ``~``, ``:omfile:$channel``; an action goes on to the end of its line."""
        where = self._where()
        action = self._rest_of_line()
        if action.strip() == "~":
            return [Stop()]
        file = re.match(r"-?(/(?!\*)[^\s;]+)", action)
        if file:
            return [Write(file[1], where)]
        channel = re.match(r":omfile:\$([^\s;]+)", action)
        if channel and channel[1] in self.channels:
            return [Write(self.channels[channel[1]], where)]
        return []

    def _pass_word(self, word: str) -> None:
        match = re.compile(rf"\b{word}\b", re.IGNORECASE).search(self.text, self.position)
        if match is None:
            raise ExpressionError(f"no {word}")
        self.position = match.end()

    def _where(self) -> str:
        return f"{self.shown} line {bisect_left(self._line_ends, self.position) + 1}"

    def _at(self, sign: str) -> bool:
        return self.text.startswith(sign, self.position)

    def _skip_blanks(self) -> bool:
        if match := _BLANK_RE.match(self.text, self.position):
            self.position = match.end()
        return self.position < len(self.text)

    def _rest_of_line(self) -> str:
        match = _LINE_RE.match(self.text, self.position)
        self.position = match.end() if match else len(self.text)
        return match[0].replace(_JOIN, " ") if match else ""


def _selector_test(words: str) -> Callable[[Probe], bool]:
    try:
        selector = parse_selector(words, Dialect.LINUX)
    except ValueError:
        return _never
    return lambda probe: selector.takes(probe.facility, probe.severity)


def _never(_: Probe) -> bool:
    return False

"""syslog-ng's filters: ``facility(mail) and not level(debug)``.

In: the nodes of a filter's body.  Out: a test for sample lines.  Errors: FilterError for a function or form
that is not known here; the log path then counts as closed, so that discovery misses a log rather than
inventing one.

Source: syslog-ng 3.38, lib/filter/filter-expr-grammar.ym; the Administration Guide's "Filter functions".
``level(info)`` means that level only, unlike in syslog.conf; ``level(info..emerg)`` is a range.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES, TEXT, Probe
from mailscope.intake.discovery.syslog_ng_blocks import Node, Statement

Test = Callable[[Probe], bool]
_SEVERITY_ALIASES: Final = {"panic": "emerg", "error": "err", "warn": "warning", "critical": "crit"}
_COMPARISONS: Final[dict[str, Callable[[str, str], bool]]] = {
    **dict.fromkeys(("eq", "=="), lambda have, want: have == want),
    **dict.fromkeys(("ne", "!="), lambda have, want: have != want),
}
_MACROS: Final[dict[str, Callable[[Probe], str]]] = {
    "PROGRAM": lambda probe: probe.tag,
    "FACILITY": lambda probe: FACILITIES[probe.facility],
    **dict.fromkeys(("LEVEL", "PRIORITY", "SEVERITY"), lambda probe: SEVERITIES[probe.severity]),
    **dict.fromkeys(("MSG", "MESSAGE"), lambda _: TEXT),
    **dict.fromkeys(("HOST", "FULLHOST"), lambda _: "localhost"),
}


class FilterError(ValueError):
    """A filter that is not known here."""


def parse_filter(nodes: Statement, named: Mapping[str, Statement], depth: int = 0) -> Test:
    """Make a test of one filter expression.

    ``named`` holds the bodies of the ``filter f_x { ... }`` statements, for ``filter(f_x)``.
    """
    if depth > 16:
        raise FilterError("filters go round in circles")
    parser = _Parser(list(nodes), named, depth)
    test = parser.either()
    if parser.nodes:
        raise FilterError(f"not understood: {parser.nodes[0].text}")
    return test


class _Parser:
    def __init__(self, nodes: list[Node], named: Mapping[str, Statement], depth: int) -> None:
        self.nodes = nodes
        self.named = named
        self.depth = depth

    def either(self) -> Test:
        """``or`` binds looser than ``and``."""
        tests = [self._both()]
        while self._take_word("or"):
            tests.append(self._both())
        return lambda probe: any(test(probe) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._take_word("and"):
            tests.append(self._single())
        return lambda probe: all(test(probe) for test in tests)

    def _single(self) -> Test:
        negated = False
        while self._take_word("not"):
            negated = not negated
        test = self._plain()
        return (lambda probe: not test(probe)) if negated else test

    def _plain(self) -> Test:
        if not self.nodes:
            raise FilterError("nothing to filter by")
        first = self.nodes.pop(0)
        if first.kind == "(":
            return parse_filter(_only(first), self.named, self.depth + 1)
        if first.kind == "word" and self.nodes and self.nodes[0].kind == "(":
            return self._function(first.text.lower().replace("-", "_"), self.nodes.pop(0))
        if first.kind == "string" and len(self.nodes) > 1 and self.nodes[0].text in _COMPARISONS:
            compare = _COMPARISONS[self.nodes.pop(0).text]
            right = _expanded(self.nodes.pop(0).text)
            left = _expanded(first.text)
            return lambda probe: compare(left(probe), right(probe))
        raise FilterError(f"not understood: {first.text}")

    def _function(self, name: str, group: Node) -> Test:
        nodes = _only(group)
        match name:
            case "facility":
                facilities = _codes(nodes, FACILITIES, {})
                return lambda probe: probe.facility in facilities
            case "level" | "priority" | "severity":
                levels = _codes(nodes, SEVERITIES, _SEVERITY_ALIASES)
                return lambda probe: probe.severity in levels
            case "filter":
                if not nodes or nodes[0].text not in self.named:
                    raise FilterError("no such filter")
                return parse_filter(self.named[nodes[0].text], self.named, self.depth + 1)
            case "program" | "host" | "message":
                return _pattern_test(nodes, {"message": "MSG"}.get(name, name.upper()))
            case "match":
                return _pattern_test(nodes, _options(nodes).get("value", "MSG").lstrip("$"))
            case "netmask":
                return lambda _: bool(nodes) and nodes[0].text.startswith("127.")
            case "tags" | "in_list":
                return lambda _: False
        raise FilterError(f"function {name} is not known")

    def _take_word(self, word: str) -> bool:
        if self.nodes and self.nodes[0].kind == "word" and self.nodes[0].text.lower() == word:
            self.nodes.pop(0)
            return True
        return False


def _only(group: Node) -> Statement:
    return group.inner[0] if group.inner else ()


def _codes(nodes: Statement, names: tuple[str, ...], aliases: Mapping[str, str]) -> frozenset[int]:
    """Read ``mail``, ``auth,authpriv`` and ``info..emerg``; a facility may also be its number."""
    codes: list[int] = []
    ranged = False
    for node in nodes:
        if node.text == "..":
            ranged = True
            continue
        name = aliases.get(node.text.lower(), node.text.lower())
        if name not in names and not (name.isascii() and name.isdigit() and len(name) < 4):
            raise FilterError(f"no such name: {name}")
        code = names.index(name) if name in names else int(name)
        if ranged and codes:
            first, last = sorted((codes[-1], code))
            codes.extend(range(first, min(last, len(names)) + 1))
        codes.append(code)
        ranged = False
    return frozenset(codes)


def _options(nodes: Statement) -> dict[str, str]:
    return {
        name.text.lower(): " ".join(node.text for node in _only(group))
        for name, group in pairwise(nodes)
        if group.kind == "("
    }


def _pattern_test(nodes: Statement, macro: str) -> Test:
    """``program("postfix" type(string) flags(prefix))``: a regular expression unless a type is given."""
    getter = _MACROS.get(macro.upper())
    if getter is None or not nodes:
        raise FilterError(f"no such value: {macro}")
    pattern, options = nodes[0].text, _options(nodes)
    flags = options.get("flags", "").lower()
    if "ignore-case" in flags:
        pattern = pattern.lower()

    def passes(probe: Probe) -> bool:
        have = getter(probe).lower() if "ignore-case" in flags else getter(probe)
        match options.get("type", "pcre").lower():
            case "string" if "prefix" in flags:
                return have.startswith(pattern)
            case "string":
                return pattern in have if "substring" in flags else have == pattern
            case "glob":
                return fnmatch.fnmatchcase(have, pattern)
            case _:
                return regex is not None and regex.search(have) is not None

    try:
        regex = re.compile(pattern)
    except re.error:
        regex = None
    return passes


def _expanded(text: str) -> Callable[[Probe], str]:
    macro = re.fullmatch(r"\$\{?([A-Z]+)\}?", text)
    if macro and macro[1] in _MACROS:
        return _MACROS[macro[1]]
    if "$" in text:
        raise FilterError(f"no such value: {text}")
    return lambda _: text

"""RainerScript expressions: ``$syslogfacility-text == 'mail' and $syslogseverity <= 6``.

In: text and a position right after ``if``.  Out: a test for sample lines, and the position after ``then``.
Errors: ExpressionError for what rsyslog could not read either, or what is not known here.

Source: rsyslog 8.23, grammar/grammar.y.  Two traps are kept as they are there: ``and`` and ``or`` bind
equally, from left to right; ``not`` binds tightest, so ``not $msg contains 'x'`` is ``(not $msg) contains
'x'`` and never true.  Functions other than the few below make the expression unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mailscope.intake.discovery.probes import Probe
from mailscope.intake.discovery.property_filters import matches, property_of
from mailscope.intake.discovery.selectors import Dialect, parse_selector

Value = str | int | list[str]
_Term = Callable[[Probe], Value]

_TOKEN_RE: Final = re.compile(
    r"""(?:[\s\0]|\#[^\n]*|/\*.*?\*/)*
    (?:(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<number>0x[0-9a-f]{1,15}|[0-9]{1,18})
    | \$(?P<name>[$!./]?[@a-z_]*[!@a-z0-9_.\[\]-]*)
    | (?P<word>[a-z][a-z0-9_]*)
    | (?P<sign>==|<=|>=|!=|<>|[<>()\[\],&+*/%-]))""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_NUMBER_RE: Final = re.compile(r"-?[0-9]{1,18}")
_COMPARE: Final[dict[str, Callable[[str, str], bool]]] = {
    "==": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    "<>": lambda have, want: have != want,
    "contains": lambda have, want: want in have,
    "contains_i": lambda have, want: want.lower() in have.lower(),
    "startswith": str.startswith,
    "startswith_i": lambda have, want: have.lower().startswith(want.lower()),
    "endswith": str.endswith,
}
_ORDER: Final[dict[str, Callable[[int, int], bool]]] = {
    "==": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    "<>": lambda have, want: have != want,
    "<": lambda have, want: have < want,
    ">": lambda have, want: have > want,
    "<=": lambda have, want: have <= want,
    ">=": lambda have, want: have >= want,
}


_DEEPEST: Final = 40  # brackets within brackets, and
_LONGEST: Final = 200  # terms in a row: Python's own stack ends soon after


class ExpressionError(ValueError):
    """The expression is wrong, or uses what is not known here."""


def parse_condition(text: str, position: int) -> tuple[Callable[[Probe], bool], int]:
    """Read an expression up to and including ``then``."""
    parser = _Parser(text, position)
    term = parser.logical()
    parser.expect("then")
    return lambda probe: _truth(term(probe)), parser.position


class _Parser:
    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position
        self.depth = 0

    def logical(self) -> _Term:
        """``and`` and ``or``, from left to right."""
        left = self._comparison()
        terms = 1
        while (word := self._peek()) in ("and", "or"):
            self._take()
            terms += 1
            if terms > _LONGEST:
                raise ExpressionError("too many terms")
            left = _both(left, self._comparison()) if word == "and" else _either(left, self._comparison())
        return left

    def expect(self, wanted: str) -> None:
        """Take one token that must be there."""
        token = self._take()
        if token.lower() != wanted:
            raise ExpressionError(f"{wanted!r} expected, {token!r} found")

    def _comparison(self) -> _Term:
        left = self._concatenation()
        operator = self._peek()
        if operator not in _COMPARE and operator not in _ORDER:
            return left
        self._take()
        return _compared(left, operator, self._concatenation())

    def _concatenation(self) -> _Term:
        terms = [self._unary()]
        while self._peek() == "&":
            self._take()
            terms.append(self._unary())
        return terms[0] if len(terms) == 1 else _joined(terms)

    def _unary(self) -> _Term:
        if self.depth >= _DEEPEST:
            raise ExpressionError("too many brackets within brackets")
        self.depth += 1
        try:
            if self._peek() != "not":
                return self._primary()
            self._take()
            inner = self._unary()
            return lambda probe: int(not _truth(inner(probe)))
        finally:
            self.depth -= 1

    def _primary(self) -> _Term:
        match = self._match()
        self.position = match.end()
        kind = match.lastgroup
        if kind == "string":
            value = re.sub(r"\\(.)", r"\1", match[kind][1:-1])
            return lambda _: value
        if kind == "number":
            number = int(match[kind], 16 if match[kind].lower().startswith("0x") else 10)
            return lambda _: number
        if kind == "name":
            name = match[kind]
            return lambda probe: property_of(probe, name) or ""
        if kind == "word":
            return self._function(match[kind].lower())
        if match["sign"] == "(":
            inner = self.logical()
            self.expect(")")
            return inner
        if match["sign"] == "[":
            return self._array()
        raise ExpressionError(f"{match['sign']!r} in an unexpected place")

    def _array(self) -> _Term:
        values: list[str] = []
        while True:
            values.append(self._string())
            if self._take() != ",":
                return lambda _: values

    def _function(self, name: str) -> _Term:
        self.expect("(")
        if name == "prifilt":
            try:
                selector = parse_selector(self._string(), Dialect.LINUX)
            except ValueError as error:
                raise ExpressionError(str(error)) from None
            self.expect(")")
            return lambda probe: int(selector.takes(probe.facility, probe.severity))
        inner = self.logical()
        if name == "re_match":
            self.expect(",")
            pattern = self._string()
            self.expect(")")
            return lambda probe: int(matches(pattern, _string_of(inner(probe))))
        self.expect(")")
        if name == "tolower":
            return lambda probe: _string_of(inner(probe)).lower()
        if name == "exists":
            return lambda probe: int(bool(inner(probe)))
        raise ExpressionError(f"function {name} is not known")

    def _string(self) -> str:
        match = self._match()
        if match.lastgroup != "string":
            raise ExpressionError("a string is expected")
        self.position = match.end()
        return re.sub(r"\\(.)", r"\1", match["string"][1:-1])

    def _match(self) -> re.Match[str]:
        match = _TOKEN_RE.match(self.text, self.position)
        if match is None:
            raise ExpressionError(f"not an expression: {self.text[self.position : self.position + 20]!r}")
        return match

    def _peek(self) -> str:
        match = _TOKEN_RE.match(self.text, self.position)
        return (match["word"] or match["sign"] or "").lower() if match else ""

    def _take(self) -> str:
        match = self._match()
        self.position = match.end()
        return match["word"] or match["sign"] or match[0].strip()


def _truth(value: Value) -> bool:
    return bool(_number_of(value))


def _number_of(value: Value) -> int:
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and _NUMBER_RE.fullmatch(value) else 0


def _string_of(value: Value) -> str:
    return str(value) if isinstance(value, int) else value if isinstance(value, str) else ""


def _both(left: _Term, right: _Term) -> _Term:
    return lambda probe: int(_truth(left(probe)) and _truth(right(probe)))


def _either(left: _Term, right: _Term) -> _Term:
    return lambda probe: int(_truth(left(probe)) or _truth(right(probe)))


def _joined(terms: list[_Term]) -> _Term:
    return lambda probe: "".join(_string_of(term(probe)) for term in terms)


def _compared(left: _Term, operator: str, right: _Term) -> _Term:
    def compare(probe: Probe) -> int:
        have, want = left(probe), right(probe)
        if isinstance(want, list):  # any of them; for != none of them
            results = [_holds(have, operator, single) for single in want]
            return int(all(results) if operator in ("!=", "<>") else any(results))
        return int(_holds(have, operator, want))

    return compare


def _holds(have: Value, operator: str, want: Value) -> bool:
    # A number and a word that is none are compared as words, as rsyslog does.
    numeric = (isinstance(have, int) or isinstance(want, int)) and all(
        _NUMBER_RE.fullmatch(_string_of(value)) for value in (have, want)
    )
    if operator not in _COMPARE or (numeric and operator in _ORDER):
        return _ORDER[operator](_number_of(have), _number_of(want))
    return _COMPARE[operator](_string_of(have), _string_of(want))

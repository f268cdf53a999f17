"""syslog-ng's configuration as words and blocks.

In: a configuration's text.  Out: statements, each a list of nodes: words, strings, and the content of
parentheses and braces as nested lists of statements.  Errors: none; what is unbalanced ends with the file.

Source: syslog-ng 3.38, lib/cfg-lex.l and cfg-lexer.c: ``#`` comments, "..." with backslash escapes, '...'
without, ``@define name value`` and its use as `name` in backticks, ``@include "file"``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Node:
    """A word or string with its text, or a group ``(...)`` or ``{...}`` with its statements."""

    kind: Literal["word", "string", "(", "{"]
    text: str
    inner: tuple[Statement, ...]
    where: str  # file and line


Statement = tuple[Node, ...]

_TOKEN_RE: Final = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
    | (?P<directive>@(?:version|include|define|module|requires)\b[^\n]*)
    | (?P<double>"(?:[^"\\]|\\.)*(?:"|\\?\Z)) | (?P<single>'[^']*(?:'|\Z))
    | (?P<open>[({]) | (?P<close>[)}]) | (?P<end>;) | (?P<comma>,)
    | (?P<dots>\.\.)
    | (?P<word>(?:(?!\.\.)[^\s(){};,"'\#])+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_DEEPEST: Final = 100  # brackets within brackets; Python's own stack ends soon after
_INCLUDE_RE: Final = re.compile(r"""@include\s+["']?([^"'\s]+)""")
_DEFINE_RE: Final = re.compile(r"""@define\s+(\S+)\s+["']?([^"'\n]*?)["']?\s*$""")
_BACKTICK_RE: Final = re.compile(r"`([A-Za-z0-9_.-]+)`")


@dataclass
class BlockReader:
    """Reads one file; ``include`` gives the statements of another; ``defines`` is common to all files."""

    text: str
    shown: str
    include: Callable[[str], list[Statement]]
    defines: dict[str, str]

    def statements(self) -> list[Statement]:
        """Read the whole file."""
        self._line = 1
        return list(self._until("", _TOKEN_RE.finditer(self.text)))

    def _until(self, closing: str, tokens: Iterator[re.Match[str]], depth: int = 0) -> Iterator[Statement]:
        """Read statements up to the closing bracket.  In parentheses a comma is a blank."""
        nodes: list[Node] = []
        for token in tokens:
            where = f"{self.shown} line {self._line}"
            self._line += token[0].count("\n") if token.lastgroup not in ("open", "close") else 0
            match token.lastgroup:
                case "open" if depth < _DEEPEST:
                    inner = self._until(")" if token[0] == "(" else "}", tokens, depth + 1)
                    nodes.append(Node("(" if token[0] == "(" else "{", "", tuple(inner), where))
                case "close":
                    if token[0] == closing:
                        break
                case "end":
                    if nodes:
                        yield tuple(nodes)
                    nodes = []
                case "double":
                    text = re.sub(r"\\(.)", r"\1", token[0][1:-1], flags=re.DOTALL)
                    nodes.append(Node("string", self._defined(text), (), where))
                case "single":
                    nodes.append(Node("string", self._defined(token[0][1:-1]), (), where))
                case "word" | "dots":
                    nodes.append(Node("word", self._defined(token[0]), (), where))
                case "directive":
                    yield from self._directive(token[0])
                case _:
                    pass
        if nodes:
            yield tuple(nodes)

    def _directive(self, line: str) -> list[Statement]:
        if define := _DEFINE_RE.match(line):
            self.defines[define[1]] = define[2]
        elif include := _INCLUDE_RE.match(line):
            return self.include(self._defined(include[1]))
        return []

    def _defined(self, text: str) -> str:
        return _BACKTICK_RE.sub(lambda match: self.defines.get(match[1], match[0]), text)


def written(statement: Statement) -> str:
    """Give a statement much as it was written, on one line."""
    text = ""
    for node in statement:
        if node.kind in ("(", "{"):
            inner = "; ".join(map(written, node.inner))
            text += f"({inner})" if node.kind == "(" else f" {{ {inner} }}"
        else:
            text += " " * bool(text) + (f'"{node.text}"' if node.kind == "string" else node.text)
    return text

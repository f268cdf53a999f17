"""The arguments and the result of a call, as strace writes them: taken apart, quotes undone.

Source: strace's print_quoted_string() (C escapes, octal or hex with -x), printfd() of -y and -yy, struct
printers of socket addresses; old versions wrote AF_FILE and ``path`` for today's AF_UNIX and ``sun_path``.
"""

from __future__ import annotations

import re
from typing import Final

# A string, what -y tells of a descriptor (in which "->" of -yy may stand), brackets, a comma, anything else.
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?|(?<=[0-9D])<(?:[^<>-]|->|-(?!>))*>|/\*[^*]*\*/|[()\[\]{}]|,|[^"<()\[\]{},/]+|.',
    re.DOTALL,
)
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_NUMBER: Final = re.compile(r"(-?[0-9]+)")
_UNIX: Final = re.compile(r'(?:sun_)?path=@?("(?:[^"\\]|\\.)*")')
_PORT: Final = re.compile(r"sin6?_port=htons\(([0-9]{1,5})\)")
_HOST: Final = re.compile(r'(?:inet_addr\(|inet_pton\(AF_INET6, )"([0-9A-Fa-f.:]+)"')
_SOCKET: Final = re.compile(r'UNIX(?:-STREAM)?:\[([0-9]+)(?:->([0-9]+))?(?:,"([^"]*)")?\]')


def take_apart(body: str) -> tuple[list[str], str] | None:
    """The arguments of ``name(...) = result``, and the result; None where the brackets do not close."""
    start = body.find("(")
    arguments, part, depth = [], start + 1, 0
    if start < 0:
        return None
    for token in _TOKEN.finditer(body, start):
        text = token[0]
        if text in "([{":
            depth += 1
        elif text in ")]}":
            depth -= 1
            if depth == 0:
                arguments.append(body[part : token.start()].strip())
                rest = body[token.end() :].lstrip()
                return (arguments, rest[1:].strip()) if rest.startswith("=") else None
        elif text == "," and depth == 1:
            arguments.append(body[part : token.start()].strip())
            part = token.end()
    return None


def string(argument: str) -> str | None:
    """The first string in an argument, its escapes undone; None where there is none."""
    found = _STRING.search(argument)
    return unquoted(found[1]) if found else None


def strings(argument: str) -> list[str]:
    """All strings in an argument, as of execve's argv."""
    return [unquoted(found[1]) for found in _STRING.finditer(argument)]


def unquoted(text: str) -> str:
    """A string's text; a byte above 127 is the character of that number."""
    return _ESCAPE.sub(_meant, text) if "\\" in text else text


def _meant(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return chr(int(found[2], 8) & 0xFF) if found[2] else _LETTERS.get(found[3], found[3])


def number(text: str) -> int | None:
    """The number that a text begins with: a descriptor, a result."""
    found = _NUMBER.match(text)
    return int(found[1]) if found and len(found[1]) < 12 else None


def unix_path(address: str) -> str | None:
    """The path of a unix socket's address."""
    found = _UNIX.search(address)
    return string(found[1]) if found else None


def internet(address: str) -> tuple[str, int] | None:
    """IP and port of an internet address."""
    host, port = _HOST.search(address), _PORT.search(address)
    return (host[1], int(port[1])) if host and port else None


def ends(text: str) -> tuple[str, str | None, str | None] | None:
    """What -yy tells of a unix socket: its inode, its peer's, its path."""
    found = _SOCKET.search(text)
    return (found[1], found[2], found[3]) if found else None

"""Mail logs that syslog.conf names: sysklogd, inetutils-syslogd and the BSDs' syslogd.

In: a host's files.  Out: the files that its rules write, and the sample lines each takes.
Source: syslog.conf(5) of sysklogd 2, inetutils 2.4, FreeBSD 14, NetBSD 10 and OpenBSD 7.

Read are ``selector<blank>[-]/file[;options]``, ``\\`` at a line's end, ``include``, and the blocks of the
BSDs: ``!program``, ``+host``, ``:property`` (on the BSDs also as ``#!``, ``#+``, ``#:``).  Consoles, pipes,
users and other hosts are no logs and are passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailscope.intake.discovery.files import HostFiles
from mailscope.intake.discovery.found import reason
from mailscope.intake.discovery.probes import PROBES, Probe, Sink
from mailscope.intake.discovery.property_filters import PROPERTY_FILTER, property_filter
from mailscope.intake.discovery.selectors import Dialect, parse_selector

_CONFIGURATIONS: Final = ("/etc/syslog.conf", "/etc/syslog.d/*.conf", "/usr/local/etc/syslog.d/*.conf")
_BSD_SIGNS: Final = ("/etc/master.passwd", "/bin/freebsd-version")
_FILE_ACTION: Final = re.compile(r"-?(/[^\s;]+)")
_DEEPEST: Final = 8  # includes within includes
_Test = Callable[[Probe], bool]


def find(host: HostFiles) -> list[Sink]:
    """Give every file that a rule of syslog.conf or syslog.d writes."""
    bsd = any(os.path.exists(host.path(sign)) for sign in _BSD_SIGNS)
    reader = _Reader(host, Dialect.BSD if bsd else Dialect.LINUX)
    for pattern in _CONFIGURATIONS:
        for path in host.glob(pattern):
            reader.read(path)
    return reader.sinks


@dataclass
class _Reader:
    host: HostFiles
    dialect: Dialect
    sinks: list[Sink] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def read(self, path: Path, depth: int = 0) -> None:
        """Read one file and what it includes, each once.  Blocks end with the file."""
        text = self.host.read(path, "syslogd")
        if text is None or path in self.seen or depth > _DEEPEST:
            return
        self.seen.add(path)
        block: dict[str, _Test] = {}
        for number, line in _logical_lines(text):
            words = self._uncommented(line)
            if not words:
                continue
            if words[0] in "!+-:" and not words.startswith("-/"):
                self._enter_block(block, words)
            elif words.split()[0] == "include" and len(words.split()) == 2:
                for included in self._included(words.split()[1]):
                    self.read(included, depth + 1)
            else:
                self._rule(words, [*block.values()], f"{self.host.shown(path)} line {number}")

    def _uncommented(self, line: str) -> str:
        if line[:2] in ("#!", "#+", "#-", "#:") and self.dialect is Dialect.BSD:
            return line[1:].strip()
        return "" if line.startswith("#") else line

    def _included(self, name: str) -> list[Path]:
        # FreeBSD includes a directory (its *.conf files), sysklogd a pattern.
        found = self.host.glob(name)
        return [
            inner
            for path in found
            for inner in self.host.inside(path, "syslogd")
            if inner == path or inner.suffix == ".conf"
        ]

    def _enter_block(self, block: dict[str, _Test], words: str) -> None:
        """Set or reset one of the three filters that hold for the rules that follow."""
        sign, names = words[0], words[1:].strip()
        kind = {"!": "program", "+": "host", "-": "host", ":": "property"}[sign]
        if kind == "property" and (match := PROPERTY_FILTER.fullmatch(words)):
            block[kind] = property_filter(*match.groups())
        elif names in ("*", ""):
            block.pop(kind, None)
        elif kind == "program":
            wanted = frozenset(names.lstrip("+-").split(","))
            exclude = names.startswith("-")
            block[kind] = lambda probe: bool(wanted & {probe.program, probe.tag}) != exclude
        else:
            local = kind == "host" and bool({"@", "localhost"} & set(names.split(",")))
            block[kind] = lambda _: local == (sign == "+")

    def _rule(self, words: str, block: list[_Test], where: str) -> None:
        selector_text, _, action = words.partition(" ")
        path = _FILE_ACTION.match(action.strip())
        if path is None or path[1].startswith("/dev/"):
            return
        try:
            selector = parse_selector(selector_text, self.dialect)
        except ValueError:
            return  # as syslogd itself does: a rule with a mistake is no rule
        takes = frozenset(
            probe
            for probe in PROBES
            if selector.takes(probe.facility, probe.severity) and all(test(probe) for test in block)
        )
        self.sinks.append(Sink(self.host.path(path[1]), reason("syslogd", selector_text, where), takes))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash; give each with the number of its first line, blanks made one."""
    held, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first if held else number
        stripped = line.strip()
        if stripped.endswith("\\") and not (not held and stripped.startswith("#")):
            held += stripped[:-1]
            continue
        if whole := re.sub(r"\s+", " ", (held + stripped).strip()):
            yield first, whole
        held = ""
    if held.strip():
        yield first, re.sub(r"\s+", " ", held.strip())

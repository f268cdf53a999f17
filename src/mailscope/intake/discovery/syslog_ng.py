"""Mail logs that syslog-ng's configuration names.

In: a host's files.  Out: the files that its log paths write, and the sample lines each takes.

The sample lines go through the log paths in their order: filters divide them, file() destinations take
them, ``flags(final)`` ends their way, ``flags(fallback)`` takes what no other path took.  Left out are log
paths that are fed only by syslog-ng itself, by files or by programs, and destinations whose names hold
macros (``$HOST``).  Source: syslog-ng 3.38, lib/cfg-tree.c; the Administration Guide's "Log paths".
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailscope.intake.discovery.files import HostFiles
from mailscope.intake.discovery.found import reason
from mailscope.intake.discovery.probes import PROBES, Probe, Sink
from mailscope.intake.discovery.syslog_ng_blocks import BlockReader, Node, Statement, written
from mailscope.intake.discovery.syslog_ng_filters import FilterError, parse_filter

_CONFIGURATIONS: Final = ("/etc/syslog-ng/syslog-ng.conf", "/usr/local/etc/syslog-ng.conf")
_LIBRARY: Final = "/usr/share/syslog-ng/include"
_DEEPEST: Final = 16
# Drivers that bring no line of a local program.  scl.conf and its blocks are not needed to know the rest.
_NOT_SYSLOG: Final = frozenset(("internal", "file", "wildcard-file", "program", "pipe", "stdin", "mbox"))
_Lines = frozenset[Probe]


def find(host: HostFiles) -> list[Sink]:
    """Give every file that a log path of syslog-ng writes on this host."""
    sinks: list[Sink] = []
    for name in _CONFIGURATIONS:
        loader = _Loader(host, os.path.dirname(name))
        statements = loader.load(name)
        if statements:
            run = _Run(host, statements)
            run.paths([statement for statement in statements if statement[0].text == "log"], PROBES)
            sinks += run.sinks
    return sinks


@dataclass
class _Loader:
    host: HostFiles
    directory: str
    defines: dict[str, str] = field(default_factory=dict)
    open_files: list[Path] = field(default_factory=list)

    def load(self, name: str) -> list[Statement]:
        """Read a file, a shell pattern or a directory, relative to the configuration's own directory."""
        if os.path.basename(name) == "scl.conf":
            return []
        for base in ("", self.directory, _LIBRARY):
            paths = self.host.glob(os.path.join(base, name)) if base or name.startswith("/") else []
            if paths:
                files = [file for path in paths for file in self.host.inside(path, "syslog-ng")]
                return [statement for file in files for statement in self._read(file)]
        return []

    def _read(self, path: Path) -> list[Statement]:
        if path in self.open_files or len(self.open_files) > _DEEPEST:
            return []
        text = self.host.read(path, "syslog-ng")
        if text is None:
            return []
        self.open_files.append(path)
        statements = BlockReader(text, self.host.shown(path), self.load, self.defines).statements()
        self.open_files.pop()
        return statements


class _Run:
    def __init__(self, host: HostFiles, statements: list[Statement]) -> None:
        self.host = host
        self.sinks: list[Sink] = []
        self.sources = _named("source", statements)
        self.destinations = _named("destination", statements)
        self.filters = {
            name: node.inner[0] for name, node in _named("filter", statements).items() if node.inner
        }

    def paths(self, logs: list[Statement], lines: _Lines) -> _Lines:
        """Send lines through sibling log paths; give those that a path let through to its end."""
        left, taken = lines, frozenset[Probe]()
        for fallback in (False, True):
            for log in logs:
                body = _body(log)
                flags = _flags(body)
                if ("fallback" in flags) != fallback or not self._is_local(body):
                    continue
                passed = self._through(body, left - taken if fallback else left, "every line", log[0].where)
                taken |= passed
                if "final" in flags:
                    left -= passed
        return taken

    def _through(self, body: tuple[Statement, ...], lines: _Lines, shown: str, where: str) -> _Lines:
        """Send lines through the elements of one log path; give those that reach its end."""
        for element in body:
            kind = element[0].text.lower()
            group = element[1] if len(element) > 1 else element[0]
            match kind:
                case "filter":
                    nodes = group.inner[0] if group.inner else ()
                    shown = f"filter {written(nodes)}"
                    if group.kind == "(":
                        nodes = self.filters.get(nodes[0].text, ()) if nodes else ()
                    lines = self._filtered(nodes, lines)
                case "destination":
                    self._write(group, lines, reason("syslog-ng", shown, where))
                case "log":
                    self.paths([element], lines)
                case "channel":
                    lines = self._through(group.inner, lines, shown, where)
                case "junction":
                    lines = self.paths(list(group.inner), lines)
                case "if":
                    lines = self._branches(element, lines, shown, where)
                case _:
                    pass  # sources, parsers, rewrites and flags let every line through
        return lines

    def _branches(self, element: Statement, lines: _Lines, shown: str, where: str) -> _Lines:
        """``if (filter) { ... } elif (filter) { ... } else { ... };``"""
        passed = frozenset[Probe]()
        condition: Statement | None = None
        for node in element:
            if node.kind == "(":
                condition = node.inner[0] if node.inner else ()
            elif node.kind == "{":
                meant = lines if condition is None else self._filtered(condition, lines)
                lines -= meant
                passed |= self._through(node.inner, meant, shown, where)
                condition = None
        return passed | lines

    def _filtered(self, nodes: Statement, lines: _Lines) -> _Lines:
        try:
            return frozenset(filter(parse_filter(nodes, self.filters), lines))
        except FilterError:
            return frozenset()

    def _write(self, group: Node, lines: _Lines, why: str) -> None:
        """Take the files of a destination, named or written in place."""
        if group.kind == "(":
            named = [self.destinations.get(node.text) for statement in group.inner for node in statement]
        else:
            named = [group]
        for destination in filter(None, named):
            for driver in destination.inner:
                if driver[0].text == "file" and len(driver) > 1 and driver[1].inner:
                    file = driver[1].inner[0][0].text
                    if file.startswith("/") and "$" not in file and not file.startswith("/dev/"):
                        self.sinks.append(Sink(self.host.path(file), why, lines))

    def _is_local(self, body: tuple[Statement, ...]) -> bool:
        """Whether a source of the path may bring lines of local programs; what is not known may."""
        drivers: list[str] = []
        for element in body:
            if element[0].text != "source" or len(element) < 2:
                continue
            for statement in element[1].inner:
                named = [self.sources.get(node.text) for node in statement] if element[1].kind == "(" else []
                drivers += [inner[0].text for node in named if node for inner in node.inner]
                drivers += ["unknown" for node in named if node is None]
                drivers += [statement[0].text] if element[1].kind == "{" else []
        return not drivers or not _NOT_SYSLOG.issuperset(name.replace("_", "-") for name in drivers)


def _named(kind: str, statements: list[Statement]) -> dict[str, Node]:
    """Give the bodies of ``kind NAME { ... };`` statements by their names."""
    return {
        statement[1].text: statement[2]
        for statement in statements
        if len(statement) > 2 and statement[0].text == kind and statement[2].kind == "{"
    }


def _body(log: Statement) -> tuple[Statement, ...]:
    return next((node.inner for node in log if node.kind == "{"), ())


def _flags(body: tuple[Statement, ...]) -> frozenset[str]:
    groups = [element[1] for element in body if element[0].text == "flags" and len(element) > 1]
    return frozenset(node.text.lower() for group in groups for inner in group.inner for node in inner)

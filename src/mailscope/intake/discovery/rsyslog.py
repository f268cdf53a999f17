"""Mail logs that rsyslog's configuration names.

In: a host's files.  Out: the files that its rules write, and the sample lines each takes.

The sample lines go through the default ruleset from top to bottom: a filter divides them, an action writes
them, ``stop`` ends their way, ``call`` takes them through another ruleset.  Rulesets that only a network
input is bound to are not asked: they hold other hosts' mail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailscope.intake.discovery.files import HostFiles
from mailscope.intake.discovery.found import reason
from mailscope.intake.discovery.probes import PROBES, Probe, Sink
from mailscope.intake.discovery.rsyslog_script import ScriptReader
from mailscope.intake.discovery.rsyslog_statements import (
    Call,
    If,
    Ruleset,
    Statement,
    Stop,
    UseRuleset,
    Write,
)

_CONFIGURATIONS: Final = ("/etc/rsyslog.conf", "/usr/local/etc/rsyslog.conf", "/usr/pkg/etc/rsyslog.conf")
_DEFAULT: Final = "RSYSLOG_DefaultRuleset"
_DEEPEST: Final = 16  # includes within includes, calls within calls
_Lines = frozenset[Probe]


def find(host: HostFiles) -> list[Sink]:
    """Give every file that a rule of rsyslog writes on this host."""
    sinks: list[Sink] = []
    for name in _CONFIGURATIONS:
        loaded = _Loader(host).load(name)
        if loaded:
            run = _Run(host, _rulesets(loaded))
            run.through(run.rulesets.get(_DEFAULT, []), PROBES, "every line")
            sinks += run.sinks
    return sinks


@dataclass
class _Loader:
    host: HostFiles
    channels: dict[str, str] = field(default_factory=dict)
    open_files: list[Path] = field(default_factory=list)

    def load(self, pattern: str) -> list[Statement]:
        """Read what a name, a shell pattern or a directory stands for."""
        found: list[Statement] = []
        for path in self.host.glob(pattern):
            for file in self.host.inside(path, "rsyslog"):
                found += self._read(file)
        return found

    def _read(self, path: Path) -> list[Statement]:
        if path in self.open_files or len(self.open_files) > _DEEPEST:
            return []  # a file that includes itself
        text = self.host.read(path, "rsyslog")
        if text is None:
            return []
        self.open_files.append(path)
        reader = ScriptReader(text, self.host.shown(path), self.load, self.channels)
        statements = reader.statements()
        while reader.position < len(reader.text):  # a closing brace too many
            reader.position += 1
            statements += reader.statements()
        self.open_files.pop()
        return statements


def _rulesets(statements: list[Statement]) -> dict[str, list[Statement]]:
    current = _DEFAULT
    found: dict[str, list[Statement]] = {}
    for statement in statements:
        match statement:
            case UseRuleset(name):
                current = name
            case Ruleset(name, body):
                found.setdefault(name, []).extend(body)
            case _:
                found.setdefault(current, []).append(statement)
    return found


@dataclass
class _Run:
    host: HostFiles
    rulesets: dict[str, list[Statement]]
    sinks: list[Sink] = field(default_factory=list)

    def through(self, statements: list[Statement], lines: _Lines, shown: str, depth: int = 0) -> _Lines:
        """Send lines through statements; give those that nothing stopped."""
        for statement in statements:
            match statement:
                case Write(file, where):
                    if not file.startswith("/dev/"):
                        self.sinks.append(Sink(self.host.path(file), reason("rsyslog", shown, where), lines))
                case Stop():
                    return frozenset()
                case If(test, then, otherwise, condition):
                    passing = frozenset(filter(test, lines))
                    others = self.through(list(otherwise), lines - passing, f"not {condition}", depth)
                    lines = self.through(list(then), passing, condition, depth) | others
                case Call(name) if depth < _DEEPEST:
                    lines = self.through(self.rulesets.get(name, []), lines, shown, depth + 1)
                case _:
                    pass
        return lines

"""What rsyslog_script.py reads and rsyslog.py follows: the statements that decide where a line goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from mailscope.intake.discovery.probes import Probe

Statement: TypeAlias = "Write | Stop | Call | If | Ruleset | UseRuleset"


@dataclass(frozen=True, slots=True)
class Write:
    """Write to a file; ``where`` is the configuration file and line of the action."""

    file: str
    where: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing after this sees the line."""


@dataclass(frozen=True, slots=True)
class Call:
    """Go through another ruleset, then come back."""

    ruleset: str


@dataclass(frozen=True, slots=True)
class If:
    """A filter of any kind: ``shown`` is it as written, ``test`` what it lets through."""

    test: Callable[[Probe], bool]
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    shown: str


@dataclass(frozen=True, slots=True)
class Ruleset:
    """``ruleset(name="x") { ... }``: reached only by a Call."""

    name: str
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class UseRuleset:
    """``$RuleSet x``: the rules that follow belong to it."""

    name: str

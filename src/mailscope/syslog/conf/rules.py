"""What a configuration says: rules, their filters and actions, and remarks on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NamedTuple

from mailscope.intake.discovery.selectors import Dialect as Selecting
from mailscope.intake.discovery.selectors import Selector
from mailscope.language.phrase import Phrase
from mailscope.syslog.record import Record


class Dialect(Enum):
    """Whose language it is."""

    SYSKLOGD = "sysklogd"
    RSYSLOG = "rsyslog"
    BSD = "bsd"

    @property
    def selecting(self) -> Selecting:
        """How selectors are read in it."""
        return Selecting.BSD if self is Dialect.BSD else Selecting.LINUX


Kind = Literal["file", "device", "fifo", "command", "udp", "tcp", "users", "everyone", "discard"]
Form = Literal["traditional", "rfc3339", "rfc5424"]


@dataclass(frozen=True)
class Action:
    """What a rule does with a message.

    ``target``: path, command, host or names; ``port``: of a host; ``synced``: whether a file is brought to
    the disk after each batch; ``form``: of what is written; ``rotate_bytes``, ``rotate_count``: a larger file
    is put aside, so many are kept; 0 for never.
    """

    kind: Kind
    target: str = ""
    port: int = 514
    synced: bool = False
    form: Form = "traditional"
    rotate_bytes: int = 0
    rotate_count: int = 0


class Filter(NamedTuple):
    """A condition beside the selector: as it is written, and whether a message fits it."""

    shown: str
    fits: Callable[[Record], bool]


@dataclass(frozen=True)
class Rule:
    """A line of the configuration: which messages, and what is done with them.

    ``where``: file and line; ``selector``: None where only filters count.
    """

    where: str
    text: str
    selector: Selector | None
    filters: tuple[Filter, ...]
    action: Action


class Remark(NamedTuple):
    """Something a person should know; ``bad``: the line, or a part of it, does not do what it says."""

    where: str
    bad: bool
    text: Phrase


@dataclass
class Configuration:
    """All of it."""

    dialect: Dialect
    rules: list[Rule] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

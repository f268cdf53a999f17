"""What a check is.  Each stands in a file of its own and in ``registry.py``; its options are the fields of
its question, from which the command line and the daemon's API are made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from mailscope.watch.checks.plugin import Measured

if TYPE_CHECKING:
    from mailscope.store.database import Queries
    from mailscope.vocabulary.tables import Table

# Lines come at least so often on a mail host; what a store without them says, is nothing of now.
STALE_S: Final = 86_400.0


@dataclass(frozen=True)
class Health:
    """How the daemon is.  ``problem``: what keeps it from storing; instants are naive UTC."""

    started: datetime
    lines: int
    last_batch: datetime | None
    lag_s: float | None
    problem: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Where it is looked: a store as of now (naive UTC), and the daemon that has it, if one does."""

    looking: Queries
    now: datetime
    daemon: Health | None = None

    def since(self, window_s: float) -> datetime:
        """Where a window that ends now begins."""
        return self.now - timedelta(seconds=window_s)

    def rows(self, table: Table, since: datetime) -> str:
        """SQL for rows of a table since an instant; only sealed files that may have some are opened."""
        relation = self.looking.relation(table, "last >= ?", (since,))
        return f"(select * from ({relation}) where {table.time} >= timestamp '{since.isoformat(sep=' ')}')"

    def ask(self, statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        return self.looking.connection.execute(statement, values or []).fetchall()


@dataclass(frozen=True)
class Question:
    """Options of a check; none may be given that it does not know."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class Check:
    """One check.

    ``service``: the first word that it prints.  ``warning`` and ``critical``: its ranges where none are
    given.  ``of_lines``: it tells of lines that come, so that a store in which none came is told as unknown.
    ``example``: arguments, for its help.
    """

    name: str
    service: str
    help: str
    example: str
    question: type[Question]
    measure: Callable[[Facts, Any], Measured]
    warning: str | None = None
    critical: str | None = None
    of_lines: bool = True


def option(default: Any, text: str) -> Any:
    """A field of a question; names that end in ``_s`` are spans, given as 900, 15m or 1h."""
    return field(default=default, metadata={"help": text})


def ago(seconds: float) -> str:
    """A span in words."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size * (2 if size > 60 else 1):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def share(part: int, whole: int) -> float | None:
    """Per cent; None of nothing."""
    return round(100 * part / whole, 3) if whole else None

"""The settings in force, to be read: what each is, what it means, and whether it is the usual one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.settings import Settings as Model
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.visit import Visit

# Places of secrets are told, secrets are not; an address may hold one.
SECRET: Final = ("url", "password", "token", "secret", "key")
HIDDEN: Final = "(not shown)"


@dataclass(frozen=True)
class Settings(Context):
    """A table for each of the file."""

    tables: Sequence[Grid]
    daemon: Sequence[tuple[str, str]]
    problems: Sequence[str]


def show(visit: Visit) -> Settings:
    """What the page shows."""
    tr = visit.tr
    now = visit.site.settings()
    rows = list(flattened(now, Model(), ""))
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(row["table"], []).append(row)
    columns = (
        Column("name", tr("Setting")), Column("value", tr("Value")), Column("usual", tr("Usual")),
        Column("meaning", tr("Meaning")),
    )  # fmt: skip
    status = visit.site.service.status
    daemon = [
        (tr("Started"), visit.told_time(status.started)),
        (tr("Lines since then"), f"{status.lines:,}"),
        (tr("Last batch"), visit.told_time(status.last_batch) if status.last_batch else "-"),
    ]
    return Settings(
        [of_rows(visit, f"settings_{name or 'top'}", f"[{name}]" if name else tr("Settings"), columns, found)
         for name, found in tables.items()],
        daemon,
        [str(each) for each in visit.site.service.problems()],
    )  # fmt: skip


def flattened(model: BaseModel, usual: BaseModel | None, table: str) -> Any:
    """A row for each setting of a model and those within it."""
    for name, field in type(model).model_fields.items():
        value, other = getattr(model, name), getattr(usual, name, None)
        if isinstance(value, BaseModel):
            inner = f"{table}.{name}" if table else name
            yield from flattened(value, other if isinstance(other, BaseModel) else None, inner)
            continue
        hidden = any(word in name.lower() for word in SECRET) and not name.endswith("_file")
        yield {
            "table": table, "name": name, "value": HIDDEN if hidden and value else told(value),
            "usual": told(other), "meaning": field.description or "",
        }  # fmt: skip


def told(value: Any) -> str:
    """A value in words; of tables within lists, only how many there are: they may hold secrets."""
    if isinstance(value, (tuple, list)):
        if any(isinstance(each, BaseModel) for each in value):
            return str(len(value))
        return ", ".join(map(str, value)) or "-"
    return "-" if value in ("", None) else str(value)


PAGE: Final = Page("settings", "/settings", Phrase("Settings"), "settings.html", show, "audit", usual="")

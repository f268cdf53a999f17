"""A check that is asked of a running daemon, or of a store in a directory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mailscope.store.database import Database
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.instants import naive_now
from mailscope.watch.checks.check import Facts, Health
from mailscope.watch.checks.plugin import Measured
from mailscope.watch.checks.registry import CHECKS, measured


def answered(database: Database, name: str, told: Mapping[str, Any], health: Health | None) -> Measured:
    """What a check finds in an open store.  Raises UsageError for no check, or options that it has not."""
    check = CHECKS.get(name)
    if check is None:
        raise UsageError(f"there is no check '{name}'", "", f"there are {', '.join(CHECKS)}")
    try:
        asked = TypeAdapter(check.question).validate_python(dict(told))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(first["msg"], where, f"see 'mailscope check {name} --help'") from None
    with database.snapshot(views=False) as looking:
        facts = Facts(looking, naive_now(), health)
        return measured(check, facts, asked)


def in_directory(place: Path, name: str, told: Mapping[str, Any]) -> Measured:
    """The same of a store that no daemon has.  Raises MailscopeError where it cannot be opened."""
    with closing(Database(place, read_only=True, views=False)) as database:
        return answered(database, name, told, None)

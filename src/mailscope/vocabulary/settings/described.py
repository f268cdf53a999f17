"""The settings as a table of rows: name, allowed values, default, meaning.

Documentation, the example file, ``mailscope config show`` and the words of refusals are made from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from textwrap import wrap
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mailscope.vocabulary.settings.settings import Settings
from mailscope.vocabulary.settings.values import Allowed, Table

Place = tuple[str | int, ...]
EACH: Final = "a list; each element is "
UNITS: Final = {"_s": "seconds", "_days": "days", "_mb": "MiB", "_kb": "KiB"}


@dataclass(frozen=True)
class Setting:
    """One setting.  ``allowed`` follows "give"; ``default`` is TOML, empty where there is none."""

    name: str
    allowed: str
    default: str
    meaning: str
    unit: str


@dataclass(frozen=True)
class Group:
    """A table of the file.  ``repeated``: there may be several, each under ``[[...]]``."""

    path: tuple[str, ...]
    meaning: str
    settings: tuple[Setting, ...]
    inner: tuple[str, ...]
    repeated: bool = False

    @property
    def name(self) -> str:
        """The table's name; empty for what stands before all tables."""
        return ".".join(self.path)

    @property
    def heading(self) -> str:
        """How it begins in the file."""
        return f"[[{self.name}]]" if self.repeated else f"[{self.name}]" if self.path else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Every name that may stand in it."""
        return tuple(setting.name for setting in self.settings) + self.inner


@cache
def tables() -> tuple[Group, ...]:
    """All tables, in the order of the example file."""
    return tuple(_tables(Settings, (), repeated=False))


def table_at(place: Place) -> Group | None:
    """The table at a place; a number is the position in an array of tables."""
    return _by_path().get((_path(place), place[-1:] != _path(place)[-1:]))


def setting_at(place: Place) -> Setting | None:
    """The setting at a place, or whose value holds it (an element of a list)."""
    path = _path(place)
    for repeated in (False, True):
        group = _by_path().get((path[:-1], repeated))
        if group is not None:
            return next((each for each in group.settings if each.name == path[-1]), None)
    return None


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml(each) for each in value)}]"
    # JSON's texts, numbers and truth values are TOML's.
    return json.dumps(value, ensure_ascii=False)


def example() -> str:
    """The whole file, with every setting as a comment that holds its default."""
    lines = [
        "# Settings of Mailscope's daemon: a copy belongs to /etc/mailscope/mailscope.toml.",
        "# A line without its '#' changes a setting; what is shown is the default.",
        "# 'mailscope config check' tells what is wrong, 'mailscope config show' what is in force.",
    ]
    for group in tables():
        if group.path:
            lines += ["", *_comment(group.meaning)]
            # Several of a kind: none of them is a default.
            lines.append(f"#{group.heading}" if group.repeated else group.heading)
        for setting in group.settings:
            lines += ["", *_comment(f"{setting.meaning} {setting.allowed[0].upper()}{setting.allowed[1:]}.")]
            lines.append(f"#{setting.name} = {setting.default or _sample(setting.allowed)}")
    return "\n".join(lines) + "\n"


def _sample(allowed: str) -> str:
    """A value of what has no default: the one that is named, or the first of a choice."""
    _, named, value = allowed.partition("such as ")
    return value.partition(" or ")[0] if named else allowed.split(", ")[0]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, 100)]


def _path(place: Place) -> tuple[str, ...]:
    return tuple(part for part in place if isinstance(part, str))


@cache
def _by_path() -> dict[tuple[tuple[str, ...], bool], Group]:
    return {(group.path, group.repeated): group for group in tables()}


def _tables(model: type[Table], path: tuple[str, ...], *, repeated: bool) -> Iterable[Group]:
    settings: list[Setting] = []
    inner: list[tuple[str, type[Table], bool]] = []
    for name, info in model.model_fields.items():
        held = _model(info.annotation)
        if held is None:
            settings.append(_setting(name, info))
        else:
            inner.append((name, *held))
    meaning = " ".join((model.__doc__ or "").split())
    yield Group(path, meaning, tuple(settings), tuple(name for name, _, _ in inner), repeated)
    for name, held_model, several in inner:
        yield from _tables(held_model, (*path, name), repeated=several)


def _model(kind: Any) -> tuple[type[Table], bool] | None:
    """The table that a field holds, and whether it holds several."""
    if isinstance(kind, type) and issubclass(kind, Table):
        return kind, False
    inner = get_args(kind)[0] if get_origin(kind) is tuple else None
    return (inner, True) if isinstance(inner, type) and issubclass(inner, Table) else None


def _setting(name: str, info: FieldInfo) -> Setting:
    unit = next((words for ending, words in UNITS.items() if name.endswith(ending)), "")
    allowed = _allowed(info.annotation, info.metadata)
    default = "" if info.default is PydanticUndefined else toml(info.default)
    return Setting(name, f"{allowed} ({unit})" if unit else allowed, default, info.description or "", unit)


def _allowed(kind: Any, metadata: Iterable[Any] = ()) -> str:
    """What may be given, in words."""
    metadata = tuple(metadata)
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        return _allowed(kind, (*more, *metadata))
    for each in metadata:
        if isinstance(each, Allowed):
            return each.words
    origin = get_origin(kind)
    if origin is tuple:
        return EACH + _allowed(get_args(kind)[0])
    if origin is Literal:
        return _or([json.dumps(each) for each in get_args(kind)])
    if origin in (Union, UnionType):
        return _or([_allowed(each) for each in get_args(kind)])
    if kind is bool:
        return "true or false"
    return f"a {'whole ' if kind is int else ''}number{_bounds(metadata)}"


def _bounds(metadata: Iterable[Any]) -> str:
    """The bounds of a number, also those that another ``Field`` holds."""
    found: dict[str, Any] = {}
    for each in metadata:
        for part in (each, *getattr(each, "metadata", ())):
            found |= {side: getattr(part, side) for side in ("ge", "le") if hasattr(part, side)}
    return f" from {found['ge']:,} to {found['le']:,}".replace(",", "") if len(found) == 2 else ""


def _or(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]

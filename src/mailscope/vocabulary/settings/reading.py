"""The settings file: read, checked, and refused in words that name the line.

In: a path.  Out: the settings, with the line that each value comes from.  Everything that is wrong is told at
once, so that a person corrects the file once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from os import PathLike
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailscope.vocabulary.errors import InputError, SettingsError, UsageError
from mailscope.vocabulary.settings.described import EACH, setting_at, table_at, tables
from mailscope.vocabulary.settings.places import FILE as FILE
from mailscope.vocabulary.settings.positions import Place, key_lines
from mailscope.vocabulary.settings.settings import Settings

_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")
_SHOWN: Final = 60


@dataclass(frozen=True)
class Loaded:
    """Settings in force; ``lines`` tells where the file gives them, the others are defaults."""

    settings: Settings
    file: str = ""
    lines: Mapping[Place, int] = field(default_factory=dict)

    def origin(self, place: Place) -> str:
        """Where a value comes from: file and line, or ``default``."""
        line = _nearest(place, self.lines) if self._given(place) else None
        return "default" if line is None else f"{self.file}, line {line}"

    def _given(self, place: Place) -> bool:
        value: Any = self.settings
        for part in place:
            if isinstance(part, int):
                value = value[part]
            elif part not in value.model_fields_set:
                return False
            else:
                value = getattr(value, part)
        return True


def load(path: str | PathLike[str] = FILE, *, must_exist: bool = True) -> Loaded:
    """The settings of a file; without the file, if it need not exist, the defaults.

    Raises InputError where it cannot be read, SettingsError where something in it is wrong.
    """
    name = str(path)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        if not must_exist:
            return Loaded(Settings())
        raise InputError.from_os_error(error, name) from error
    except OSError as error:
        raise InputError.from_os_error(error, name) from error
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            [UsageError("it is not UTF-8", f"{name}, line {line}", "save it as UTF-8")]
        ) from error
    # As an editor of another system may leave it.
    return parse(text.removeprefix("\ufeff"), name)


def parse(text: str, name: str) -> Loaded:
    """The settings of a text; ``name`` is how refusals call it.  Raises SettingsError."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_not_toml(str(error), text, name)]) from error
    lines = key_lines(text)
    try:
        return Loaded(Settings.model_validate(_frozen(given)), name, lines)
    except ValidationError as error:
        # A value that fits none of several kinds is told once.
        faults = {
            each["loc"][: _depth(each["loc"])]: each for each in reversed(error.errors(include_url=False))
        }
        told = [_fault(place, each, name, lines) for place, each in faults.items()]
        raise SettingsError([each for _, each in sorted(told, key=lambda pair: pair[0])]) from error


def _frozen(value: Any) -> Any:
    """The same with tuples for lists, so that no other value need be converted: 1 is not true."""
    if isinstance(value, dict):
        return {name: _frozen(each) for name, each in value.items()}
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def _not_toml(words: str, text: str, name: str) -> UsageError:
    found = _PLACE.search(words)
    line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
    what = f"it is not TOML: {_PLACE.sub('', words)}"
    return UsageError(what, f"{name}, line {line}", 'write NAME = VALUE, with texts in quotes: "..."')


def _depth(place: Place) -> int:
    """How much of a place is ours; behind it pydantic names alternatives of a type."""
    for depth in range(len(place), 0, -1):
        here = place[:depth]
        if setting_at(here) is not None or table_at(here) is not None or table_at(here[:-1]) is not None:
            return depth
    return len(place)


def _fault(
    place: Place, error: ErrorDetails, name: str, lines: Mapping[Place, int]
) -> tuple[int, UsageError]:
    line = _nearest(place, lines) or 1
    where = f"{name}, line {line}"
    label = _label(place)
    setting = setting_at(place)
    match error["type"]:
        case "extra_forbidden":
            return line, UsageError(f"there is no setting '{label}'", where, _instead(place))
        case "missing":
            what = f"'{place[-1]}' is missing in {_label(place[:-1])}"
            return line, UsageError(what, where, f"give {setting.allowed}" if setting else "")
        case "value_error" if setting is None:
            # A table whose values do not go together says so itself.
            return line, UsageError(f"{label}: {error['ctx']['error']!s}", where, "see docs/settings.md")
    if setting is None:
        table = table_at(place)
        wanted = f"[{label}]" if table else "a value"
        return line, UsageError(
            f"'{label}' is a table, not {_shown(error['input'])}", where, f"write {wanted}"
        )
    advice = f"give {setting.allowed}"
    if isinstance(place[-1], int):
        advice = f"give {setting.allowed.removeprefix(EACH)}"
    elif setting.default:
        advice += f"; the default is {setting.default}"
    return line, UsageError(f"'{label}' cannot be {_shown(error['input'])}", where, advice)


def _shown(value: object) -> str:
    """A value as a person wrote it, cut where it is long."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = f'"{value}"'
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
        case _:
            text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _label(place: Place) -> str:
    """A place as people write it: ``receiver.listen[1].port`` counts from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _instead(place: Place) -> str:
    """What may have been meant by a name that does not exist."""
    table, wrong = table_at(place[:-1]), str(place[-1])
    assert table is not None
    here = table.keys
    near = get_close_matches(wrong, here, 1, 0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    elsewhere = [each for each in tables() if wrong in each.keys and each is not table]
    if elsewhere:
        return f"it belongs into {elsewhere[0].heading or 'the part before the first table'}"
    near = get_close_matches(wrong, {key for each in tables() for key in each.keys}, 1, 0.75)
    if near:
        others = [
            each.heading or "the part before the first table" for each in tables() if near[0] in each.keys
        ]
        return f"did you mean '{near[0]}' of {' or '.join(others)}?"
    return f"known here: {', '.join(here)}"


def _nearest(place: Place, lines: Mapping[Place, int]) -> int | None:
    """The line of a place, or of what holds it."""
    for depth in range(len(place), 0, -1):
        if place[:depth] in lines:
            return lines[place[:depth]]
    return None

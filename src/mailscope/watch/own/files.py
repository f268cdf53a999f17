"""Files of own detections: read, and refused in words that name the line.

One faulty file never keeps the others from being used.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from string import Formatter
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailscope.vocabulary.errors import InputError, UsageError
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.settings.positions import Place, key_lines
from mailscope.watch.own.columns import instead, kind_of
from mailscope.watch.own.conditions import Condition, ConditionError, condition
from mailscope.watch.own.model import Example, Lines, Own

MOST_FILES: Final = 500
MOST_BYTES: Final = 1 << 20
# What a title may tell beside the group's fields.
TITLE_VALUES: Final = ("value", "minutes", "limit", "usual")
_TOML_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")


@dataclass(frozen=True)
class Definition:
    """A detection as a file gives it.  ``where``: which events; ``part``: which of them a share is of."""

    own: Own
    file: str
    where: Condition
    part: Condition
    lines: Mapping[Place, int]

    def fault(self, place: Place, what: str, advice: str = "") -> UsageError:
        """Something that is wrong at a place of the file."""
        return UsageError(what, f"{self.file}, line {_line(place, self.lines)}", advice)

    @property
    def columns(self) -> frozenset[str]:
        """All columns that it looks at."""
        named = {*self.own.group_by, *((self.own.field,) if self.own.field else ())}
        return frozenset(named) | self.where.columns | self.part.columns


@dataclass(frozen=True)
class Read:
    """What some files give: detections that can be used, and all that is wrong."""

    definitions: tuple[Definition, ...] = ()
    faults: tuple[UsageError | InputError, ...] = ()


def in_directory(directory: str | Path, reserved: Collection[str]) -> Read:
    """The detections of a directory's ``*.toml``; none where there is no such directory."""
    path = Path(directory)
    if not directory or not path.is_dir():
        return Read()
    files = sorted(path.glob("*.toml"))
    read = in_files(files[:MOST_FILES], reserved)
    if len(files) > MOST_FILES:
        over = UsageError(f"it holds more than {MOST_FILES} files", str(path), "the others are left out")
        return Read(read.definitions, (*read.faults, over))
    return read


def in_files(files: Iterable[Path], reserved: Collection[str]) -> Read:
    """The detections of some files.  ``reserved``: names that are taken by others."""
    found: dict[str, Definition] = {}
    faults: list[UsageError | InputError] = []
    for file in files:
        try:
            content = _content(file)
        except InputError as error:
            faults.append(error)
            continue
        definition, wrong = parse(content, str(file))
        if definition is not None:
            name = definition.own.name
            if name in reserved:
                wrong = [
                    definition.fault(("name",), f"'{name}' is a built-in detection", "give another name")
                ]
            elif name in found:
                words = f"'{name}' is the name of {found[name].file}, too"
                wrong = [definition.fault(("name",), words, "give another name")]
            else:
                found[name] = definition
        faults += wrong
    return Read(tuple(found.values()), tuple(faults))


def _content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError.from_os_error(error, file) from error
    if len(data) > MOST_BYTES:
        raise InputError("it is larger than 1 MiB", str(file), "shorten its examples")
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("it is not UTF-8", f"{file}, line {line}", "save it as UTF-8") from error


def parse(text: str, file: str) -> tuple[Definition | None, list[UsageError | InputError]]:
    """A file's detection, and what is wrong in it: with faults there is no detection."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
        what = f"it is not TOML: {_TOML_PLACE.sub('', str(error))}"
        return None, [UsageError(what, f"{file}, line {line}", "write NAME = VALUE, with texts in quotes")]
    lines = key_lines(text)
    try:
        own = Own.model_validate(_frozen(given))
    except ValidationError as error:
        told = [_fault(each, file, lines) for each in error.errors(include_url=False)]
        return None, [fault for _, fault in sorted(told, key=lambda pair: pair[0])]
    always = condition({})
    faults: list[UsageError | InputError] = []
    made = {"where": always, "part": always}
    bare = Definition(own, file, always, always, lines)
    for name in made:
        try:
            made[name] = condition(getattr(own, name), (name,))
        except ConditionError as wrong:
            faults.append(bare.fault(wrong.place, wrong.what, wrong.advice))
    definition = Definition(own, file, made["where"], made["part"], lines)
    faults += _names(definition)
    faults += _measure(definition)
    return (None, faults) if faults else (definition, [])


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _frozen(each) for name, each in value.items()}
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def _names(definition: Definition) -> Iterable[UsageError]:
    """Events, fields and places in texts that do not exist."""
    own = definition.own
    for event in own.events:
        if event not in EVENTS:
            near = get_close_matches(event, EVENTS, 1)
            advice = f"did you mean '{near[0]}'?" if near else "see docs/events.md for all events"
            yield definition.fault(("events",), f"there is no event '{event}'", advice)
    for place, names in (("group_by", own.group_by), ("field", (own.field,) if own.field else ())):
        for name in names:
            if kind_of(name) is None:
                yield definition.fault((place,), f"there is no field '{name}'", instead(name))
    told = (*own.group_by, *TITLE_VALUES)
    texts = [("title", own.title, told), *(("commands", each, own.group_by) for each in own.commands)]
    for place, text, known in texts:
        yield from _places(definition, place, text, known)


def _places(definition: Definition, place: str, text: str, known: tuple[str, ...]) -> Iterable[UsageError]:
    """What is wrong with the ``{places}`` of a text."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        yield definition.fault((place,), f"its braces are wrong: {error}", "write {{ and }} for braces")
        return
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in known or form or conversion:
            yield definition.fault(
                (place,), f"there is no {{{name}}} to tell of", f"there are {', '.join(known) or 'none'}"
            )


def _measure(definition: Definition) -> Iterable[UsageError]:
    """Measure and limits that do not go together."""
    own = definition.own
    if own.measure in ("distinct", "sum"):
        if own.field is None:
            yield definition.fault(("measure",), f"'{own.measure}' of what?", 'give field = "..."')
        elif own.measure == "sum" and kind_of(own.field) not in ("int", "float", None):
            yield definition.fault(("field",), f"'{own.field}' is no number", "'sum' adds up numbers")
    elif own.field is not None:
        yield definition.fault(("field",), f"'{own.measure}' has no field", "leave it out")
    if own.measure == "share" and definition.part.always:
        yield definition.fault(("measure",), "'share' of what?", "give the conditions of the share in [part]")
    if own.measure != "share" and own.part:
        yield definition.fault(("part",), f"'{own.measure}' has no part", "leave it out, or use [where]")
    if own.at_least is None and own.times_usual is None:
        yield definition.fault(("name",), "it has no limit", "give at_least, times_usual or both")
    if own.measure == "share" and own.at_least is not None and own.at_least > 100:
        yield definition.fault(("at_least",), "a share is never more than 100", "give per cent")
    if own.times_usual is not None and own.window_s != 3_600:
        yield definition.fault(
            ("window_s",), "with times_usual hours are compared with hours", "leave it out, or give 3600"
        )
    for number, example in enumerate(own.example):
        if (example.lines is None) == (not example.part):
            advice = "give lines, or [[example.part]]s with lines"
            yield definition.fault(
                ("example", number), "it needs lines of its own or parts, not both", advice
            )


def _fault(error: ErrorDetails, file: str, lines: Mapping[Place, int]) -> tuple[int, UsageError]:
    place: Place = error["loc"]
    line = _line(place, lines)
    where, label = f"{file}, line {line}", ".".join(str(part) for part in place)
    match error["type"]:
        case "extra_forbidden":
            known = tuple(_model(place).model_fields)
            near = get_close_matches(str(place[-1]), known, 1)
            advice = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            return line, UsageError(f"there is no key '{label}'", where, advice)
        case "missing":
            return line, UsageError(f"'{label}' is missing", where, "see docs/own-detections.md")
    words = error["msg"].removeprefix("Input should be ")
    given = error["input"]
    shown = "this" if isinstance(given, dict | tuple) else repr(given)[:60]
    return line, UsageError(f"'{label}' cannot be {shown}", where, f"give {words}")


def _model(place: Place) -> type[Own] | type[Example] | type[Lines]:
    return Own if place[0] != "example" or len(place) == 1 else Lines if "part" in place[1:-1] else Example


def _line(place: Place, lines: Mapping[Place, int]) -> int:
    """The line of a place, or of what holds it."""
    return next((lines[place[:depth]] for depth in range(len(place), 0, -1) if place[:depth] in lines), 1)

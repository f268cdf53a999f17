"""Reading one pattern file: its program header and its patterns."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from mailscope.recognise.leading import Leading
from mailscope.recognise.opening import Opening
from mailscope.recognise.pattern import Example, Pattern, check_event_name, expand
from mailscope.recognise.queue_id import STRIPS
from mailscope.vocabulary.errors import PatternError
from mailscope.vocabulary.fields import BY_NAME

# What may stand in a pattern file, and of which type it is.
PROGRAM_KEYS: Final[dict[str, type]] = {
    "name": str,
    "service": str,
    "tags": list,
    "family": str,
    "includes": list,
    "strip": str,
    "queue": str,
    "leading": str,
    "bare": bool,
    "rank": int,
    "prefix": str,
    "nameless": list,
    "inside": str,
    "meaning": str,
}
EVENT_KEYS: Final[dict[str, type]] = {
    "event": str,
    "match": str,
    "meaning": str,
    "set": dict,
    "fallback": bool,
    "example": list,
    "not_example": list,
}
EXAMPLE_KEYS: Final[dict[str, type]] = {"text": str, "fields": dict}
TYPE_NAMES: Final[dict[type, str]] = {
    str: "a text", list: "a list", bool: "true or false", int: "a whole number", dict: "a table"
}  # fmt: skip
FIRST_EVENT: Final = re.compile(r"^\[\[event\]\]", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """What one pattern file says: whose lines it reads, and its patterns in order.

    The patterns are read from ``events`` (the file's text after its header) when first asked for: a
    log of one MTA should not pay for the patterns of all others.

    ``rank`` orders the programs of a family where the tag names only that: those of a higher rank are
    asked after the others, because their lines are rarer or look like another's.

    ``opening`` tells how lines of programs begin that log through this one; they name it in ``inside``, and
    their tags are the names that stand there.  ``strip`` is the way in which the queue id stands in
    front of a text (``queue_id.STRIPS``), None where it does not.  ``nameless``: how lines look on which the
    program leaves its own name out, each a regex for the tag and one for the beginning of the text.
    ``leading``: what is taken off their texts first.  ``queue``: a name that programs have in
    common whose queue ids are those of one queue.
    """

    name: str
    file: str
    service: str | None
    tags: tuple[re.Pattern[str], ...]
    family: str | None
    includes: tuple[str, ...]
    strip: str | None
    bare: bool
    rank: int
    events: str
    opening: Opening | None = None
    nameless: tuple[tuple[str, str], ...] = ()
    inside: str | None = None
    leading: Leading | None = None
    queue: str | None = None

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """The file's patterns, in order.  Raises PatternError for a wrong one."""
        data = _toml(self.file, self.events)
        _accept(data, {"event": list}, self.file)
        return tuple(
            _pattern(self.file, index, entry) for index, entry in enumerate(data.get("event", ()), 1)
        )


def parse_program(name: str, file: str, content: str, *, whole: bool = True) -> Program:
    """Read the text of a pattern file; with ``whole``, its patterns at once.

    Raises PatternError naming the file, the event and what is wrong.
    """
    begin = FIRST_EVENT.search(content)
    at = begin.start() if begin else len(content)
    # The header keeps its line numbers, and so do the events, in the messages of the TOML reader.
    head, events = content[:at], "\n" * content.count("\n", 0, at) + content[at:]
    data = _toml(file, head)
    _accept(data, {"program": dict}, file)
    header = data.get("program", {})
    _accept(header, PROGRAM_KEYS, f"{file} [program]")
    if header.get("name", name) != name:
        raise PatternError(
            file, None, f"program.name is '{header['name']}'", f"it must be the file's path, '{name}'"
        )
    if header.get("strip") not in (None, *STRIPS):
        raise PatternError(
            file, None, f"program.strip is '{header['strip']}'", f"it must be one of {', '.join(STRIPS)}"
        )
    program = Program(
        name=name,
        file=file,
        service=header.get("service"),
        tags=tuple(_tag(tag, f"{file} tags") for tag in header.get("tags", ())),
        family=header.get("family"),
        includes=tuple(header.get("includes", ())),
        strip=header.get("strip"),
        bare=bool(header.get("bare", False)),
        rank=int(header.get("rank", 0)),
        events=events,
        opening=_opening(header.get("prefix"), f"{file} prefix"),
        nameless=tuple(_nameless(each, f"{file} nameless") for each in header.get("nameless", ())),
        inside=header.get("inside"),
        leading=_leading(header.get("leading"), f"{file} leading", whole=whole),
        queue=header.get("queue"),
    )
    if program.nameless and not any(tag.fullmatch(program.service or "") for tag in program.tags):
        raise PatternError(file, None, "'nameless' needs a service that is one of the tags", "name it")
    if whole:
        for pattern in program.patterns:
            pattern.validate()
    return program


def _toml(file: str, content: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise PatternError(file, None, f"not TOML: {error}", "correct the file") from error


def _tag(tag: object, where: str) -> re.Pattern[str]:
    if not isinstance(tag, str):
        raise PatternError(where, None, "a tag is not a text", "write tags = ['name']")
    try:
        return re.compile(expand(tag, where), re.ASCII)
    except re.error as error:
        raise PatternError(where, None, f"not a regex: {error}", "correct 'tags'") from error


def _opening(regex: str | None, where: str) -> Opening | None:
    if regex is None:
        return None
    opening = Opening(expand(regex, where, groups=False))
    fault = opening.faults()
    if fault:
        raise PatternError(where, None, fault, "correct 'prefix'")
    return opening


def _leading(regex: str | None, where: str, *, whole: bool) -> Leading | None:
    if regex is None:
        return None
    leading = Leading(expand(regex, where, groups=False))
    # Of our own files, the check sees to it: compiling takes longer than many a log.
    fault = leading.faults() if whole else None
    if fault:
        raise PatternError(where, None, fault, "correct 'leading'")
    return leading


def _nameless(pair: object, where: str) -> tuple[str, str]:
    """The regexes for the tag and for the beginning of the text."""
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
        raise PatternError(where, None, "it is not a pair of texts", "write ['tag', 'beginning of the text']")
    tag, text = (expand(part, where) for part in pair)
    for part in (tag, text):
        try:
            re.compile(part, re.ASCII)
        except re.error as error:
            raise PatternError(where, None, f"not a regex: {error}", "correct 'nameless'") from error
    return tag, text


def _pattern(file: str, index: int, entry: Mapping[str, Any]) -> Pattern:
    where = f"{file} event {index}"
    _accept(entry, EVENT_KEYS, where)
    for key in ("event", "match", "meaning"):
        if not entry.get(key):
            raise PatternError(where, None, f"'{key}' is missing", f"every event needs a text '{key}'")
    check_event_name(entry["event"], where)
    constants = dict(entry.get("set", {}))
    for name in constants:
        if name not in BY_NAME:
            raise PatternError(where, None, f"unknown field '{name}' in set", "use a vocabulary field")
    return Pattern(
        file=file,
        index=index,
        event=entry["event"],
        match=entry["match"],
        meaning=entry["meaning"],
        constants=constants,
        fallback=bool(entry.get("fallback", False)),
        examples=tuple(_example(example, EXAMPLE_KEYS, where) for example in entry.get("example", ())),
        not_examples=tuple(
            _example(example, {"text": str}, where).text for example in entry.get("not_example", ())
        ),
    )


def _example(example: Mapping[str, Any], keys: Mapping[str, type], where: str) -> Example:
    _accept(example, keys, f"{where} example")
    if "text" not in example:
        raise PatternError(f"{where} example", None, "'text' is missing", "write the text of a log line")
    return Example(example["text"], dict(example.get("fields", {})))


def _accept(mapping: object, keys: Mapping[str, type], where: str) -> None:
    """Refuse what is no table, keys that mean nothing here, and values of another type."""
    if not isinstance(mapping, Mapping):
        raise PatternError(where, None, "it is not a table", "see docs/patterns.md")
    for key, value in mapping.items():
        if key not in keys:
            raise PatternError(where, None, f"unknown key '{key}'", f"allowed: {', '.join(sorted(keys))}")
        if not isinstance(value, keys[key]):
            raise PatternError(where, None, f"'{key}' is not {TYPE_NAMES[keys[key]]}", "correct it")

"""The self-check of pattern files: the examples are the tests.

Every pattern has an example; every example is matched by exactly one ordinary pattern of its program
(or, for a fallback, by no ordinary one and by that fallback first) and gives exactly the record
written beside it; no near miss matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailscope.recognise.engine import DEEP, SHALLOW
from mailscope.recognise.library import Library
from mailscope.recognise.opening import Opening
from mailscope.recognise.pattern import Pattern, Value, typed
from mailscope.recognise.program import Program
from mailscope.recognise.queue_id import split_queue_id
from mailscope.vocabulary.errors import PatternError


def check(library: Library, names: Iterable[str] = ()) -> Iterator[str]:
    """Yield one plain sentence for each thing wrong in the named files (default: in all)."""
    wanted = tuple(names) or tuple(library.programs)
    told: set[str] = set()
    for name in wanted:
        if name not in library.programs:
            yield f"{name}: there is no such pattern file"
            continue
        program = library.programs[name]
        readers = library.includers(name)
        readers = readers if not program.tags and not program.bare and readers else [program]
        if program.patterns and not program.tags and not program.bare and readers == [program]:
            yield f"{program.file}: it has no tags and no program includes it"
        fault = program.leading.faults() if program.leading is not None else None
        if fault:
            yield f"{program.file} leading: {fault}"
            continue
        broken = dict.fromkeys(_broken(library, [program, *readers]))
        yield from (fault for fault in broken if fault not in told)
        told |= broken.keys()
        if not broken:
            for pattern in program.patterns:
                yield from check_pattern(library, readers, pattern)


def _broken(library: Library, readers: Iterable[Program]) -> Iterator[str]:
    """What keeps patterns from being tried at all: examples say nothing until it is corrected."""
    for reader in readers:
        for pattern in library.patterns_of(reader):
            try:
                pattern.validate()
            except PatternError as error:
                yield str(error)


def check_pattern(library: Library, readers: list[Program], pattern: Pattern) -> Iterator[str]:
    """What is wrong with one pattern, held against all patterns of the programs that use it."""
    if not pattern.examples:
        yield f"{pattern.label}: it has no example"
    for needless in ("\\d", "\\w", "\\s", "\\D", "\\W", "\\S"):
        if needless in pattern.expanded:
            yield f"{pattern.label}: write an ASCII class instead of {needless}"
    for example in pattern.examples:
        if "\n" in example.text:
            yield f"{pattern.label}: an example holds a line feed, which no log line can"
        for reader in readers:
            yield from _check_example(library, reader, pattern, example.text, example.fields)
    for text in pattern.not_examples:
        for reader in readers:
            if read_text(pattern, reader, text, library.opening_of(reader)) is not None:
                yield f"{pattern.label}: it matches its not_example {text!r}"


def _check_example(
    library: Library, reader: Program, pattern: Pattern, text: str, fields: object
) -> Iterator[str]:
    opening = library.opening_of(reader)
    record = read_text(pattern, reader, text, opening)
    if record is None:
        yield f"{pattern.label}: its example does not match (as {reader.name}): {text!r}"
        return
    if record != fields:
        yield f"{pattern.label}: its example gives {record}, expected {fields}: {text!r}"
    for other in library.patterns_of(reader):
        if other is pattern or read_text(other, reader, text, opening) is None:
            continue
        if not other.fallback and not pattern.fallback:
            yield f"{pattern.label}: its example is matched by {other.label} as well: {text!r}"
        elif pattern.fallback and not other.fallback:
            yield f"{pattern.label}: its example is taken by {other.label}: {text!r}"
        elif pattern.fallback and other.fallback and _comes_first(library, reader, other, pattern, text):
            yield f"{pattern.label}: its example is taken by {other.label}, tried before: {text!r}"


def _comes_first(library: Library, reader: Program, one: Pattern, two: Pattern, text: str) -> bool:
    """Whether the engine may try ``one`` before ``two``: the longer beginning first, then as they stand."""
    if reader.strip:
        _, text = split_queue_id(text)
    order = {id(pattern): place for place, pattern in enumerate(library.patterns_of(reader))}

    def place(pattern: Pattern, depth: int) -> tuple[int, int]:
        return -(pattern.agreement(text[:depth], depth) or 0), order[id(pattern)]

    return any(place(one, depth) < place(two, depth) for depth in (SHALLOW, DEEP))


def read_text(
    pattern: Pattern, reader: Program, text: str, opening: Opening | None = None
) -> dict[str, Value] | None:
    """The whole record of one text, with the queue id where the program's texts begin with one.

    ``opening`` is how texts begin of a program that logs through another one; a text without such a
    beginning is taken as it is.
    """
    queue_id = None
    given: dict[str, str] = {}
    begun = opening.read(text) if opening is not None else None
    if begun is not None:
        _, given, text = begun
    if reader.strip:
        queue_id, text = split_queue_id(text, reader.strip)
    if reader.leading is not None:
        queue_id, text = reader.leading.read(text)
    record = pattern.read(text)
    if record is not None and queue_id is not None:
        record["queue_id"] = queue_id
    if record is not None:
        record = {name: typed(name, value) for name, value in given.items()} | record
    return record

"""Everything that can be wrong with an own detection beside what its file's reading tells."""

from __future__ import annotations

from collections.abc import Iterator

from mailscope.recognise.library import Library
from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.watch.own.columns import ALWAYS, DERIVED
from mailscope.watch.own.detection import UNRECOGNISED
from mailscope.watch.own.examples import found_in, log_of
from mailscope.watch.own.files import Definition
from mailscope.watch.own.model import Example


def check(definition: Definition, library: Library) -> Iterator[UsageError]:
    """All faults, in the order of what matters first; the examples are run last."""
    yield from _never_there(definition, library)
    yield from _examples(definition, library)


def fields_of(events: tuple[str, ...], library: Library) -> frozenset[str]:
    """The fields that some kinds of event may have, by the patterns in force."""
    return frozenset(
        name
        for program in library.programs.values()
        for pattern in program.patterns
        if pattern.event in events
        for name in (*pattern.captures, *pattern.constants)
    )


def _never_there(definition: Definition, library: Library) -> Iterator[UsageError]:
    """Fields that its events never have: it would count nothing, for ever."""
    own = definition.own
    have = fields_of(own.events, library) | set(ALWAYS)
    events = ", ".join(own.events)
    places: list[tuple[tuple[str, ...], str]] = [(("group_by",), name) for name in own.group_by]
    places += [(("field",), own.field)] if own.field else []
    places += [(("where", name), name) for name in sorted(definition.where.columns)]
    places += [(("part", name), name) for name in sorted(definition.part.columns)]
    for place, name in places:
        needed = DERIVED[name].bases if name in DERIVED else (name,)
        if not have.intersection(needed):
            known = ", ".join(sorted(have - set(ALWAYS))) or "none of their own"
            yield definition.fault(place, f"events {events} never have '{name}'", f"they have {known}")
    known_events = {pattern.event for each in library.programs.values() for pattern in each.patterns}
    for event in own.events:
        if event not in known_events | {UNRECOGNISED}:
            yield definition.fault(("events",), f"no pattern gives the event '{event}'", "see docs/events.md")


def _examples(definition: Definition, library: Library) -> Iterator[UsageError]:
    examples = definition.own.example
    for fires, words in ((True, "on which it fires"), (False, "on which it stays quiet")):
        if not any(each.fires is fires for each in examples):
            flag = str(fires).lower()
            yield definition.fault(
                ("name",), f"there is no example {words}", f"add an [[example]] with fires = {flag}"
            )
    for number, example in enumerate(examples):
        told = _told(definition, example, library)
        if told:
            yield definition.fault(("example", number), f"example {number + 1}: {told}", _why(example))


def _told(definition: Definition, example: Example, library: Library) -> str:
    """What is wrong with an example; empty where nothing is."""
    try:
        found, met = found_in(definition, log_of(example), library)
    except (MailscopeError, ValueError) as error:
        return str(error)
    if not met:
        return f"none of its lines is an event {', '.join(definition.own.events)}"
    titles = "; ".join(str(each.title) for each in found[:3])
    if not example.fires:
        return f"it should stay quiet and finds: {titles}" if found else ""
    if not found:
        return "it should fire and finds nothing"
    subjects = sorted(sorted(each.subject.items()) for each in found)
    wanted = sorted(sorted(each.items()) for each in example.subjects)
    return f"it finds {subjects} and not {wanted}" if wanted and subjects != wanted else ""


def _why(example: Example) -> str:
    first = (example.part[0].lines if example.part else example.lines or "").strip().partition("\n")[0]
    return f"see how its lines are read: mailscope patterns try '{first[:60]}...'"

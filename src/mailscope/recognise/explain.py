"""How one log line is read, step by step: for whoever writes a pattern or doubts one.

In: a line as it stands in a log, or the bare text of one.  Out: a dictionary for people and for JSON:

    envelope     time, time_quality, host, program, pid, priority: what stands before the text
    text         what is matched, with the queue id if there is one
    event        the event word; ``unrecognised`` if no pattern knows the line
    pattern      file, number, match and meaning of the pattern that knows it
    fields       the whole record, as ``events`` would give it
    candidates   if none knows it: the patterns that get farthest into the text, and where they stop
    covered      whether any pattern file knows the program
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.intake import priority
from mailscope.intake.clock import Clock
from mailscope.intake.envelopes.header import QUALITIES, Header
from mailscope.intake.lines import parse_lines
from mailscope.recognise.check import read_text
from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library, in_force
from mailscope.recognise.nearest import nearest
from mailscope.recognise.pattern import Pattern
from mailscope.recognise.program import Program
from mailscope.recognise.queue_id import split_queue_id
from mailscope.recognise.recognised import Recognised
from mailscope.recognise.replies import completed
from mailscope.vocabulary.errors import UsageError

MOST_CANDIDATES: Final = 5
UNRECOGNISED: Final = "unrecognised"
# No program writes this.
ANY_TEXT: Final = "\u2423 ;zq\u2423"
GENERAL: Final = frozenset({"noted", "warned", "failed", "debugged"})


def explain_line(line: str, directory: Path | None = None, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """Say how a line is read.

    In: the line; a directory of more pattern files; the zone of stamps without one (default UTC).
    Raises UsageError for an empty line, PatternError for a broken pattern file.
    """
    line = line.strip("\r\n")
    if not line.strip() or "\n" in line:
        raise UsageError("it is not one line of a log", "LINE", "give one whole line, in quotes")
    library = in_force(directory)
    header = parse_lines(line.encode(errors="replace")).header
    recognised = Engine(library).recognise(header.tag, header.text)
    envelope = _envelope(header, recognised, zone or ZoneInfo("UTC"))
    text = recognised.text[0]
    known: dict[str, Any] = {"envelope": envelope, "text": text}
    if recognised.parts:
        part = recognised.parts[0]
        frame = completed(part.pattern.event, part.frame)
        record = {name: value for name, value in frame.row(0, named=True).items() if value is not None}
        del record["row"]
        if part.service is not None:
            envelope.setdefault("service", part.service)
        return known | _read_by(part.pattern, dict(part.pattern.constants) | record)
    program = envelope.get("program")
    if program is None:
        # Without a tag, nothing tells that qmail wrote it.
        envelope.pop("service", None)
        bare = _readers_of_bare_text(library, text)
        if bare:
            return known | bare
    covered = program is None or library.reading(program) is not None
    candidates = _candidates(library, program, text)
    return known | {"event": UNRECOGNISED, "covered": covered, "candidates": candidates}


def _envelope(header: Header, recognised: Recognised, zone: ZoneInfo) -> dict[str, Any]:
    time, quality = Clock("LINE", zone, datetime.now(UTC)).instants(header)
    code = quality if isinstance(quality, int) else int(quality[0])
    tag = recognised.tags.row(recognised.tag_code[0], named=True)
    facility, severity = (None, None) if header.pri is None else (s[0] for s in priority.names(header.pri))
    found = {
        "time": None if time[0] is None else f"{time[0]:%Y-%m-%dT%H:%M:%S.%f}Z",
        "time_quality": QUALITIES[code],
        "host": header.host if isinstance(header.host, str | None) else header.host[0],
        "program": tag["program"] or None,
        "service": tag["service"],
        "instance": tag["instance"],
        "pid": tag["pid"],
        "facility": facility,
        "severity": severity,
    }
    return {name: value for name, value in found.items() if value is not None}


def _read_by(pattern: Pattern, record: dict[str, Any]) -> dict[str, Any]:
    return {"event": pattern.event, "pattern": _shown(pattern), "fields": record}


def _shown(pattern: Pattern) -> dict[str, Any]:
    return {
        "file": pattern.file,
        "number": pattern.index,
        "event": pattern.event,
        "match": pattern.match,
        "meaning": pattern.meaning,
    }


def _readers_of_bare_text(library: Library, text: str) -> dict[str, Any] | None:
    """A text without envelope: held against all patterns; the programs that know it are named."""
    found: list[tuple[Program, Pattern, dict[str, Any]]] = []
    for program in library.programs.values():
        if not program.tags and not program.bare:
            continue
        for pattern in sorted(library.patterns_of(program), key=lambda pattern: pattern.fallback):
            record = read_text(pattern, program, text, library.opening_of(program))
            if record is not None and not knows_anything(pattern):
                found.append((program, pattern, record))
                break
    # What the general words of an included file know, or a pattern that tells no more than how grave a line
    # is, is the poorer explanation.
    found.sort(key=lambda entry: (entry[1].fallback, entry[1].event in GENERAL))
    if not found:
        return None
    _, pattern, record = found[0]
    readers = [program.name for program, other, _ in found if other is pattern]
    others = sorted({other.label for _, other, _ in found if other is not pattern})
    return _read_by(pattern, record) | {"programs": readers} | ({"also": others} if others else {})


def knows_anything(pattern: Pattern) -> bool:
    """Whether a pattern takes any text, which is right behind its program's tag and tells nothing without."""
    return pattern.literal == "" and pattern.compiled.match(ANY_TEXT) is not None


def _candidates(library: Library, program: str | None, text: str) -> list[dict[str, Any]]:
    """The patterns of the program (of all, where no program is named) that get farthest into the text."""
    strip = None
    if program is None:
        patterns = [pattern for each in library.programs.values() for pattern in each.patterns]
    else:
        reading = library.reading(program)
        patterns = [] if reading is None else [pattern for pattern, _ in reading.patterns]
        strip = reading.strip if reading else None
    leading = reading.leading if program is not None and reading is not None else None
    body = split_queue_id(text, strip or "queue_id")[1] if leading is None else leading.read(text)[1]
    return [
        _shown(near.pattern) | {"matches": body[: near.reached], "stops_at": body[near.reached :]}
        for near in nearest(patterns, body, MOST_CANDIDATES)
    ]

"""Traces for the tests of steps: real ones of Postfix 3.7, and the same in the other forms that strace writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mailscope.intake.files import expand
from mailscope.steps.strace.calls import Trace, read_trace
from mailscope.steps.strace.story import Told, tell
from mailscope.steps.way import Act, Way

DATA: Final = Path(__file__).parents[1] / "data" / "strace"
# strace -ff -ttt -s 200 -yy -p of master and its children: four messages, the last one bounced.
FF: Final = tuple(sorted((DATA / "ff").glob("pid.*")))
LOCAL, REMOTE, BOTH, BOUNCED = "4jXGQm3WlLzCb6X", "4jXGQm4Tx4zCb6P", "4jXGQm6g7XzCb6X", "4jXGQq6tQbzCb6g"


def traces(paths: Sequence[Path]) -> list[Trace]:
    expansion = expand([str(path) for path in paths])
    assert not expansion.problems
    return [read_trace(source, number) for number, source in enumerate(expansion.sources)]


def told(*paths: Path) -> Told:
    return tell(traces(paths))


def told_of(text: str, place: Path) -> Told:
    """What one file of this text tells."""
    place.write_text(text, encoding="utf-8")
    return told(place)


def way_of(found: Told, queue_id: str) -> Way:
    (way,) = [way for way in found.ways if queue_id in way.queue_ids]
    return way


def brief(act: Act) -> str:
    """An act without process ids: by > to: words."""
    to = f" > {act.to.name}" if act.to is not None else ""
    return f"{act.by.name}{to}: {act.words}"


def together(change: Callable[[str], str] = lambda line: line) -> str:
    """The files of -ff as -f writes them: one file, every line with its process id, by time."""
    rows = []
    for path in FF:
        pid = path.suffix[1:]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            rows.append((float(line.partition(" ")[0]), pid, number, line))
    rows.sort(key=lambda row: row[0])
    return "".join(f"{pid}{' ' * (6 - len(pid))}{change(line)}\n" for _, pid, _, line in rows)


def without_y(line: str) -> str:
    """Without what -yy tells of descriptors."""
    return re.sub(r"(?<=[0-9D])<(?:[^<>-]|->|-(?!>))*>", "", line)


def short(line: str) -> str:
    """With strings of 32 characters at most, as without -s."""
    if "execve(" in line or "sun_path" in line or '", "' in line or "openat" in line or "unlink" in line:
        return line
    return re.sub(r'"((?:[^"\\]|\\[0-7]{1,3}|\\.){32})(?:[^"\\]|\\.)+"(?:\.\.\.)?', r'"\1"...', line)

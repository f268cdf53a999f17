"""Log files as a feed: those that are named, and those that appear under a name that fits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mailscope.intake.follow.log import FollowedLog, Name, Start
from mailscope.intake.follow.naming import Followed, found, is_log, is_many, one
from mailscope.intake.follow.position import nothing_before, positions_of
from mailscope.intake.live import Arrival, Resume

__all__ = ["FileFeed", "Followed"]

_SEARCH_S: Final = 2.0  # between two searches for new logs
_MOST_LINES_OF_PROBLEMS: Final = 50


class FileFeed:
    """A Feed (``live.py``) of log files.

    In: what to follow; the resume points that the store holds, by source (others' are left alone); a clock in
    seconds that never goes back.  Raises InputError for a damaged resume point.
    """

    def __init__(
        self,
        followed: Sequence[Followed],
        resumes: Mapping[str, Resume] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._followed = list(followed)
        self._clock = clock
        self._resumes = dict(resumes or {})
        self._logs: dict[str, FollowedLog] = {}
        self._none: dict[str, tuple[int, int]] = {}  # sets that are no logs: what was looked at
        self.notes: list[str] = []
        self._turn = 0
        self._many: set[int] = set()
        known = [(source, str(resume.get("path") or "")) for source, resume in self._resumes.items()]
        # Where something was followed before, a log that is not known has appeared since: all of it is new.
        self._starts: list[Start] = [
            "beginning" if each.start == "end" and any(each.covers(*one) for one in known) else each.start
            for each in self._followed
        ]
        self._since_ns = time.time_ns()
        self._begun = False
        self._search()
        for log in self._logs.values():
            log.look()
        self._begun = True  # what appears from now on is new

    def take(self, limit_bytes: int) -> Sequence[Arrival]:
        """What has come since the last time, about so many bytes; never waits."""
        if self._clock() - self._searched_at >= _SEARCH_S:
            self._search()
        logs = list(self._logs.values())
        # Each time another log comes first, so that a busy one does not keep the others back.
        self._turn = (self._turn + 1) % max(len(logs), 1)
        arrivals: list[Arrival] = []
        for log in (*logs[self._turn :], *logs[: self._turn]):
            log.look()
            came = log.take(limit_bytes)
            limit_bytes = max(limit_bytes - sum(len(arrival.data) for arrival in came), 0)
            arrivals += came
        return arrivals

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        """Nothing to do: the files stay as they are, the resume points are the store's."""

    def problems(self) -> Sequence[str]:
        """What goes wrong just now, one line each."""
        lines = [line for log in self._logs.values() for line in log.problems()]
        more = len(lines) - _MOST_LINES_OF_PROBLEMS
        return [*lines[:_MOST_LINES_OF_PROBLEMS], f"{more} more problems of this kind"] if more > 0 else lines

    def end(self) -> bool:
        """Nothing has to be taken: it is in the files, and the store holds how far they were read."""
        return False

    def waiting_bytes(self) -> dict[str, int]:
        """How much of each log is not taken yet, by source; may be asked by any thread."""
        return {source: log.waiting_bytes() for source, log in list(self._logs.items())}

    def close(self) -> None:
        """Let go of the files."""
        for log in self._logs.values():
            log.close()

    def _search(self) -> None:
        self._searched_at = self._clock()
        there: set[str] = set()
        for number, followed in enumerate(self._followed):
            if number not in self._many and not is_many(followed):
                name = one(followed)
                there.add(name.source)
                self._add(name, self._starts[number])
                continue
            if number not in self._many:  # it may have been waited for as a file
                self._many.add(number)
                self._logs.pop(one(followed).source, None)
            for name, text in found(followed):
                there.add(name.source)
                if name.source in self._logs or name.source in self._resumes or self._is_log(name, text):
                    self._add(name, self._starts[number])
        for source in [source for source, log in self._logs.items() if source not in there and log.idle]:
            log = self._logs.pop(source)
            if log.is_known:
                self._resumes[source] = log.resume()
            log.close()

    def _is_log(self, name: Name, text: str) -> bool:
        if (key := _key(text)) is None:
            return False
        if self._none.get(name.source) == key:
            return False
        if is_log(text):
            return True
        self._none[name.source] = key
        return False

    def _add(self, name: Name, start: Start) -> None:
        if name.source in self._logs:
            return
        resume = self._resumes.get(name.source)
        known = [] if resume is None else positions_of(resume, name.source)
        if not known and (other := self._same_file(name)):
            note = f"{name.source}: the same file as {other}, followed once"
            self.notes += [note] if note not in self.notes else []
            return
        if not known and self._begun and start != "oldest":
            known = [nothing_before(name.path, self._since_ns)]
        self._logs[name.source] = FollowedLog(name, start, known, self._clock)

    def _same_file(self, name: Name) -> str | None:
        """The log that follows the same live file under another name."""
        key = _key(name.path)
        return next(
            (log.name.source for log in self._logs.values() if key and _key(log.name.path) == key), None
        )


def _key(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino

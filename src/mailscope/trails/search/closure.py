"""From the lines that match a query to all lines of their messages, and of the messages linked with those.

begin   the query's own lines                         -> queue ids
fetch   all lines of these ids (a pass over all)      -> Message-IDs, ids and pids that they name
probe   a look around the lines that name them        -> queue ids, if they are here
fetch   ... until nothing new is found
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mailscope.intake.reader import ReadReport, Source
from mailscope.trails.search import marks, ties
from mailscope.trails.search.fetch import Fetch
from mailscope.trails.search.find import find
from mailscope.trails.search.lines import lines_at
from mailscope.trails.search.probe import Probe
from mailscope.trails.search.query import Query
from mailscope.trails.search.samples import Samples
from mailscope.trails.search.spans import Holder, Position, Span
from mailscope.trails.search.wants import Found, Wants
from mailscope.trails.search.window import Window

ROUNDS: Final = 16
# Beyond this, links are left out rather than the whole log taken in.
MOST_IDS: Final = 4_000
LOOSE_PER_STORY: Final = 5
# Lines without a message that still tell what became of mail hold one of these, in lower case.
_REFUSALS: Final = (
    b"reject", b"denied", b"deny", b"refus", b"block", b"login failed", b"authentication fail", b"discard",
    b"rbl",
)  # fmt: skip


def _refuses(line: bytes) -> bool:
    """Whether a line may tell of a refusal (its pattern decides)."""
    if b"NOQUEUE: " in line:
        return True
    text = line.lower()
    return any(word in text for word in _REFUSALS)


class Closure:
    """One search.

    ``limit``: how many messages that match are followed; ``window``: of what time and hosts.
    """

    def __init__(
        self, query: Query, files: Sequence[Source], limit: int, window: Window | None = None
    ) -> None:
        self.query = query
        self.files = files
        self.limit = limit
        self.window = None if window is None or window.everything else window
        self.found = Found(reports={number: ReadReport() for number in range(len(files))})
        self.samples = Samples()
        self._holders: dict[bytes, Holder] = {}
        self._asked: set[tuple[str, bytes]] = set()
        # Lines that name the Message-ID and no message's id; they may turn out to be a filter's.
        self._unowned: set[Position] = set()
        self._tried: set[tuple[str, bytes, Position]] = set()

    def run(self) -> Found:
        """Search until nothing new is found."""
        wants = self.begin()
        for _ in range(ROUNDS):
            if wants.ids:
                wants = self.fetch(wants)
            elif wants.near_needles():
                wants = self.probe(wants)
            else:
                break
        self.found.samples = self.samples.kept
        for position in self.found.loose.keys() & self.found.lines.keys():
            del self.found.loose[position]
        self.found.other += len(self._unowned - self.found.lines.keys())
        self.found.unowned = self._unowned & self.found.lines.keys()
        self.found.more += sum(holder.more for holder in self._holders.values())
        return self.found

    # The query's own lines

    def begin(self) -> Wants:
        """Look for the query itself; a queue id is fetched right away, whenever it was used."""
        wants = Wants()
        if self.query.id is not None and self.window is None:
            wants.ids[self.query.id] = None
            return wants
        beyond: set[bytes] = set()
        for position, line in self._matching():
            own = marks.own_id(line, (self.query.id,))
            if own is None:
                self._take_loose(position, line, wants)
            elif own in wants.ids or len(wants.ids) < self.limit:
                wants.id(own, position)
                self.found.matched.add(position)
            else:
                beyond.add(own)
        self.found.more = len(beyond)
        return wants

    def _matching(self) -> Iterator[tuple[Position, bytes]]:
        query = self.query
        for number, source in enumerate(self.files):
            report = self.found.reports[number]
            for block, places in find(source, query.needles, any_case=query.any_case, report=report):
                self.samples.look(number, source, block)
                for position, line in lines_at(number, block, places):
                    if query.matches(line) and (self.window is None or self.window.may_hold(line)):
                        yield position, line

    def _take_loose(self, position: Position, line: bytes, wants: Wants) -> None:
        number = marks.ended(line)
        stores = marks.stores(line)
        message_id = marks.mentioned(line) if stores else None
        if message_id is not None and (
            message_id in wants.message_ids or len(wants.message_ids) < self.limit
        ):
            # A mailbox program's word of a message that the MTA knows by other names.
            wants.message_ids[message_id].add(position)
        if number is None and not stores and not _refuses(line):
            asked = "message-id" in self.query.kinds or bool(ties.named(line))
            if asked and len(self._unowned) < MOST_IDS:
                self._unowned.add(position)
            else:
                self.found.other += 1
            return
        if len(self.found.loose) >= self.limit * LOOSE_PER_STORY:
            if not stores:
                self.found.more += 1
            elif len(self._unowned) < MOST_IDS:
                self._unowned.add(position)  # of a message that is counted under the MTA's name for it
            return
        self.found.loose[position] = line
        self.found.matched.add(position)
        for _, name in ties.told(line):
            wants.tied[name].add(position)
        if number is not None and self.query.kinds != ("delivery",):
            wants.starts[number].add(position)

    # All lines of some ids

    def fetch(self, wants: Wants) -> Wants:
        """One pass over all files; gives what is wanted next."""
        fetch = Fetch(wants.ids, self.limit)
        needles = list(wants.ids)
        for number, source in enumerate(self.files):
            unsampled = number not in self.samples.kept
            if number and source.set_id != self.files[number - 1].set_id:
                fetch.end_set()
            for block, places in find(source, needles, report=self.found.reports[number]):
                if unsampled:
                    self.samples.look(number, source, block)
                fetch.begin_block(number, block)
                for position, line in lines_at(number, block, places):
                    fetch.take(position, line, block)
        upcoming = Wants()
        for name, holder in fetch.holders.items():
            self._keep(name, holder, holder.finish(), upcoming)
        upcoming = self._new_only(upcoming)
        for kind, group in wants.near.items():  # what was found out before and not looked for yet
            for name, anchors in group.items():
                upcoming.near[kind][name] |= anchors
        return upcoming

    def _keep(self, name: bytes, holder: Holder, spans: list[Span], upcoming: Wants) -> None:
        """Enter what was found of an id, and want what its lines name."""
        for span in spans:
            span.hot = True
        known = self._holders.get(name)
        if known is not None:
            have = {span.first for span in holder.spans}
            holder.spans += [span for span in known.spans if span.first not in have]
        self._holders[name] = holder
        is_query = name == self.query.id and self.window is None
        for span in spans:
            for position, line in span.lines.items():
                if is_query:
                    self.found.matched.add(position)
                if position not in self.found.lines:
                    self.found.lines[position] = line
                    _discover(position, line, upcoming)
        for position, line in holder.mentions.items():
            if is_query:
                self.found.matched.add(position)
            if holder.covers(position):
                own, number = marks.own_id(line), marks.ended(line)
                if own is not None:
                    upcoming.id(own, position)
                elif number is not None:
                    upcoming.starts[number].add(position)

    # What they name

    def probe(self, wants: Wants) -> Wants:
        """One look around the lines that name other messages; gives what is wanted next."""
        upcoming = Wants()
        for part in wants.parts():
            probe = self._looked(part)
            named = probe.finish()
            if not part.tied:  # which name no other message
                upcoming = named
            self.found.shared |= probe.shared()
            self.found.rivals |= probe.rivals
            for position, line in probe.beside.items():
                self.found.lines.setdefault(position, line)
                if marks.answered(line):
                    upcoming.answers[marks.ANSWER_NEEDLE].add(position)
        return self._new_only(upcoming)

    def _looked(self, wants: Wants) -> Probe:
        """What was met around the lines that name what is wanted."""
        probe = Probe(wants)
        needles = wants.near_needles()
        for number, source in enumerate(self.files):
            ranges = wants.ranges(number, self.files)
            for block, places in find(source, needles, ranges=ranges, report=self.found.reports[number]):
                for position, line in lines_at(number, block, places):
                    probe.take(position, line)
        return probe

    def _new_only(self, wants: Wants) -> Wants:
        """The same wants without what was asked for before."""
        out = Wants()
        for name, anchors in wants.ids.items():
            for anchor in anchors or ():
                if (
                    len(out.ids) < MOST_IDS
                    and not self._covered(name, anchor)
                    and self._is_new("fetch", name, anchor)
                ):
                    out.id(name, anchor)
        for kind, group in wants.near.items():
            for name, anchors in group.items():
                # An id that is being fetched, or was fetched whole, need not be looked for.
                fresh = {anchor for anchor in anchors if self._is_new(kind, name, anchor)}
                if kind == "id":
                    fresh = {
                        anchor for anchor in fresh if name not in out.ids and not self._covered(name, anchor)
                    }
                if kind == "message_id" and (kind, name) in self._asked:
                    continue
                self._asked.add((kind, name))
                if fresh:
                    out.near[kind][name] = fresh
        return out

    def _covered(self, name: bytes, anchor: Position) -> bool:
        holder = self._holders.get(name)
        return holder is not None and holder.covers(anchor)

    def _is_new(self, kind: str, name: bytes, anchor: Position) -> bool:
        size = len(self._tried)
        self._tried.add((kind, name, anchor))
        return len(self._tried) > size


def _discover(position: Position, line: bytes, upcoming: Wants) -> None:
    for mark, target in marks.named(line):
        if mark.names == "queue_id":
            upcoming.maybe[target].add(position)
        else:
            upcoming.qps[target].add(position)
    for _, name in ties.told(line):
        upcoming.tied[name].add(position)
    info = marks.info_qp(line)
    if info is not None:
        upcoming.qps[info[1]].add(position)
    message_id = marks.message_id(line)
    if message_id is not None:
        upcoming.message_ids[message_id].add(position)
    session = marks.session_told(line)
    if session is not None:
        upcoming.sessions[session].add(position)

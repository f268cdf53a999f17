"""Events carried from the flow to a sink, batch after batch; what was given is not kept."""

from __future__ import annotations

from collections.abc import Callable

from mailscope.exports.forms import Encoder
from mailscope.exports.forms.sinks import Sink
from mailscope.intake.clock import YearDisproved
from mailscope.pipeline import Pipeline
from mailscope.recognise.events import Events
from mailscope.vocabulary.errors import InputError


class Drain:
    """Encodes batches and hands them to a sink.

    In: how batches are encoded; what makes a new, empty sink; after how many events to stop (None: never);
    ``rewind``, which takes back what was given (None where that cannot be done).
    ``written`` counts the events so far, ``lines`` the lines that count (not blank, and of the time and hosts
    asked for).
    """

    def __init__(
        self,
        encode: Encoder,
        sink: Callable[[], Sink],
        limit: int | None = None,
        rewind: Callable[[], None] | None = None,
    ) -> None:
        self.encode = encode
        self.limit = limit
        self.written = 0
        self.lines = 0
        self._new_sink = sink
        self._rewind = rewind
        self.sink = sink()

    @property
    def full(self) -> bool:
        """Whether as many events are given as were asked for."""
        return self.limit is not None and self.written >= self.limit

    def drain(self, pipeline: Pipeline) -> None:
        """Give the events of a whole run, or those up to the limit.

        Raises InputError where a log turns out to cover more years than its beginning told, and what is
        given by then cannot be taken back.
        """
        self.lines = 0
        try:
            for batch in pipeline.batches() if not self.full else ():
                self.write(batch)
                if self.full:
                    break
        except YearDisproved as disproved:
            if self.written and self._rewind is None:
                what = "it covers more years than its beginning tells"
                raise InputError(what, disproved.source, "unpack it and read the plain file") from disproved
            if self.written and self._rewind is not None:
                # The old sink is let go first: what it still has to write must not follow the new beginning.
                del self.sink
                self._rewind()
                self.written = 0
                self.sink = self._new_sink()
            raise

    def write(self, batch: list[Events]) -> None:
        """Give the events of a batch, up to the limit."""
        self.lines += sum(events.read + events.duplicate for events in batch)
        for rows in self.encode(batch):
            if self.limit is not None:
                rows = rows.head(self.limit - self.written)
            if len(rows):
                self.sink.put(rows)
                self.written += len(rows)
            if self.full:
                break

    def close(self) -> None:
        """Finish the sink."""
        self.sink.close()

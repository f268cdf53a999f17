"""Events sent to Elasticsearch or OpenSearch with the bulk API.

Each document has an id made of its line (host, time and the line itself; the n-th of equal lines has
another id than the first), and is only ever created: an event that a retry or a second run sends again is
answered 409 and counts as already there.  In a data stream that holds within one backing index.

Source: the bulk API's reference: one result per action in the order of the actions; 429 and 5xx may be
tried again.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.exports.choice import Choice
from mailscope.exports.destinations.address import Address
from mailscope.exports.destinations.http import LONGEST_REASON, TOO_MANY, HttpDestination, parsed
from mailscope.exports.destinations.posting import Answer
from mailscope.exports.forms import Encoder
from mailscope.exports.forms.ecs import identified
from mailscope.exports.rows import RAW
from mailscope.vocabulary.errors import OutputError

CONFLICT: Final = 409
# Of an answer, only what is looked at.
FILTER: Final = "errors,items.*.status,items.*.error.type,items.*.error.reason"


class Elasticsearch(HttpDestination):
    """An index or data stream."""

    content_type = "application/x-ndjson"
    most_events: ClassVar[int] = 2000
    most_bytes: ClassVar[int] = 4 << 20

    def __init__(self, address: Address, *arguments: Any) -> None:
        super().__init__(address, *arguments)
        self.path = f"{address.path}/{address.index}/_bulk?filter_path={FILTER}"
        self._ids = Ids()

    def encoder(self, choice: Choice) -> Encoder:
        """Documents with what tells their lines apart."""
        return lambda batch: [identified(batch, choice)]

    def put(self, rows: pl.DataFrame) -> None:
        """Send some documents, under ids of their own."""
        super().put(rows.select("line", self._ids.of(rows)))

    def body(self, piece: pl.DataFrame) -> str:
        """One action and one document a line."""
        start, end = pl.lit('{"create":{"_id":"'), pl.lit('"}}\n')
        pairs = piece.select(pl.concat_str([start, pl.col("id"), end, pl.col("line"), pl.lit("\n")]))
        return "".join(pairs.to_series())

    def settle(self, piece: pl.DataFrame, answer: Answer) -> tuple[pl.DataFrame, str]:
        """Read the result of every document."""
        told = parsed(answer)
        if told.get("errors") is False:
            self.counts.sent += len(piece)
            return piece.clear(), ""
        results = [_result(item) for item in told.get("items") or ()]
        if len(results) != len(piece):
            what = "its answer does not tell of every document"
            raise OutputError(what, str(self.address), "check that it is Elasticsearch or OpenSearch")
        again: list[int] = []
        why = ""
        for at, (status, reason) in enumerate(results):
            if 200 <= status < 300:
                self.counts.sent += 1
            elif status == CONFLICT:
                self.counts.already_there += 1
            elif status == TOO_MANY or status >= 500:
                again.append(at)
                why = why or f"it did not take documents ({status} {reason})"
            else:
                self.counts.refuse(1, f"{status} {reason}")
        return piece[again], why


class Ids:
    """Ids of documents, the same for the same lines in every run and release.

    Equal lines are numbered within a batch and the one before it: they have one time, so they stand together.
    """

    def __init__(self) -> None:
        self._before: dict[bytes, int] = {}

    def of(self, rows: pl.DataFrame) -> pl.Series:
        """The ids of some rows that tell their time, host and line."""
        # A hash of a library's own might be another one in its next release; this loop costs about as much
        # as writing the request.
        known = pl.col("time").is_not_null()
        place = pl.concat_str("source", pl.lit("\0"), pl.col("line_number").cast(pl.String))
        key = pl.concat_str(
            pl.col("host").fill_null(""),
            # A line without a time is told by its place.
            pl.when(known).then(pl.col("time")).otherwise(place),
            pl.col(RAW),
            separator="\0",
        )
        here: dict[bytes, int] = {}
        ids = []
        for text in rows.select(key).to_series():
            digest = blake2b(text.encode(), digest_size=16)
            name = digest.digest()
            number = here.get(name, self._before.get(name, 0))
            here[name] = number + 1
            ids.append(digest.hexdigest() if number == 0 else f"{digest.hexdigest()}-{number}")
        self._before = here
        return pl.Series("id", ids, dtype=pl.String)


def _result(item: object) -> tuple[int, str]:
    """Status and reason of one document; 0 where the answer is not of the form."""
    action = next(iter(item.values()), None) if isinstance(item, dict) else None
    if not isinstance(action, dict):
        return 0, "the answer is not understood"
    status, error = action.get("status"), action.get("error")
    reason = (
        f"{error.get('type', '')}: {error.get('reason', '')}" if isinstance(error, dict) else str(error or "")
    )
    return status if isinstance(status, int) else 0, reason[:LONGEST_REASON]

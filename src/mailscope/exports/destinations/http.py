"""Events posted over HTTP: what every answer means, whatever API is spoken."""

from __future__ import annotations

import json
import ssl
from abc import abstractmethod
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.exports.destinations.address import Address
from mailscope.exports.destinations.destination import Destination
from mailscope.exports.destinations.patience import Patience, retry_after
from mailscope.exports.destinations.posting import Answer, Failure, Poster
from mailscope.vocabulary.errors import OutputError

TOO_MANY, TOO_LARGE, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 429, 413, 401, 403, 404
# Come back later (RFC 9110, RFC 6585); all else will be answered alike again.
RETRYABLE: Final = frozenset({408, TOO_MANY, 502, 503, 504})
ADVICE: Final = {
    UNAUTHORIZED: "check the credentials",
    FORBIDDEN: "check what the credentials may do",
    NOT_FOUND: "check the URL",
}
# Words of a server that are shown.
LONGEST_REASON: Final = 300


class HttpDestination(Destination):
    """A server that takes events by POST.

    A piece that is too large for it is sent in halves; ``refusing`` are the statuses that mean that these
    events, not the request as such, are wrong.
    """

    content_type: ClassVar[str]
    path: str
    refusing: ClassVar[frozenset[int]] = frozenset()

    def __init__(
        self,
        address: Address,
        timeout_s: float,
        retry_for_s: float,
        authorization: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, timeout_s, retry_for_s)
        self._poster = Poster(address, timeout_s, authorization, context)

    @abstractmethod
    def body(self, piece: pl.DataFrame) -> str:
        """The request for some events."""

    @abstractmethod
    def settle(self, piece: pl.DataFrame, answer: Answer) -> tuple[pl.DataFrame, str]:
        """Count what an answer with status 200 says of each event; give those to send again, and why."""

    def deliver(self, piece: pl.DataFrame) -> None:
        """Post a piece until every event of it is settled."""
        patience = self.patience()
        while len(piece):
            answer = self._post(piece, patience)
            if answer.status == TOO_LARGE and len(piece) > 1:
                half = len(piece) // 2
                self.deliver(piece.head(half))
                piece = piece.tail(len(piece) - half)
            elif answer.status in RETRYABLE:
                patience.wait(_said(answer), retry_after(answer.retry_after))
            elif 200 <= answer.status < 300:
                left, why = self.settle(piece, answer)
                if len(left) < len(piece):
                    patience.progress()
                if len(left):
                    patience.wait(why, retry_after(answer.retry_after))
                piece = left
            elif answer.status == TOO_LARGE or answer.status in self.refusing:
                self.counts.refuse(len(piece), _said(answer))
                return
            else:
                raise OutputError(_said(answer), str(self.address), ADVICE.get(answer.status, ""))

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def part(self) -> None:
        """Nothing to do: after a failure the connection is closed, and the next request opens one."""

    def _post(self, piece: pl.DataFrame, patience: Patience) -> Answer:
        """An answer, however often it takes to get one."""
        body = self.body(piece).encode()
        return self.tried(patience, lambda: self._posted(body), Failure)

    def _posted(self, body: bytes) -> Answer:
        try:
            return self._poster.post(self.path, body, self.content_type)
        except ssl.SSLCertVerificationError as error:
            what = f"its certificate is not trusted ({error.verify_message})"
            raise OutputError(
                what, str(self.address), "give --ca-file if it has its own authority"
            ) from error


def parsed(answer: Answer) -> dict[str, Any]:
    """An answer's JSON object; an empty one where it is something else."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(answer: Answer) -> str:
    """Status and words of an answer, with the reason that Elasticsearch or OTLP give."""
    body = parsed(answer)
    error = body.get("error")
    inner = error.get("reason") if isinstance(error, dict) else error
    reason = inner if isinstance(inner, str) else body.get("message")
    words = f": {reason[:LONGEST_REASON]}" if isinstance(reason, str) and reason else ""
    return f"it answered {answer.status} {answer.reason}{words}"

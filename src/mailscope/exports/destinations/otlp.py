"""Events sent to an OpenTelemetry collector, or whatever speaks OTLP/HTTP, as JSON.

Source: OTLP 1.x, section OTLP/HTTP: POST to ``/v1/logs``; 429, 502, 503 and 504 may be tried again after
Retry-After; 400 means that the data is wrong; a partial success is not tried again.
"""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from mailscope.exports.destinations.address import Address
from mailscope.exports.destinations.http import LONGEST_REASON, HttpDestination, parsed
from mailscope.exports.destinations.posting import Answer
from mailscope.exports.forms.otlp import request


class Otlp(HttpDestination):
    """A server for OTLP/HTTP."""

    content_type = "application/json"
    most_events: ClassVar[int] = 1000
    most_bytes: ClassVar[int] = 4 << 20
    refusing: ClassVar[frozenset[int]] = frozenset({400})

    def __init__(self, address: Address, *arguments: Any) -> None:
        super().__init__(address, *arguments)
        self.path = f"{address.path}/v1/logs"

    def body(self, piece: pl.DataFrame) -> str:
        """One request with all records."""
        return request(piece)

    def settle(self, piece: pl.DataFrame, answer: Answer) -> tuple[pl.DataFrame, str]:
        """Everything is taken but what a partial success says."""
        partial = parsed(answer).get("partialSuccess")
        refused = 0
        if isinstance(partial, dict):
            # A 64-bit number is a text in Protobuf's JSON.
            number = str(partial.get("rejectedLogRecords") or 0)
            refused = min(int(number), len(piece)) if number.isdecimal() else 0
            if refused:
                self.counts.refuse(
                    refused, str(partial.get("errorMessage") or "no reason given")[:LONGEST_REASON]
                )
        self.counts.sent += len(piece) - refused
        return piece.clear(), ""

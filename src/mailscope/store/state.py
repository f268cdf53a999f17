"""What is under way, as bytes and back: the tracker's messages, deliveries, recipients and hops.

It is written now and then, in the transaction of a batch.  After a restart the lines stored since are
followed once more (``restore.py``), so that it need not be written with each batch.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, TypeVar

import polars as pl

from mailscope.store.following import IDS, StoreTracker
from mailscope.trails import hops, recipients, story
from mailscope.trails.numbered import CARRIED
from mailscope.trails.sessions import lines
from mailscope.trails.sessions.tracker import SessionTracker
from mailscope.vocabulary.bundles import bundled, unbundled

Kind = TypeVar("Kind", bound=StoreTracker)
FORM: Final = 1
# How the state is made; one of another making is not used, and all lines are followed once more.
SHAPE: Final = json.dumps(
    [
        *(FORM, sorted(map(str, story.SCHEMA.items())), sorted(map(str, recipients.SCHEMA.items())), CARRIED),
        sorted(map(str, hops.CLAIMS.items())),
        sorted(map(str, lines.SCHEMA.items())),
        # Keys are hashes, which another version may make otherwise.
        pl.__version__,
    ]
)


def to_bytes(tracker: StoreTracker) -> bytes:
    """The state of a tracker."""
    about = {
        "shape": SHAPE,
        "next_trail": tracker.next_trail,
        "next_session": tracker.sessions.next_session,
        "now": tracker.now.isoformat() if tracker.now else None,
    }
    frames = {
        "open": tracker.open,
        "deliveries": tracker.deliveries.open,
        "recipients": tracker.recipients.open,
        "ids": tracker.ids,
        "claims": tracker.claims,
        "sessions": tracker.sessions.open,
    }
    return bundled(frames, about)


def from_bytes(data: bytes, kind: type[Kind] = StoreTracker) -> Kind | None:  # type: ignore[assignment]
    """The tracker, as it was; None where its state was made by another version and cannot be used.

    ``kind``: which kind of tracker goes on with it.
    """
    rows, about = unbundled(data)
    if about["shape"] != SHAPE:
        return None
    tracker = kind(detail=True, next_trail=about["next_trail"])
    tracker.open, tracker.ids = rows["open"], rows["ids"].cast(IDS)  # type: ignore[arg-type]
    tracker.deliveries.open, tracker.recipients.open = rows["deliveries"], rows["recipients"]
    tracker.claims = rows["claims"]
    tracker.sessions = SessionTracker(rows["sessions"], next_session=about["next_session"])
    tracker.now = datetime.fromisoformat(about["now"]) if about["now"] else None
    return tracker

"""The blocklist as it is asked for, of an open store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from mailscope.store.database import Database
from mailscope.store.findings import AT_LEAST
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.instants import naive, naive_now
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.blocking.formats import FORMATS, as_json
from mailscope.watch.blocking.listing import listed

TEXT: Final = "text/plain; charset=us-ascii"
ASKED: Final = ("format", "severity", "since", "spare")


def blocklist(
    database: Database, settings: Settings, asked: Mapping[str, Sequence[str]], now: datetime | None = None
) -> tuple[bytes, str, str]:
    """The list, what names its contents, and its content type.  Raises UsageError.

    ``asked``: values by name (``ASKED``); all but ``spare`` once.  The name stays as long as the same
    networks are blocked until the same instants.
    """
    for each, values in asked.items():
        if each not in ASKED or (each != "spare" and len(values) > 1):
            raise UsageError(f"'{each}' cannot be asked so", "", f"there are {', '.join(ASKED)}")
    form = _one(asked, "format") or "json"
    severity, since = _one(asked, "severity"), _one(asked, "since")
    if form not in FORMATS:
        raise UsageError(f"there is no format '{form}'", "format", f"there are {', '.join(FORMATS)}")
    if severity is not None and severity not in AT_LEAST:
        raise UsageError(f"there is no severity '{severity}'", "severity", f"there are {', '.join(AT_LEAST)}")
    now = now or naive_now()
    with database.snapshot(views=False) as looking:
        blocks = listed(
            looking, settings, now, severity=severity, since=_instant(since), spare=asked.get("spare", ())
        )
    text = "".join(f"{line}\n" for line in FORMATS[form](blocks, now))
    contents = form + "".join(as_json(blocks, now))
    name = hashlib.sha256(contents.encode()).hexdigest()[:32]
    return text.encode("ascii"), name, "application/x-ndjson" if form == "json" else TEXT


def _one(asked: Mapping[str, Sequence[str]], name: str) -> str | None:
    return next(iter(asked.get(name, ())), None)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is no instant", "since", "give it as 2026-11-27T12:00:00Z") from None
    return naive(found) if found.tzinfo else found

"""The store's blobs (``vocabulary/bundles.py``: tallies of an hour, what is under way), with other texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from mailscope.vocabulary.bundles import bundled, unbundled


def rewritten(
    data: bytes, change: Callable[[str, pl.DataFrame], pl.DataFrame], told: Callable[[Any], Any]
) -> bytes | None:
    """A blob with its frames and what is told about them changed; None where nothing is.

    ``change`` gives back the very frame where it changes nothing.
    """
    frames, about = unbundled(data)
    after = {name: change(name, frame) for name, frame in frames.items()}
    told_after = told(about)
    if told_after == about and all(after[name] is frame for name, frame in frames.items()):
        return None
    return bundled(after, told_after)

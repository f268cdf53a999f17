"""The links of five hosts' logs, found as the logs go by: those that a trace finds by what replies told."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from running import EVERYTHING, run, source

NOW: Final = datetime(2026, 11, 28)  # two of the hosts' stamps have no year
HOSTS: Final = Path(__file__).parents[2] / "examples" / "fivehosts"
LOGS: Final = sorted(path for path in HOSTS.rglob("mail.log"))


def links(logs: list[Path], chunk_bytes: int | None = None) -> list[tuple[Any, ...]]:
    sources = [source(path, mtime=NOW) for path in logs]
    done = run(sources, chunk_bytes=chunk_bytes or EVERYTHING, chunks_a_batch=2, now=NOW)
    names = done.names
    return sorted(
        (
            *(names[row["trail"]][:2], row["kind"], names[row["trail_to"]][:2]),
            *(row["evidence"], row["confidence"]),
        )
        for row in done.rows("links")
    )


def told_by_the_logs() -> Counter[tuple[str, str]]:
    """From which host to which the replies of the site's own hosts say that mail went, recipient by recipient."""
    told: Counter[tuple[str, str]] = Counter()
    for path in LOGS:
        for relay in re.findall(r"relay=([a-z]+)[.]example[.]org\[192.*queued as", path.read_text()):
            told[(path.parent.name, relay)] += 1
    return told


def test_every_hop_of_the_site() -> None:
    found = links(LOGS)
    hops = Counter(
        (mine[0].partition(".")[0], other[0].partition(".")[0])
        for mine, kind, other, *_ in found
        if kind == "relayed"
    )
    assert hops == told_by_the_logs()
    assert hops.total() == 36
    assert Counter(kind for _, kind, *_ in found if kind != "relayed") == {"filtered": 7, "bounced": 6}
    assert {confidence for *_, confidence in found} == {"certain"}
    for mine, kind, other, evidence, _ in found:
        assert evidence.endswith(other[1])
        assert (mine[0] != other[0]) == (kind == "relayed")


def test_neither_the_order_of_the_files_nor_the_cuts_matter() -> None:
    whole = links(LOGS)
    for seed, chunk_bytes in ((1, 2_000), (2, 9_000)):
        logs = LOGS.copy()
        Random(seed).shuffle(logs)
        assert links(logs, chunk_bytes) == whole

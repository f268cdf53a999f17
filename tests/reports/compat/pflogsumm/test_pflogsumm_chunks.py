"""The report is the same wherever a log is cut into chunks, and whichever process takes them apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from pflogsumm_ours import lines

from mailscope.reports.compat.pflogsumm.hands import Hands
from mailscope.reports.compat.pflogsumm.options import Settings, settings
from mailscope.reports.compat.pflogsumm.reading import reader_of, summarise, take_apart
from mailscope.reports.compat.pflogsumm.summary import Summary
from mailscope.reports.compat.pflogsumm.text import report

ROOT = Path(__file__).parents[4]
OWN = sorted((ROOT / "tests" / "data" / "pflogsumm").glob("*.log"))
NOW = datetime(2026, 11, 22, 12)
# Each option that makes lines count which else go at once.
EVERYTHING = {
    "1.3.0": ("-e", "--smtpd-stats", "--pscrn-stats", "--ssl-tls-stats", "--zero-fill"),
    "1.1.5": ("-e", "--smtpd-stats", "--zero-fill"),
}


def wanted(release: str, options: Sequence[str] = ()) -> Settings:
    return settings([*options], release, NOW)


def cut_anywhere(text: Sequence[bytes], chance: random.Random) -> list[bytes]:
    places = sorted({0, len(text), *(chance.randrange(len(text) + 1) for _ in range(4))})
    return [b"".join(text[begin:end]) for begin, end in zip(places, places[1:], strict=False)]


@pytest.mark.parametrize("release", ["1.3.0", "1.1.5"])
@pytest.mark.parametrize("everything", [False, True], ids=["usual", "everything"])
def test_any_cuts_give_the_same(release: str, everything: bool) -> None:
    options = wanted(release, EVERYTHING[release] if everything else ())
    chance = random.Random(release)
    for path in OWN:
        text = lines(path.read_bytes())
        whole = "".join(report(summarise([b"".join(text)], options)))
        for _ in range(3):
            assert "".join(report(summarise(cut_anywhere(text, chance), options))) == whole, path.name


def in_two_processes(chunks: Sequence[bytes], options: Settings) -> Summary:
    """``summarise``, with a second process from the second chunk on."""
    summary, reader = Summary(options), reader_of(options)
    taken: list[int] = []

    def own(chunk: bytes, number: int) -> object:
        taken.append(number)
        return take_apart(chunk, number, reader, options)

    with Hands(options, own, enough_bytes=len(chunks[0])) as hands:  # type: ignore[arg-type]
        for done in hands.in_order(chunks):
            summary.add(done)
    summary.finish()
    assert len(taken) < len(chunks), "the second process did nothing"
    return summary


@pytest.mark.parametrize("release", ["1.3.0", "1.1.5"])
def test_two_processes_give_the_same(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    options = wanted(release, EVERYTHING[release])
    text = [line for path in OWN for line in lines(path.read_bytes().rstrip(b"\n") + b"\n")]
    chunks = cut_anywhere(text, random.Random(release)) + [b"".join(text[:40])] * 60
    whole = "".join(report(summarise([b"".join(chunks)], options)))
    assert "".join(report(in_two_processes(chunks, options))) == whole

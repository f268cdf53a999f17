"""What no single hour, provider or network shows: told in a row, or of many together.

``tests/data/detections/NAME/CASE-fires.log`` and its look-alike ``CASE-quiet.log``, on which nothing is found.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from test_detections import Restarted
from watching import found_in

DATA = Path(__file__).parents[1] / "data" / "detections"
CASES = {
    # Two programs answer each other, each time with a new message.
    ("mail_loop", "answers"): {"sender": "desk@example.org", "recipient": "robot@else.example"},
    # A provider puts off all, at the pace of a small host's mail; quiet: it takes some in between.
    ("provider_blocks", "stuck"): {"provider": "post.example"},
    # Four sites, a few refusals each, name the same list; quiet: two do.
    ("provider_blocks", "listed"): {"blocklist": "bl.list.example"},
    # Three messages an hour to a firm that took them last week; quiet: all of them to one address.
    ("bounce_rate", "in-a-row"): {"domain": "firm.example"},
    # Six names from each of sixteen networks; quiet: as many from four, which may be a mailing.
    ("directory_harvest", "together"): {"clients": "many"},
}


@pytest.mark.parametrize(("name", "case"), CASES)
def test_it_is_found(name: str, case: str) -> None:
    found = found_in(DATA / name / f"{case}-fires.log")
    assert [(each.detection, each.subject) for each in found] == [(name, CASES[name, case])]
    assert found[0].lines


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_look_alike_is_not(name: str, case: str) -> None:
    assert found_in(DATA / name / f"{case}-quiet.log") == []


@pytest.mark.parametrize(("name", "case"), CASES)
def test_neither_cuts_nor_stops_change_it(name: str, case: str) -> None:
    log = DATA / name / f"{case}-fires.log"
    (whole,) = found_in(log, name)
    for size in (7_000, 30_000):
        (cut,) = found_in(log, name, chunk_bytes=size, kind=Restarted)
        assert (cut.subject, cut.severity, cut.found_time) == (
            whole.subject,
            whole.severity,
            whole.found_time,
        )

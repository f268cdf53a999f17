"""20,000 messages a second, as another process sends them; a short run of what the benchmark does at length."""

from __future__ import annotations

import pytest

from reception import receive
from sending import messages

SECONDS = 3
COUNT = 20_000 * SECONDS


@pytest.mark.parametrize("connections", [1, 1000])
def test_tcp_loses_nothing(connections: int) -> None:
    load = receive("tcp", COUNT, connections=connections)
    wanted = messages(COUNT)
    assert load.problems == []
    assert (load.lines if connections == 1 else sorted(load.lines)) == (
        wanted if connections == 1 else sorted(wanted)
    )
    # Processor time says what the receiver can do whatever else this machine does at the same time.
    assert load.cpu_share < 0.7
    assert load.seconds >= SECONDS - 0.1


def test_udp_losses_are_counted_to_the_last_message() -> None:
    load = receive("udp", COUNT)
    wanted = messages(COUNT)
    assert len(load.lines) + load.lost == COUNT
    assert set(load.lines) <= set(wanted)
    assert (load.lost > 0) == bool(load.problems)
    assert load.lost < COUNT / 2
    assert load.cpu_share < 0.7

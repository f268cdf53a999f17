"""Whom a blocklist holds: never those that are spared, nothing twice, and no more than was found."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mailscope.watch.blocking.blocks import NEVER, PRIVATE, Network, Offence, Rules, blocked, network_of
from mailscope.watch.blocking.formats import FORMATS
from mailscope.watch.blocking.spared import own_addresses

NOW = datetime(2026, 11, 27, 12)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def rules(*allowed: str, most: int = 100) -> Rules:
    return Rules(DAY, WEEK, tuple(ip_network(each) for each in allowed), {4: 24, 6: 48}, most)


def offence(address: str, hours_ago: float = 1, name: str = "", episodes: int = 1) -> Offence:
    return Offence(name or f"f{address}", "brute_force", address, NOW - timedelta(hours=hours_ago), episodes)


def networks(found: list[Offence], by: Rules) -> list[str]:
    return [str(each.network) for each in blocked(found, by, NOW)]


def test_addresses_become_networks() -> None:
    assert [str(network_of(each)) for each in ("192.0.2.1", "192.0.2.9/24", "2001:db8::1", "::ffff:192.0.2.1")] == [
        "192.0.2.1/32", "192.0.2.0/24", "2001:db8::1/128", "192.0.2.1/32",
    ]  # fmt: skip
    assert str(network_of("::ffff:192.0.2.0/120")) == "192.0.2.0/24"
    assert [network_of(each) for each in ("", "mail.example.org", "192.0.2.1; drop", "1.2.3.4\n")] == [
        None
    ] * 4


def test_how_long() -> None:
    once, twice = blocked([offence("192.0.2.1"), offence("192.0.2.2", episodes=2)], rules(), NOW)
    assert once.until == NOW - timedelta(hours=1) + DAY
    assert twice.until == NOW - timedelta(hours=1) + WEEK
    again = [offence("192.0.2.1", 100, "a"), offence("192.0.2.1", 30, "b")]
    (block,) = blocked(again, rules(), NOW)
    assert (block.until, block.findings) == (NOW - timedelta(hours=30) + WEEK, ("a", "b"))
    assert blocked([offence("192.0.2.1", 25)], rules(), NOW) == []
    # A clock that was ahead gives nobody more time.
    assert blocked([offence("192.0.2.1", -1_000)], rules(), NOW)[0].until == NOW + DAY


def test_what_lies_within_another_is_not_told_twice() -> None:
    found = [
        offence(each) for each in ("192.0.2.0/24", "192.0.2.7", "192.0.3.7", "2001:db8::/48", "2001:db8::1")
    ]
    assert networks(found, rules()) == ["192.0.2.0/24", "192.0.3.7/32", "2001:db8::/48"]
    assert len(blocked(found, rules(), NOW)[0].findings) == 2


def test_who_is_spared() -> None:
    assert networks([offence("192.0.2.7")], rules("192.0.2.0/24")) == []
    assert networks([offence("192.0.2.0/24")], rules("192.0.2.0/25", "192.0.2.128/26")) == ["192.0.2.192/26"]
    left = networks([offence("192.0.2.0/24")], rules("192.0.2.77/32"))
    assert len(left) == 8
    assert not any(ip_address("192.0.2.77") in ip_network(each) for each in left)
    assert sum(ip_network(each).num_addresses for each in left) == 255


def test_bounds() -> None:
    assert networks([offence("192.0.0.0/16"), offence("2001:db8::/32"), offence("0.0.0.0/0")], rules()) == []
    many = [offence(f"192.0.2.{number}", hours_ago=number / 60) for number in range(1, 51)]
    assert networks(many, rules(most=3)) == ["192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32"]


ADDRESSES = st.one_of(
    st.ip_addresses(), st.ip_addresses(network="192.0.2.0/26"), st.ip_addresses(network="::/120")
)
PREFIXED = st.builds(
    lambda address, short: str(ip_network((address, max(0, address.max_prefixlen - short)), strict=False)),
    ADDRESSES, st.integers(0, 9),
)  # fmt: skip


@given(found=st.lists(PREFIXED, max_size=12), spared=st.lists(PREFIXED, max_size=6))
def test_any_list(found: list[str], spared: list[str]) -> None:
    named, allowed = ([network_of(each) or ip_network(each) for each in texts] for texts in (found, spared))
    by = Rules(DAY, WEEK, (*allowed, *NEVER, *PRIVATE), {4: 24, 6: 48}, 1_000)
    blocks = blocked([offence(each) for each in found], by, NOW)
    made: list[Network] = [each.network for each in blocks]
    for number, network in enumerate(made):
        assert not any(network.overlaps(each) for each in by.allowed if each.version == network.version)
        assert not any(network.overlaps(each) for each in made[:number] if each.version == network.version)
        assert any(network.overlaps(each) for each in named if each.version == network.version)
    assert blocks == blocked([offence(each) for each in reversed(found)], by, NOW)
    for writer in FORMATS.values():
        text = "\n".join(writer(blocks, NOW))
        assert text.isascii()


def test_the_address_one_comes_from(tmp_path: Path) -> None:
    assert own_addresses({"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"}, tmp_path) == ("192.0.2.7",)
    assert own_addresses({"SSH_CLIENT": "fe80::1%eth0 50000 22", "SSH_CONNECTION": ""}, tmp_path) == (
        "fe80::1",
    )
    assert own_addresses({}, tmp_path) == ()
    import os

    above = tmp_path / str(os.getppid())
    top = tmp_path / "77"
    for place, status, environ in (
        (above, "77", b"HOME=/root\0"),
        (top, "1", b"A=b\0SSH_CLIENT=192.0.2.9 1 22\0"),
    ):
        place.mkdir()
        (place / "status").write_text(f"Name:\tx\nPPid:\t{status}\n")
        (place / "environ").write_bytes(environ)
    assert own_addresses({}, tmp_path) == ("192.0.2.9",)

"""Networks of addresses, as the standard library has them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.watch.networks import network


@given(st.ip_addresses(), st.integers(8, 32), st.integers(16, 128))
@settings(max_examples=examples(300))
def test_the_fast_way_gives_what_the_library_gives(address: object, prefix_v4: int, prefix_v6: int) -> None:
    found = ip_address(str(address))
    found = getattr(found, "ipv4_mapped", None) or found
    prefix = prefix_v4 if found.version == 4 else prefix_v6
    assert network(str(address), prefix_v4, prefix_v6) == str(ip_network((found, prefix), strict=False))


def test_what_is_no_address_has_none() -> None:
    for text in ("", "unknown", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1 ", "::g"):
        assert network(text, 24, 64) is None
    assert network("::ffff:192.0.2.7", 24, 64) == "192.0.2.0/24"

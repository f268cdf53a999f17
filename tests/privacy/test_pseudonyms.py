"""Pseudonyms: the same for the same, apart for others, and of the same form."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailscope.privacy.pseudonyms import Pseudonyms

NAMES = Pseudonyms(b"k" * 32)
OTHER = Pseudonyms(b"o" * 32)
KEEPING = Pseudonyms(b"k" * 32, keep_domains=True)
CUT = Pseudonyms(b"k" * 32, addresses="truncate", ips="truncate")
ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address)


def shared_bits(one: str, two: str) -> int:
    first, second = int(ip_address(one)), int(ip_address(two))
    width = ip_address(one).max_prefixlen
    return width - (first ^ second).bit_length()


def test_names_are_joined_across_kinds() -> None:
    local, domain = NAMES.address("alice@mail.example.org").split("@")
    assert NAMES.user("alice") == local
    assert NAMES.address("<alice@mail.example.org>") == f"<{local}@{domain}>"
    assert NAMES.host("mail.example.org") == domain
    assert NAMES.host("mx.mail.example.org").partition(".")[2] == domain
    assert domain.endswith(f"{NAMES.host('example.org')}")
    assert NAMES.mailbox("/home/alice/Maildir/.Sent/") == f"/home/{local}/Maildir/.Sent/"
    assert NAMES.message_id("x.1@mail.example.org").partition("@")[2] == domain


def test_another_key_gives_other_names_and_shows_it() -> None:
    assert NAMES.user("alice") != OTHER.user("alice")
    assert {name[1:3] for name in (NAMES.user("a"), NAMES.user("b"), NAMES.text("c"))} == {NAMES.key_id}
    assert NAMES.key_id != OTHER.key_id
    assert NAMES.ip("192.0.2.1") != OTHER.ip("192.0.2.1")


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=3))
@settings(deadline=None)
def test_case_counts_where_it_counts(name: str) -> None:
    new = NAMES.user(name)
    assert new.lower() == NAMES.user(name.lower()).lower()
    assert (new == NAMES.user(name.lower())) == (name == name.lower())


@pytest.mark.parametrize(
    "value",
    ["", "<>", "postmaster", "MAILER-DAEMON", "root", "#@[]", "double-bounce"],
)
def test_what_is_nobody_stays(value: str) -> None:
    assert NAMES.address(value) == value


def test_forms_stay() -> None:
    quoted = NAMES.address('"john doe"@example.org')
    assert quoted.startswith('"u')
    assert quoted.count('"') == 2
    assert " " in quoted
    assert NAMES.address("user@[192.0.2.1]").endswith(f"@[{NAMES.ip('192.0.2.1')}]")
    assert NAMES.peer("[IPv6:2001:db8::1]") == f"[IPv6:{NAMES.ip('2001:db8::1')}]"
    assert NAMES.user("12345").isdecimal()
    assert NAMES.host("localhost") == "localhost"
    assert NAMES.relay("virtual") == "virtual"
    assert NAMES.header("Subject: Hello you").startswith("Subject: t")
    assert NAMES.header('Content-Type: x/y; name="Alice.exe"').endswith('.exe"')
    assert "Alice" not in NAMES.header('Content-Type: x/y; name="Alice.exe"')
    assert NAMES.lookup("1.2.0.192.zen.example.net").endswith(".zen.example.net")


def test_domains_are_kept_when_asked() -> None:
    assert KEEPING.address("alice@mail.example.org").endswith("@mail.example.org")
    assert KEEPING.host("pc7.example.org") == f"{NAMES.host('pc7.example.org').split('.')[0]}.example.org"
    assert KEEPING.domain("mail.example.org") == "mail.example.org"


def test_truncated() -> None:
    assert CUT.address("alice@example.org") == "x@example.org"
    assert CUT.user("alice") == "x"
    assert CUT.ip("192.0.2.77") == "192.0.2.0"
    assert CUT.ip("2001:db8:1:2:3::4") == "2001:db8:1::"


@given(ADDRESSES)
@settings(deadline=None)
def test_ipv4_pseudonyms_are_nobodys(address: IPv4Address) -> None:
    new = ip_address(NAMES.ip(str(address)))
    if address.is_loopback or address.is_unspecified or address.is_multicast or int(address) == 2**32 - 1:
        assert new == address
        return
    private = [IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    private += [IPv4Network("100.64.0.0/10"), IPv4Network("169.254.0.0/16")]
    home = next((network for network in private if address in network), IPv4Network("240.0.0.0/4"))
    assert new in home


@given(ADDRESSES, st.integers(0, 15))
@settings(deadline=None)
def test_networks_stay_together(address: IPv4Address, bit: int) -> None:
    other = IPv4Address(int(address) ^ 1 << bit)
    one, two = NAMES.ip(str(address)), NAMES.ip(str(other))
    assert one != two or {str(address), str(other)} & {one, two}
    if not (
        address.is_loopback
        or address.is_multicast
        or {str(address), str(other)} & {"0.0.0.0", "255.255.255.255"}
    ):
        assert shared_bits(one, two) == shared_bits(str(address), str(other))


def test_no_two_of_a_network_share_a_pseudonym() -> None:
    network = list(ip_network("198.51.0.0/20"))
    assert len({NAMES.ip(str(each)) for each in network}) == len(network)


def test_ipv6() -> None:
    one, two, three = (NAMES.ip(each) for each in ("2620:0:1:2::3", "2620:0:1:2::4", "2620:0:1:8::3"))
    assert all(ip_address(each) in IPv6Network("2001:db8::/32") for each in (one, two, three))
    assert len({one, two, three}) == 3
    assert shared_bits(one, two) >= 80
    assert shared_bits(one, three) >= 64
    assert NAMES.ip("::1") == "::1"
    assert NAMES.ip("::ffff:192.0.2.1") == f"::ffff:{NAMES.ip('192.0.2.1')}"
    assert ip_address(NAMES.ip("fe80::1%eth0").partition("%")[0]) in IPv6Network("fe80::/10")
    assert NAMES.ip("fe80::1%eth0").endswith("%eth0")
    assert NAMES.ip("no address") == "no address"

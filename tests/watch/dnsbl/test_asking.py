"""Blocklists asked over the DNS, served by the real rbldnsd."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from listing import GOOD, Rbldnsd

from mailscope.cli.dnsbl import dnsbl
from mailscope.watch.dnsbl.asking import Result, examine, query
from mailscope.watch.dnsbl.lists import known
from mailscope.watch.dnsbl.ours import public
from mailscope.watch.dnsbl.resolver import public_in

OURS = "192.0.2.25"
ZONES = {
    "bl.example.org": ("ip4set", f"{GOOD}{OURS} :3:spam was seen from $\n"),
    # As a zone is answered whose owner lets it expire and someone buys it.
    "world.example.org": ("ip4trie", ":2:everybody\n0.0.0.0/0\n"),
    "sold.example.org": ("ip4trie", ":203.0.113.80:for sale\n0.0.0.0/0\n"),
    "empty.example.org": ("ip4set", ":2:nobody\n198.51.100.1\n"),
    "quota.example.org": ("ip4trie", ":127.255.255.255:too many\n0.0.0.0/0\n"),
    "public.example.org": ("ip4trie", ":127.255.255.254:public\n0.0.0.0/0\n"),
    "names.example.org": ("dnset", ":2:a domain of spam\ntest\nbad.example\n"),
    "six.example.org": ("ip6trie", ":2:listed\n::ffff:7f00:2/128\n2001:db8::25/128\n"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Rbldnsd]:
    running = Rbldnsd(ZONES)
    yield running
    running.close()


def only(server: Rbldnsd, zone: str, subject: str = OURS, **more: object) -> Result:
    (result,) = examine([server.list(zone, **more)], [subject], 2, 1, public="")
    return result


def test_what_is_listed_is_told_with_code_and_words(server: Rbldnsd) -> None:
    found = only(server, "bl.example.org", codes={"127.0.0.3": "sends spam"})
    assert (found.state, found.codes, found.meanings) == ("listed", ("127.0.0.3",), ("sends spam",))
    assert found.text == f"spam was seen from {OURS}"
    assert only(server, "bl.example.org", "192.0.2.26").state == "clear"


def test_names_and_ipv6_have_lists_of_their_own(server: Rbldnsd) -> None:
    assert only(server, "names.example.org", "bad.example", of=("name",)).state == "listed"
    assert only(server, "names.example.org", "good.example", of=("name",)).state == "clear"
    assert only(server, "six.example.org", "2001:db8::25", of=("ipv6",)).state == "listed"
    assert only(server, "six.example.org", "2001:db8::26", of=("ipv6",)).state == "clear"
    assert examine([server.list("names.example.org", of=("name",))], [OURS], 2, 1, public="") == []


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        ("world.example.org", "not believed: it lists 127.0.0.1, which no list that works does; it may list the whole world"),
        ("sold.example.org", "it answers 203.0.113.80, which no blocklist does: its zone may have been sold"),
        ("empty.example.org", "not believed: its test entry 127.0.0.2 is not listed, so it does not work for this host"),
        ("quota.example.org", "it does not answer this host: too many queries from this resolver; use one of your own, or a Data Query Service key (127.255.255.255)"),
        ("public.example.org", "it does not answer this host: the query came through a public resolver; use a resolver of your own (127.255.255.254)"),
        ("nowhere.example.org", "no answer: "),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_believed_tells_nothing(server: Rbldnsd, zone: str, why: str) -> None:
    found = only(server, zone)
    assert found.state == "unknown"
    assert found.why.startswith(why), found.why


def test_a_server_that_is_silent_is_waited_for_and_no_longer(server: Rbldnsd) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        mute = server.list("bl.example.org")
        mute = type(mute)(**{**vars(mute), "port": silent.getsockname()[1]})
        begun = time.monotonic()
        (found,) = examine([mute], [OURS], 1, 2, public="")
        assert (found.state, found.why) == ("unknown", "no answer: no answer within 1 seconds")
        assert 1.8 < time.monotonic() - begun < 15


def test_lists_that_refuse_public_resolvers_are_not_asked_through_them(tmp_path: Path) -> None:
    private, open_ = tmp_path / "private", tmp_path / "open"
    private.write_text("nameserver 127.0.0.53\nsearch example.org\n")
    open_.write_text("nameserver 192.0.2.53\nnameserver 8.8.8.8\n")
    assert public_in((private,)) == ""
    assert public_in((private, open_)) == "8.8.8.8"
    zen = next(each for each in known() if each.zone == "zen.spamhaus.org")
    (found,) = examine([zen], [OURS], 1, 1, public="8.8.8.8")
    assert found.state == "unknown"
    assert found.why.startswith("not asked: it refuses public resolvers, and this host asks 8.8.8.8")


def test_queries_are_those_of_rfc_5782() -> None:
    assert query("192.0.2.99", "bad.example.com") == "99.2.0.192.bad.example.com."
    nibbles = "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    assert query("2001:db8::567:89ab", "ugly.example.com") == f"{nibbles}.ugly.example.com."
    assert query("invalid", "d.example.com") == "invalid.d.example.com."


def test_the_lists_that_come_with_it_are_whole() -> None:
    assert len({each.zone for each in known()}) == len(known()) >= 8
    for each in known():
        assert each.link.startswith("https://")
        assert each.codes or each.bits
        assert each.severity in ("info", "warning", "critical")
        assert all(code.startswith("127.") for code in (*each.codes, *each.refusals))
        assert not set(each.codes) & set(each.refusals)
    surbl = next(each for each in known() if each.zone == "multi.surbl.org")
    assert surbl.meaning("127.0.0.72") == "phishing, abuse: spam"


def test_only_addresses_that_the_world_can_reach_are_ours() -> None:
    told = ["127.0.0.1", "10.0.0.1", "fe80::1%eth0", "192.0.2.1", "9.9.9.9", "2620:fe::fe", "x", "224.0.0.1"]
    assert public(told) == ("9.9.9.9", "2620:fe::fe")


def test_the_command_asks_and_explains(server: Rbldnsd, tmp_path: Path) -> None:
    config = tmp_path / "mailscope.toml"
    config.write_text(
        f'[detections.dnsbl_listed]\naddresses = ["{OURS}"]\ndiscover = false\nlists = ["zen.spamhaus.org", "gone.example.org"]\ntimeout_s = 2\ntries = 1\n'
        + "".join(
            f'[[detections.dnsbl_listed.zone]]\nzone = "{zone}"\nnameserver = "127.0.0.1"\nport = {server.port}\n'
            f'link = "https://list.example/"\n'
            for zone in ("bl.example.org", "world.example.org")
        )
    )
    zones = ("--list", "bl.example.org", "--list", "world.example.org", "--config", str(config))
    ran = CliRunner().invoke(dnsbl, ["check", *zones])
    assert ran.exit_code == 1
    assert ran.output.splitlines() == [
        "mailscope: there is no blocklist 'gone.example.org': 'mailscope dnsbl lists' shows all",
        f"{OURS}: listed by 1, not listed by 0, 1 tell nothing",
        "  LISTED by bl.example.org (bl.example.org)",
        "    127.0.0.3",
        f"    it says: spam was seen from {OURS}",
        "    find out why, stop it, then ask to be taken off: https://list.example/",
        "  world.example.org: not believed: it lists 127.0.0.1, which no list that works does; it may list the whole world",
    ]
    clear = CliRunner().invoke(dnsbl, ["check", "192.0.2.26", *zones, "--format", "json"])
    assert clear.exit_code == 0
    assert '"state": "clear"' in clear.output

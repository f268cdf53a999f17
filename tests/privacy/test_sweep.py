"""Addresses in any text; and what only looks like one."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.privacy.pseudonyms import Pseudonyms
from mailscope.privacy.sweep import Sweep

NAMES = Pseudonyms(b"k" * 32)
SWEEP = Sweep(NAMES)
FOUR, SIX = NAMES.ip("192.0.2.1"), NAMES.ip("2001:db8::1")
ALICE, HOST = NAMES.user("alice"), NAMES.host("example.org")
BOTH = f"{ALICE}@{HOST}"


def swept(text: str) -> str:
    return SWEEP.texts(pl.Series([text]))[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<alice@example.org>: no", f"<{BOTH}>: no"),
        ("to alice@example.org, now", f"to {BOTH}, now"),
        ("mailto:alice@example.org", f"mailto:{BOTH}"),
        ("550_5.1.1_alice@example.org:_unknown", f"550_5.1.1_{BOTH}:_unknown"),
        ("u=alice%40example.org&", f"u={ALICE}%40{HOST}&"),
        ("alice@[192.0.2.1] x", f"{ALICE}@[{FOUR}] x"),
        ("[192.0.2.1]:25", f"[{FOUR}]:25"),
        ("192.0.2.1. ", f"{FOUR}. "),
        ("https://x.example/q/192.0.2.1", f"https://x.example/q/{FOUR}"),
        ("listed as 1.2.0.192.bl.example", f"listed as {NAMES.backwards('1.2.0.192')}.bl.example"),
        ("dsl-192-0-2-1.example", f"dsl-{FOUR.replace('.', '-')}.example"),
        ("from 2001:db8::1: refused", f"from {SIX}: refused"),
        ("[IPv6:2001:db8::1]:25", f"[IPv6:{SIX}]:25"),
        ("tcp:2001:db8::1", f"tcp:{SIX}"),
        ("::ffff:192.0.2.1", f"::ffff:{FOUR}"),
        ("::ffff:192.0.2.1:25", f"::ffff:{FOUR}:25"),
        ("fe80::1%eth0", f"{NAMES.ip('fe80::1')}%eth0"),
        ("not owned by user alice; x", f"not owned by user {ALICE}; x"),
        (
            "maps_find: virtual_alias_maps: alice: not found",
            f"maps_find: virtual_alias_maps: {ALICE}: not found",
        ),
        ("maps_find: hash:/x: alice@: not found", f"maps_find: hash:/x: {ALICE}@: not found"),
        (
            "result=alice:x:1000:1000::/home/alice:/bin/sh",
            f"result={ALICE}:x:1000:1000::/home/{ALICE}:/bin/sh",
        ),
    ],
)
def test_addresses_are_found(text: str, wanted: str) -> None:
    assert swept(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "04:00:42 2026-11-22T04:00:42.123+00:00 12:34:56:78",
        "postfwd2::cache Mail::DKIM Net::DNS::Ad 3.7.11 2.1.28",
        "1.3.6.1.4.1.2021 5.1.1 192.0.2 1.2.3.4.5",
        "127.0.0.1 ::1 :: 0.0.0.0 localhost",
        "<> <@> user unknown, unknown user, by user",
        "@4000000069266d3a0c6c8c74 status",
        "00:1a:2b:3c:4d:5e",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert swept(text) == text


def test_names_behind_keys_of_unknown_lines() -> None:
    text = pl.Series(
        ["user=\"alice\" ruser=<alice> rhost=192.0.2.1 subject='a b' from=alice@example.org, uid=0"]
    )
    wanted = f"user=\"{ALICE}\" ruser=<{ALICE}> rhost={FOUR} subject='{NAMES.text('a b')}' from={BOTH}, uid=0"
    assert SWEEP.unknown(text)[0] == wanted

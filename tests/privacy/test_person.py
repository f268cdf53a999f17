"""One person's names are found in every spelling, and nobody else's."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.privacy.person import Person
from mailscope.vocabulary.errors import UsageError

PSEUDONYMS = {"bob": "erasedx", "b.o'brien": "erasedy"}


def person(*names: str) -> Person:
    made = Person.of(names)
    return Person(
        made.addresses, made.logins, {name: PSEUDONYMS.get(name, "erasedz") for name in made.pseudonyms}
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("to=<bob@example.org>, x", "to=<erasedx@example.org>, x"),
        ("to=<Bob@Example.Org>", "to=<Erasedx@Example.Org>"),
        ("BOB@EXAMPLE.ORG.", "ERASEDX@EXAMPLE.ORG."),
        ('"bob"@example.org', '"erasedx"@example.org'),
        ("GET /u?a=bob%40example.org&b=1", "GET /u?a=erasedx%40example.org&b=1"),
        ("%3Cbob%40example.org%3E", "%3Cerasedx%40example.org%3E"),
        ("ORCPT=rfc822;bob+40example.org", "ORCPT=rfc822;erasedx+40example.org"),
        ("user=3Dbob=40example.org", "user=3Derasedx=40example.org"),
        (r'{"to":"\u003cbob\u0040example.org\u003e"}', r'{"to":"\u003cerasedx\u0040example.org\u003e"}'),
        (r'"\tbob@example.org"', r'"\terasedx@example.org"'),
        ("%62ob@example.org", "erasedx@example.org"),
        (
            "list-bounces+bob=example.org@lists.example.net",
            "list-bounces+erasedx=example.org@lists.example.net",
        ),
        ("SRS0=HH=TT=example.org=bob@fwd.example.net", "SRS0=HH=TT=example.org=erasedx@fwd.example.net"),
        ("550_bob@example.org_unknown/", "550_erasedx@example.org_unknown/"),
        ("Remote_host_said:_bob@example.org", "Remote_host_said:_erasedx@example.org"),
        ("bob@example.org,bob@example.org", "erasedx@example.org,erasedx@example.org"),
        ("sasl_username=bob@example.org", "sasl_username=erasedx@example.org"),
        ("like '%bob@example.org%'", "like '%erasedx@example.org%'"),
        (r"bob@example\.org", r"erasedx@example\.org"),
        ("/var/log/bob@example.org.log.1", "/var/log/erasedx@example.org.log.1"),
        # Others' addresses.
        ("jimbob@example.org", "jimbob@example.org"),
        ("jim.bob@example.org", "jim.bob@example.org"),
        ("jim-bob@example.org", "jim-bob@example.org"),
        ("jim_bob@example.org", "jim_bob@example.org"),
        ("a+bob@example.org", "a+bob@example.org"),
        ("bob@example.org.uk", "bob@example.org.uk"),
        ("bob@example.organic", "bob@example.organic"),
        ("bob@sub.example.org", "bob@sub.example.org"),
        ("bobby@example.org", "bobby@example.org"),
        ("bob=example.org", "bob=example.org"),
        ("bob@exampleXorg", "bob@exampleXorg"),
    ],
)
def test_texts(text: str, wanted: str) -> None:
    one = person("<Bob@Example.org>")
    assert one.texts(pl.Series([None, text, "nothing"])).to_list() == [None, wanted, "nothing"]
    assert one.text(text) == wanted


def test_signs_in_a_local_part_and_domains_with_other_letters() -> None:
    odd = person("b.o'brien@bücher.example")
    assert odd.text("b.o'brien@xn--bcher-kva.example") == "erasedy@xn--bcher-kva.example"
    assert odd.text("b.o%27brien%40B%C3%BCcher.example") == "erasedy%40B%C3%BCcher.example"
    assert odd.text("bxo'brien@bücher.example") == "bxo'brien@bücher.example"


def test_rows_of_a_login_name() -> None:
    rows = pl.DataFrame({
        "user": ["Bob", "jim", "bob", "bob@example.net"],
        "raw": ["login: user=<Bob>, bob@example.net", "bob is user=<jim>", "/home/bob/x jim.bob", "bob@example.net"],
        "uid": [1, 2, 3, 4],
    })  # fmt: skip
    new, changed = person("bob").rows(rows)
    assert changed.to_list() == [True, False, True, False]
    assert new["user"].to_list() == ["Erasedx", "jim", "erasedx", "bob@example.net"]
    assert new["raw"][0] == "login: user=<Erasedx>, bob@example.net"
    assert new["raw"][2] == "/home/erasedx/x jim.bob"


def test_a_local_part_alone_goes_where_the_row_is_theirs() -> None:
    rows = pl.DataFrame({
        "recipient": ["bob@example.org", None, None],
        "orig_recipient": ["bob", "bob", "bob"],
        "raw": ["to=<bob@example.org>, orig_to=<bob>", "orig_to=<bob> 1", "orig_to=<bob> 2"],
    })  # fmt: skip
    new, changed = person("bob@example.org").rows(rows, pl.Series([False, False, True]))
    assert changed.to_list() == [True, False, True]
    assert new["raw"].to_list() == [
        "to=<erasedx@example.org>, orig_to=<erasedx>", "orig_to=<bob> 1", "orig_to=<erasedx> 2"
    ]  # fmt: skip
    assert new["orig_recipient"].to_list() == ["erasedx", "bob", "erasedx"]


@pytest.mark.parametrize("name", ["", "@example.org", "bob@", "a b@example.org", "root", "postmaster"])
def test_what_is_nobody(name: str) -> None:
    with pytest.raises(UsageError):
        Person.of([name])


def test_pseudonyms_are_random_and_readable() -> None:
    one, other = Person.of(["bob@example.org"]), Person.of(["bob@example.org"])
    assert one.pseudonyms != other.pseudonyms
    assert one.pseudonyms["bob"].isalpha()

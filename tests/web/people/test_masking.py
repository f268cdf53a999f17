"""No address of others is left in any text, however it is spelled; what is theirs stays."""

from __future__ import annotations

import csv
import html
import io
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.web.people.masking import HIDDEN, Masking

OURS = Masking(["Example.ORG"])
# RFC 5321, section 4.1.2: what a local part may hold; the quoted form holds more.
ATOM = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-.é", min_size=1, max_size=12).map(lambda text: f"q{text}z")
QUOTED = st.text("ab c,;:()[]<>@q", min_size=1, max_size=12).map(lambda text: f'"{text}"')
DOMAIN = st.sampled_from(
    ["example.net", "EXAMPLE.COM", "mail.example.org", "example.org.evil.example", "xn--bcher-kva.example"]
)
SPELLED = {
    "plain": lambda text: f"to=<{text}>, relay=x",
    "html": lambda text: f"<td>{html.escape(text)}</td>",
    "json": lambda text: json.dumps({"to": text}),
    "ascii": lambda text: json.dumps({"to": text}).replace("@", "\\u0040"),
    "link": lambda text: f'<a href="/about?subject={quote(text, safe="")}&amp;x=1">',
}


@pytest.mark.parametrize("spelling", list(SPELLED))
@given(local=ATOM, domain=DOMAIN)
@settings(max_examples=examples(150), deadline=None)
def test_nothing_of_a_local_part_is_left(spelling: str, local: str, domain: str) -> None:
    hidden = OURS.text(SPELLED[spelling](f"{local}@{domain}"))
    # The last run before the @ is what tells who it is; = and ? end it in links and keys.
    last = local.replace("=", "?").rpartition("?")[2] or local
    assert last not in html.unescape(hidden) or len(last) < 2, hidden
    assert HIDDEN in hidden
    assert domain in hidden


@given(local=QUOTED, domain=DOMAIN)
@settings(max_examples=examples(150), deadline=None)
def test_nothing_of_a_quoted_local_part_is_left(local: str, domain: str) -> None:
    for spelling in ("plain", "json"):
        hidden = OURS.text(SPELLED[spelling](f"{local}@{domain}"))
        assert f"{HIDDEN}@{domain}" in hidden
        assert json.dumps(local)[1:-1] not in hidden


@given(local=ATOM, spelling=st.sampled_from(["plain", "html", "json", "link"]))
@settings(max_examples=examples(150), deadline=None)
def test_what_is_theirs_stays(local: str, spelling: str) -> None:
    text = SPELLED[spelling](f"{local}@example.org")
    assert OURS.text(text) == text or spelling == "link"


@given(text=st.text())
@example("@")
@example("a@b@c")
@example("@@@@")
@settings(max_examples=examples(200), deadline=None)
def test_any_text_can_be_masked_and_masking_again_changes_nothing(text: str) -> None:
    once = OURS.text(text)
    assert OURS.text(once) == once
    if "@" not in text and "%40" not in text and "&" not in text and "\\" not in text:
        assert once == text


@given(
    rows=st.lists(
        st.lists(
            st.sampled_from(["bob@example.net", "amy@example.org", "a, b", '"', "x"]), min_size=2, max_size=2
        ),
        max_size=5,
    )
)
@settings(max_examples=examples(60), deadline=None)
def test_a_table_keeps_its_cells(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    kept = list(csv.reader(io.StringIO(OURS.text(out.getvalue()))))
    assert kept == [[cell.replace("bob@", f"{HIDDEN}@") for cell in row] for row in rows]


@pytest.mark.parametrize("piece", ["a", "@", "a@b ", "&amp;", '\\"', '"', "%40", "a@example.org,", "&#64;"])
def test_it_takes_time_in_proportion(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    begun = time.process_time()
    OURS.text(text)
    assert time.process_time() - begun < 4


def test_strictly_other_domains_are_hidden_too() -> None:
    text = "from=<a@example.com> to=<b@example.net>, <c@example.org> <d@other.example>"
    assert OURS.strict("example.com").text(text) == (
        f"from=<{HIDDEN}@example.com> to=<{HIDDEN}@{HIDDEN}>, <c@example.org> <{HIDDEN}@{HIDDEN}>"
    )

"""Ways as text, as SVG and as data; hostile words stay words."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from ways import BOUNCED, FF, LOCAL, told, told_of, way_of

from mailscope.cli.steps_text import render, tree
from mailscope.cli.terminal import columns
from mailscope.language.translator import translator
from mailscope.steps.record import record
from mailscope.steps.svg import MOST_ACTS, drawn
from mailscope.steps.times import lasted
from mailscope.steps.way import Way

UTC_ZONE = ZoneInfo("UTC")
SMALL = """\
10 04:33:04.000000 execve("/usr/sbin/postdrop", ["postdrop", "-r"], 0x7ffc /* 2 vars */) = 0
10 04:33:04.250000 openat(AT_FDCWD, "maildrop/427182.10", O_RDWR|O_CREAT|O_EXCL, 0644) = 4 <0.000061>
10 04:33:04.251000 rename("maildrop/427182.10", "maildrop/4jXGQm322GzCb6R") = 0 <0.000050>
10 04:33:04.252000 connect(4, {sa_family=AF_UNIX, sun_path="public/pickup"}, 110) = 0 <0.000024>
10 04:33:04.253000 close(4) = 0 <0.000010>
"""
TEXT = """\
the way of message 4jXGQm322GzCb6R ({place})
  1 postdrop[10]  2 pickup
                        1    2
  04:33:04.000          *    |    begins: writes local mail into the maildrop queue
  04:33:04.251  +0.251s *    |    makes the queue file maildrop/4jXGQm322GzCb6R (0.05ms) [maildrop]
  04:33:04.252     +1ms |--->|    says that mail is in maildrop (public/pickup) (1.01ms)
  in the queues: maildrop ?
  at work: postdrop[10] 0.253s, pickup[] 1.01ms
"""
HOSTILE = (
    '7 rename("incoming/4jXGQm3WlLzCb6X", "active/4jXGQm3WlLzCb6X") = 0\n'
    r'7 openat(AT_FDCWD, "/var/mail/<script>alert(1)</script>\33]0;x\7&\"\377", O_WRONLY|O_APPEND) = 5' + "\n"
    '7 sendto(3, "<22>Nov 22 04:33:04 postfix/qmgr[7]: 4jXGQm3WlLzCb6X: \u202e]]><x>\ufffe", 9, 0) = 9\n'
)


def text_of(ways: list[Way], width: int = 120) -> list[str]:
    return [click.unstyle(line) for line in render(ways, UTC_ZONE, width)]


def test_text(tmp_path: Path) -> None:
    place = tmp_path / "trace"
    lines = text_of(told_of(SMALL, place).ways)
    want = TEXT.replace("pickup[]", "pickup").splitlines()
    assert [line.rstrip() for line in lines[1:]] == want[1:]
    assert lines[0].startswith("the way of message 4jXGQm322GzCb6R (")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_keeps_to_its_width(width: int) -> None:
    found = told(*FF)
    for line in [*text_of(found.ways, width), *map(click.unstyle, tree(found.processes, width))]:
        # With very many lanes words keep their room, and lines grow by that.
        assert columns(line) <= max(width, 80) + 10


def test_the_tree_shows_who_started_whom() -> None:
    lines = [click.unstyle(line) for line in tree(told(*FF).processes, 100)]
    master = next(number for number, line in enumerate(lines) if line.strip().startswith("master[3625]"))
    assert lines[master + 1].startswith("    cleanup[11717]: adds missing headers")


def test_svg_is_whole_and_has_words_for_those_who_hear_it() -> None:
    way = way_of(told(*FF), BOUNCED)
    text = drawn([way], UTC_ZONE)
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    assert (root.find(space + "title") or root[0]).text == f"the way of message {', '.join(way.queue_ids)}"
    told_words = root.find(space + "desc")
    assert told_words is not None
    assert told_words.text is not None
    assert len(told_words.text.splitlines()) == len(way.acts) + 1
    assert "prefers-color-scheme: dark" in text
    assert len(root.findall(f".//{space}g[@class]")) == len(way.acts)
    tags = {each.tag.removeprefix(space) for each in root.iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "g", "text", "line", "path", "circle"}
    # Nothing is fetched and nothing runs.
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_svg_holds_everything_that_it_draws() -> None:
    found = told(*FF)
    root = ET.fromstring(drawn(found.ways, UTC_ZONE))
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for each in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= float(each.get("x") or 0) <= width
        assert 0 <= float(each.get("y") or 0) <= height


def test_hostile_words_are_words(tmp_path: Path) -> None:
    ways = told_of(HOSTILE, tmp_path / "trace").ways
    text = drawn(ways, UTC_ZONE)
    root = ET.fromstring(text)
    assert not [each for each in root.iter() if each.tag.endswith(("script", "x"))]
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    for shown in (text, "\n".join(text_of(ways)), json.dumps([record(way) for way in ways])):
        assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "\ufffe" not in text


def test_a_picture_of_very_many_acts_says_that_some_are_missing(tmp_path: Path) -> None:
    one = '7 openat(AT_FDCWD, "active/4jXGQm3WlLzCb6X", O_RDWR) = 3\n'
    ways = told_of(one * (MOST_ACTS + 7), tmp_path / "trace").ways
    assert "7 more are not drawn" in drawn(ways, UTC_ZONE)
    assert len(text_of(ways)) > MOST_ACTS


def test_nothing_to_draw() -> None:
    assert ET.fromstring(drawn([], UTC_ZONE)) is not None


@pytest.mark.parametrize(
    ("language", "words"),
    [("it", "affida il messaggio"), ("sv", "lämnar ut meddelandet"), ("zh", "把邮件交出去投递")],
)
def test_other_languages(language: str, words: str) -> None:
    way = way_of(told(*FF), LOCAL)
    tr = translator(language)
    assert words in drawn([way], UTC_ZONE, tr)
    assert words in "".join(render([way], UTC_ZONE, 200, tr))


def test_data() -> None:
    data = record(way_of(told(*FF), LOCAL))
    assert data["clock"] == "epoch"
    assert data["acts"][1] == {
        "time": 1795321984.348881,
        "kind": "opened",
        "by": {"name": "pickup", "pid": 3626},
        "to": None,
        "words": "opens maildrop/4jXGQm2J7SzCb6P",
        "took_s": None,
        "queue": None,
        "queue_id": "4jXGQm2J7SzCb6P",
        "sure": True,
        "good": None,
    }
    assert data["stays"][2]["took_s"] == 0.276384


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0000123, "0.0123ms"),
        (0.25, "0.25s"),
        (59.94, "59.9s"),
        (65, "1m05s"),
        (7380, "2h03m"),
        (100800, "1d04h"),
    ],
)
def test_spans(seconds: float, words: str) -> None:
    assert lasted(seconds) == words

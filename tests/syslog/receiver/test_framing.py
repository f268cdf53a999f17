"""Messages out of streams of bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.syslog.receiver.framing import LEAST_ROOM_BYTES, MOST_FRAME_BYTES, Framer

ROOM = 1 << 20
LIMIT = 64 << 10


def frames(data: bytes, *cuts: int, limit: int = LIMIT, nul: bool = False) -> tuple[list[bytes], Framer]:
    """All frames of some bytes that come in pieces, and the framer afterwards."""
    framer = Framer(limit, nul=nul)
    out = []
    places = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(places):
        out += framer.feed(data[start:end], ROOM)
    last, _ = framer.finish()
    return out + last, framer


def counted(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def test_both_framings_told_apart_for_each_message() -> None:
    a, b, c, d = b"<1>one", b"<2>two\nlines", b"<3>three", b"<4>12 four"
    assert frames(counted(a) + counted(b) + c + b"\n" + d + b"\n" + counted(a))[0] == [a, b, c, d, a]


def test_a_line_that_begins_with_digits_is_no_length() -> None:
    for line in (b"16 15:53:25 host tag: text", b"2026-11-27T10:00:00Z host text", b"7", b"7 "):
        assert frames(line + b"\n<1>more\n")[0] == [line, b"<1>more"]


def test_behind_a_counted_message_digits_and_a_blank_are_a_length() -> None:
    assert frames(counted(b"<1>one") + counted(b"no priority\nhere") + counted(b"<2>two"))[0] == [
        b"<1>one",
        b"no priority\nhere",
        b"<2>two",
    ]


def test_line_feeds_behind_counted_messages_are_not_messages() -> None:
    found, framer = frames(counted(b"<1>one") + b"\n" + counted(b"<2>two") + b"\r\n")
    assert found == [b"<1>one", b"<2>two"]
    assert (framer.malformed, framer.empty) == (0, 2)


def test_a_wrong_length_is_counted_and_the_next_line_feed_sets_it_right() -> None:
    data = b"8 <1>one and more\n" + counted(b"<2>two")
    found, framer = frames(data)
    assert found == [b"<1>one a", b"nd more", b"<2>two"]
    assert framer.malformed == 1


@pytest.mark.parametrize("length", [b"99999999999999999999 ", b"%d " % (MOST_FRAME_BYTES + 1)])
def test_a_length_that_cannot_be_is_taken_as_a_line(length: bytes) -> None:
    found, framer = frames(counted(b"<1>one") + length + b"<2>two\n" + counted(b"<3>three"))
    assert found == [b"<1>one", length + b"<2>two", b"<3>three"]
    assert framer.malformed == 1


def test_messages_that_are_too_long_are_cut_with_a_mark() -> None:
    found, framer = frames(b"<1>" + b"x" * 1000 + b"\n<2>y\n", limit=480)
    assert found == [b"<1>" + b"x" * 477 + b" [mailscope: 523 bytes cut off here]", b"<2>y"]
    found, framer = frames(counted(b"<1>" + b"x" * 1000) + counted(b"<2>y"), 100, 700, limit=480)
    assert found == [b"<1>" + b"x" * 477 + b" [mailscope: 523 bytes cut off here]", b"<2>y"]
    assert framer.truncated == 1


def test_a_giant_message_keeps_no_more_than_its_limit() -> None:
    framer = Framer(LIMIT)
    assert framer.feed(b"%d <1>" % MOST_FRAME_BYTES, ROOM) == []
    for _ in range(100):
        assert framer.feed(b"x" * (64 << 10), ROOM) == []
        assert framer.kept_bytes <= LIMIT
    messages, incomplete = framer.finish()
    cut = 100 * (64 << 10) + 3 - LIMIT
    missing = MOST_FRAME_BYTES - 100 * (64 << 10) - 3
    assert incomplete
    assert messages[0][LIMIT:] == b" [mailscope: %d bytes cut off here] [mailscope: %d bytes never came]" % (
        cut,
        missing,
    )


def test_without_room_an_unfinished_message_keeps_little_and_a_finished_one_everything() -> None:
    framer = Framer(LIMIT)
    assert framer.feed(b"<1>" + b"x" * 20_000, 0) == []
    assert framer.kept_bytes == LEAST_ROOM_BYTES
    assert framer.feed(b"\n<2>" + b"y" * 20_000 + b"\n", 0)[1] == b"<2>" + b"y" * 20_000


def test_the_last_message_needs_no_line_feed() -> None:
    framer = Framer(LIMIT)
    framer.feed(b"<1>one", ROOM)
    assert framer.unfinished
    assert framer.finish() == ([b"<1>one"], False)
    framer = Framer(LIMIT)
    framer.feed(b"12", ROOM)
    assert framer.unfinished
    assert framer.finish() == ([b"12"], False)


def test_the_c_library_ends_messages_on_unix_streams_with_nul() -> None:
    assert frames(b"<1>one\ntwo\0<2>three\0", nul=True)[0] == [b"<1>one\ntwo", b"<2>three"]
    assert frames(b"<1>one\n<2>two\n", nul=True)[0] == [b"<1>one", b"<2>two"]
    assert frames(b"<1>o\0ne\n", nul=False)[0] == [b"<1>o\0ne"]


MESSAGES = st.lists(
    st.tuples(st.booleans(), st.binary(max_size=40).map(lambda body: b"<13>x" + body)), min_size=1, max_size=8
)


@settings(max_examples=examples(200), deadline=None)
@given(MESSAGES, st.lists(st.integers(0, 400), max_size=30))
def test_pieces_make_no_difference_and_every_message_comes_out(
    messages: list[tuple[bool, bytes]], cuts: list[int]
) -> None:
    data, wanted = b"", []
    for is_counted, body in messages:
        body = body if is_counted else body.replace(b"\n", b" ")
        wanted.append(body)
        data += counted(body) if is_counted else body + b"\n"
    places = [min(cut, len(data)) for cut in cuts]
    assert frames(data, *places)[0] == wanted


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([b"5 <1>", b"3 ", b"99 ", b"\n", b"<1>"]))),
    st.data(),
)
def test_any_bytes_in_any_pieces_give_the_same_frames(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))
    whole, pieces = frames(stream), frames(stream, *cuts)
    assert pieces[0] == whole[0]
    assert pieces[1].malformed == whole[1].malformed
    one_by_one = frames(stream, *range(len(stream)))
    assert one_by_one[0] == whole[0]

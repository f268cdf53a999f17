"""The client's session around an acceptance or a refusal: connect, TLS, disconnect.

These lines name no message; what ties them to it is the process that wrote them all, one after the
other: ``postfix/smtpd[14322]``.  Looked for near the line only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mailscope.intake.reader import Chunk, ReadReport, Source, read_chunks
from mailscope.trails.search import marks
from mailscope.trails.search.spans import Position

REACH_BYTES: Final = 512 << 10  # on a busy host about three thousand lines before and after
MOST_LINES: Final = 50  # are shown
MOST_READ: Final = 500
_CONNECT: Final = b"connect from "
_ENDS: Final = (b"disconnect from ",)


def sessions(
    files: Sequence[Source], lines: dict[Position, bytes]
) -> tuple[dict[Position, list[Position]], dict[Position, bytes]]:
    """For each line the positions of its session's lines that name no message, and all of its lines."""
    members: dict[Position, list[Position]] = {}
    found: dict[Position, bytes] = {}
    for number, source in enumerate(files):
        wanted = sorted(position[1] for position in lines if position[0] == number)
        for offset, data, base in _around(source, wanted):
            line = lines[(number, offset)]
            tag = marks.tag(line)
            if tag is None or (b"smtpd[" not in tag and b"qmqpd[" not in tag):
                continue
            session = _session(data, offset - base, len(line), tag)
            nameless = [(number, base + at) for at, text in session if not _named(text)]
            members[(number, offset)] = nameless[:MOST_LINES]
            found.update({(number, base + at): text for at, text in session})
    return members, found


def _session(data: bytes, at: int, length: int, tag: bytes) -> list[tuple[int, bytes]]:
    """The process's lines from the last connect before a line to the first disconnect after it."""
    needle = b" " + tag
    first = data.rfind(needle + _CONNECT, 0, at)
    if first < 0 or any(data.find(needle + end, first, at) >= 0 for end in _ENDS):
        return []
    out: list[tuple[int, bytes]] = []
    begin = data.rfind(b"\n", 0, first) + 1
    while begin < len(data) and len(out) < MOST_READ:
        end = data.find(b"\n", begin)
        line = data[begin:] if end < 0 else data[begin:end]
        text = line[line.find(needle) + len(needle) :]
        if out and text.startswith(_CONNECT):
            break
        if begin != at:
            out.append((begin, line))
        if text.startswith(_ENDS) and begin > at:
            break
        following = data.find(needle, begin + len(line))
        if following < 0:
            break
        begin = data.rfind(b"\n", 0, following) + 1
    return out


def _named(line: bytes) -> bool:
    """Whether a line is of a message, or of a refusal."""
    return marks.own_id(line) is not None or b": NOQUEUE: " in line


def _around(source: Source, offsets: Sequence[int]) -> Iterator[tuple[int, bytes, int]]:
    """Each offset with the text around it and the offset of that text's first byte."""
    if not offsets:
        return
    if source.compression == "none":
        try:
            with open(source.path, "rb") as file:
                for offset in offsets:
                    base = max(offset - REACH_BYTES, 0)
                    file.seek(base)
                    yield offset, file.read(2 * REACH_BYTES), base
        except OSError:
            return  # it was there a moment ago; the stories do without
        return
    yield from _streamed(read_chunks(source, 2 * REACH_BYTES, report=ReadReport()), list(offsets))


def _streamed(chunks: Iterator[Chunk], offsets: list[int]) -> Iterator[tuple[int, bytes, int]]:
    """The same for text that can only be read from its beginning: two chunks are held at a time."""
    before: Chunk | None = None
    for chunk in chunks:
        data, base = (before.data + chunk.data, before.offset) if before else (chunk.data, chunk.offset)
        while offsets and (offsets[0] < chunk.offset or chunk.last):
            offset = offsets.pop(0)
            if base <= offset < base + len(data):
                yield offset, data, base
        if not offsets:
            return
        before = chunk

"""Whatever a queue file or a defer log holds, reading it ends, soon, and says what is wrong."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.queues.entry import Spool
from mailscope.queues.postfix import deferlog, postcat, queuefile
from mailscope.queues.postfix.content import content
from mailscope.queues.postfix.queuefile import envelope
from mailscope.queues.postfix.reader import read
from mailscope.queues.postfix.records import Paged, RecordError, walk

FILES = 10_000
# A file of a kilobyte is read in a fraction of a millisecond; a machine that does much else is no hang.
LONGEST_S = 5.0
UTC_ZONE = ZoneInfo("UTC")
ALL = postcat.Options()
RAW = postcat.Options(raw=True, verbose=True, offsets=True, decimal=True)
SKIPPING = postcat.Options(envelope=True)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The file with a few changes of kinds that damage makes, and an attacker."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(found)) if found else 0
        kind = chance.randrange(7)
        if kind == 0 and found:
            found[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del found[place:]
        elif kind == 2:
            del found[place : place + chance.randrange(40)]
        elif kind == 3:
            found[place:place] = chance.randbytes(chance.randrange(20))
        elif kind == 4:
            found[place:place] = found[: chance.randrange(len(found) + 1)]
        elif kind == 5:
            # A pointer to anywhere, over what is there.
            pointer = b"p\x0f" + b"%15d" % chance.choice((chance.randrange(len(found) + 1), 10**14, place))
            found[place : place + len(pointer)] = pointer
        elif found:
            found[place] = chance.choice(b"CTSRDOMXEpNLwA\x00\xff")
    return bytes(found)


def looked_at(data: bytes) -> None:
    """Read a file in every way; only what says that it is damaged may be raised."""
    told = envelope(data)
    assert told.whole or told.problems
    with suppress(RecordError):
        assert sum(1 for _ in walk(data)) <= len(data)
    for options in (ALL, RAW, SKIPPING):
        size = 0
        with suppress(RecordError):
            for piece in postcat.Printer(data, "x", options, UTC_ZONE, lambda _: None).pieces():
                size += len(piece)
                assert size < 1000 + 100 * len(data)


def test_mutated_files_never_crash_or_hang(lab: Path) -> None:
    originals = [path.read_bytes() for path in sorted((lab / "spool").glob("*/**/*")) if path.is_file()]
    chance = random.Random(8)
    for number in range(FILES):
        data = mutated(chance.choice(originals), chance)
        begun = time.monotonic()
        looked_at(data)
        list(deferlog.entries(data))
        assert time.monotonic() - begun < LONGEST_S, (number, data)


def test_a_damaged_spool_is_read_on(lab: Path, tmp_path: Path) -> None:
    """Damage of one file is told with it, and the others are read as they are."""
    chance = random.Random(9)
    whole = {path.name: path.read_bytes() for path in (lab / "spool/deferred").glob("*/*")}
    (tmp_path / "deferred").mkdir()
    for place, (name, data) in enumerate(sorted(whole.items())):
        path = tmp_path / "deferred" / name
        path.write_bytes(data if place % 2 else mutated(data, chance))
        path.chmod(0o700)
    troubles: list[str] = []
    spool = Spool(tmp_path, time.time(), troubles.append)
    found = {entry.queue_id: entry for entry in read(spool)}
    assert found.keys() == whole.keys()
    for place, name in enumerate(sorted(whole)):
        content(tmp_path / "deferred" / name)
        if place % 2:
            assert not found[name].problems
            assert len(found[name].recipients) >= 1
    assert sum(bool(entry.problems) for entry in found.values()) > len(whole) // 4


@settings(max_examples=examples(50), deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes(data: bytes) -> None:
    looked_at(data)
    list(deferlog.entries(data))


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.tuples(st.sampled_from(b"TSRDOAMXEpNLC"), st.binary(max_size=200)), max_size=40))
def test_any_records(records: list[tuple[int, bytes]]) -> None:
    data = b"".join(bytes([kind]) + length(len(payload)) + payload for kind, payload in records)
    looked_at(data)
    plain = all(kind not in b"pE" for kind, _ in records)
    if plain:
        assert [(kind, payload) for _, kind, payload in walk(data)] == records


def length(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80, high]) if high else bytes([low])


def test_a_large_file_is_read_in_parts(lab: Path, tmp_path: Path) -> None:
    """What a large file tells is what its bytes tell; only a few of its pages are read."""
    small = next((lab / "spool/deferred").glob("E/E80DB178019")).read_bytes()
    body = b"".join(b"N\x7f" + b"x" * 127 for _ in range(20_000))
    end = small.index(b"X\x00", int(small[2:].split()[1]))
    size, offset, *rest = (int(word) for word in small[2:97].split())
    head = b"C\x5f" + b" ".join(b"%15d" % number for number in (size + len(body), offset, *rest))
    large = head + small[97:end] + body + small[end:]
    path = tmp_path / "E80DB178019"
    path.write_bytes(large)
    status, told = queuefile.read(str(path))
    assert status.st_size > 2_500_000
    assert (told.whole, told.problems, told.size_bytes) == (True, [], size + len(body))
    assert [each.address for each in told.recipients] == [each.address for each in envelope(small).recipients]
    with path.open("rb") as file:
        paged = Paged(file.fileno(), len(large))
        assert envelope(paged) == told
        pieces = postcat.Printer(paged, "x", ALL, UTC_ZONE, lambda _: None).pieces()
        assert b"".join(pieces) == b"".join(
            postcat.Printer(large, "x", ALL, UTC_ZONE, lambda _: None).pieces()
        )


def test_pointers_are_followed_as_milters_leave_them() -> None:
    """A recipient that was added at the end, and one that was added and taken off again."""
    head = b"T\x0a1795319000S\x05a@b.cR\x05x@y.z"
    place = len(head)
    heap = place + 17 + 4 + 2
    added = b"R\x05m@y.zp\x0f%15d" % (place + 17)
    data = head + b"p\x0f%15d" % heap + b"M\x00X\x00E\x00" + added
    told = envelope(data)
    assert [each.address for each in told.recipients] == [b"x@y.z", b"m@y.z"]
    assert told.whole
    assert not told.problems

"""Lines of strace: every form of head, unfinished and resumed calls, damage; no input crashes or hangs."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ways import DATA, FF, told, told_of, traces

from mailscope.steps.strace.arguments import ends, string, take_apart
from mailscope.steps.strace.calls import WANTED
from mailscope.steps.strace.lines import read_line
from mailscope.steps.strace.places import place_of, socket_of
from mailscope.steps.strace.story import tell
from mailscope.vocabulary.errors import InputError

CALL = 'unlink("active/4jXG4d5NTxzCb6X") = 0'


@pytest.mark.parametrize(
    ("head", "pid", "stamp", "since"),
    [
        ("", None, None, None),
        ("11722 ", 11722, None, None),
        ("1     ", 1, None, None),
        ("[pid 11722] ", 11722, None, None),
        ("[pid    22] ", 22, None, None),
        ("11722<postdrop> ", 11722, None, None),
        ("[pid 11722<postdrop>] ", 11722, None, None),
        ("04:33:04 ", None, 16384.0, None),
        ("11722 04:33:04.250000 ", 11722, 16384.25, None),
        ("1795321984.250000 ", None, 1795321984.25, None),
        ("1795321984 ", None, 1795321984.0, None),
        ("11722 1795321984.250000 ", 11722, 1795321984.25, None),
        ("     0.000123 ", None, None, 0.000123),
        ("11722      0.000123 ", 11722, None, 0.000123),
        ("11722 04:33:04.250000 (+     0.000123) ", 11722, 16384.25, 0.000123),
        ("11722 [00007f5b7c0d1b3d] ", 11722, None, None),
        ("11722 04:33:04 [00007f5b7c0d1b3d] [  87] ", 11722, 16384.0, None),
    ],
)
def test_heads(head: str, pid: int | None, stamp: float | None, since: float | None) -> None:
    line = read_line(head + CALL, WANTED)
    assert (line.kind, line.pid, line.stamp, line.since_last_s) == ("call", pid, stamp, since)
    assert line.body == CALL


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CALL + " <0.000061>", "call"),
        ('unlink("a" <unfinished ...>', "begun"),
        ("accept(6, NULL, NULL <detached ...>", "begun"),
        ("<... unlink resumed>) = 0", "resumed"),
        ("<... unlink resumed> )                 = 0", "resumed"),
        ("<... brk resumed>)                = 0x55e6310b6000", "other"),
        ("brk(NULL)                         = 0x55b3d3ee1000", "other"),
        ("exit_group(0)                     = ?", "call"),
        ("+++ exited with 0 +++", "exited"),
        ("+++ killed by SIGSEGV (core dumped) +++", "exited"),
        ("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---", "other"),
        ("strace: Process 11716 attached", "other"),
        ("Process 11716 attached", "other"),
        (" > /usr/lib/x86_64-linux-gnu/libc.so.6(unlink+0x7) [0x10f1b7]", "other"),
        ('open("active/9B1C7163C54", O_RDWR|', "damaged"),
        ("# a note", "damaged"),
        ("这里连接", "damaged"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert read_line(text, WANTED).kind == kind


def test_arguments_are_told_from_what_only_looks_like_them() -> None:
    body = r'rename("a, \"b\") = -1 \101", AT_FDCWD</x) = 5>, [1, {c=2}, "d"...]) = 0 (Timeout)'
    found = take_apart(body)
    assert found is not None
    arguments, result = found
    assert result == "0 (Timeout)"
    assert string(arguments[0]) == 'a, "b") = -1 A'
    assert arguments[1:] == ["AT_FDCWD</x) = 5>", '[1, {c=2}, "d"...]']
    assert ends('14<UNIX-STREAM:[239988->239927,"public/cleanup"]>') == ("239988", "239927", "public/cleanup")


def test_paths() -> None:
    place = place_of("/var/spool/postfix/deferred/3/34E40163C55")
    assert place is not None
    assert (place.queue, place.file, place.path) == ("deferred", "34E40163C55", "deferred/3/34E40163C55")
    assert place_of("deferred/3") is None
    assert place_of("maildrop") is None
    assert place_of("/usr/lib/postfix/sbin/bounce") is None
    assert place_of("active/not-an-id") is None
    assert socket_of("private/smtp") == ("private/smtp", "smtp")
    assert socket_of("/dev/log") is None


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("Nov 22 04:17:21 mail postfix/qmgr[1]: 4jXG4d5NTxzCb6X: removed\n")
    with pytest.raises(InputError, match="no line of strace"):
        told(log)
    summary = tmp_path / "summary"
    summary.write_text("% time     seconds  usecs/call     calls    errors syscall\n")
    with pytest.raises(InputError, match="strace -c"):
        told(summary)


def test_halves_of_calls_are_counted(tmp_path: Path) -> None:
    found = told_of(
        "7 <... read resumed>) = 0\n"
        '7 unlink("active/4jXG4d5NTxzCb6X") = 0\n'
        "7 accept(6, NULL, NULL <detached ...>\n",
        tmp_path / "trace",
    )
    assert (found.cut, found.damaged, found.lines) == (2, 0, 3)


def test_midnight_passes(tmp_path: Path) -> None:
    found = told_of(
        '7 23:59:59.500000 rename("incoming/4jXG4d5NTxzCb6X", "active/4jXG4d5NTxzCb6X") = 0\n'
        '7 00:00:00.500000 unlink("active/4jXG4d5NTxzCb6X") = 0\n',
        tmp_path / "trace",
    )
    assert found.ways[0].stays[-1].seconds == pytest.approx(1.0)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_line(text: str) -> None:
    line = read_line(text, WANTED)
    take_apart(line.body)


def test_mutated_traces_neither_crash_nor_hang(tmp_path: Path) -> None:
    rng = random.Random(8)
    whole = b"".join(path.read_bytes() for path in (DATA / "sendmail-remote.strace", *FF))
    place = tmp_path / "trace"
    began = time.monotonic()
    for _ in range(60):
        data = bytearray(rng.choice((whole, whole[: rng.randrange(len(whole))])))
        for _ in range(rng.randrange(1, 400)):
            at = rng.randrange(len(data)) if data else 0
            cut = rng.choice((b"", b"\0", b"\n", b'"', b"<", b"(", b" = ", bytes([rng.randrange(256)])))
            data[at : at + rng.choice((0, 1, 1, 40))] = cut
        place.write_bytes(bytes(data))
        try:
            read = traces([place])
        except InputError:
            continue
        found = tell(read)
        assert found.damaged <= found.lines
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    "part", ['"', "(", "<", "\\", "/*", "0<-", "[pid ", "active/", " = ", "a(", '"\\"', "{"]
)
def test_long_lines_take_no_more_than_their_length(part: str, tmp_path: Path) -> None:
    began = time.monotonic()
    text = f'1 rename("{part * (900_000 // len(part))}\n1 connect(3, {part * 100_000}) = 0\n1 {CALL}\n'
    assert told_of(text, tmp_path / "trace").ways
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "queue_id", ["4jXG6j5SzrzCb6P", "4jXGMT4z1zzCb6Z", "4jXG4d5NTxzCb6X", "AE33C55", "84E5D163C55"]
)
def test_queue_ids(queue_id: str) -> None:
    # The time in a long id may hold the letter that parts it from the inode.
    place = place_of(f"maildrop/{queue_id}")
    assert place is not None
    assert place.file == queue_id

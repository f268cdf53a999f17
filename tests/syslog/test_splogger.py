"""splogger: its five rules, the lines of a real one, and what becomes of messages when the daemon is gone."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mailscope.syslog.local_socket import LocalSocket
from mailscope.syslog.splogger import CHUNK, Splogger
from mailscope.vocabulary.errors import OutputError

LOG = Path(__file__).parents[2] / "examples" / "qmail" / "maillog"
FORM = re.compile(rb"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ([^:]+): (\d+\.\d{6})([ +])(.*)", re.DOTALL)


def messages(
    *blocks: bytes, tag: bytes = b"qmail", facility: int = 2
) -> list[tuple[int, bytes, bytes, bytes]]:
    """Priority, stamp, the sign behind it and the text of each message."""
    sent: list[bytes] = []
    splogger = Splogger(sent.append, tag, facility)
    for block in blocks:
        splogger.take(block)
    splogger.finish()
    found = []
    for message in sent:
        match = FORM.fullmatch(message)
        assert match, message
        assert match[2] == tag
        found.append((int(match[1]), match[3], match[4], match[5]))
    return found


def test_the_five_rules() -> None:
    found = messages(b"new msg 7\nwarning: x\nalert: y\n\n\n not alert: z\ncaf\xc3\xa9\t\x1b[31m\x7f\0\n")
    assert [(pri, sign, text) for pri, _, sign, text in found] == [
        (2 * 8 + 6, b" ", b"new msg 7"),
        (2 * 8 + 4, b" ", b"warning: x"),
        (2 * 8 + 1, b" ", b"alert: y"),
        (2 * 8 + 6, b" ", b" not alert: z"),
        (2 * 8 + 6, b" ", b"caf????[31m??"),
    ]


@pytest.mark.parametrize("length", [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 10 * CHUNK])
@pytest.mark.parametrize("step", [100, CHUNK, 5000])
def test_long_lines_are_cut_and_go_on_with_the_same_stamp(length: int, step: int) -> None:
    line = b"warning: " + bytes(97 + n % 26 for n in range(length - 9))
    given = line + b"\nnext\n"
    found = messages(*(given[start : start + step] for start in range(0, len(given), step)))
    *chunks, following = found
    assert b"".join(text for *_, text in chunks) == line
    assert [len(text) for *_, text in chunks[:-1]] == [CHUNK] * (len(chunks) - 1)
    assert {pri for pri, *_ in chunks} == {2 * 8 + 4}
    assert len({stamp for _, stamp, *_ in chunks}) == 1
    assert [sign for _, _, sign, _ in chunks] == [b" "] + [b"+"] * (len(chunks) - 1)
    assert following[2:] == (b" ", b"next")


def test_a_last_line_without_an_end_is_not_lost() -> None:
    assert [text for *_, text in messages(b"one\ntwo")] == [b"one", b"two"]


def test_lines_of_a_real_splogger_come_out_as_they_went_in() -> None:
    """The article's format: what a splogger wrote, taken apart and given to ours, is the same again."""
    if not LOG.is_file():
        pytest.skip("no such example")
    kept = [line for line in LOG.read_bytes().splitlines() if b" qmail: " in line]
    texts = [re.sub(rb"^.*? qmail: \d+\.\d{6}", b"", line) for line in kept]
    lines = b"".join((b"" if text.startswith(b"+") else b"\n") + text[1:] for text in texts)[1:] + b"\n"
    assert [sign + text for _, _, sign, text in messages(lines)] == texts
    assert len(texts) > 10


def receiver(path: Path, kind: socket.SocketKind = socket.SOCK_DGRAM) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, kind)
    made.bind(str(path))
    made.settimeout(10)
    return made


def test_the_command_sends_to_a_datagram_socket(tmp_path: Path) -> None:
    taking = receiver(tmp_path / "log")
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", "syslog", "splogger", "--socket", str(tmp_path / "log"), "tcpserver", "3"],
        input=b"tcpserver: status: 0/40\n", check=True, capture_output=True,
    )  # fmt: skip
    assert not done.stderr
    match = FORM.fullmatch(taking.recv(10_000))
    assert match
    assert match[1] == b"30"
    assert match[2] == b"tcpserver"
    taking.close()


def test_a_stream_socket_gets_messages_that_a_nul_ends(tmp_path: Path) -> None:
    door = receiver(tmp_path / "log", socket.SOCK_STREAM)
    door.listen()
    sender = LocalSocket(str(tmp_path / "log"))
    connection, _ = door.accept()
    sender.send(b"<22>one")
    sender.send(b"<22>two")
    sender.close()
    assert connection.recv(100, socket.MSG_WAITALL) == b"<22>one\0<22>two\0"
    connection.close()
    door.close()


def test_a_daemon_that_is_restarted_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    taking = receiver(path)
    sender = LocalSocket(str(path))
    sender.send(b"one")
    assert taking.recv(100) == b"one"
    taking.close()
    path.unlink()
    again: list[socket.socket] = []

    def restart() -> None:
        time.sleep(0.3)
        again.append(receiver(path))

    thread = threading.Thread(target=restart)
    thread.start()
    sender.send(b"two")
    thread.join()
    assert again[0].recv(100) == b"two"
    assert sender.lost == 0
    again[0].close()
    path.unlink()
    gone = LocalSocket.__new__(LocalSocket)
    gone.__dict__.update(sender.__dict__, _patience_s=0.1)
    gone.send(b"three")
    gone.send(b"four")
    assert gone.lost == 2
    gone.close()


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no syslog daemon takes messages"):
        LocalSocket(str(tmp_path / "log"))


def test_it_takes_a_hundred_thousand_lines_a_second(tmp_path: Path) -> None:
    """Time of the processor, so that other work of the machine does not count."""
    taking = receiver(tmp_path / "log")
    taking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    pid = os.fork()
    if not pid:
        while taking.recv(4096) != b"end":
            pass
        os._exit(0)
    sender = LocalSocket(str(tmp_path / "log"))
    lines = b"".join(b"delivery %d: success: did_1+0+0/\n" % number for number in range(100_000))
    splogger = Splogger(sender.send)
    begun = time.process_time()
    for start in range(0, len(lines), 1 << 16):
        splogger.take(lines[start : start + (1 << 16)])
    took = time.process_time() - begun
    sender.send(b"end")
    os.waitpid(pid, 0)
    taking.close()
    assert not sender.lost
    assert took < 1.0, f"{100_000 / took:.0f} lines/s"

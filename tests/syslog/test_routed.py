"""The syslog daemon of a configuration: every action, SIGHUP, marks, and what becomes of messages in trouble."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from receiving import waited_for

from mailscope.syslog.conf.reading import read
from mailscope.syslog.conf.rules import Action, Dialect
from mailscope.syslog.record import Record, parsed, rfc5424, traditional
from mailscope.syslog.routed import Routed, marking
from mailscope.syslog.sinks.files import FileSink
from mailscope.syslog.sinks.terminals import TerminalSink


@contextmanager
def serving(
    folder: Path, rules: str, *options: str
) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """The daemon with these rules, and a socket connected to its own."""
    (folder / "conf").write_text(rules)
    command = [sys.executable, "-m", "mailscope", "syslog", "serve", "--conf", str(folder / "conf")]
    command += ["--listen", f"unix-dgram:{folder / 'log'}", *options]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stderr=said)
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        assert waited_for(lambda: b"listening" in (folder / "said").read_bytes()), (
            folder / "said"
        ).read_text()
        sender.connect(str(folder / "log"))
        yield process, sender
    finally:
        sender.close()
        process.terminate()
        assert process.wait(20) == 0, (folder / "said").read_text()


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def test_every_action(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    reading = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(20)
        rules = f"""\
mail.*      {tmp_path}/mail
mail.info;mail.!err -{tmp_path}/quiet
*.err       {tmp_path}/newer;RFC5424
mail.=err   |{tmp_path}/fifo
mail.crit   @127.0.0.1:{udp.getsockname()[1]}
*.emerg     *
"""
        with serving(tmp_path, rules) as (_, sender):
            sender.send(b"<22>Nov 27 10:00:00 postfix/qmgr[7]: info \x1b[31m")
            sender.send(b"<19>Nov 27 10:00:00 postfix/qmgr[7]: error")
            sender.send(b"<18>Nov 27 10:00:00 postfix/qmgr[7]: crit")
            sender.send(b"<27>Nov 27 10:00:00 other: error")
            assert waited_for(lambda: len(lines(tmp_path / "mail")) == 3)
            host = socket.gethostname().encode()
            assert lines(tmp_path / "mail")[0] == b"Nov 27 10:00:00 %b postfix/qmgr[7]: info #033[31m" % host
            assert waited_for(lambda: len(lines(tmp_path / "quiet")) == 1)
            assert lines(tmp_path / "quiet")[0].endswith(b"#033[31m")
            assert waited_for(lambda: len(lines(tmp_path / "newer")) == 3)
            assert lines(tmp_path / "newer")[0].startswith(b"<19>1 ")
            assert lines(tmp_path / "newer")[0].endswith(b"%b postfix/qmgr 7 - - error" % host)
            assert udp.recv(1000).startswith(b"<18>Nov 27 10:00:00 %b postfix/qmgr[7]: crit" % host)
            got = b""
            until = time.monotonic() + 20
            while not got.endswith(b"error\n") and time.monotonic() < until:
                try:
                    got += os.read(reading, 1000)
                except BlockingIOError:
                    time.sleep(0.01)
            assert got.count(b"\n") == 1
    os.close(reading)


def test_commands_and_tcp(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        door.settimeout(20)
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        with serving(tmp_path / "one", f"!prog\n*.* |cat >> {tmp_path}/out\n", "--dialect", "bsd") as (
            _,
            sender,
        ):
            sender.send(b"<13>Nov 27 10:00:00 prog: for the command")
            sender.send(b"<13>Nov 27 10:00:00 other: not for it")
            assert waited_for(lambda: len(lines(tmp_path / "out")) == 1)
        port = door.getsockname()[1]
        with serving(tmp_path / "two", f"*.* @@127.0.0.1:{port};RSYSLOG_SyslogProtocol23Format\n") as (
            _,
            sender,
        ):
            sender.send(b"<13>Nov 27 10:00:00 prog: one")
            first, _ = door.accept()
            first.settimeout(20)
            assert first.recv(1000).endswith(b" prog - - - one\n")
            # The connection breaks: what comes next goes over another one.
            first.close()
            sender.send(b"<13>Nov 27 10:00:00 prog: two")
            second, _ = door.accept()
            second.settimeout(20)
            assert second.recv(1000).endswith(b" prog - - - two\n")
            second.close()


def test_hangup_reads_the_configuration_again_and_reopens_files(tmp_path: Path) -> None:
    log = tmp_path / "mail"
    with serving(tmp_path, f"mail.* {log}\n") as (process, sender):
        sender.send(b"<22>Nov 27 10:00:00 p: one")
        assert waited_for(lambda: len(lines(log)) == 1)
        log.rename(tmp_path / "mail.1")
        (tmp_path / "conf").write_text(f"mail.* {log}\nuser.* {tmp_path}/user\n")
        process.send_signal(signal.SIGHUP)
        assert waited_for(lambda: b"read again" in (tmp_path / "said").read_bytes())
        sender.send(b"<22>Nov 27 10:00:00 p: two")
        sender.send(b"<13>Nov 27 10:00:00 p: three")
        assert waited_for(lambda: len(lines(log)) == 1 and len(lines(tmp_path / "user")) == 1)
        assert len(lines(tmp_path / "mail.1")) == 1
        (tmp_path / "conf").write_text("nothing that is a rule\n")
        process.send_signal(signal.SIGHUP)
        assert waited_for(lambda: b"goes on as before" in (tmp_path / "said").read_bytes())
        sender.send(b"<22>Nov 27 10:00:00 p: four")
        assert waited_for(lambda: len(lines(log)) == 2)


def record(severity: int = 6, text: bytes = b"text") -> Record:
    return Record(2, severity, datetime(2026, 11, 27, 10, tzinfo=UTC), b"mx1", b"prog", b"7", text)


def test_marks(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(f"*.* {tmp_path}/all\nmark.* {tmp_path}/marks\nmail.* {tmp_path}/mail\n")
    routed = Routed(read(tmp_path / "conf", Dialect.SYSKLOGD), "mx1", print)
    tick = marking(0.001, routed.mark)
    time.sleep(0.01)
    tick()
    marking(0, routed.mark)()
    routed.close()
    assert lines(tmp_path / "marks")[0].endswith(b" mx1 -- MARK --")
    assert len(lines(tmp_path / "all")) == 1
    assert not lines(tmp_path / "mail")


def test_discarded_messages_go_no_further(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(f':msg, contains, "noise" ~\n*.* {tmp_path}/rest\n')
    routed = Routed(read(tmp_path / "conf", Dialect.RSYSLOG), "mx1", print)
    routed.take([record(text=b"noise"), record(text=b"news")])
    routed.close()
    assert [line.rpartition(b" ")[2] for line in lines(tmp_path / "rest")] == [b"news"]


def test_a_full_disk_is_told_and_what_fits_is_kept(tmp_path: Path) -> None:
    said: list[str] = []
    sink = FileSink(Action("file", "/dev/full"), said.append)
    sink.write([record()])
    sink.write([record()])
    assert said == ["/dev/full: No space left on device"]
    sink.close()
    away = tmp_path / "no" / "log"
    sink = FileSink(Action("file", str(away)), said.append)
    sink.write([record(text=b"one")])
    away.parent.mkdir()
    sink.write([record(text=b"two")])
    assert [line.rpartition(b" ")[2] for line in lines(away)] == [b"one", b"two"]
    assert said[-1].endswith("works again; 0 messages were lost")
    sink.close()


def test_rotation_keeps_so_many(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = FileSink(Action("file", str(path), rotate_bytes=100, rotate_count=2), print)
    for number in range(20):
        sink.write([record(text=b"%d" % number)])
    sink.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["log", "log.0", "log.1"]
    kept = [*lines(tmp_path / "log.1"), *lines(tmp_path / "log.0"), *lines(path)]
    numbers = [int(line.rpartition(b" ")[2]) for line in kept]
    assert numbers == list(range(numbers[0], 20))


def test_terminals_get_nothing_that_drives_them(tmp_path: Path) -> None:
    for name in ("tty1", "pts", "none"):
        (tmp_path / name).touch()
    logged_in = [("alice", "tty1"), ("bob", "../none"), ("bob", "tty9"), ("carol", "none")]
    sink = TerminalSink(Action("users", "alice,bob"), print, lambda: logged_in, str(tmp_path))
    sink.write([record(text=b"\x1b[2J\xc2\x9b31m text")])
    shown = (tmp_path / "tty1").read_bytes()
    assert b"Message from syslogd@mx1" in shown
    assert b"\x1b" not in shown
    assert "\x9b" not in shown.decode()
    assert not (tmp_path / "none").read_bytes()
    everyone = TerminalSink(Action("everyone"), print, lambda: logged_in, str(tmp_path))
    everyone.write([record()])
    assert (tmp_path / "none").read_bytes()


def test_records_of_both_protocols() -> None:
    newer = parsed(b'<165>1 2026-11-27T10:00:00.5Z mx1 app 7 ID [a@1 b="]\\"c"] text of it')
    assert newer == Record(
        20,
        5,
        datetime(2026, 11, 27, 10, 0, 0, 500_000, tzinfo=UTC),
        b"mx1",
        b"app",
        b"7",
        b"text of it",
        b"ID",
        b'[a@1 b="]\\"c"]',
    )
    assert rfc5424(newer).endswith(b' mx1 app 7 ID [a@1 b="]\\"c"] text of it')
    older = parsed(b"<22>Nov  7 10:00:00 mx1 postfix/smtpd[12]: a: b")
    assert older is not None
    assert (older.program, older.process, older.text) == (b"postfix/smtpd", b"12", b"a: b")
    assert traditional(older).endswith(b" 10:00:00 mx1 postfix/smtpd[12]: a: b")
    assert parsed(b"<999>Nov  7 10:00:00 mx1 x: y") is None
    untagged = parsed(b"<22>Nov  7 10:00:00 mx1 just words")
    assert untagged is not None
    assert (untagged.program, untagged.text) == (b"", b"just words")

"""What logs are piped through: `mailscope syslog multilog` beside daemontools' one, and `syslog splogger`.

    python benchmarks/logging_tools.py --lines 2000000

Pipes so many lines of a busy Postfix through each, and tells lines a second by the clock.  multilog stamps
(``t``) and rotates at 16 MB; splogger sends to a socket of its own (``--socket``), where a thread reads.
Where daemontools is not installed, its multilog is left out.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

LINE = (
    "postfix/smtp[{pid}]: {queue_id:09X}: to=<user{number}@example.org>, "
    "relay=mx.example.org[192.0.2.25]:25, delay=0.{number}, "
    "status=sent (250 2.0.0 Ok: queued as {queue_id:09X})\n"
)


def write(path: Path, lines: int) -> None:
    """The lines that are piped."""
    with path.open("w", encoding="ascii") as file:
        for start in range(0, lines, 10_000):
            numbers = range(start, min(start + 10_000, lines))
            file.writelines(LINE.format(pid=1000 + at % 100, queue_id=at, number=at % 1000) for at in numbers)


def timed(words: list[str], log: Path) -> float:
    """Seconds that a command takes for the lines on its standard input."""
    begun = time.perf_counter()
    with log.open("rb") as lines:
        subprocess.run(words, stdin=lines, check=True)
    return time.perf_counter() - begun


def drain(receiver: socket.socket, counted: list[int], over: threading.Event) -> None:
    """Read what comes until it is over."""
    receiver.settimeout(0.2)
    while True:
        try:
            receiver.recv(65536)
        except TimeoutError:
            if over.is_set():
                return
            continue
        counted[0] += 1


def main() -> None:
    """Pipe the lines through each program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=2_000_000)
    asked = parser.parse_args()
    ours = [sys.executable, "-m", "mailscope", "syslog"]
    with tempfile.TemporaryDirectory(prefix="logging-") as place:
        log = Path(place) / "lines"
        write(log, asked.lines)
        for name, words in (
            ("mailscope multilog", [*ours, "multilog"]),
            ("multilog", ["multilog"]),
        ):
            if shutil.which(words[0]) is None:
                continue
            took = timed([*words, "t", "s16777215", str(Path(place) / name.replace(" ", "-"))], log)
            print(f"{name:22}{asked.lines / took:12,.0f} lines/s", flush=True)
        path = f"{place}/log"
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.bind(path)
        counted, over = [0], threading.Event()
        thread = threading.Thread(target=drain, args=(receiver, counted, over))
        thread.start()
        took = timed([*ours, "splogger", "--socket", path, "qmail"], log)
        over.set()
        thread.join()
        receiver.close()
        print(
            f"{'mailscope splogger':22}{asked.lines / took:12,.0f} lines/s, {counted[0]:,} received",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Hostile clients, all at once, beside an honest one; the receiver in a process of its own, so that its peak memory is known."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time

HONEST = b"<22>Nov 27 10:00:00 mx1 postfix/smtpd[12]: honest #%d\n"
COUNT = 20_000
SERVER = """
import re, resource, sys, time
from mailscope.syslog.receiver.feed import Receiver
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
limits = Limits(message_s=2.0, queue_bytes=8 << 20, unfinished_bytes=8 << 20, per_address=1000)
receiver = Receiver([Listener("tcp", "127.0.0.1", 0), Listener("udp", "127.0.0.1", 0)], limits, "here")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(*(each.port for each in receiver.listeners), peak(), flush=True)
honest, lines, wrong = 0, 0, 0
def look():
    global honest, lines, wrong
    for arrival in receiver.take(1 << 30):
        wrong += re.search(rb"[\\x00-\\x09\\x0b-\\x1f]", arrival.data) is not None
        for line in arrival.data.split(b"\\n")[:-1]:
            lines += 1
            if b" honest #" in line:
                wrong += not line.endswith(b" honest #%d" % honest)
                honest += 1
import select
while not select.select([sys.stdin], [], [], 0.05)[0]:
    look()
until = time.monotonic() + 60  # what has been sent is read, on a busy machine later
while honest < int(sys.argv[1]) and time.monotonic() < until:
    look()
    time.sleep(0.05)
receiver.stop()
look()
trouble = {kind: each.times for counts in receiver.counts.values() for kind, each in counts.trouble.items()}
print(honest, lines, wrong, peak(), trouble, flush=True)
"""


def flood(port: int, chooser: random.Random, until: float) -> None:
    """One hostile connection after the other."""
    while time.monotonic() < until:
        with socket.create_connection(("127.0.0.1", port)) as client:
            kind = chooser.randrange(6)
            try:
                if kind == 0:  # any bytes
                    client.sendall(chooser.randbytes(200_000))
                elif kind == 1:  # a line without an end
                    client.sendall(b"<22>" + b"x" * 2_000_000)
                elif kind == 2:  # a giant that is announced and does not come
                    client.sendall(b"16000000 <22>" + b"y" * 500_000)
                elif kind == 3:  # lengths that are not
                    client.sendall(b"5 <22>x" + b"99999999999 " * 2000 + b"\n" + b"0 <1>a\n-5 <1>b\n")
                elif kind == 4:  # nothing but line ends and NULs
                    client.sendall(b"\n\0\r\n" * 50_000)
                else:  # control characters, which grow fourfold
                    client.sendall(b"<22>" + b"\0\x1b" * 100_000 + b"\n")
            except OSError:
                pass


def test_attacks_cost_little_memory_and_no_honest_message() -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(COUNT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        tcp, udp, before = (int(word) for word in server.stdout.readline().split())
        silent = [socket.create_connection(("127.0.0.1", tcp)) for _ in range(500)]
        for number, client in enumerate(silent):  # slow ones: a part of a message, and no more
            client.sendall(b"<22>" + b"z" * (number * 100))
        until = time.monotonic() + 5
        floods = [threading.Thread(target=flood, args=(tcp, random.Random(seed), until)) for seed in range(4)]
        for each in floods:
            each.start()
        with (
            socket.create_connection(("127.0.0.1", tcp)) as honest,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        ):
            chooser = random.Random(5)
            for number in range(COUNT):
                honest.sendall(HONEST % number)
                if not number % 20:
                    datagrams.sendto(chooser.randbytes(chooser.randrange(3000)), ("127.0.0.1", udp))
        for each in floods:
            each.join()
        time.sleep(3)
        output, _ = server.communicate("end\n", timeout=90)
    finally:
        server.kill()
        for client in silent:
            client.close()
    words = output.split(maxsplit=4)
    honest_lines, lines, wrong, peak = (int(word) for word in words[:4])
    assert (honest_lines, wrong) == (COUNT, 0), output
    assert lines > COUNT
    trouble = words[4]
    for kind in ("truncated", "incomplete", "malformed", "slow"):
        assert f"'{kind}'" in trouble
    assert server.returncode == 0
    print(f"peak {peak} MB, {before} MB at the start; {lines} lines; {trouble}")
    # The queue, what is taken at once, unfinished messages, and the machinery.
    assert peak - before < 150, output

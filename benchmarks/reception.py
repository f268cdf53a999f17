"""The syslog receiver under load: messages sent by another process, taken every half second."""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mailscope.syslog.receiver.feed import Receiver
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Transport

PER_SECOND = 20_000
TAKE_EVERY_S = 0.5
# What comes late on a machine that is busy with something else.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Load:
    """What came of one run. `lines` are the lines with all that stood in them, our own left out."""

    sent: int
    lost: int
    lines: list[bytes]
    seconds: float
    cpu_s: float
    peak_mb: float
    problems: list[str]

    @property
    def cpu_share(self) -> float:
        """Give the processor time that 20,000 messages take, as a share of a second."""
        return self.cpu_s / self.sent * PER_SECOND


def receive(transport: Transport, count: int, per_second: int = PER_SECOND, connections: int = 1) -> Load:
    """Receive so many messages, or all but those that the kernel says it dropped."""
    limits = Limits(connections=max(connections, 1000), per_address=max(connections, 1000))
    receiver = Receiver([Listener(transport, "127.0.0.1", 0)], limits, host="here")
    script = str(Path(__file__).parent / "sending.py")
    words = [transport, receiver.listeners[0].port, count, per_second, connections]
    cpu, found = time.process_time(), bytearray()
    try:
        sender = subprocess.Popen([sys.executable, script, *map(str, words)], stdout=subprocess.PIPE)
        until = None
        while until is None or time.monotonic() < until:
            time.sleep(TAKE_EVERY_S)
            for arrival in receiver.take(1 << 30):
                found += arrival.data
            if until is None and sender.poll() is not None:
                until = time.monotonic() + PATIENCE_S
            if until is not None and received(receiver) + lost(receiver) >= count:
                break
        receiver.stop()
        for arrival in receiver.take(1 << 30):
            found += arrival.data
        cpu = time.process_time() - cpu
        said, _ = sender.communicate()
        lines = [line for line in bytes(found).splitlines() if b" here mailscope[" not in line]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Load(count, lost(receiver), lines, float(said), cpu, peak, list(receiver.problems()))
    finally:
        receiver.close()


def received(receiver: Receiver) -> int:
    """Give the number of messages that came over all sockets."""
    return sum(counts.messages for counts in receiver.counts.values())


def lost(receiver: Receiver) -> int:
    """Give the number of messages that the kernel dropped."""
    return sum(counts.of("kernel") for counts in receiver.counts.values())

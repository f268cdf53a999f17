"""The daemon under an attack: failed logins, thousands a second, in a followed log.

    python benchmarks/flood.py --rate 20000 --seconds 60

Told: how late lines are in the store while the attack lasts and when all of it is there, memory, and the
findings that it makes, which should be one.  ``--shape``: who takes part.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from live import PROBE, Daemon, Watch

STEP_S, PROBE_S = 0.02, 0.1
# Clients and accounts.
SHAPES = {
    "one-client": (1, 300),
    "few-clients": (200, 300),
    "one-account": (60_000, 1),
    "many-clients": (60_000, 300),
    "everything-invented": (60_000, 1_000_000),
}


def failure(number: int, clients: int, accounts: int) -> bytes:
    """What Postfix writes of a failed login."""
    mixed = number * 2_654_435_761 % 4_294_967_296
    client, account = mixed % clients, mixed // clients % accounts
    address = f"198.{18 + client // 65_536}.{client // 256 % 256}.{client % 256}"
    return (
        f"mx postfix/smtpd[{1000 + number % 500}]: warning: unknown[{address}]: SASL LOGIN "
        f"authentication failed: UGFzc3dvcmQ6, sasl_username=user{account}@example.org\n"
    ).encode()


def attack(
    log: Path, shape: str, rate: int, seconds: float, daemon: Daemon
) -> tuple[dict[int, float], int, float]:
    """Write the lines; gives when each probe was written, how many lines there are, the greatest memory."""
    probes: dict[int, float] = {}
    written, peak = 0, 0.0
    begun = probed = time.monotonic()
    while (now := time.monotonic()) - begun < seconds:
        stamp = datetime.now(UTC).isoformat(timespec="microseconds").encode() + b" "
        owed = int((now - begun) * rate) - written
        piece = [stamp + failure(written + n, *SHAPES[shape]) for n in range(owed)]
        written += owed
        if now - probed >= PROBE_S:
            probed += PROBE_S
            probes[len(probes)] = now
            piece.append(stamp + f"mx {PROBE}[1]: {len(probes) - 1}\n".encode())
            peak = max(peak, daemon.rss_mb())
        with log.open("ab") as file:
            file.write(b"".join(piece))
        time.sleep(STEP_S)
    return probes, written, peak


def measure(place: Path, shape: str, rate: int, seconds: float) -> dict[str, float]:
    """Run the daemon and attack it."""
    log = place / "mail.log"
    log.touch()
    daemon = Daemon(place, None, [log])
    daemon.start()
    watch = Watch(place)
    watch.start()
    time.sleep(1)
    cpu, begun = daemon.cpu_s(), time.monotonic()
    probes, written, peak = attack(log, shape, rate, seconds, daemon)
    over = time.monotonic()
    while len(watch.seen) < len(probes) and time.monotonic() < over + 300:
        time.sleep(0.1)
        peak = max(peak, daemon.rss_mb())
    caught_up = max(watch.seen.values(), default=over) - over
    spent = daemon.cpu_s() - cpu
    daemon.stop()
    found = asked(place, "findings", "list", "--state", "all", "--format", "json")
    # What was counted, failure for failure.
    counted = asked(
        place, "sql", "--format", "json", "select count(*) as n from events where event = 'login_failed'"
    )
    late = sorted(watch.seen[number] - at for number, at in probes.items() if number in watch.seen)
    return {
        "lines": written,
        "lines a second": written / (over - begun),
        "failures stored": counted[0]["n"],
        "latency p50 s": late[len(late) // 2],
        "latency max s": late[-1],
        "all stored after s": caught_up,
        "processor s a million lines": spent / written * 1e6,
        "memory MB": peak,
        "findings": len(found),
    }


def asked(place: Path, *words: str) -> list[dict[str, int]]:
    """Give what a command answers."""
    command = [sys.executable, "-m", "mailscope", *words, "--store", str(place / "store")]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in told.splitlines() if line.strip()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="of the attack (default %(default)s)")
    parser.add_argument("--rate", type=int, default=20_000, help="lines a second (default %(default)s)")
    parser.add_argument("--shape", choices=tuple(SHAPES), default="few-clients", help="who takes part")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        told = measure(Path(directory), options.shape, options.rate, options.seconds)
    for what, figure in told.items():
        print(f"{what:<32}{figure:14.2f}")


if __name__ == "__main__":
    main()

"""The simulated host: its lines are those of the real programs, the same plan gives the same bytes, labels fit."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from mailscope.demo.host import LOGS, simulate
from mailscope.demo.incidents import KINDS, NAMES, choose
from mailscope.demo.places import countries
from mailscope.demo.plan import Plan
from simulation.kinds import FINDS, FOLLOWS
from simulation.small_host import simulate_small

STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00) mail ")


def coverage(logs: Path) -> dict[str, Any]:
    """Count what Mailscope recognises."""
    command = [str(Path(sys.executable).with_name("mailscope")), "coverage", "--format", "json", str(logs)]
    read: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return read


def lines_of(logs: Path, name: str) -> list[str]:
    """Give all lines of a log, the oldest file first."""
    files = sorted(
        logs.glob(f"{name}*"), key=lambda path: int((re.findall(r"\.(\d+)", path.name) or ["0"])[0])
    )
    read = [path.read_bytes() for path in reversed(files)]
    plain = [gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in read]
    return b"".join(plain).decode().splitlines()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Nine days of a small host with every incident that there is."""
    directory = tmp_path_factory.mktemp("every")
    return directory, simulate(Plan(9, 24, 3, incidents=NAMES), directory)


def test_every_line_is_recognised(made: tuple[Path, dict[str, Any]]) -> None:
    directory, labels = made
    told = coverage(directory / LOGS)
    total = sum(labels["lines"].values())
    assert told["lines"] == {
        "read": total,
        "recognised": total,
        "unrecognised": 0,
        "blank": 0,
        "duplicate": 0,
    }


def test_lines_are_in_order_over_rotated_files(made: tuple[Path, dict[str, Any]]) -> None:
    directory, labels = made
    assert {path.name for path in (directory / LOGS).glob("mail.log*")} == {"mail.log", "mail.log.1"}
    for name, count in labels["lines"].items():
        lines = lines_of(directory / LOGS, name)
        stamps = [STAMP.match(line)[1] for line in lines]  # type: ignore[index]
        assert len(lines) == count
        assert stamps == sorted(stamps)


def test_labels_point_at_lines(made: tuple[Path, dict[str, Any]]) -> None:
    directory, labels = made
    logs = {name: lines_of(directory / LOGS, name) for name in labels["lines"]}
    assert sorted(f"{each['kind']}_{each['variant']}" for each in labels["incidents"]) == sorted(NAMES)
    thin = {each["kind"] for each in labels["incidents"] if each["knowable"] is None}
    assert thin <= {"slow_delivery", "bounce_rate", "provider_blocks"}  # 24 people send too little for these
    for label in labels["incidents"]:
        if label["kind"] in thin:
            continue
        start, known, end = (datetime.fromisoformat(label[name]) for name in ("start", "knowable", "end"))
        assert start <= known < end, label
        line = logs[label["line"]["file"]][label["line"]["number"] - 1]
        assert label["line"]["text"] in line
        stamp = datetime.fromisoformat(STAMP.match(line)[1])  # type: ignore[index]
        assert stamp >= known
        assert label["subject"]


def test_what_incidents_do_is_in_the_log(made: tuple[Path, dict[str, Any]]) -> None:
    directory, labels = made
    log = lines_of(directory / LOGS, "mail.log")
    label = {f"{each['kind']}_{each['variant']}": each for each in labels["incidents"]}

    def during(name: str, pattern: str) -> int:
        start, end = label[name]["start"][:19], label[name]["end"][:19]
        return sum(1 for line in log if start <= line[:19] <= end and re.search(pattern, line))

    user, ip = (re.escape(label["brute_force_obvious"]["subject"][name]) for name in ("user", "ip"))
    assert during("brute_force_obvious", rf"auth failed, 3 attempts.*user=<{user}>.*rip={ip},") in (199, 200)
    assert during("password_spraying_obvious", r"SASL LOGIN authentication failed") >= 23
    assert during("outgoing_spam_obvious", r"uid=33 from=<web@example.org>") >= 900
    assert during("incoming_flood_obvious", r"DNSBL rank") > 5500
    assert during("directory_harvest_obvious", r"User unknown in virtual") >= 550
    assert during("relay_probing_obvious", r"Relay access denied") > 40
    assert during("queue_growth_obvious", r"Name service error .* Host not found, try again\)") > 15
    assert during("dnsbl_listed_obvious", r"blocked using bl\.blocklist\.example") > 2
    assert during("tls_failures_obvious", r"certificate expired") > 12
    assert during("tls_failures_hard", r"handshake failure") >= 4
    assert during("silence_obvious", r" dovecot: ") == 0 < during("silence_obvious", " postfix/")
    assert during("disk_full_obvious", r"No space left on device") == 420
    user = re.escape(label["compromised_account_obvious"]["subject"]["user"])
    assert during("compromised_account_obvious", f"client=.*sasl_username={user}$") >= 498


def test_same_plan_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        simulate(Plan(8, 20, 5), tmp_path / name)
    simulate(Plan(8, 20, 6), tmp_path / "other")
    written = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("first", "second", "other")
    }
    assert written["first"] == written["second"]
    assert written["first"]["mail.log"] != written["other"]["mail.log"]


def test_two_seeds_have_every_variant_and_twenty_each() -> None:
    from random import Random

    chosen = [choose(Plan(seed=seed), Random(seed)) for seed in (1, 2)]
    assert [len(names) for names in chosen] == [20, 20]
    assert all(len({name.rpartition("_")[0] for name in names}) >= 10 for names in chosen)
    assert set(chosen[0]) | set(chosen[1]) == set(NAMES)


def test_every_kind_has_a_detection() -> None:
    assert set(FINDS) == set(FOLLOWS) == set(KINDS)
    assert all(FINDS.values())


def test_every_address_has_one_country(made: tuple[Path, dict[str, Any]]) -> None:
    directory, _ = made
    networks = [ip_network(network) for network, _ in countries()]
    assert (directory / "countries.csv").read_text().splitlines()[1:] == [
        ",".join(row) for row in countries()
    ]
    log = "\n".join(lines_of(directory / LOGS, "mail.log") + lines_of(directory / LOGS, "auth.log"))
    found = set(re.findall(r"(?:rip=|from |\[)(\d+\.\d+\.\d+\.\d+)\b", log)) - {"127.0.0.1", "192.168.1.20"}
    assert len(found) > 500
    for address in found:
        assert sum(ip_address(address) in network for network in networks) == 1, address


def test_small_host_is_of_another_kind_and_quiet(tmp_path: Path) -> None:
    labels = simulate_small(Plan(8, 12, 2), tmp_path)
    told, total = coverage(tmp_path / LOGS), sum(labels["lines"].values())
    assert told["lines"] == {
        "read": total,
        "recognised": total,
        "unrecognised": 0,
        "blank": 0,
        "duplicate": 0,
    }
    assert labels["incidents"] == labels["trips"] == []
    assert labels["lines"].keys() == {
        "qmail-send/current",
        "qmail-smtpd/current",
        "mail.log",
        "auth.log",
        "syslog",
    }
    deliveries = lines_of_multilog(tmp_path / LOGS / "qmail-send")
    assert len(deliveries) == labels["lines"]["qmail-send/current"] == len(set(deliveries))
    assert deliveries == sorted(deliveries, key=lambda line: line[:25])
    counts = Counter(" ".join(line.split()[1:3]) for line in deliveries)
    assert counts["new msg"] == counts["info msg"] >= counts["end msg"] > 100


def lines_of_multilog(directory: Path) -> list[str]:
    """Give all lines of multilog's directory; its names sort by time, `current` is last."""
    return [line for path in sorted(directory.iterdir()) for line in path.read_text().splitlines()]


def test_command_line_says_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).parents[2] / "benchmarks" / "simulate.py")]
    done = subprocess.run(
        [*command, "--incidents", "fire", "-o", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "no such incident: fire; `--incidents names` lists them\n"
    done = subprocess.run([*command, "--incidents", "names"], capture_output=True, text=True, check=True)
    assert tuple(done.stdout.split()) == NAMES

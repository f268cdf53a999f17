"""Our report beside the real one: the same log, options and day; the same text but for ties (pflogsumm_ties.py)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pflogsumm_peers as peers
import pytest
from pflogsumm_ours import made
from pflogsumm_ties import settled

ROOT = Path(__file__).parents[4]
LAB = ROOT.parent / "shared" / "lab" / "postfix"
OWN = ROOT / "tests" / "data" / "pflogsumm"
NOW = "2026-11-22 12:00:00"
# The generator's options; its days lie around New Year.
GENERATED = {
    "long-ids": ("--lines", "1500", "--start", "2026-11-21", "--days", "2"),
    "short-ids": (
        "--lines",
        "1500",
        "--start",
        "2025-12-30",
        "--days",
        "4",
        "--queue-ids",
        "short",
        "--seed",
        "7",
    ),
    "rfc3339": ("--lines", "1000", "--start", "2026-11-20", "--days", "3", "--format", "rfc3339"),
}
LAB_LOGS = (
    "full-run.mail.log.bsd",
    "phaseA.mail.log.bsd",
    "mail.warn.bsd",
    "master-panic-lines.bsd",
)
OWN_LOGS = tuple(sorted(path.name for path in OWN.glob("*.log")))
LOGS = (*LAB_LOGS, *OWN_LOGS, *GENERATED)
BRIEFLY = ("full-run.mail.log.bsd", "mail.warn.bsd", "master-panic-lines.bsd", "long-ids")
OPTIONS = {
    "1.3.0": (
        (), ("--verbose-msg-detail", "--problems-first"), ("--zero-fill", "--iso-date-time", "-q"),
        ("--smtpd-stats", "--pscrn-stats"), ("--detail", "3"), ("-e", "--no-no-msg-size"),
        ("-h", "2", "-u=4", "--rej-add-from", "--rej-add-to"), ("--rej-add-from", "--colwidth", "100", "--use-orig-to"),
        ("-i", "-m", "--srs-mung", "--verp-mung=2", "--rej-add-to"), ("--ssl-tls-stats", "--syslog-name", "postfix-.*"),
        ("-d", "yesterday", "--suppress", "per-hour size-detail"), ("-date", "2025-12_to_2026-11-21", "--smtpd_stats"),
    ),
    "1.1.5": (
        (), ("--verbose-msg-detail", "--problems-first"), ("--zero-fill", "--iso-date-time", "-q"),
        ("--smtpd-stats",), ("--detail", "3"), ("-e", "--no-no-msg-size"), ("-h", "2", "-u=4", "--rej-add-from"),
        ("-i", "-m", "--verp-mung=2"), ("--syslog_name", "postfix-.*", "--smtp-detail", "0"),
        ("-d", "yesterday"), ("-d", "today", "--no_bounce_detail", "--no_reject_detail"),
    ),
}  # fmt: skip
CASES = [
    pytest.param(release, log, options, id=f"{release}-{log}-{' '.join(options) or 'none'}")
    for release, sets in OPTIONS.items()
    for log in LOGS
    for options in sets
    # Twelve logs with all options; the others add lines, not rules (see also the goldens).
    if log not in BRIEFLY or options in sets[:3]
]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where each log is; the generator's are made now."""
    directory = tmp_path_factory.mktemp("logs")
    places = {name: OWN / name for name in OWN_LOGS}
    places |= {path.name: path for path in LAB.glob("*") if path.is_file()}
    for name, words in GENERATED.items():
        places[name] = directory / name
        script = ROOT / "benchmarks" / "generate.py"
        subprocess.run([sys.executable, script, *words, "-o", places[name]], check=True)
    return places


@pytest.fixture(scope="module")
def real(logs: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[dict[object, Future[peers.Ran]]]:
    """Runs of the real program for all tests that were asked for, two at a time, ahead of the tests."""
    with ThreadPoolExecutor(2) as pool:
        runs: dict[object, Future[peers.Ran]] = {}
        for item in request.session.items:
            values = getattr(getattr(item, "callspec", None), "params", {})
            if item.path == Path(__file__) and {"release", "log", "options"} <= values.keys():
                release, log, options = values["release"], values["log"], values["options"]
                if log in logs and not peers.missing(release):
                    arguments = [*options, str(logs[log])]
                    runs[release, log, options] = pool.submit(peers.run, release, arguments, NOW)
        yield runs
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("release", "log", "options"), CASES)
def test_the_same_report(
    release: str,
    log: str,
    options: tuple[str, ...],
    logs: dict[str, Path],
    real: dict[object, Future[peers.Ran]],
) -> None:
    if reason := peers.missing(release):
        pytest.skip(reason)
    if log not in logs:
        pytest.skip("the lab's logs are not here")
    theirs = real[release, log, options].result()
    assert theirs.exit_code == 0, theirs.stderr.decode()
    ours = made(release, [*options, str(logs[log])], NOW)
    assert settled(ours, release) == settled(theirs.stdout.decode("latin-1"), release)


def test_enough_is_compared() -> None:
    assert len(set(LOGS) - set(BRIEFLY)) >= 12
    assert all(len(set(sets)) >= 10 for sets in OPTIONS.values())

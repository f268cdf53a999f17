"""A real standalone cluster of a master and workers gives what one machine gives, whatever befalls it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hosts
import pytest
from comparing import assert_same_rows, mailscope, one_machine, report

from standalone import Standalone, standalone, usable

EXAMPLES = Path(__file__).parents[2] / "examples"
LAB = Path(__file__).parents[3] / "shared" / "lab"
# Logs of one time each: hosts are followed by their own clocks here, and by one clock on one machine.
WRITTEN = {
    "five hosts": [EXAMPLES / "fivehosts"],
    "Postfix": [LAB / "postfix" / "multiday.mail.log.bsd", EXAMPLES / "postfix"],
    "qmail": [EXAMPLES / "qmail" / "multilog", LAB / "qmail" / "multilog-all.tai64n"],
    "Dovecot and Courier": [LAB / "imap" / name for name in ("dovecot.log.rfc3339", "courier.log.bsd")],
}


def written() -> dict[str, Path]:
    """Of each kind, the first samples that are here."""
    found = {name: next((path for path in paths if path.exists()), None) for name, paths in WRITTEN.items()}
    return {name: path for name, path in found.items() if path is not None}


pytestmark = pytest.mark.skipif(bool(usable()), reason=usable() or "it can be started")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 hosts that send each other mail."""
    return hosts.write(tmp_path_factory.mktemp("hosts"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def words(cluster: Standalone, output: Path, *logs: object) -> list[str]:
    conf = ["--conf", "spark.executor.memory=1g", "--conf", "spark.task.maxFailures=8"]
    told = ["--master", cluster.url, *conf, "--output", output, "--tz", "UTC", *logs]
    return [sys.executable, "-m", "mailscope", "cluster", "ingest", *map(str, told)]


@pytest.fixture(scope="module")
def stores(cluster: Standalone, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the cluster made of each set of logs, in one session."""
    place = tmp_path_factory.mktemp("store")
    found = {name: place / f"cluster-{number}" for number, name in enumerate(["hosts", *written()])}
    asked = [{"output": str(found[name]), "inputs": [str(logs)]} for name in ("hosts",)]
    asked += [{"output": str(found[name]), "inputs": [str(path)]} for name, path in written().items()]
    # Once more: nothing of it may be stored again.
    asked.append(asked[0])
    script = Path(__file__).with_name("jobs.py")
    done = subprocess.run(
        [sys.executable, str(script), cluster.url],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told[0]["places"] == 24
    assert all(each["lines"] and not each["problems"] for each in told[:-1])
    assert told[-1] == {
        **told[0],
        **dict.fromkeys(("lines", "text_bytes", "places", "links"), 0),
        "known": 41,
    }
    return found


@pytest.fixture(scope="module")
def stored(stores: dict[str, Path]) -> Path:
    return stores["hosts"]


@pytest.fixture(scope="module")
def one(stored: Path, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_machine(tmp_path_factory.mktemp("store") / "one", logs, secret_of=stored)


def test_rows_are_those_of_one_machine(stored: Path, one: Path) -> None:
    assert_same_rows(one, stored)


def test_every_section_of_the_report_is_that_of_one_machine(stored: Path, one: Path) -> None:
    """Read by one machine, which knows nothing of a cluster."""
    assert report(stored) == report(one)


@pytest.mark.parametrize("name", WRITTEN)
def test_logs_that_real_programs_wrote(stores: dict[str, Path], tmp_path: Path, name: str) -> None:
    if name not in stores:
        pytest.skip("the samples are not here")
    one = one_machine(tmp_path / "one", written()[name], secret_of=stores[name])
    assert_same_rows(one, stores[name])
    assert report(stores[name]) == report(one)


def test_the_clusters_own_commands_tell_the_same(cluster: Standalone, stored: Path, one: Path) -> None:
    def by_cluster(name: str, *words: object, master: str = "local[1]") -> str:
        done = mailscope("cluster", name, "--master", master, "--store", stored, *words)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    form = ("--format", "json", "--tz", "UTC")
    ours = mailscope("trace", "b3@mx05.example.org", "--store", one, *form)
    assert ours.returncode == 0, ours.stderr
    assert by_cluster("trace", "b3@mx05.example.org", *form, master=cluster.url) == ours.stdout
    ours = mailscope("about", "192.0.2.9", "--store", one, *form)
    assert by_cluster("about", "192.0.2.9", *form) == ours.stdout
    sections = (*form, "--section", "fates", "--section", "top_senders")
    told = json.loads(by_cluster("report", *sections))
    assert (
        told["fates"]["rows"]
        == json.loads(mailscope("report", "--store", one, *sections).stdout)["fates"]["rows"]
    )
    statement = "SELECT host, count(*) AS n FROM messages GROUP BY host ORDER BY host"
    ours = mailscope("sql", statement, "--store", one, "--format", "csv")
    assert by_cluster("sql", statement, "--format", "csv") == ours.stdout
    refused = mailscope("cluster", "sql", "--master", "local[1]", "--store", stored, "drop view events")
    assert refused.returncode == 2
    assert "Spark refuses it" in refused.stderr


def test_what_is_stored_is_whole(stored: Path) -> None:
    done = mailscope("store", "verify", "--store", stored)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list((stored / "incoming").glob("*"))


def test_a_worker_that_dies_changes_nothing(
    cluster: Standalone, logs: Path, one: Path, tmp_path: Path
) -> None:
    output = tmp_path / "killed"
    victim = cluster.workers[0]
    running = subprocess.Popen(words(cluster, output, logs), stderr=subprocess.PIPE, text=True)
    # In the middle of the job: a task writes its segments.
    until = time.monotonic() + 600
    while not list(output.glob("incoming/run-*/*/events/day=*/part-*")):
        assert running.poll() is None, running.stderr.read() if running.stderr else ""
        assert time.monotonic() < until
        time.sleep(0.05)
    cluster.kill(victim)
    try:
        _, told = running.communicate(timeout=900)
    finally:
        cluster.worker()
    assert running.returncode == 0, told[-3000:]
    one_of_it = one_machine(tmp_path / "one", logs, secret_of=output)
    assert_same_rows(one_of_it, output)
    assert report(output) == report(one_of_it)

"""The generated log and its truth agree: a plain count with `re`, line by line, finds the same figures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

GENERATE = Path(__file__).parents[2] / "benchmarks" / "generate.py"
LINES = 30_000
TIMES = {
    "rfc3164": r"Mar [ \d]\d \d\d:\d\d:\d\d mail ",
    "rfc3339": r"2026-03-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 mail ",
    "rfc5424": r"<2[02]>1 2026-03-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 mail ",
}
QUEUE_ID = {"long": r"[0-9A-Zb-df-hj-np-tv-z]{10,}z[0-9A-Zb-df-hj-np-tv-y]+", "short": "[0-9A-F]{6,}"}


def make(directory: Path, *options: str) -> tuple[str, dict[str, Any]]:
    """Make a log and its truth."""
    log, truth = directory / "mail.log", directory / "truth.json"
    words = [sys.executable, str(GENERATE), *options, "-o", str(log), "--truth", str(truth)]
    subprocess.run(words, check=True)
    return log.read_text(), json.loads(truth.read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """A day's log and its truth."""
    return make(tmp_path_factory.mktemp("day"), "--lines", str(LINES))


def count(pattern: str, text: str) -> int:
    """Count the lines that hold a pattern."""
    return len(re.findall(rf"^.*{pattern}.*$", text, re.MULTILINE))


def test_log_has_the_lines_asked_for(made: tuple[str, dict[str, Any]]) -> None:
    text, truth = made
    assert text.count("\n") == LINES == truth["lines"]
    assert len(text.encode()) == truth["bytes"]
    assert all(re.match(TIMES["rfc3164"] + r"postfix/[a-z/]+\[\d+\]: .", line) for line in text.splitlines())


def test_messages_agree(made: tuple[str, dict[str, Any]]) -> None:
    text, truth = made
    trails = truth["trails"]
    accepted = count(r": [0-9A-Za-z]+: (?:client=|uid=\d+ from=<)", text)
    assert accepted == sum(truth["accepted"].values())
    assert count(r"client=localhost\[127\.0\.0\.1\], orig_queue_id=", text) == truth["accepted"]["filter"]
    assert count(r"qmgr\[\d+\]: [0-9A-Za-z]+: removed", text) == trails["removed"]
    assert count("status=expired, returned to sender", text) == trails["expired"] > 0
    assert count("sender non-delivery notification: ", text) == trails["bounce_messages"] > 0
    assert count("milter-reject: END-OF-MESSAGE", text) == truth["rejected_by_filter"]["milter"] > 0


def test_sizes_senders_and_recipients_agree(made: tuple[str, dict[str, Any]]) -> None:
    text, truth = made
    first: dict[str, tuple[str, int, int]] = {}
    again = 0
    for queue_id, sender, size, recipients in re.findall(
        r": ([0-9A-Za-z]+): from=<([^>]*)>, size=(\d+), nrcpt=(\d+) \(queue active\)", text
    ):
        again += queue_id in first
        first.setdefault(queue_id, (sender, int(size), int(recipients)))
    senders = Counter(sender for sender, _, _ in first.values())
    delivered = re.findall(r": ([0-9A-Za-z]+): to=<([^>]*)>.*, status=sent ", text)
    recipients_of = Counter(recipient for _, recipient in delivered)
    assert len(first) == truth["trails"]["queued"]
    assert again == truth["trails"]["queued_again"] > 0
    assert sum(size for _, size, _ in first.values()) == truth["trails"]["bytes_queued"]
    assert sum(number for _, _, number in first.values()) == truth["recipients"]["queued"]
    assert len(senders) == truth["distinct_senders"]
    assert all(senders[sender] == times for sender, times in truth["top_senders"])
    assert len(recipients_of) == truth["distinct_recipients"]
    assert all(recipients_of[recipient] == times for recipient, times in truth["top_recipients"])
    assert sum(first[queue_id][1] for queue_id, _ in delivered) == truth["bytes_sent"]


def test_attempts_agree_and_fates_add_up(made: tuple[str, dict[str, Any]]) -> None:
    text, truth = made
    attempts = Counter(re.findall(r": to=<.*, dsn=\d\.\d\.\d, status=([a-z]+) \(", text))
    assert attempts == truth["attempts"]
    assert count(r"status=sent \(250 .* from MTA", text) == truth["sent_to_filter"] > 0
    assert count(r"status=sent \(forwarded as ", text) == truth["sent_on"] > 0
    fates = truth["recipients"]
    assert fates["queued"] == sum(fates.values()) - fates["queued"]
    assert sum(hour["sent"] for hour in truth["by_hour"].values()) == attempts["sent"]


def test_fates_follow_each_recipient_to_its_end(made: tuple[str, dict[str, Any]]) -> None:
    text, truth = made
    pending: dict[str, set[str]] = {}
    expired = deleted = 0
    for line in text.splitlines():
        if found := re.search(r": ([0-9A-Za-z]+): to=<([^>]*)>.* status=([a-z]+) \(", line):
            queue_id, recipient, status = found.groups()
            waiting = pending.setdefault(queue_id, set())
            (waiting.add if status == "deferred" else waiting.discard)(recipient)
        elif found := re.search(r": ([0-9A-Za-z]+): from=<[^>]*>, status=expired", line):
            expired += len(pending.pop(found[1]))
        elif found := re.search(r"postsuper\[\d+\]: ([0-9A-Za-z]+): removed", line):
            deleted += len(pending.pop(found[1]))
    assert (expired, deleted) == (truth["recipients"]["expired"], truth["recipients"]["deleted"])


def test_sessions_and_refusals_agree(made: tuple[str, dict[str, Any]]) -> None:
    text, truth = made
    assert Counter(re.findall(r"postfix/([a-z/]+)\[\d+\]: connect from", text)) == truth["connected"]
    assert Counter(re.findall(r"postfix/([a-z/]+)\[\d+\]: disconnect from", text)) == truth["disconnected"]
    assert count(": reject: RCPT from ", text) == sum(truth["rejects"].values())
    assert count(" blocked using ", text) == truth["rejects"]["blocklist"]
    assert count("Relay access denied", text) == truth["rejects"]["relay_denied"]
    assert Counter(re.findall(r"SASL ([A-Z]+) authentication failed", text)) == truth["auth_failed"]
    assert Counter(re.findall(r"lost connection after (\w+)", text)) == truth["connection_lost"]
    assert count("TLS connection established", text) == sum(truth["tls_established"].values())
    assert Counter(re.findall(r"\]:25: (Connection [a-z ]+)$", text, re.MULTILINE)) == truth["not_reached"]


def test_a_process_serves_one_client_at_a_time(made: tuple[str, dict[str, Any]]) -> None:
    text, _ = made
    serving: set[str] = set()
    for pid, word in re.findall(r"smtpd\[(\d+)\]: (connect|disconnect) from", text):
        assert (pid in serving) == (word == "disconnect")
        serving ^= {pid}


@pytest.mark.parametrize("form", TIMES)
@pytest.mark.parametrize("queue_ids", QUEUE_ID)
def test_every_envelope_and_form_of_queue_id(tmp_path: Path, form: str, queue_ids: str) -> None:
    options = ["--lines", "3000", "--format", form, "--queue-ids", queue_ids, "--days", "2", "--seed", "7"]
    text, truth = make(tmp_path, *options)
    lines = text.splitlines()
    assert len(lines) == truth["lines"] == 3000
    assert all(re.match(TIMES[form], line) for line in lines)
    times = [re.match(TIMES[form], line)[0].rpartition(">1 ")[2] for line in lines]  # type: ignore[index]
    assert times == sorted(times)
    ids = re.findall(r"[: ]([0-9A-Za-z]+): message-id=", text)
    assert ids
    assert all(re.fullmatch(QUEUE_ID[queue_ids], queue_id) for queue_id in ids)


def test_same_seed_same_log(tmp_path: Path) -> None:
    first, _ = make(tmp_path, "--lines", "2000")
    second, _ = make(tmp_path, "--lines", "2000")
    third, _ = make(tmp_path, "--lines", "2000", "--seed", "2")
    assert first == second != third

"""The detections of the mail's flow go on after a restart as if there had been none."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import pipeline, source

from mailscope.store.following import StoreTracker
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.finding import Finding
from mailscope.watch.providers import provider
from mailscope.watch.seen import Seen
from mailscope.watch.watcher import Watcher

DATA = Path(__file__).parents[1] / "data" / "detections"
NAMES = (
    "outgoing_spam",
    "incoming_flood",
    "directory_harvest",
    "relay_probing",
    "list_abuse",
    "mail_loop",
    "bounce_rate",
    "provider_blocks",
    "slow_delivery",
    "queue_size",
)


def found(log: Path, name: str, *, restarts: bool) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    tracker, watcher = StoreTracker(detail=True), Watcher.of(Settings(), (name,))
    flow = pipeline([source(log)], chunk_bytes=6_000, needed=watcher.needs())
    told: dict[str, Finding] = {}
    for batch in flow.batches():
        outcome = tracker.feed(batch)
        now = max(events.time.max() for events in batch)  # type: ignore[type-var]
        for finding in watcher.see(Seen(batch, outcome, tracker.touched, now)):  # type: ignore[arg-type]
            told[finding.id] = finding
        if restarts:
            frames, about = watcher.kept()
            before, watcher = watcher, Watcher.of(Settings(), (name,))
            watcher.resume(frames, about, before.incidents.known.values())
    return {
        (finding.id, str(finding.severity), *map(str, finding.subject.values()))  # type: ignore[misc]
        for finding in told.values()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_restart_at_every_batch_changes_no_finding(name: str) -> None:
    log = DATA / name / "fires.log"
    whole = found(log, name, restarts=False)
    assert whole
    assert found(log, name, restarts=True) == whole


def test_providers_go_by_the_names_that_people_know() -> None:
    hosts = {
        "example-org.mail.protection.outlook.com": "Microsoft",
        "hotmail-com.olc.protection.outlook.com": "Microsoft",
        "gmail-smtp-in.l.google.com": "Google",
        "mta5.am0.yahoodns.net": "Yahoo",
        "mx01.mail.icloud.com": "Apple",
        "mx00.emig.gmx.net": "GMX and WEB.DE",
        "mx.notgmx.net": "notgmx.net",
        "mx.example.co.uk": "example.co.uk",
        "mx1.mail.example.com": "example.com",
        "192.0.2.7": "192.0.2.7",
    }
    assert {host: provider(host) for host in hosts} == hosts

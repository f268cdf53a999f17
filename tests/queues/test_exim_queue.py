"""The queue of a real Exim 4.96: as it prints it, as entries, and damaged.

``exim.tar.xz``: ``spool``, made by Exim (a message with DSN parameters and ACL variables of several lines, a
frozen one, one that is half delivered, damaged ones), ``exim-bp.txt``: what it printed ``now``.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import othermtas
import pytest
from click.testing import CliRunner
from unpacking import UTC_ZONE, by_id, mutated, spool, unpacked

from mailscope.cli.main import mailscope
from mailscope.queues.entry import QueueEntry
from mailscope.queues.exim import content, listing, reader
from mailscope.queues.exim.header import parse
from mailscope.queues.exim.messagelog import deferrals
from mailscope.queues.registry import choose
from mailscope.vocabulary.errors import InputError, UsageError

FROZEN, DSN, CUT = "1xX0yM-0006Pc-1x", "1xX1Dm-0001pH-2K", "1xX0yZ-0000bb-01"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return unpacked("exim", tmp_path)


def now_of(lab: Path) -> float:
    return float((lab / "now").read_text())


def entries(lab: Path, *queues: str) -> dict[str, QueueEntry]:
    return by_id(reader.read(spool(lab / "spool", now_of(lab), *queues)))


def test_exim_bp_prints_the_same(lab: Path) -> None:
    ours = b"".join(line + b"\n" for line in listing.lines(spool(lab / "spool", now_of(lab)), ()))
    assert ours == (lab / "exim-bp.txt").read_bytes()


def test_the_command(lab: Path) -> None:
    words = [
        "queue",
        "list",
        "--spool",
        str(lab / "spool"),
        "--now",
        "2026-11-27T19:04:19Z",
        "--compat",
        "exim",
    ]
    found = CliRunner().invoke(mailscope, words, catch_exceptions=False)
    assert found.stdout_bytes == (lab / "exim-bp.txt").read_bytes()
    assert choose(lab / "spool", None)[0].name == "exim"


def test_a_frozen_message_of_which_some_have_it(lab: Path) -> None:
    entry = entries(lab)[FROZEN]
    assert (entry.queue, entry.sender, entry.size_bytes) == ("frozen", "alice@example.org", 293)
    assert entry.reason.startswith("frozen since 2026-11-27 18:47")
    assert [(each.recipient, each.status, each.reason) for each in entry.recipients] == [
        ("a@later.example.org", "deferred", "the disk of the mailbox is full"),
        ("b@fine.example.org", "done", ""),
        ("c@shut.example.org", "deferred", "Connection refused"),
    ]
    assert entry.attempts == 1
    assert [each.queue_id for each in reader.read(spool(lab / "spool", now_of(lab), "frozen"))] == [FROZEN]


def test_what_stands_behind_recipients_is_no_part_of_them(lab: Path) -> None:
    assert [each.recipient for each in entries(lab)[DSN].recipients] == [
        "a@later.example.org",
        "c1@shut.example.org",
    ]


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (b"a@example.org", b"a@example.org"),
        (b"a@example.org  0,2  0,-1#3", b"a@example.org"),
        (b"a@example.org rfc822;b@example.net 20,24 e@example.net 13,0#3", b"a@example.org"),
        (b'"x y"@example.org rfc822;b@example.net 20,24  0,-1#3', b'"x y"@example.org'),
        (b"a@example.org e@example.net 13,2#1", b"a@example.org"),
        (b"a@example.org 3", b"a@example.org"),
        (b"a@example.org 0,3,0", b"a@example.org"),
        (b"a@[192.0.2.7]", b"a@[192.0.2.7]"),
    ],
)
def test_recipients_of_every_age_of_exim(line: bytes, address: bytes) -> None:
    data = b"1xX0yM-0006Pc-1x-H\nroot 0 0\n<>\n1795805222 0\nXX\n1\n" + line + b"\n\n"
    assert parse(data, b"1xX0yM-0006Pc-1x-H").recipients == [address]


def test_a_header_is_decoded(lab: Path) -> None:
    found = content.content(lab / "spool" / "input" / f"{DSN}-H")
    assert ("Subject", "caf\xe9") in found.header
    assert found.attributes["helo_name"] == "client.example.net"
    assert "frozen" not in found.attributes  # a line of a variable's value looks like it


def test_damage_is_told(lab: Path) -> None:
    found = entries(lab)
    assert found[CUT].problems == ["its -H file is damaged: it ends within a line of the header"]
    assert [each.recipient for each in found[CUT].recipients] == ["e@later.example.org"]
    assert any("-D file, the body, is missing" in each for each in found["1xX0yZ-0000cc-02"].problems)
    assert found["1xX0yZ-0000cc-02"].recipients[0].status == "done"  # so its -J file says


def test_split_and_named_queues(lab: Path) -> None:
    place = lab / "spool"
    (place / "input" / "M").mkdir()
    for kind in "HD":
        shutil.move(place / "input" / f"{FROZEN}-{kind}", place / "input" / "M")
    (place / "slow" / "input").mkdir(parents=True)
    for kind in "HD":
        shutil.move(place / "input" / f"{DSN}-{kind}", place / "slow" / "input")
    found = entries(lab)
    assert found[FROZEN].size_bytes == 293
    assert found[DSN].queue == "slow"
    assert list(entries(lab, "slow")) == [DSN]
    with pytest.raises(UsageError, match="no queue 'fast'"):
        entries(lab, "fast")


def test_reasons_in_message_logs() -> None:
    log = (
        b"2026-11-27 18:47:03 +0100 a@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.25] defer (-45) "
        b"H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<a@example.net>: "
        b"451 4.7.1 Greylisted\n"
        b"2026-11-27 19:47:03 a@example.net R=dnslookup T=remote_smtp defer (-53): retry time not reached\n"
        b"9999-99-99 99:99:99 b@example.net R=x T=y defer (-1): no time\n"
        b"2026-11-27 19:47:03 c@example.net: other words\n"
    )
    found = deferrals(log, UTC_ZONE)
    why = found["a@example.net"]
    assert (why.dsn_status, why.relay_host, why.count, why.last) == (
        "4.7.1",
        "mx.example.net",
        1,
        1795801623.0,
    )
    assert why.reason.endswith("451 4.7.1 Greylisted")
    assert found["b@example.net"].last is None
    assert list(found) == ["a@example.net", "b@example.net"]


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no directory 'input'"):
        list(reader.read(spool(tmp_path, 0)))


def test_damaged_files_are_read_as_far_as_they_go(lab: Path) -> None:
    headers = [path.read_bytes() for path in (lab / "spool" / "input").glob("*-H")]
    mutated(headers, lambda data: parse(data, data.partition(b"\n")[0]))
    mutated(
        [path.read_bytes() for path in (lab / "spool" / "msglog").iterdir()],
        lambda data: deferrals(data, UTC_ZONE),
    )


def test_beside_a_real_exim() -> None:
    with othermtas.exim() as exim:
        for number in range(6):
            body = f"Subject: {number}\n\n" + "x\n" * number * 900
            exim.run(
                "-f",
                "alice@example.org",
                "-bm",
                f"a{number}@later.example.org",
                "c@shut.example.org",
                given=body,
            )
        exim.run("-q")
        first = next(reader.read(spool(exim.spool, time.time()))).queue_id
        exim.run("-Mf", first)
        for _ in range(3):  # a minute may pass between the two
            theirs = exim.run("-bp")
            ours = b"".join(line + b"\n" for line in listing.lines(spool(exim.spool, time.time()), ()))
            if ours == theirs:
                break
        assert ours == theirs
        assert theirs.count(b"*** frozen ***") == 1
        found = list(reader.read(spool(exim.spool, time.time())))
        reasons = {each.reason for entry in found for each in entry.recipients}
        assert {"the disk of the mailbox is full", "Connection refused"} <= reasons
        assert len(found) == 6

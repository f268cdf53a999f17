"""The balance sheet adds up, and shows it where it does not."""

from __future__ import annotations

from pathlib import Path

from replaying import Replay, replay

from mailscope.reports import balance


def sheet(run: Replay) -> dict[str, balance.Equation]:
    return {equation.name: equation for equation in balance.equations(run.ledger)}


def test_examples_add_up(examples: Replay) -> None:
    equations = sheet(examples)
    assert list(equations) == ["lines read", "queue ids given", "messages accepted", "recipients"]
    assert [equation.remainder for equation in equations.values()] == [0, 0, 0, 0]
    # The example logs hold one log twice, once with other lines around it.
    assert equations["lines read"].parts["duplicate"] == 1345


def test_what_is_missing_is_shown(examples: Replay) -> None:
    ledger = examples.ledger
    ledger.totals["recognised"] -= 3
    try:
        assert sheet(examples)["lines read"].remainder == 3
        problem = examples.report()["problems"][0]
        assert (problem["title"], problem["count"]) == ("lines read do not add up", 3)
    finally:
        ledger.totals["recognised"] += 3


def log(path: Path, *lines: str) -> Replay:
    path.write_text("".join(f"Nov 20 10:{number:02}:00 mail {line}\n" for number, line in enumerate(lines)))
    return replay(path)


CLIENT = "postfix/smtpd[1]: {}: client=client.example.org[192.0.2.1]"
NOBODY = "postfix/qmgr[2]: {}: from=<a@example.org>, size=500, nrcpt={} (queue active)"
SENT = (
    "postfix/smtp[3]: {}: to=<{}>, relay=mx.example.net[198.51.100.1]:25, delay=1, delays=0.1/0/0.4/0.5, "
    "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4B5C61F00D)"
)
DEFERRED = SENT.replace(
    "status=sent (250 2.0.0 Ok: queued as 4B5C61F00D)", "status=deferred (try later)"
).replace("dsn=2.0.0", "dsn=4.0.0")
REMOVED = "postfix/qmgr[2]: {}: removed"


def test_messages_by_how_they_came_and_went(tmp_path: Path) -> None:
    run = log(
        tmp_path / "mail.log",
        DEFERRED.format("AAAAAAAAA0", "before@example.net"),
        CLIENT.format("AAAAAAAAA1"),
        NOBODY.format("AAAAAAAAA1", 3),
        SENT.format("AAAAAAAAA1", "one@example.net"),
        DEFERRED.format("AAAAAAAAA1", "two@example.net"),
        CLIENT.format("AAAAAAAAA2"),
        CLIENT.format("AAAAAAAAA3"),
        NOBODY.format("AAAAAAAAA3", 1),
        SENT.format("AAAAAAAAA3", "one@example.net"),
        REMOVED.format("AAAAAAAAA3"),
    )
    found = balance.messages(run.ledger)
    assert {name: count for name, count in found.items() if count} == {
        "accepted": 2,
        "finished": 1,
        "open": 1,
        "bytes": 1000,
        "received": 2,
        "received_bytes": 1000,
        "deferred": 2,
        "incomplete": 1,
        "before_log": 1,
        "passes": 4,
        "as_messages": 2,
    }
    recipients = balance.recipients(run.ledger)
    assert (recipients["total"], recipients["sent"], recipients["queued"]) == (5, 2, 3)
    assert all(equation.remainder == 0 for equation in balance.equations(run.ledger))


def test_requeued_message_is_received_once_and_its_recipients_counted_once(tmp_path: Path) -> None:
    run = log(
        tmp_path / "mail.log",
        CLIENT.format("AAAAAAAAA1"),
        NOBODY.format("AAAAAAAAA1", 2),
        SENT.format("AAAAAAAAA1", "one@example.net"),
        DEFERRED.format("AAAAAAAAA1", "two@example.net"),
        "postfix/postsuper[4]: AAAAAAAAA1: requeued",
        "postfix/pickup[5]: BBBBBBBBB1: uid=0 from=<a@example.org> orig_id=AAAAAAAAA1",
        NOBODY.format("BBBBBBBBB1", 1),
        SENT.format("BBBBBBBBB1", "two@example.net"),
        REMOVED.format("BBBBBBBBB1"),
    )
    message = balance.messages(run.ledger)
    wanted = {"accepted": 1, "finished": 1, "requeued": 1, "open": 0, "received": 1, "as_messages": 1}
    assert {name: message[name] for name in wanted} == wanted
    recipient = balance.recipients(run.ledger)
    assert (recipient["total"], recipient["sent"]) == (2, 2)
    assert all(equation.remainder == 0 for equation in balance.equations(run.ledger))
    assert run.report()["top_senders"]["rows"][0]["messages"] == 1


def test_marked_for_expiry_is_not_yet_expired(tmp_path: Path) -> None:
    lines = [
        CLIENT.format("AAAAAAAAA1"),
        NOBODY.format("AAAAAAAAA1", 1),
        DEFERRED.format("AAAAAAAAA1", "two@example.net"),
        "postfix/postsuper[4]: AAAAAAAAA1: expired",
    ]
    run = log(tmp_path / "marked.log", *lines)
    assert balance.recipients(run.ledger)["queued"] == 1
    lines += [
        "postfix/qmgr[2]: AAAAAAAAA1: from=<a@example.org>, status=force-expired, returned to sender",
        REMOVED.format("AAAAAAAAA1"),
    ]
    run = log(tmp_path / "returned.log", *lines)
    assert balance.recipients(run.ledger)["expired"] == 1
    assert balance.messages(run.ledger)["expired"] == 1

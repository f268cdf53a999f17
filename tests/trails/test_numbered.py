"""qmail's deliveries, which are told by number only when they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from running import Run, at, pipeline, qmail, source, told

from mailscope.trails.tracker import Tracker

NEW = """
    12:00:00 new msg 7
    12:00:00 info msg 7: bytes 603 from <s@example.org> qp 26920 uid 0
"""


def attempts(done: Run, *columns: str) -> list[tuple[Any, ...]]:
    columns = columns or ("time", "queue_id", "recipient", "relay_host", "status")
    rows = sorted(done.rows("deliveries"), key=lambda row: row["time"])
    return [tuple(row[name] for name in columns) for row in rows]


def test_the_start_tells_message_recipient_and_channel() -> None:
    done = told(
        qmail(
            NEW
            + """
        12:00:01 starting delivery 1: msg 7 to local root@example.net
        12:00:01 status: local 1/10 remote 0/20
        12:00:03 starting delivery 2: msg 7 to remote r@example.org
        12:00:04 delivery 2: deferral: Connected_to_192.0.2.9_but_connection_died._(#4.4.2)/
        12:00:05 delivery 1: success: did_1+0+0/
    """
        )
    )
    assert attempts(done) == [
        (at("12:00:04"), "7", "r@example.org", "remote", "deferred"),
        (at("12:00:05"), "7", "root@example.net", "local", "sent"),
    ]
    assert attempts(done, "delay_s", "delay_transmit_s", "sender", "size_bytes") == [
        (4.0, 1.0, "s@example.org", 603), (5.0, 4.0, "s@example.org", 603)
    ]  # fmt: skip


def test_the_next_hop_that_took_the_message_is_better_than_the_channel() -> None:
    done = told(
        qmail(
            NEW
            + """
        12:00:03 starting delivery 2: msg 7 to remote r@example.org
        12:00:04 delivery 2: success: 192.0.2.9_accepted_message./Remote_host_said:_250_ok/
    """
        )
    )
    assert attempts(done, "relay_ip", "relay_host") == [("192.0.2.9", "remote")]


def test_numbers_start_again_with_qmail_send() -> None:
    """Delivery 1 was under way when qmail-send was killed; after the restart there is another delivery 1."""
    done = told(
        qmail(
            NEW
            + """
        12:00:01 starting delivery 1: msg 7 to local lost@example.net
        12:00:02 status: exiting
        12:10:00 status: local 0/10 remote 0/20
        12:10:01 starting delivery 1: msg 7 to local root@example.net
        12:10:02 delivery 1: success: did_1+0+0/
    """
        )
    )
    assert attempts(done) == [(at("12:10:02"), "7", "root@example.net", "local", "sent")]


def test_a_number_ends_the_newest_delivery_of_that_number_once() -> None:
    done = told(
        qmail(
            NEW
            + """
        12:00:01 starting delivery 1: msg 7 to local a@example.net
        12:00:02 delivery 1: success: did_1+0+0/
        12:00:03 delivery 1: success: did_1+0+0/
        12:00:04 starting delivery 1: msg 7 to local b@example.net
        12:00:05 delivery 1: failure: no/
    """
        )
    )
    assert attempts(done, "recipient", "status") == [("a@example.net", "sent"), ("b@example.net", "bounced")]


def test_a_delivery_whose_start_is_not_in_the_log_names_no_message() -> None:
    done = told(
        qmail("""
        12:00:00 delivery 1: success: did_1+0+0/
        12:00:01 starting delivery 2: msg 7 to local a@example.net
        12:00:02 delivery 2: success: did_1+0+0/
    """)
    )
    assert attempts(done, "recipient") == [("a@example.net",)]
    assert [row["recipients"] for row in done.rows("recipients")] == [1]


def test_two_qmails_number_their_deliveries_apart() -> None:
    one = qmail(
        NEW
        + "12:00:01 starting delivery 1: msg 7 to local a@example.net\n12:00:05 delivery 1: success: did_1+0+0/"
    )
    two = (
        one.replace("mx1", "mx2")
        .replace("a@example.net", "b@example.net")
        .replace("success", "failure")
        .replace(":05Z", ":04Z")
    )
    log = "".join(
        sorted([*one.splitlines(keepends=True), *two.splitlines(keepends=True)], key=lambda line: line[:20])
    )
    assert attempts(told(log), "host", "recipient", "status") == [
        ("mx2", "b@example.net", "bounced"), ("mx1", "a@example.net", "sent")
    ]  # fmt: skip


def test_deliveries_are_few_in_memory_however_long_the_log(tmp_path: Path) -> None:
    path = tmp_path / "maillog"
    path.write_text(
        qmail(
            "\n".join(
                f"12:{number // 60:02}:{number % 60:02} {text}"
                for number in range(500)
                for text in (
                    f"starting delivery {number}: msg 7 to local a@example.net",
                    f"delivery {number}: success: did_1+0+0/",
                )
            )
        )
    )
    tracker = Tracker()
    for batch in pipeline([source(path)], chunk_bytes=10_000).batches():
        tracker.feed(batch)
        assert len(tracker.deliveries.open) <= 1


def test_several_queues_number_their_deliveries_by_themselves() -> None:
    done = told(
        qmail(
            """
        12:00:00 new msg 7 queue1
        12:00:00 info msg 7: bytes 603 from <s@example.org> qp 26920 uid 0 queue1
        12:00:00 new msg 8 queue2
        12:00:00 info msg 8: bytes 603 from <t@example.org> qp 26921 uid 0 queue2
        12:00:01 starting delivery 1: msg 7 to local a@example.net queue1
        12:00:01 status: local 1/10 remote 0/20 queue1
        12:00:02 starting delivery 1: msg 8 to remote b@example.net queue2
        12:00:03 delivery 1: success: did_0+0+1/ queue1
        12:00:03 end msg 7 queue1
        12:00:04 delivery 1: deferral: Sorry,_no_connection._(#4.4.1)/ queue2
    """
        )
    )
    assert attempts(done) == [
        (at("12:00:03"), "7", "a@example.net", "local", "sent"),
        (at("12:00:04"), "8", "b@example.net", "remote", "deferred"),
    ]

"""The tallies, one entry each.  Reports, JSON and evidence all come from this table."""

from __future__ import annotations

from typing import Final

from mailscope.tallies.tally import Measure, Tally

COUNT: Final = Measure("count")
BYTES: Final = Measure("bytes", "sum", "size_bytes")
DELAY: Final = (Measure("delay_sum_s", "sum", "delay_s"), Measure("delay_max_s", "max", "delay_s"))
STAGES: Final = ("delay_s", "delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s")

TALLIES: Final[tuple[Tally, ...]] = (
    Tally("arrivals", "arrivals", ("slot", "service"), (COUNT,), "Messages taken in, by time and service."),
    Tally("clients", "arrivals", ("client_host", "client_ip"), (COUNT,), "Messages taken in, by client."),
    Tally("users", "arrivals", ("sasl_user",), (COUNT,), "Messages submitted, by login.", "user"),
    Tally("queued", "sized", ("slot",), (COUNT, BYTES), "Messages queued, by time."),
    Tally("senders", "sized", ("sender",), (COUNT, BYTES), "Messages queued, by envelope sender."),
    Tally("attempts", "deliveries", ("slot", "status"), (COUNT,), "Delivery attempts, by time and status."),
    Tally(
        "recipients", "deliveries", ("recipient", "status"), (COUNT, BYTES, *DELAY),
        "Delivery attempts, by recipient and status.",
    ),
    Tally(
        "relays", "deliveries", ("relay_host", "status"), (COUNT, BYTES, *DELAY),
        "Delivery attempts, by next hop and status.",
    ),
    *(
        Tally(stage, "deliveries", (f"bucket:{stage}",), (COUNT,), f"Delivery attempts, by {stage}.", f"has:{stage}")
        for stage in STAGES
    ),
    Tally(
        "reasons", "deliveries", ("status", "dsn_status", "shape"), (COUNT,),
        "Attempts that did not deliver, by reason.", "unsent",
    ),
    Tally("forwarded", "forwarded", (), (COUNT,), "Deliveries that only forwarded to another address."),
    Tally("fates", "recipients", ("fate",), (Measure("recipients", "sum", "recipients"),), "Final fate of recipients."),
    Tally(
        "messages", "messages", ("origin", "ended", "expired", "filtered", "began"), (COUNT, BYTES),
        "Messages, by how they came and went.",
    ),
    Tally(
        "rejects", "rejects", ("event", "action", "stage", "reply_code", "shape"), (COUNT,),
        "Refusals and other verdicts, by reason.",
    ),
    Tally("rejects_by_time", "rejects", ("slot", "event"), (COUNT,), "Refusals and other verdicts, by time."),
    Tally("rejected_clients", "rejects", ("client_host", "client_ip", "event"), (COUNT,), "Refusals, by client."),
    Tally("problems", "problems", ("event", "program", "shape"), (COUNT,), "Warnings and errors."),
    Tally("login_failures", "logins", ("service", "client_ip", "user"), (COUNT,), "Failed logins.", "failed"),
    Tally("logins", "logins", ("service", "event"), (COUNT,), "Logins, by service and outcome."),
    Tally("connections", "connections", ("service", "event"), (COUNT,), "Connections and how they ended."),
    Tally(
        "concurrency", "concurrency", ("slot",),
        (
            COUNT,
            Measure("local_max", "max", "local_concurrency"), Measure("local_limit", "max", "local_limit"),
            Measure("local_full", "sum", "local_full"),
            Measure("remote_max", "max", "remote_concurrency"), Measure("remote_limit", "max", "remote_limit"),
            Measure("remote_full", "sum", "remote_full"),
        ),
        "qmail's deliveries under way, and how often all places were taken.",
    ),
)  # fmt: skip
BY_NAME: Final[dict[str, Tally]] = {tally.name: tally for tally in TALLIES}

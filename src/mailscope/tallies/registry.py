"""The tallies, one entry each.  Reports, JSON and evidence all come from this table."""

from __future__ import annotations

from typing import Final

from mailscope.tallies.tally import STAGES, Measure, Tally

COUNT: Final = Measure("count")
BYTES: Final = Measure("bytes", "sum", "size_bytes")
RECIPIENTS: Final = Measure("recipients", "sum", "recipients")
DELAY: Final = (Measure("delay_sum_s", "sum", "delay_s"), Measure("delay_max_s", "max", "delay_s"))

TALLIES: Final[tuple[Tally, ...]] = (
    Tally("arrivals", "arrivals", ("service",), (COUNT,), "Queue ids given to mail from outside."),
    Tally("clients", "arrivals", ("client_host", "client_ip"), (COUNT,), "Messages taken in, by client."),
    Tally("users", "arrivals", ("sasl_user",), (COUNT,), "Messages submitted, by login.", "user"),
    Tally("received", "messages", ("slot:first_time",), (COUNT, BYTES), "Messages received.", "received"),
    Tally("senders", "sized", ("sender", "internal"), (COUNT, BYTES), "Messages queued, by envelope sender."),
    Tally("attempts", "deliveries", ("slot", "outcome"), (COUNT, BYTES), "Delivery attempts, by time."),
    Tally(
        "recipients", "deliveries", ("recipient", "outcome"), (COUNT, BYTES, *DELAY),
        "Delivery attempts, by recipient and outcome.",
    ),
    Tally(
        "relays", "deliveries", ("relay_host", "outcome"),
        (COUNT, BYTES, *DELAY, Measure("transmit_sum_s", "sum", "delay_transmit_s")),
        "Delivery attempts, by next hop and outcome.",
    ),
    *(
        Tally(
            stage, "deliveries", (f"bucket:{stage}",), (COUNT, Measure("max_s", "max", stage)),
            f"Deliveries, by {stage}.", f"sent:{stage}",
        )
        for stage in STAGES
    ),
    Tally(
        "reasons", "deliveries", ("recipient_domain", "status", "dsn_status", "shape:attempt"), (COUNT,),
        "Attempts that did not deliver, by recipient domain and reason.", "unsent",
    ),
    Tally("fates", "recipients", ("fate",), (RECIPIENTS,), "Final fate of recipients."),
    Tally(
        "messages", "messages", ("origin", "went", "expired", "filtered", "held", "deferred"),
        (COUNT, BYTES, Measure("stay_sum_s", "sum", "stay_s")),
        "Messages, by how they came and went.",
    ),
    Tally(
        "verdicts", "verdicts", ("event", "action", "stage", "reply_code", "dsn_status", "shape:verdict"),
        (COUNT,),
        "Refusals and other verdicts, by reason.",
    ),
    Tally("verdicts_by_time", "verdicts", ("slot", "event"), (COUNT,), "Refusals and other verdicts."),
    Tally(
        "verdict_clients", "verdicts", ("client_host", "client_ip", "event"), (COUNT,),
        "Refusals and other verdicts, by client.",
    ),
    Tally("problems", "problems", ("event", "program", "shape:note"), (COUNT,), "Warnings and errors."),
    Tally("login_failures", "logins", ("service", "client_ip", "user"), (COUNT,), "Failed logins.", "failed"),
    Tally("logins", "logins", ("service", "event"), (COUNT,), "Logins, by service and outcome."),
    Tally("connections", "connections", ("service", "event"), (COUNT,), "Connections and how they ended."),
    Tally("losses", "losses", ("program", "shape:note"), (COUNT,), "Notes that log lines were lost."),
    Tally(
        "concurrency", "concurrency", ("slot", "local_full", "remote_full"),
        (
            COUNT,
            Measure("local_max", "max", "local_concurrency"),
            Measure("local_limit", "max", "local_limit"),
            Measure("remote_max", "max", "remote_concurrency"),
            Measure("remote_limit", "max", "remote_limit"),
        ),
        "qmail's deliveries under way, and how often all places were taken.",
    ),
)  # fmt: skip
# Counted by the ledger from every line at once, not from a table.
LINES: Final = Tally(
    "lines", "lines", ("program", "known"), (COUNT,), "Log lines, by program and whether known."
)
BY_NAME: Final[dict[str, Tally]] = {tally.name: tally for tally in (*TALLIES, LINES)}

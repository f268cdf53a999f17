"""The tallies, one entry each.  Reports, JSON and evidence all come from this table."""

from __future__ import annotations

from typing import Final

from mailscope.tallies.keys import DAY
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
        (COUNT, BYTES, Measure("stay_sum_s", "sum", "stay_s"), Measure("first_negated", "max",
        "first_negated")), "Messages, by how they came and went.",
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
    Tally(
        "login_users", "logins", ("service", "event", "user", "client"), (COUNT,),
        "Logins, by service, outcome, user and client.",
    ),
    Tally(
        "switches", "switches", ("service", "user", "target_user"), (COUNT,),
        "Commands and sessions of users that acted as another one.",
    ),
    Tally(
        "auth_verdicts", "auth_verdicts", ("service", "client_ip", "user", "shape:verdict"), (COUNT,),
        "What programs said that check passwords for others.",
    ),
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


def _by_day(name: str, of: str, *keys: str, meaning: str, measures: tuple[Measure, ...] = (COUNT,)) -> Tally:
    """A roll-up of another tally that tells days apart, with fewer keys besides."""
    whole = next(tally for tally in TALLIES if tally.name == of)
    return Tally(name, whole.table, (DAY, *keys), measures, meaning, whole.where, of=of)


# What days are compared by.  Keys are few enough for years of days; an address is not among them.
BY_DAY: Final[tuple[Tally, ...]] = (
    _by_day(
        "recipient_domains_by_day", "recipients", "domain:recipient", "outcome", measures=(COUNT, BYTES),
        meaning="Delivery attempts, by day, recipient's domain and outcome.",
    ),
    _by_day(
        "sender_domains_by_day", "senders", "domain:sender", "internal", measures=(COUNT, BYTES),
        meaning="Messages queued, by day and sender's domain.",
    ),
    _by_day(
        "relays_by_day", "relays", "relay_host", "outcome",
        meaning="Delivery attempts, by day, next hop and outcome.",
    ),
    _by_day(
        "reasons_by_day", "reasons", "status", "dsn_status", "shape:attempt",
        meaning="Attempts that did not deliver, by day and reason.",
    ),
    _by_day("delays_by_day", "delay_s", "bucket:delay_s", meaning="Deliveries, by day and delay."),
    _by_day("logins_by_day", "logins", "event", meaning="Logins, by day and outcome."),
    _by_day("problems_by_day", "problems", "event", "program", meaning="Warnings and errors, by day."),
)  # fmt: skip
EVERY: Final = (*TALLIES, *BY_DAY)
# Counted by the ledger from every line at once, not from a table.
LINES: Final = Tally(
    "lines", "lines", ("program", "known"), (COUNT,), "Log lines, by program and whether known."
)
BY_NAME: Final[dict[str, Tally]] = {tally.name: tally for tally in (*EVERY, LINES)}

"""The tables of the store, declared once: `mailscope sql`, sealed files and the documentation follow them.

A table's rows belong to days by its ``time`` column (UTC); a finished day is sealed into files.  Names and
meanings of columns that are fields of events are those of ``fields.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from mailscope.vocabulary.fields import BY_NAME, FIELDS, TRANSIENT, Field, Kind

# SQL's names of our kinds.
SQL_TYPES: Final[dict[Kind, str]] = {
    "str": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "time": "TIMESTAMP", "bool": "BOOLEAN",
    "list": "VARCHAR[]",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what a row is, its columns, and which of them says the day that a row belongs to.

    ``settled``: the column that says whether a row stays as it is; without one, all do.
    """

    name: str
    meaning: str
    columns: tuple[Field, ...]
    time: str = "time"
    settled: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def definition(self) -> str:
        """Its columns as SQL declares them."""
        return ", ".join(f'"{column.name}" {SQL_TYPES[column.kind]}' for column in self.columns)


def _fields(*names: str) -> tuple[Field, ...]:
    return tuple(BY_NAME[name] for name in names)


BATCH: Final = Field("batch", "int", "The store's transaction that brought the row, rising.")
RAW: Final = Field("raw", "str", "The whole line as logged.", "content")
TRAIL: Final = replace(BY_NAME["trail_id"], meaning="The message (messages.trail_id) that it belongs to.")

NOT_STORED: Final = TRANSIENT | {"offset", "trail_id"}
EVENTS: Final = Table(
    "events",
    "One row per log line.",
    (BATCH, *(field for field in FIELDS if field.name not in NOT_STORED), TRAIL, RAW),
)
MESSAGES: Final = Table(
    "messages",
    "One row per message in one MTA, also those under way.",
    (
        *_fields("trail_id", "host", "instance", "program", "queue_id"),
        Field("origin", "str", "What took it in: smtpd, pickup ..., internal (a notification), requeued."),
        Field("first_time", "time", "Its first line: UTC, microseconds."),
        Field("last_time", "time", "Its last line so far."),
        *_fields("sender", "size_bytes", "recipient_count", "message_id", "client_host", "client_ip"),
        *_fields("sasl_user"),
        Field("ended", "str", "How it left the queue: removed, deleted, discarded, refused, requeued."),
        Field("expired", "bool", "It was given up as too old."),
        Field("held", "bool", "It is on hold."),
        Field("refused", "bool", "It was refused after its queue id was given."),
        Field("deferred", "bool", "At least one attempt was put off."),
        Field("filtered", "bool", "It came back from a content filter."),
        Field("closed", "bool", "Its fate is certain: no line is expected any more."),
    ),
    time="first_time",
    settled="closed",
)
DELIVERIES: Final = Table(
    "deliveries",
    "One row per attempt for one recipient.",
    (
        BATCH,
        *_fields(
            "time", "host", "trail_id", "queue_id", "sender", "size_bytes", "recipient", "orig_recipient",
            "relay_host", "relay_ip", "relay_port", "delay_s", "delay_before_queue_s", "delay_in_queue_s",
            "delay_connect_s", "delay_transmit_s", "status", "dsn_status", "reply_code", "reason", "cause",
            "blocklist", "next_queue_id",
        ),
    ),
)  # fmt: skip
SESSIONS: Final = Table(
    "sessions",
    "One row per connection or login of a client, once it is over.",
    (
        BATCH,
        Field("start_time", "time", "Its first line: UTC, microseconds."),
        Field("end_time", "time", "Its end; none where that was not seen."),
        *_fields("host", "service"),
        Field("kind", "str", "What tells of it: smtpd, tcpserver, dovecot, dovecot-lmtp, courier ..."),
        *_fields("pid", "client_ip", "client_host", "client_port", "server_port", "user", "mechanism"),
        Field("result", "str", "How logging in went, where it was tried."),
        Field("logins", "int", "Logins that succeeded."),
        Field("login_failures", "int", "Logins that were refused."),
        Field("messages", "int", "Messages that were taken in."),
        Field("queue_ids", "list", "Their queue ids."),
        Field("refusals", "int", "Clients, messages and recipients that were refused in it."),
        *_fields("bytes_in", "bytes_out", "tls_protocol", "tls_cipher"),
        Field("ended", "str", "How it ended: closed, lost, timed out ..."),
        BY_NAME["reason"],
    ),
    time="start_time",
)
LINKS: Final = Table(
    "links",
    "One row per pair of messages of which one was made of the other.",
    (
        BATCH,
        BY_NAME["time"],
        BY_NAME["trail_id"],
        Field("trail_id_to", "str", "The later message."),
        Field(
            "kind",
            "str",
            "filtered: it passed a content filter or another instance of the host; relayed: another host "
            "took it; forwarded: it went on to another address; bounced, notified: a notification was made.",
        ),
        BY_NAME["next_queue_id"],
        Field("evidence", "str", "The words of the log that show it.", "content"),
        Field("confidence", "str", "How sure it is: certain, likely or possible."),
    ),
)
MARKS: Final = Table(
    "marks",
    "Notes on the time line: changes of configuration, and what people wrote.",
    (
        BY_NAME["time"],
        BY_NAME["host"],
        Field("kind", "str", "config (a file changed) or note (a person wrote it)."),
        Field("author", "str", "Who wrote it: a user's name, or mailscope.", "address"),
        Field("title", "str", "What happened, in a few words.", "content"),
        Field("details", "str", "The difference, or more words.", "content"),
    ),
)
HOST_LOAD: Final = Table(
    "host_load",
    "The host's load, one row per sample; shares and rates are of the time since the sample before.",
    (
        *_fields("time", "host"),
        Field("cpu_busy_percent", "float", "Share of processor time spent working, of all processors."),
        Field("cpu_waiting_percent", "float", "Share of processor time spent waiting for disks."),
        Field("cpu_count", "int", "Number of processors."),
        Field("load_1", "float", "Load average of one minute: processes that run or wait for it."),
        Field("load_5", "float", "Load average of five minutes."),
        Field("load_15", "float", "Load average of fifteen minutes."),
        Field("memory_bytes", "int", "Memory of the host."),
        Field("memory_available_bytes", "int", "Memory that programs can get without swapping."),
        Field("swap_bytes", "int", "Swap space of the host."),
        Field("swap_used_bytes", "int", "Swap space in use."),
        Field("disk_read_bytes_per_s", "float", "Read from all disks, bytes a second."),
        Field("disk_written_bytes_per_s", "float", "Written to all disks, bytes a second."),
    ),
)
HOST_DISKS: Final = Table(
    "host_disks",
    "Space on the host's file systems, one row per file system and sample.",
    (
        *_fields("time", "host"),
        Field("path", "str", "The watched path that is on it."),
        Field("size_bytes", "int", "Its size."),
        Field("free_bytes", "int", "What programs without privilege can use of it."),
        Field("inodes", "int", "Number of files it can hold; 0 where there is no limit."),
        Field("free_inodes", "int", "Number of files that can be made."),
    ),
)
QUEUE_SNAPSHOTS: Final = Table(
    "queue_snapshots",
    "What waited in the queues, read from the spool: one row per queue and sample, and one for each domain "
    "that mail was put off for.",
    (
        *_fields("time", "host"),
        Field("mta", "str", "Whose queue it is: postfix, qmail, exim or sendmail."),
        Field("queue_name", "str", "The queue, by the MTA's name for it; none in the row of a domain."),
        Field(
            "domain",
            "str",
            "Only of the 50 domains with most messages; none in the row of a queue.",
        ),
        Field(
            "messages", "int", "Messages in the queue, or with a recipient of the domain that was put off."
        ),
        Field("recipients", "int", "Their recipients that still wait, or those that were put off."),
        BY_NAME["size_bytes"],
        Field("oldest_time", "time", "When the oldest of them came."),
        Field("next_retry_time", "time", "When the first of them is tried again, where the spool tells."),
        Field("damaged", "int", "How many of them are damaged, or still being written."),
    ),
)
FINDINGS: Final = Table(
    "findings",
    "One row per incident that a detection found.",
    (
        Field("id", "str", "Identifies the incident; the same lines give the same id."),
        Field("detection", "str", "The detection that found it (`docs/detections.md`)."),
        Field("severity", "str", "info, warning or critical."),
        Field("title", "str", "What it is, in one line.", "content"),
        Field("subject", "str", "What it is about: fields and their values, as JSON.", "content"),
        Field("first_time", "time", "Where what it tells of begins: UTC, microseconds."),
        Field("last_time", "time", "When it was seen last."),
        Field("found_time", "time", "The instant of the log at which it was found."),
        Field("over_time", "time", "Since when it is over; none while it is not."),
        Field("score", "float", "0 to 100, where a detection weighs several reasons."),
        Field("figures", "str", "The numbers that made it, as JSON.", "content"),
        Field("reasons", "str", "What speaks for it, as a JSON list.", "content"),
        Field("signals", "int", "How often its condition was seen to hold."),
        Field("episodes", "int", "How often it came back soon after it was over."),
        Field("subjects", "int", "How many subjects it stands for."),
        Field("lines", "str", "The first log lines that show it, as a JSON list.", "content"),
        Field("phrases", "str", "Title and reasons, as they are told in other languages (JSON).", "content"),
        Field("closed", "bool", "It does not change any more."),
    ),
    time="first_time",
    settled="closed",
)
HANDLED: Final = Table(
    "handled",
    "What people did about findings.",
    (
        BY_NAME["time"],
        Field("finding_id", "str", "The finding (findings.id); * for all, *NAME for those of a detection."),
        Field("action", "str", "acknowledged, muted, unmuted or noted."),
        Field("author", "str", "Who did it.", "address"),
        Field("words", "str", "Why, in their own words.", "content"),
        Field("muted_until", "time", "Until when nothing is told of it."),
    ),
)
ALERTS: Final = Table(
    "alerts",
    "One row per finding, route and news of it that is told there: what waits, what was told, what was not.",
    (
        Field("id", "str", "Identifies it; the same news of the same finding has the same id."),
        Field("time", "time", "When it was decided (by the host's clock): UTC, microseconds."),
        Field("finding_id", "str", "The finding (findings.id)."),
        Field("route", "str", "On which route: the name of one of [[alerts.routes]]."),
        Field("kind", "str", "The news: found, worse, more, again (it came back) or over."),
        Field("severity", "str", "The finding's severity then."),
        Field("episodes", "int", "Its episodes then."),
        Field("over", "bool", "Whether it was over then."),
        Field("figures", "str", "Its figures then, as JSON.", "content"),
        Field("gathered", "bool", "It is told in a digest."),
        Field("due_time", "time", "Not before then: a digest, the end of quiet hours, the next try."),
        Field("state", "str", "waiting, trying, sent, failed, replaced (by newer news) or silenced."),
        Field("attempts", "int", "How often it was tried."),
        Field("first_try_time", "time", "When it was tried first."),
        Field("message_id", "str", "The message that it was tried with last; a digest holds several rows."),
        Field("sent_time", "time", "When the route took it."),
        Field("error", "str", "Why the last try failed.", "content"),
        Field("closed", "bool", "It does not change any more."),
    ),
    settled="closed",
)
TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        EVENTS,
        MESSAGES,
        DELIVERIES,
        SESSIONS,
        LINKS,
        FINDINGS,
        HANDLED,
        ALERTS,
        MARKS,
        HOST_LOAD,
        HOST_DISKS,
        QUEUE_SNAPSHOTS,
    )
}

"""Every metric, declared once: its name, kind, labels and help.

The page, the documentation and the checks of dashboard and rules come from this table.  Names follow
Prometheus' conventions: base units, ``_total`` on counters (added where they are written).  Help texts are
those of the vocabulary and of the tallies where these have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mailscope.tallies.registry import BY_NAME
from mailscope.vocabulary.tables import HOST_DISKS, HOST_LOAD, TABLES

Kind = Literal["counter", "gauge", "histogram"]
# A number for each combination of a family's labels; of a histogram, see ``histograms.py``.
Values = dict[str, dict[tuple[str, ...], float]]
PREFIX: Final = "mailscope_"
STAGE: Final = "stage"
# What is told where a line says nothing, and where a label has more values than it may have.
NONE, OTHER = "none", "other"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name without ``_total``, kind, help and labels.

    ``always``: values of its labels that are shown as 0 before anything was counted, so that the first one
    counts as a rise.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    always: tuple[tuple[str, ...], ...] = ()

    @property
    def shown(self) -> str:
        """Its name as a query has it."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def _tally(name: str) -> str:
    return BY_NAME[name].meaning.rstrip(".")


def _each(*values: str) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) for value in values)


QUEUES: Final = ("active", "deferred", "hold")
DELAYED: Final = ("total", "before_queue", "in_queue", "connect", "transmit")
STATUSES: Final = ("sent", "deferred", "bounced", "expired")

OF_TALLIES: Final = (
    Family("mailscope_lines", "counter", "Log lines, by program as logged.", ("program",)),
    Family("mailscope_lines_unrecognised", "counter", "Log lines that no pattern knows.", ("program",)),
    Family(
        "mailscope_lines_skipped", "counter", "Lines that were blank, or met before.", ("kind",),
        _each("blank", "duplicate"),
    ),
    Family("mailscope_log_losses", "counter", f"{_tally('losses')}.", ("program",)),
    Family("mailscope_messages_accepted", "counter", f"{_tally('arrivals')}, by service.", ("service",)),
    Family(
        "mailscope_messages_queued", "counter",
        "Messages queued: from outside, or made here (notifications, forwarded copies).", ("origin",),
        _each("outside", "internal"),
    ),
    Family("mailscope_queued_bytes", "counter", "Size of the messages queued.", ("origin",),
        _each("outside", "internal")),
    Family(
        "mailscope_messages_ended", "counter",
        "Messages of which no line is expected any more, minutes after they left, by how they went.",
        ("end",),
    ),
    Family(
        "mailscope_recipients_finished", "counter", f"{_tally('fates')}, once it is known.", ("fate",),
        _each("sent", "bounced", "expired"),
    ),
    Family(
        "mailscope_delivery_attempts", "counter", "Delivery attempts, one for each recipient, by outcome.",
        ("status",), _each(*STATUSES),
    ),
    Family("mailscope_delivery_attempted_bytes", "counter", "Size of the messages of these attempts.",
        ("status",), _each(*STATUSES)),
    Family(
        "mailscope_delivery_failures", "counter",
        "Attempts that did not deliver, by class of the enhanced status code (RFC 3463) and cause.",
        ("status", "dsn_class", "cause"),
    ),
    Family(
        "mailscope_verdicts", "counter", "Refusals and other verdicts of ours, by cause.",
        ("verdict", "dsn_class", "cause"),
    ),
    Family("mailscope_logins", "counter", f"{_tally('logins')}.", ("service", "result")),
    Family("mailscope_connections", "counter", f"{_tally('connections')}.", ("service", "event")),
    Family(
        "mailscope_problems", "counter", f"{_tally('problems')}: warned, failed (fatal) or panicked.",
        ("level", "program"),
    ),
    Family(
        "mailscope_delivery_delay_seconds", "histogram",
        "Delay of deliveries that were sent, by stage; bounds and sum are right to 1 %.", (STAGE,),
        _each(*DELAYED),
    ),
)  # fmt: skip
OF_THE_STORE: Final = (
    Family(
        "mailscope_queue_messages", "gauge",
        "Messages in the queue, as the log tells: on hold, put off at least once, or neither.", ("queue",),
        _each(*QUEUES),
    ),
    Family("mailscope_queue_bytes", "gauge", "Their size.", ("queue",), _each(*QUEUES)),
    Family(
        "mailscope_queue_oldest_age_seconds", "gauge", "Since when the oldest of them is there.", ("queue",),
        _each(*QUEUES),
    ),
    Family("mailscope_store_readable", "gauge", "1 where the store can be looked at, otherwise 0."),
    Family("mailscope_store_rows", "gauge", "Rows of each table.", ("table",), _each(*TABLES)),
    Family("mailscope_store_hot_rows", "gauge", "Of these, in the database and not in sealed files.",
        ("table",), _each(*TABLES)),
    Family("mailscope_store_sealed_files", "gauge", "Sealed files of each table.", ("table",),
        _each(*TABLES)),
    Family("mailscope_store_damaged_files", "gauge", "Sealed files that were set aside as damaged."),
    Family("mailscope_store_bytes", "gauge", "Size of the store: its database and sealed files."),
    Family("mailscope_store_last_sealing_timestamp_seconds", "gauge", "When a file was sealed last."),
    Family("mailscope_last_line_timestamp_seconds", "gauge", "Instant of the newest line in the store."),
)  # fmt: skip
OF_THE_DAEMON: Final = (
    Family("mailscope_build_info", "gauge", "The version that runs; always 1.", ("version",)),
    Family("mailscope_daemon_start_timestamp_seconds", "gauge", "When the daemon was started."),
    Family("mailscope_daemon_storing", "gauge", "1 where lines can be stored, otherwise 0."),
    Family("mailscope_daemon_problems", "gauge", "Troubles just now, as 'mailscope store status' tells."),
    Family("mailscope_daemon_stored_lines", "counter", "Lines stored since the daemon was started."),
    Family(
        "mailscope_daemon_batch_duration_seconds", "histogram", "How long following and storing a batch took."
    ),
    Family("mailscope_daemon_last_batch_timestamp_seconds", "gauge", "When a batch was stored last."),
    Family(
        "mailscope_daemon_lag_seconds", "gauge",
        "Age of the newest line of the last batch at the moment when it was stored.",
    ),
    Family("mailscope_sources", "gauge", "Files and sockets that are followed or listened on.", ("kind",)),
    Family("mailscope_source_waiting_bytes", "gauge", "Of a followed log, what is not taken yet.",
        ("source",)),
    Family("mailscope_receiver_messages", "counter", "Syslog messages received, by socket.", ("listener",)),
    Family("mailscope_receiver_bytes", "counter", "Their size.", ("listener",)),
    Family("mailscope_receiver_connections", "gauge", "Connections open now.", ("listener",)),
    Family(
        "mailscope_receiver_troubles", "counter",
        "Messages or connections lost, cut or refused; docs/receiver.md tells the kinds.",
        ("listener", "kind"),
    ),
    Family("mailscope_receiver_waiting_bytes", "gauge", "Received and not stored yet."),
    Family("mailscope_scrape_duration_seconds", "gauge", "How long making these figures took the last time."),
)  # fmt: skip
OF_THE_WATCH: Final = (
    Family("mailscope_findings_open", "gauge", "Findings that are open now.", ("detection", "severity")),
    Family(
        "mailscope_findings", "counter",
        "Findings since the daemon was started; without one, those that are not sealed.",
        ("detection", "severity")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HostFigure:
    """A column of the host's samples as a metric in base units."""

    column: str
    family: Family
    factor: float = 1.0


def _host(column: str, name: str, factor: float = 1.0) -> HostFigure:
    meaning = next(each.meaning for each in HOST_LOAD.columns if each.name == column)
    return HostFigure(column, Family(f"mailscope_host_{name}", "gauge", meaning), factor)


def _disk(column: str, name: str) -> HostFigure:
    meaning = next(each.meaning for each in HOST_DISKS.columns if each.name == column)
    words = f"File system of a path: {meaning[0].lower()}{meaning[1:]}"
    return HostFigure(column, Family(f"mailscope_host_filesystem_{name}", "gauge", words, ("path",)))


HOST: Final = (
    _host("cpu_busy_percent", "cpu_busy_ratio", 0.01),
    _host("cpu_waiting_percent", "cpu_waiting_ratio", 0.01),
    _host("cpu_count", "cpus"),
    _host("load_1", "load1"),
    _host("load_5", "load5"),
    _host("load_15", "load15"),
    _host("memory_bytes", "memory_bytes"),
    _host("memory_available_bytes", "memory_available_bytes"),
    _host("swap_bytes", "swap_bytes"),
    _host("swap_used_bytes", "swap_used_bytes"),
    _host("disk_read_bytes_per_s", "disk_read_bytes_per_second"),
    _host("disk_written_bytes_per_s", "disk_written_bytes_per_second"),
)
DISKS: Final = (
    _disk("size_bytes", "size_bytes"),
    _disk("free_bytes", "free_bytes"),
    _disk("inodes", "inodes"),
    _disk("free_inodes", "free_inodes"),
)
GROUPS: Final[dict[str, tuple[Family, ...]]] = {
    "Counted from the log": OF_TALLIES,
    "The queue and the store": OF_THE_STORE,
    "The daemon": OF_THE_DAEMON,
    "The host": tuple(figure.family for figure in (*HOST, *DISKS)),
    "Findings": OF_THE_WATCH,
}
FAMILIES: Final[dict[str, Family]] = {family.name: family for group in GROUPS.values() for family in group}

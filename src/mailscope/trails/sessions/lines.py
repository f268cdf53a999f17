"""Lines as sessions of one line each, which add up: what is known of a session is the sum of its lines."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.trails.sessions.kinds import EVENTS, HANDLE, KINDS, OTHER_PROCESS, PEER, PROCESS, Kind

FIELDS: Final = (
    "client_ip", "client_host", "client_port", "server_port", "user", "sasl_user", "sasl_method", "mechanism",
    HANDLE, OTHER_PROCESS, "tls_protocol", "tls_cipher", "bytes_in", "bytes_out", "duration_s", "value",
    "reason", "stage", "action", "status",
)  # fmt: skip
CORE: Final = ("event", "host", "program", "service", "pid")
TIME: Final = pl.Datetime("us")
# What is known of a session while it is under way.
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    # Its number, in the order in which sessions began; null for a line.
    "session": pl.UInt64,
    "key": pl.UInt64,
    # The same for all sessions of a client's address and port.
    "peer": pl.UInt64,
    "order": pl.Int64,
    "kind": pl.String,
    "host": pl.String,
    "service": pl.String,
    "pid": pl.Int64,
    "start": TIME,
    "last_time": TIME,
    "client_ip": pl.String,
    "client_host": pl.String,
    "client_port": pl.Int64,
    "server_port": pl.Int64,
    # Who logged in, and who tried to.
    "user": pl.String,
    "tried": pl.String,
    "mechanism": pl.String,
    "logins": pl.UInt32,
    "login_failures": pl.UInt32,
    # Passwords and accounts that Dovecot's auth process refused: by which of its databases.
    "refused_by": pl.List(pl.String),
    "messages": pl.UInt32,
    "queue_ids": pl.List(pl.String),
    "refusals": pl.UInt32,
    "bytes_in": pl.Int64,
    "bytes_out": pl.Int64,
    "tls_protocol": pl.String,
    "tls_cipher": pl.String,
    "ended": pl.String,
    "reason": pl.String,
    "begins": pl.Boolean,
    "ends": pl.Boolean,
    "quiet": pl.Duration("us"),
}
# The sums; of all else that several lines tell, the first one counts.
SUMS: Final = ("logins", "login_failures", "messages", "refusals")
LISTS: Final = ("refused_by", "queue_ids")
# How a session ended, by the event that tells it.
_ENDED: Final = {
    "connection_lost": "lost",
    "connection_timed_out": "timed_out",
    "connection_denied": "denied",
    "tls_failed": "failed",
    "lookup_failed": "failed",
}
_event: Final = pl.col("event")


def lines(events: Events) -> pl.DataFrame:
    """The lines of one chunk that sessions are made of; SCHEMA."""
    frame = events.table(EVENTS, FIELDS, core=CORE)
    parts = [_of_kind(frame, kind) for kind in KINDS] if len(frame) else []
    parts = [part for part in parts if len(part)]
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    log = events.set_id or events.source
    return (
        pl.concat(parts)
        .with_columns(pl.col("host").fill_null(log).hash(1).alias("place"))
        .with_columns(
            (pl.concat_str("kind", pl.lit(" "), "tie").hash() ^ pl.col("place")).alias("key"),
            (pl.concat_str("kind", pl.lit(" "), "peer").hash() ^ pl.col("place")).alias("peer"),
        )
        .with_columns(*(pl.when(pl.col(of).is_not_null()).then(name).alias(name) for name, of in _NAMED))
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )


_NAMED: Final = (("key", "tie"), ("peer", "peer_text"))


def _of_kind(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """The lines of one kind, with their tie as text."""
    mine = pl.col("service").is_in(kind.services)
    if kind.program:
        mine &= pl.col("program").str.starts_with(kind.program)
    if "lookup_failed" not in kind.ends:
        # Postfix looks up a client's name before it says that it connected.
        mine &= _event != "lookup_failed"
    mine_only = frame.filter(mine)
    if not len(mine_only):
        return mine_only
    peer = pl.concat_str("client_ip", pl.lit(" "), pl.col("client_port").cast(pl.String))
    ties = {PEER: peer}
    user = pl.coalesce("sasl_user", "user")
    logged_in = _event.is_in(["login_succeeded", "accepted", "session_closed", "connection_timed_out"])
    mechanism = pl.coalesce("sasl_method", "mechanism")
    refused = (_event == "policy_result") & (pl.col("action") == "reject")
    taken = (_event == "accepted") | ((_event == "delivery_attempted") & (pl.col("status") == "sent"))
    ends = _event.is_in(list(kind.ends))
    done = ends | _event.is_in(list(_ENDED))
    return mine_only.with_columns(
        pl.lit(None, pl.UInt64).alias("session"),
        pl.lit(kind.name).alias("kind"),
        pl.coalesce(ties.get(tie, pl.col(tie).cast(pl.String)) for tie in kind.ties).alias("tie"),
        peer.alias("peer"),
        peer.alias("peer_text"),
        _service(kind),
        # Of Dovecot's login and auth processes it is not that of the session.
        pl.coalesce(*_processes(kind)).alias("pid"),
        (pl.col("time") - pl.duration(microseconds=pl.col("duration_s").fill_null(0) * 1e6)).alias("start"),
        pl.col("time").alias("last_time"),
        pl.when(logged_in).then(user).alias("user"),
        pl.when(~logged_in).then(user).alias("tried"),
        pl.when(pl.col("sasl_method").is_not_null() | _event.is_in(["login_succeeded", "login_failed"]))
        .then(mechanism)
        .alias("mechanism"),
        _logins(user).alias("logins"),
        pl.when(_event == "login_failed")
        .then(pl.col("value").fill_null(1))
        .otherwise(0)
        .alias("login_failures"),
        pl.when(refused)
        .then(pl.concat_list(mechanism.fill_null("")))
        .otherwise(pl.lit([]))
        .alias("refused_by"),
        taken.cast(pl.UInt32).alias("messages"),
        pl.when((_event == "accepted") & pl.col("queue_id").is_not_null())
        .then(pl.concat_list("queue_id"))
        .otherwise(pl.lit([]))
        .alias("queue_ids"),
        (_event == "rejected").cast(pl.UInt32).alias("refusals"),
        pl.when(done)
        .then(_event.replace_strict(_ENDED, default="closed", return_dtype=pl.String))
        .alias("ended"),
        pl.when(done).then(pl.coalesce("reason", "stage")).alias("reason"),
        _event.is_in(list(kind.begins)).alias("begins"),
        ends.alias("ends"),
        pl.lit(kind.quiet).alias("quiet"),
    )


def _service(kind: Kind) -> pl.Expr:
    """What the client wanted; null where another line of the session says it better."""
    service = pl.col("service")
    if kind.name == "dovecot":
        bare = service.str.to_lowercase().str.strip_suffix("-login").str.strip_suffix("-hibernate")
        return pl.when(~service.is_in(["auth", "auth-worker"])).then(bare).alias("service")
    return pl.lit(None, pl.String).alias("service") if "tcpserver" in kind.services else service


def _processes(kind: Kind) -> list[pl.Expr]:
    if PROCESS in kind.ties or kind.name == "ucspi":
        return [pl.col(OTHER_PROCESS), pl.col("pid")]
    return [pl.col(OTHER_PROCESS)] if kind.name == "dovecot" else [pl.col("pid")]


def _logins(user: pl.Expr) -> pl.Expr:
    """Whether a line says that somebody logged in: Postfix does so with each message."""
    return ((_event == "login_succeeded") | ((_event == "accepted") & user.is_not_null())).cast(pl.UInt32)

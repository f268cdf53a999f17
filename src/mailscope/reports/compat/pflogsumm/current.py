"""What lines say by the rules of 1.3.0."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm import postscreen
from mailscope.reports.compat.pflogsumm.columns import among, counted, mapped, narrow, owned, up_to_comma
from mailscope.reports.compat.pflogsumm.hosts import host_domain, host_name, lower
from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.picked import (
    BOUNCED,
    CONNECTIONS,
    DEFERRED,
    LEVELS,
    MASTER,
    REFUSALS,
    REJECTED,
    SMTP,
    TLS_ERRORS,
    TLS_LEVELS,
    Picked,
)  # fmt: skip
from mailscope.reports.compat.pflogsumm.reasons import cut, deferral, general_warning, said
from mailscope.reports.compat.pflogsumm.refusals import count_refusals

_B: Final = "[[:space:]]"
_DELIVERY: Final = (
    rf"^to=<(?P<address>[^>]*)>,{_B}+(?:orig_to=<(?P<original>[^>]*)>,{_B}+)?relay=(?P<relay>[^,]+),{_B}+"
    rf"(?:conn_use=[^,]+,{_B}+)?delay=(?P<delay>[^,]+),{_B}+(?:delays=[^,]+,{_B}+)?(?:tls=(?P<tls>[^,]+),{_B}+)?"
    rf"(?:dsn=[^,]+,{_B}+)?status=(?P<status>[^[:space:]]+)(?P<rest>.*)$"
)
# Most deliveries: what may stand anywhere else stands where it must, so that they can be cut by position.
_LONGEST_DELAY: Final = 32
_SENT_SIMPLY: Final = (
    r"^to=<[^> ]*>, relay=[^, ]+, (?:conn_use=[0-9]+, )?delay=[0-9.]{1,30}, (?:delays=[0-9./]+, )?"
    r"(?:tls=[^, ]+, )?(?:dsn=[0-9.]+, )?status=sent "
)
_CONTENT: Final = (
    r"^(?P<how>(?:milter-)?reject|hold|discard): (?P<where>header|body|END-OF-MESSAGE) (?P<what>.*)$"
)
_WARNING: Final = rf"^(warning|panic|fatal):{_B}+(.+)$"
_TLS_ERROR: Final = (
    rf"^(?P<what>.*?(?:SSL|STARTTLS).*?){_B}+from{_B}+"
    rf"(?P<client>[^[:space:]]+\[[^\]]+\])(?::{_B}+(?P<more>.+))?$"
)
_DISCONNECT: Final = r"^disconnect from (.+?)(?: unknown=[0-9]+/[0-9]+)?(?: commands=[0-9]+/[0-9]+)?$"
_WITH_PORT: Final = rf"^connect to{_B}+([^\]]+\]): (.+?) \(port [0-9]+\)$"
_AFTER_PORT: Final = rf"^connect to{_B}+([^\]]+\]):[0-9]+:{_B}+(.+)$"


def pick(lines: pl.DataFrame, settings: Settings) -> Picked:
    """Take the lines of a chunk (``lines.Matched``, with ``run`` and global ``row``) apart."""
    picked = Picked()
    service, text = lines["service"], lines["text"]
    warned = (
        text.str.starts_with("warning:") | text.str.starts_with("panic:") | text.str.starts_with("fatal:")
    )
    if warned.any():
        warned = among(warned, text, _WARNING)
        _count_warnings(lines.filter(warned), picked, settings)
    front = (service == "smtpd") | (service == "postscreen") | (service == "pickup")
    content, master = service == "cleanup", service == "master"
    others = ~(warned | front | content | master)
    _content(
        lines.filter(among(content & ~warned, text, "^(?:(?:milter-)?reject|hold|discard|removed)")),
        picked,
        settings,
    )
    told = lines.filter(master & ~warned)
    if len(told):
        picked.add_details(MASTER, counted(told, "text"))
    _front(lines, front & ~warned, picked, settings)
    delivered = others & text.str.starts_with("to=<")
    _deliveries(lines.filter(delivered), picked, settings)
    _queue(lines, others & ((service == "qmgr") | (service == "nqmgr")), picked)
    _exceptions(lines.filter(others & (service == "smtp") & text.str.starts_with("connect to")), picked)
    return picked


def _count_warnings(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    parts = lines.select(
        "service",
        pl.col("text").str.extract_groups(_WARNING).struct.rename_fields(["level", "told"]).alias("parts"),
    )
    for (service, level, told), count in counted(parts.unnest("parts"), "service", "level", "told").items():
        if level == "warning":
            told = told if service == "cleanup" else general_warning(told)
            if "does not resolve to address" in told and "rdns-warnings" in settings.suppressed:
                continue
            told = shown(told, 66, settings)
        picked.count_detail(LEVELS[level], (service, told), count)


def shown(text: str, longest: int, settings: Settings) -> str:
    """Text cut to a length that goes with the report's width."""
    if settings.width == 0:
        return text
    return cut(text, longest + (settings.width - 80 if settings.width > 0 else 0))


def _content(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    """Refusals of header and body checks and of milters at the end of a message; clients that gave up."""
    if not len(lines):
        return
    found = lines.with_columns(pl.col("text").str.extract_groups(_CONTENT).alias("parts")).unnest("parts")
    cancelled = lines.filter(pl.col("text") == "removed (canceled)")
    picked.numbers["cancelled"] += len(cancelled)
    refused = found.filter(pl.col("how").is_not_null())
    picked.end(cancelled)
    picked.end(refused)
    picked.count_traffic("rejected", refused)
    for (how, where, what), count in counted(refused, "how", "where", "what").items():
        section = REFUSALS[how.removeprefix("milter-")]
        picked.numbers[section] += count
        if section == REJECTED:
            picked.numbers["refused late"] += count
        if settings.limit("reject-detail") != 0:
            reason = shown(content_reason(what, settings), 64, settings)
            picked.count_detail(section, ("cleanup", where, reason), count)


def content_reason(what: str, settings: Settings) -> str:
    """What a header or body check matched, without client and envelope."""
    at = -1 if settings.has("verbose-msg-detail") else what.find("; from=<")
    if at < 0:
        return what
    before, mark, client = what[:at].rpartition(" from ")
    # The client is one word; where something else stands there, it is part of the reason.
    return before if mark and client and not re.search(r"\s", client, re.ASCII) else what[:at]


def _front(lines: pl.DataFrame, where: pl.Series, picked: Picked, settings: Settings) -> None:
    """Lines of smtpd, postscreen and pickup."""
    service, text = lines["service"], lines["text"]
    local = (service == "pickup") & (text.str.starts_with("sender=") | text.str.starts_with("uid="))
    came = where & (local | text.str.starts_with("client="))
    client = up_to_comma(text.filter(came), "client=", "^client=[^,]", "^client=(.+?)(?:,|$)").alias("client")
    received = lines.filter(came).select(
        "row", "run", "hour", owned("queue_id"), "service",
        client,
    )  # fmt: skip
    picked.count_traffic("received", received)
    whence = mapped(received["client"], host_domain).fill_null("pickup")
    picked.add("received", received.select("row", "queue_id", whence.alias("whence")))
    refused = among(where & ~came, text, "^(?:reject(?:_warning)?|hold|discard): ")
    if refused.any():
        late = count_refusals(lines.filter(refused), picked, settings)
        picked.numbers["refused late"] += late.filter(pl.col("queue_id") != "NOQUEUE").height
        picked.end(late)
    if settings.has("ssl-tls-stats") or settings.has("smtpd-stats"):
        _sessions(lines.filter(where & ~came & ~refused & (service == "smtpd")), picked, settings)
    if settings.has("pscrn-stats") or settings.limit("pscrn-detail") != 0:
        at_screen = where & ~came & ~refused & (service == "postscreen")
        if at_screen.any():
            postscreen.pick(lines.filter(at_screen), picked, settings)


def _sessions(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    """Beginnings and ends of sessions, and what went wrong with TLS in them."""
    failed = lines["text"].str.contains(_TLS_ERROR)
    if settings.has("ssl-tls-stats") and failed.any():
        found = (
            lines.filter(failed)
            .select(pl.col("text").str.extract_groups(_TLS_ERROR).alias("parts"))
            .unnest("parts")
        )
        for (what, client, more), count in counted(found, "what", "client", "more").items():
            told = f"{what} {more}" if more else what
            picked.count_detail(TLS_ERRORS, (told, host_domain(client)), count)
    if not settings.has("smtpd-stats"):
        return
    begins, ends = (
        pl.col("text").str.starts_with("connect from "),
        pl.col("text").str.starts_with("disconnect from "),
    )
    sessions = lines.filter(~failed).filter(begins | ends).select(
        "row", "run", "hour", "second", pl.col("pid").alias("key"), begins.alias("begins"),
        pl.col("text").str.extract(_DISCONNECT).alias("host"),
    )  # fmt: skip
    picked.smtpd = sessions.with_columns(
        mapped(sessions["host"], host_domain).alias("host"), owned("key")
    ).cast(CONNECTIONS)  # type: ignore[arg-type]


def _deliveries(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    plain = (
        lines["text"].str.contains(_SENT_SIMPLY) & narrow(lines["text"]) & (not settings.has("ssl-tls-stats"))
    )
    sent = lines.filter(plain)
    _sent(sent.with_columns(*_cut_out(), _forwarded(sent["text"])), picked)
    if len(sent) == len(lines):
        return
    found = (
        lines.filter(~plain)
        .with_columns(pl.col("text").str.extract_groups(_DELIVERY).alias("parts"))
        .unnest("parts")
    )
    if found["status"].null_count():
        found = found.filter(pl.col("status").is_not_null())
    if settings.has("use-orig-to"):
        original = pl.col("original")
        known = original.is_not_null() & ~original.is_in(["", "0"])
        found = found.with_columns(pl.when(known).then(original).otherwise("address").alias("address"))
    forwarded = (pl.col("status") == "sent") & pl.col("rest").str.contains(r"\(forwarded as [^)]+\)")
    found = found.with_columns(forwarded.alias("forwarded"))
    _sent(found.filter(pl.col("status") == "sent"), picked)
    _waiting(found.filter(pl.col("status") == "deferred"), picked, settings)
    _bounced(found.filter(pl.col("status") == "bounced"), picked, settings)
    if settings.has("ssl-tls-stats"):
        secured = found.filter(pl.col("tls").is_not_null() & ~pl.col("forwarded"))
        for (tls, relay), count in counted(secured, "tls", "relay").items():
            level, host = tls.split("/")[0], host_name(_relay(relay, settings))
            picked.count_detail(TLS_LEVELS, (level, host), count)


def _cut_out() -> tuple[pl.Expr, ...]:
    """Address and delay, by position, from lines of the form _SENT_SIMPLY."""
    text = pl.col("text")
    delay = text.str.slice(text.str.find(" delay=", literal=True) + len(" delay="), _LONGEST_DELAY)
    return (
        text.str.slice(len("to=<"), text.str.find(">", literal=True) - len("to=<")).alias("address"),
        delay.str.slice(0, delay.str.find(",", literal=True)).alias("delay"),
    )


def _forwarded(text: pl.Series) -> pl.Series:
    """Where a delivery was none, but a message made anew."""
    maybe = text.str.contains("(forwarded as ", literal=True)
    return among(maybe, text, r"\(forwarded as [^)]+\)").alias("forwarded")


def _sent(lines: pl.DataFrame, picked: Picked) -> None:
    forwarded = lines["forwarded"]
    if forwarded.any():
        picked.numbers["forwarded"] += int(forwarded.sum())
        picked.end(lines.filter(forwarded))
        lines = lines.filter(~forwarded)
    picked.count_traffic("delivered", lines)
    picked.add("sent", lines.select("row", owned("queue_id"), owned("address"), owned("delay")))


def _relay(relay: str, settings: Settings) -> str:
    """A relay without its port."""
    host, colon, port = relay.rpartition(":")
    if colon and port and set(port) <= set("0123456789"):
        relay = host
    return lower(relay) if settings.munging.ignore_case else relay


def _waiting(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    picked.count_traffic("deferred", lines)
    if not len(lines):
        return
    relay = mapped(lines["relay"], lambda relay: _relay(relay, settings))
    waiting = lines.select("row", owned("queue_id"), "address", "delay", relay.alias("relay"))
    picked.add("waiting", waiting)
    if settings.limit("deferral-detail") == 0:
        return
    lines = lines.select(
        "service", pl.col("text").str.extract(r", status=deferred \(([^)]+)").alias("reason")
    )
    for (service, reason), count in counted(lines, "service", "reason").items():
        path = (reason,) if settings.has("verbose-msg-detail") else deferral(reason)
        picked.count_detail(DEFERRED, (service, *path), count)


def _bounced(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    picked.count_traffic("bounced", lines)
    if settings.limit("bounce-detail") == 0:
        return
    lines = lines.select("relay", pl.col("text").str.extract(r", status=bounced \((.+)\)").alias("reason"))
    for (relay, reason), count in counted(lines, "relay", "reason").items():
        reason = reason if settings.has("verbose-msg-detail") else said(reason, 66)
        picked.count_detail(BOUNCED, (host_name(_relay(relay, settings)), reason), count)


def _queue(lines: pl.DataFrame, where: pl.Series, picked: Picked) -> None:
    """qmgr: senders and sizes, messages that are done with or too old."""
    text = lines["text"]
    sized = lines.filter(where & text.str.starts_with("from=<"))
    parts = pl.col("text").str.extract_groups("^from=<(?P<address>[^>]*)>, size=(?P<size>[0-9]+)")
    found = sized.select("row", owned("queue_id"), parts.alias("parts")).unnest("parts")
    found = found.filter(pl.col("size").is_not_null())
    picked.numbers["sized"] += len(found)
    picked.add("sized", found.with_columns(pl.col("size").cast(pl.Int64, strict=False).fill_null(0)))
    old = sized.filter(pl.col("text").str.ends_with(", status=expired, returned to sender"))
    rest = lines.filter(
        where & ~text.str.starts_with("from=<") & text.str.ends_with(", status=expired, returned to sender")
    )
    old = pl.concat([old, rest]) if len(rest) else old
    picked.numbers["expired"] += len(old)
    picked.add("expired", old.select("row", owned("queue_id")))
    picked.end(lines.filter(where & (text == "removed")))


def _exceptions(lines: pl.DataFrame, picked: Picked) -> None:
    """smtp could not connect."""
    for (text,), count in counted(lines, "text").items():
        found = _failed_connection(text)
        if found:
            picked.count_detail(SMTP, (lower(found[1]), host_name(found[0])), count)


def _failed_connection(text: str) -> tuple[str, str] | None:
    for expression in (_WITH_PORT, _AFTER_PORT):
        if found := re.match(expression.replace("[[:space:]]", r"\s"), text, re.ASCII):
            return found[1], found[2]
    return None

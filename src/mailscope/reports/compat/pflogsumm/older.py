"""What lines say by the rules of 1.1.5.  Here a line's text begins with the program's name."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import among, counted, mapped, narrow, owned, up_to_comma
from mailscope.reports.compat.pflogsumm.current import content_reason
from mailscope.reports.compat.pflogsumm.hosts import lower, older_domain
from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.picked import (
    BOUNCED,
    CONNECTIONS,
    DEFERRED,
    LEVELS,
    MASTER,
    REFUSALS,
    SMTP_OLDER,
    WARNED,
    Picked,
)  # fmt: skip
from mailscope.reports.compat.pflogsumm.reasons import cut, older_said
from mailscope.reports.compat.pflogsumm.refusals import count_refusals

_DELIVERY: Final = (
    r"to=<(?P<address>[^>]*)>, (?:orig_to=<[^>]*>, )?relay=(?P<relay>[^,]+), (?:conn_use=[^,]+, )?"
    r"delay=(?P<delay>[^,]+), (?:delays=[^,]+, )?(?:dsn=[^,]+, )?"
    r"status=(?P<status>[^[:space:]]+)(?P<rest>.*)$"
)
# Most deliveries: all is where it must be, so that they can be cut by position.
_LONGEST_DELAY: Final = 32
_SENT_SIMPLY: Final = (
    r"^[^ ]+: [^ ]+: to=<[^> ]*>, relay=[^, ]+, (?:conn_use=[0-9]+, )?delay=[0-9.]{1,30}, "
    r"(?:delays=[0-9./]+, )?(?:dsn=[0-9.]+, )?status=sent "
)
_CONTENT: Final = (
    r"/cleanup\[[0-9]+\]: .*?(?-u:\b)(?P<how>(?:milter-)?reject|warning|hold|discard): "
    r"(?P<where>header|body|END-OF-MESSAGE) (?P<what>.*)$"
)
_CLIENT: Final = r"\[[0-9]+\]: [0-9A-Za-z_]+: client=(.+?)(?:,|$)"
_CLIENT_SIMPLY: Final = r"^[^ ]+\[[0-9]+\]: [0-9A-Za-z_]+: client=[^,]"
_REFUSAL: Final = r"\[[0-9]+\]: [0-9A-Za-z_]+: (reject(?:_warning)?|hold|discard): "
_DISCONNECT: Final = r"/smtpd\[([0-9]+)\]: disconnect from (.+)$"
_ADDRESS_AND_PORT: Final = re.compile(r".* connect to (\S+?): ([^;]+); address \S+ port", re.ASCII)
_WITH_PORT: Final = re.compile(r".* connect to ([^[]+)\[\S+?\]: (.+?) \(port [0-9]+\)", re.ASCII)


def pick(lines: pl.DataFrame, settings: Settings) -> Picked:
    """Take the lines of a chunk (``lines.Matched``, with ``run`` and global ``row``) apart."""
    picked = Picked()
    service, first, text = lines["service"], lines["queue_id"], lines["text"]
    content = among(service == "cleanup", text, ": (?:header|body|END-OF-MESSAGE) ")
    if content.any():
        content = among(content, text, _CONTENT)
        _content(lines.filter(content), picked, settings)
    warned = ~content & first.is_in(list(LEVELS))
    refused = ~content & first.is_in(list(REFUSALS))
    if warned.any():
        _count_warnings(lines.filter(warned), picked, settings)
    if refused.any():
        count_refusals(lines.filter(refused), picked, settings, pl.col("queue_id"))
    rest = ~(content | warned | refused)
    told = lines.filter(rest & (service == "master"))
    for (text_of_master,), count in counted(told, "text").items():
        picked.count_detail(MASTER, (_after_name(text_of_master),), count)
    front = (service == "smtpd") | (service == "postscreen")
    _front(lines, rest & front, picked, settings)
    _others(lines, rest & ~front & (service != "master"), picked, settings)
    return picked


def _content(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    if not len(lines):
        return
    found = lines.with_columns(pl.col("text").str.extract_groups(_CONTENT).alias("parts")).unnest("parts")
    picked.count_traffic("rejected", found)
    for (how, where, what), count in counted(found, "how", "where", "what").items():
        section = WARNED if how == "warning" else REFUSALS[how.removeprefix("milter-")]
        picked.numbers[section] += count
        if settings.limit("reject-detail") != 0:
            reason = _shown(content_reason(what, settings), 64, settings)
            picked.count_detail(section, ("cleanup", where, reason), count)


def _shown(text: str, longest: int, settings: Settings) -> str:
    return text if settings.has("verbose-msg-detail") else cut(text, longest)


def _count_warnings(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    for (service, level, text), count in counted(lines, "service", "queue_id", "text").items():
        mark = f"{level}: "
        # The last place where the word stands.
        told = text[text.rfind(mark) + len(mark) :] if mark in text else text
        picked.count_detail(LEVELS[level], (service, _shown(told, 66, settings)), count)


def _after_name(text: str) -> str:
    """What master says: the text behind the last colon that "master" comes before."""
    colon = text.rfind(": ")
    return text[colon + 2 :] if "master" in text[: max(colon, 0)] else ""


def _front(lines: pl.DataFrame, where: pl.Series, picked: Picked, settings: Settings) -> None:
    """Lines of smtpd and postscreen."""
    text = lines["text"]
    came = among(where, text, ": client=", literal=True)
    client = up_to_comma(text.filter(came), ": client=", _CLIENT_SIMPLY, _CLIENT).alias("client")
    received = lines.filter(came).with_columns(client)
    if received["client"].null_count():
        odd = received.filter(pl.col("client").is_null())["row"].implode()
        came &= ~lines["row"].is_in(odd)
        received = received.filter(pl.col("client").is_not_null())
    picked.count_traffic("received", received)
    whence = mapped(received["client"], older_domain).fill_null("")
    picked.add("received", received.select("row", owned("queue_id"), whence.alias("whence")))
    refused = among(where & ~came, text, "reject|hold|discard")
    if refused.any():
        refused = among(refused, text, _REFUSAL)
        count_refusals(lines.filter(refused), picked, settings, pl.col("text").str.extract(_REFUSAL))
    if settings.has("smtpd-stats"):
        _sessions(lines.filter(where & ~came & ~refused), picked)


def _sessions(lines: pl.DataFrame, picked: Picked) -> None:
    begins = pl.col("text").str.contains(": connect from ", literal=True)
    ends = pl.col("text").str.contains(": disconnect from ", literal=True)
    sessions = lines.filter(begins | ends).select(
        "row", "run", "hour", "second", begins.alias("begins"),
        pl.col("text").str.extract(r"/smtpd\[([0-9]+)\]: ").alias("key"),
        pl.col("text").str.extract(_DISCONNECT, 2).alias("host"),
    )  # fmt: skip
    sessions = sessions.filter(
        pl.col("key").is_not_null() & (pl.col("begins") | pl.col("host").is_not_null())
    )
    host = mapped(sessions["host"], older_domain).alias("host")
    picked.smtpd = sessions.with_columns(host).select(list(CONNECTIONS)).cast(CONNECTIONS)  # type: ignore[arg-type]


def _others(lines: pl.DataFrame, where: pl.Series, picked: Picked, settings: Settings) -> None:
    """Lines of all other services: senders and sizes, deliveries, local submissions, failed connections."""
    service, text = lines["service"], lines["text"]
    sized = among(where, text, "from=<", literal=True)
    parts = pl.col("text").str.extract_groups("from=<(?P<address>[^>]*)>, size=(?P<size>[0-9]+)")
    found = lines.filter(sized).select("row", owned("queue_id"), parts.alias("parts")).unnest("parts")
    if found["size"].null_count():
        odd = found.filter(pl.col("size").is_null())["row"].implode()
        sized &= ~lines["row"].is_in(odd)
        found = found.filter(pl.col("size").is_not_null())
    picked.add("sized", found.with_columns(pl.col("size").cast(pl.Int64, strict=False).fill_null(0)))
    delivered = among(where & ~sized, text, ", status=", literal=True)
    taken = _deliveries(lines.filter(delivered), picked, settings)
    if taken is not None:
        delivered &= lines["row"].is_in(taken.implode())
    rest = where & ~sized & ~delivered
    local = lines.filter(among(rest & (service == "pickup"), text, ": (?:sender|uid)="))
    picked.count_traffic("received", local)
    picked.add("received", local.select("row", owned("queue_id"), pl.lit("pickup").alias("whence")))
    if settings.limit("smtp-detail") != 0:
        connecting = lines.filter(
            rest & (service == "smtp") & text.str.contains(" connect to ", literal=True)
        )
        for (line,), count in counted(connecting, "text").items():
            if (failed := _ADDRESS_AND_PORT.match(line)) or (failed := _WITH_PORT.fullmatch(line)):
                picked.count_detail(SMTP_OLDER, (lower(failed[2]), failed[1]), count)


def _deliveries(lines: pl.DataFrame, picked: Picked, settings: Settings) -> pl.Series | None:
    """Count deliveries; give the rows that are ones, or None where all are."""
    plain = lines["text"].str.contains(_SENT_SIMPLY) & narrow(lines["text"])
    _sent(_cut_out(lines.filter(plain)), picked)
    taken = lines["row"].filter(plain)
    found = (
        lines.filter(~plain)
        .with_columns(pl.col("text").str.extract_groups(_DELIVERY).alias("parts"))
        .unnest("parts")
    )
    rows = None
    if found["status"].null_count():
        found = found.filter(pl.col("status").is_not_null())
        rows = taken.append(found["row"])
    forwarded = pl.col("rest").str.contains("forwarded as ", literal=True).alias("forwarded")
    _sent(found.filter(pl.col("status") == "sent").with_columns(forwarded), picked)
    waiting = found.filter(pl.col("status") == "deferred")
    picked.count_traffic("deferred", waiting)
    picked.add("waiting", waiting.select("row", owned("queue_id"), "address", "delay", "relay"))
    if settings.limit("deferral-detail") != 0:
        reasons = waiting.select(
            "service", pl.col("text").str.extract(r", status=deferred \(([^)]+)").alias("reason")
        )
        for (service, reason), count in counted(reasons, "service", "reason").items():
            if not settings.has("verbose-msg-detail"):
                reason = _without_code(older_said(reason, 65)).removeprefix("connect to ")
            picked.count_detail(DEFERRED, (service, reason), count)
    bounced = found.filter(pl.col("status") == "bounced")
    picked.count_traffic("bounced", bounced)
    if settings.limit("bounce-detail") != 0:
        reasons = bounced.select(
            "relay", pl.col("text").str.extract(r", status=bounced \((.+)\)").alias("reason")
        )
        for (relay, reason), count in counted(reasons, "relay", "reason").items():
            if not settings.has("verbose-msg-detail"):
                reason = _without_code(older_said(reason, 66))
            relay = lower(relay) if settings.munging.ignore_case else relay
            picked.count_detail(BOUNCED, (relay, reason), count)
    return rows


def _cut_out(lines: pl.DataFrame) -> pl.DataFrame:
    """Add address, delay and whether it was forwarded, by position, to lines of the form _SENT_SIMPLY."""
    behind, delay = pl.col("behind"), pl.col("delay")
    to, mark = ": to=<", " delay="
    text = pl.col("text")
    lines = lines.with_columns(text.str.slice(text.str.find(to, literal=True) + len(to)).alias("behind"))
    lines = lines.with_columns(
        behind.str.slice(0, behind.str.find(">", literal=True)).alias("address"),
        behind.str.slice(behind.str.find(mark, literal=True) + len(mark), _LONGEST_DELAY).alias("delay"),
        behind.str.contains("forwarded as ", literal=True).alias("forwarded"),
    )
    return lines.with_columns(delay.str.slice(0, delay.str.find(",", literal=True)))


def _sent(lines: pl.DataFrame, picked: Picked) -> None:
    picked.numbers["forwarded"] += int(lines["forwarded"].sum())
    lines = lines.filter(~pl.col("forwarded"))
    picked.count_traffic("delivered", lines)
    picked.add("sent", lines.select("row", owned("queue_id"), owned("address"), owned("delay")))


def _without_code(text: str) -> str:
    return text[4:] if re.match("[0-9]{3} ", text) else text

"""What container runtimes write before a line that a container wrote.

    postfix-1  | Jan  1 00:00:00 host tag[pid]: text                            docker compose logs
    2024-01-01T00:00:00.123456789Z Jan  1 00:00:00 host tag[pid]: text           docker logs --timestamps
    postfix-1  | 2024-01-01T00:00:00.123456789Z Jan  1 00:00:00 host ...         both
    2024-01-01T00:00:00.123456789+01:00 stdout F Jan  1 00:00:00 host ...        Kubernetes (CRI)
    {"log":"Jan  1 00:00:00 host tag[pid]: text\\n","stream":"stdout","time":"2024-01-01T00:00:00.12Z"}
                                                                    Docker's own files (json-file)

Some images leave stamp and host to the runtime: ``postfix-1  | postfix/smtpd[12]: text`` (Mailu).
The runtime's stamp tells the instant to the microsecond and with its zone, so it wins over the line's own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from mailscope.intake.envelopes import iso
from mailscope.intake.envelopes.header import TIME, Header, split_tag

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]* +\| "
# Docker pads to nine digits, Kubernetes leaves zeros at the end out but names the stream.
STAMP: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
ZONE: Final = r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
DOCKER: Final = rf"{STAMP}\.[0-9]{{9}}{ZONE} "
KUBERNETES: Final = rf"{STAMP}(?:\.[0-9]{{1,9}})?{ZONE} std(?:out|err) F "
JSON: Final = r'\{"log":"'
SNIFF: Final = rf"^(?:{NAME}|{DOCKER}|{KUBERNETES}|{JSON})"
PREFIX: Final = rf"^(?:{NAME}(?:{DOCKER})?|{KUBERNETES}|{DOCKER})"
FORM: Final = (
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})"
)
STREAMS: Final = ("stdout", "stderr")
TAG: Final = r"^[^ :\[]+\[[0-9]+\]: "


def suspected(header: Header) -> bool:
    """Whether lines taken apart as if they were no container's have what a runtime writes for a host."""
    if not isinstance(header.host, pl.Series):
        return header.host in STREAMS
    # Nine digits of a second: no host is looked for behind them.
    return header.time is not None and (header.host.is_null() | header.host.is_in(STREAMS)).any()


def tagged(header: Header, contained: pl.Series) -> Header:
    """The header with the tags of contained lines that begin with one (with a pid, so that it is one)."""
    rows = (contained & header.tag.is_null()).arg_true()
    rows = rows.filter(header.text.gather(rows).str.contains(TAG))
    if not len(rows):
        return header
    tag, text = split_tag(header.text.gather(rows))
    return replace(header, tag=header.tag.scatter(rows, tag), text=header.text.scatter(rows, text))


def strip(lines: pl.Series) -> tuple[pl.Series, pl.Series]:
    """UTC time (null where there is none) and the line that the container wrote."""
    prefix = lines.str.extract(f"({PREFIX})", 1)
    inner = lines.str.replace(PREFIX, "")
    rows = lines.str.contains(f"^{JSON}").arg_true()
    if len(rows):
        prefix, inner = _from_json(lines.gather(rows), rows, prefix, inner)
    found = prefix.str.extract_groups(FORM).struct.unnest()
    time = iso.wall_clock(found) - iso.offset(found["zone"])
    return time.cast(TIME), inner


def _from_json(
    objects: pl.Series, rows: pl.Series, prefix: pl.Series, inner: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Stamp and line of Docker's objects put into those of the rows; what is none stays as it is."""
    line = (
        objects.str.json_path_match("$.log")
        .str.strip_chars_end("\r\n")
        .str.replace_all("\n", " ", literal=True)
    )
    stamp = objects.str.json_path_match("$.time")
    whole = line.is_not_null()
    rows, stamp, line = rows.filter(whole), stamp.filter(whole), line.filter(whole)
    return prefix.scatter(rows, stamp), inner.scatter(rows, line)

"""``mailscope cluster sql``: that command on the cluster's store, by the cluster."""

from __future__ import annotations

from pathlib import Path

from mailscope.cli.cluster.options import asking, looking


@asking("sql")
def sql(rest: tuple[str, ...], store: Path, master: str | None, conf: tuple[str, ...]) -> None:
    """Ask the cluster's store in Spark SQL; only SELECT.

    ARGS are those of 'mailscope sql'.  The tables are those of docs/store.md; times are UTC.

    \b
    mailscope cluster sql --store /srv/mail "SELECT host, count(*) FROM messages GROUP BY host"
    """
    looking("sql", rest, store, master, conf)

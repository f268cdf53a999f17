"""``mailscope cluster trace``: that command on the cluster's store, by the cluster."""

from __future__ import annotations

from pathlib import Path

from mailscope.cli.cluster.options import asking, looking


@asking("trace")
def trace(rest: tuple[str, ...], store: Path, master: str | None, conf: tuple[str, ...]) -> None:
    """Follow a message, address, domain or IP in the cluster's store; its executors look for the lines.

    ARGS are those of 'mailscope trace'.

    \b
    mailscope cluster trace --master spark://head:7077 --store /srv/mail alice@example.org
    """
    looking("trace", rest, store, master, conf)

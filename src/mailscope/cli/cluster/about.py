"""``mailscope cluster about``: that command on the cluster's store, by the cluster."""

from __future__ import annotations

from pathlib import Path

from mailscope.cli.cluster.options import asking, looking


@asking("about")
def about(rest: tuple[str, ...], store: Path, master: str | None, conf: tuple[str, ...]) -> None:
    """Tell everything about one thing in the cluster's store; its executors look for the lines.

    ARGS are those of 'mailscope about'.

    \b
    mailscope cluster about --master spark://head:7077 --store /srv/mail 192.0.2.7
    """
    looking("about", rest, store, master, conf)

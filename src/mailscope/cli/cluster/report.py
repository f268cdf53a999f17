"""``mailscope cluster report``: that command on the cluster's store, by the cluster."""

from __future__ import annotations

from pathlib import Path

from mailscope.cli.cluster.options import asking, looking


@asking("report")
def report(rest: tuple[str, ...], store: Path, master: str | None, conf: tuple[str, ...]) -> None:
    """Sum up what the cluster's store holds; tallies are added up by its executors.

    ARGS are those of 'mailscope report'.

    \b
    mailscope cluster report --master spark://head:7077 --store /srv/mail --period yesterday
    """
    looking("report", rest, store, master, conf)

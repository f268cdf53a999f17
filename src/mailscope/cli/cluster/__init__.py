"""``mailscope cluster``: the same flow as Spark jobs, for logs that are too many for one machine."""

from __future__ import annotations

from typing import Final

import click

from mailscope.cli.commands import lazily, within

# Command -> what it does; the module cli/cluster/NAME.py holds a click command of the same name.
COMMANDS: Final = {
    "ingest": "Load logs of many hosts into a store, side by side.",
    "stream": "Load lines as they come, from Kafka or a socket.",
    "compact": "Make few large files of many small ones, side by side.",
    "ship": "Bring a store's sealed files to that of the cluster.",
    "report": "Sum up what the cluster's store holds.",
    "trace": "Follow a message, address, domain or IP in the cluster's store.",
    "about": "Tell everything about one thing in the cluster's store.",
    "sql": "Ask the cluster's store in Spark SQL.",
}


@click.command(cls=lazily(COMMANDS, within(__name__)))
def cluster() -> None:
    """Do the same for many hosts, as Spark jobs (needs 'mailscope[spark]' and Java 17).

    The store is on a file system that all workers share.  One machine reads it, too: any command with
    --store.

    \b
    mailscope cluster ingest --master spark://head:7077 --output /srv/mail 's3a://logs/*/mail.log-*.gz'
    mailscope cluster report --master spark://head:7077 --store /srv/mail
    mailscope report --store /srv/mail
    """

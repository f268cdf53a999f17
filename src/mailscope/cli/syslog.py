"""``mailscope syslog``: the small programs around syslog, each as its original."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from mailscope.cli.commands import lazily

# Command -> (module of cli/ that holds a click command of this name, what it does).
COMMANDS: Final = {
    "check": (
        "syslog_conf",
        "Explain a syslog.conf, and say what is wrong in it or differs elsewhere.",
    ),
    "test": ("syslog_conf", "Say where a message would go by a syslog.conf, and why."),
    "serve": ("syslog_conf", "Take syslog messages and write them where a syslog.conf says."),
    "logger": ("syslog_logger", "Send messages to a syslog daemon, as util-linux's logger does."),
    "splogger": ("syslog_filters", "Give lines to syslog with qmail's stamps, as splogger does."),
    "multilog": ("syslog_filters", "Write lines into rotated directories, as daemontools' multilog does."),
    "tai64n": ("syslog_filters", "Put a TAI64N label in front of each line."),
    "tai64nlocal": ("syslog_filters", "Tell TAI64N labels in local time."),
}


def _command(name: str) -> click.Command:
    """A command, imported now."""
    command: click.Command = getattr(import_module(f"mailscope.cli.{COMMANDS[name][0]}"), name)
    return command


@click.command(
    cls=lazily({name: what for name, (_, what) in COMMANDS.items()}, _command),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def syslog() -> None:
    """Route, send, stamp and store log lines: what syslogd, logger and daemontools do.

    Example: some-program 2>&1 | mailscope syslog multilog t s1000000 n20 ./log
    """

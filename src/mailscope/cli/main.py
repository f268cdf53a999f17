"""The ``mailscope`` command: finds the sub-command, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Final

import click

from mailscope import __version__
from mailscope.cli.commands import lazily, within

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Command -> what it does; the module cli/NAME.py holds a click command of the same name.
COMMANDS: Final = {
    "report": "Sum up what the logs say: volume, fates, delays, problems.",
    "trace": "Follow a message, address, domain or IP from arrival to final fate.",
    "steps": "Draw the way of a message through the daemons, from the log or from strace.",
    "about": "Tell everything about an IP, network, address, user or domain.",
    "logins": "Say who logged in to what, from where, and who failed.",
    "explain": "Explain a code, a reply, a log line or a bounce, and say what to do.",
    "events": "Give every event as JSON lines or CSV.",
    "host": "Read the host's own logs: who logged in, which commands ran.",
    "coverage": "Say which lines are recognised and show the shapes of the others.",
    "detect": "Look for trouble and attacks in logs.",
    "dnsbl": "Look up our addresses on DNS blocklists.",
    "findings": "Show what the detections found, acknowledge it, and mute it.",
    "check": "Check figures for Icinga, Nagios and other monitoring programs.",
    "blocklist": "List attackers to be blocked, for nftables, ipset, fail2ban, Postfix and others.",
    "queue": "Look at the queues, understand why mail waits, and act on it.",
    "alert": "Try how people are told of findings; say nothing for a while.",
    "anonymise": "Rewrite logs with pseudonyms for persons and clients, to be shown to others.",
    "serve": "Follow logs, take syslog messages, and keep it all in the store.",
    "tail": "Show events as the daemon stores them.",
    "mark": "Put a note on the time line.",
    "ingest": "Load logs into the store.",
    "store": "Look after the store: status, verify, seal, compact, backup, restore, rebuild.",
    "sql": "Ask the store in SQL.",
    "cluster": "Do the same for many hosts, as Spark jobs.",
    "metrics": "Show figures for Prometheus; its alert rules and a dashboard for Grafana.",
    "privacy": "Give out or erase what the store holds of a person.",
    "people": "Look after the accounts of the live page: who may enter, and what they may see.",
    "config": "Check and show the settings of the daemon.",
    "patterns": "List, check and try the patterns that lines are read with.",
    "qmailanalog": "Run qmailanalog's filters: matchup, xsender, zoverall and the others.",
    "syslog": "Route, send, stamp and store log lines, as syslogd, logger and multilog do.",
    "archive": "Keep raw lines sealed, so that every change of them is found.",
    "pflogsumm": "Make the report that pflogsumm makes, with its options, much faster.",
}
INTERRUPTED: Final = 130


class Named(lazily(COMMANDS, within("mailscope.cli"))):  # type: ignore[misc]
    """The group of all commands."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a shell offers after Tab: the commands are not imported for it."""
        from click.shell_completion import CompletionItem

        named = [
            CompletionItem(name, help=does) for name, does in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]


@click.command(cls=Named, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailscope")
def mailscope() -> None:
    """Read what a mail host logs and follow every message from arrival to final fate.

    \b
    mailscope report /var/log/mail.log
    mailscope trace alice@example.org /var/log/mail.log
    mailscope serve --demo
    """


def run() -> None:
    """Entry point of the installed command."""
    tune()
    # A reader that went away (| head) is no error of ours: end quietly, as other filters do.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _interrupted)
    from mailscope.vocabulary.errors import MailscopeError

    try:
        mailscope(prog_name="mailscope", standalone_mode=False)
    except MailscopeError as error:
        click.echo(f"mailscope: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


def tune() -> None:
    """Set what Polars reads from the environment when it is first imported; the user's own values win.

    Two threads of its own beside ours; one arena of its allocator, which hands freed pages out again
    instead of returning them, as every chunk needs as much memory as the one before it.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "2")
    os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:1000")


def _interrupted(number: int, frame: object) -> None:
    """Ctrl-C: threads may be deep in compiled code, so leave at once instead of raising."""
    from mailscope.cli.interrupts import last_words

    lines = ["interrupted", *last_words()]
    sys.stderr.write("\n" + "".join(f"mailscope: {line}\n" for line in lines))
    sys.stderr.flush()
    os._exit(INTERRUPTED)

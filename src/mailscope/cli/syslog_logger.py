"""``mailscope syslog logger``: messages to a syslog daemon, with util-linux's options."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

import click

from mailscope.cli.inputs import say
from mailscope.vocabulary.errors import InputError, UsageError


class _Logger(click.Command):
    """Options whose order counts (--sd-id, --sd-param), and those with a value that may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note the order of structured data before click sorts options by name.

        A value that may be left out stands behind an equals sign only.
        """
        ordered = []
        args = [f"{argument}=" if argument in ("--id", "--rfc5424") else argument for argument in args]
        ended = args.index("--") if "--" in args else len(args)
        for place, argument in enumerate(args[:ended]):
            for name in ("id", "param"):
                if argument == f"--sd-{name}" and place + 1 < len(args):
                    ordered.append((name, args[place + 1]))
                elif argument.startswith(f"--sd-{name}="):
                    ordered.append((name, argument.partition("=")[2]))
        ctx.meta["mailscope.data"] = ordered
        return super().parse_args(ctx, args)


@click.command(cls=_Logger, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("message", nargs=-1, type=click.UNPROCESSED)
@click.option("-i", "own_id", is_flag=True, help="Log this process's id.")
@click.option("--id", "process", metavar="[=ID]", help="Log this id, or this process's.")
@click.option("-f", "--file", metavar="FILE", help="Log the lines of this file.")
@click.option("-e", "--skip-empty", is_flag=True, help="Leave empty lines of files out.")
@click.option("--no-act", is_flag=True, help="Do all but send.")
@click.option("-p", "--priority", default="user.notice", show_default=True, help="FACILITY.LEVEL, or LEVEL.")
@click.option("--octet-count", is_flag=True, help="Frame messages by their length (RFC 6587).")
@click.option("--prio-prefix", is_flag=True, help="Take <N> at the beginning of a line for its priority.")
@click.option("-s", "--stderr", is_flag=True, help="Write messages to standard error, too.")
@click.option("-S", "--size", default="1024", show_default=True, help="Longest message.")
@click.option("-t", "--tag", help="The program's name; otherwise who is logged in.")
@click.option("-n", "--server", metavar="HOST", help="Send to this server, over UDP or else TCP.")
@click.option("-P", "--port", help="Its port.")
@click.option("-T", "--tcp", "protocol", flag_value="tcp", help="TCP only.")
@click.option("-d", "--udp", "protocol", flag_value="udp", help="UDP only.")
@click.option("--rfc3164", "header", flag_value="rfc3164", help="The older form.")
@click.option(
    "--rfc5424",
    metavar="[=WITHOUT]",
              help="The newer form; notime, notq, nohost leave things out.")  # fmt: skip
@click.option("--sd-id", multiple=True, metavar="ID", help="Structured data: an id, such as ours@32473.")
@click.option("--sd-param", multiple=True, metavar='NAME="VALUE"', help="A parameter of the id before it.")
@click.option("--msgid", help="The kind of message (RFC 5424).")
@click.option("-u", "--socket", default="/dev/log", show_default=True, help="Write to this unix socket.")
@click.option("--socket-errors", type=click.Choice(["on", "off", "auto"]), default="auto", show_default=True,
              help="Whether a unix socket where nobody listens is an error.")  # fmt: skip
@click.pass_context
def logger(ctx: click.Context, /, **given: Any) -> None:
    """Send MESSAGE, or each line of standard input, to the syslog daemon.

    Example: mailscope syslog logger -p mail.warning -t backup "spool is nearly full"
    """
    from mailscope.syslog.logger.options import Options, data, priority, size
    from mailscope.syslog.logger.sending import Logger

    options = Options(
        priority=priority(given["priority"]),
        tag=given["tag"] or _login(),
        process=_process(given["process"], own=given["own_id"]),
        header="rfc5424" if given["rfc5424"] is not None else given["header"],
        server=given["server"],
        port=given["port"],
        protocol=given["protocol"] or "any",
        socket=given["socket"],
        size=size(given["size"]),
        to_stderr=given["stderr"],
        act=not given["no_act"],
        octet_count=given["octet_count"],
        priority_prefix=given["prio_prefix"],
        skip_empty=given["skip_empty"],
        message_id=_message_id(given["msgid"]),
        socket_errors=_tells(given["socket_errors"], given["no_act"] or given["stderr"]),
        data=data(ctx.meta["mailscope.data"]),
    )
    for word in filter(None, (given["rfc5424"] or "").split(",")):
        _without(options, word)
    if given["file"] is not None and given["message"]:
        say("--file and MESSAGE exclude each other, MESSAGE is ignored")
    sending = Logger(options)
    if given["message"] and given["file"] is None:
        sending.words([os.fsencode(word) for word in given["message"]])
    elif given["file"] is None:
        sending.lines(sys.stdin.buffer)
    else:
        try:
            with open(given["file"], "rb") as file:
                sending.lines(file)
        except OSError as error:
            raise InputError.from_os_error(error, given["file"]) from error
    sending.close()
    if sending.lost:
        say(f"{sending.lost} messages were not taken; see whether a syslog daemon listens")


def _login() -> str:
    try:
        return os.getlogin()
    except OSError:
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "<someone>"


def _process(named: str | None, *, own: bool) -> int:
    if named:
        text = named.removeprefix("=")
        if not (text.isascii() and text.isdigit()):
            raise UsageError(f"failed to parse id: '{named}'", "--id", "a number")
        return int(text)
    return os.getpid() if own or named == "" else 0


def _message_id(text: str | None) -> str:
    if text and " " in text:
        raise UsageError("it cannot contain a blank", "--msgid")
    return text or ""


def _tells(choice: str, asked: bool) -> bool:
    return choice == "on" or (choice == "auto" and (asked or os.path.isdir("/run/systemd/system")))


def _without(options: Any, word: str) -> None:
    if word == "notime":
        options.with_time = options.with_quality = False
    elif word == "notq":
        options.with_quality = False
    elif word == "nohost":
        options.with_host = False
    else:
        say(f"ignoring unknown option argument: {word}")

"""``mailscope syslog check|test|serve``: the language of syslog.conf."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.inputs import say
from mailscope.cli.terminal import safe
from mailscope.language.choice import choose
from mailscope.language.translator import Translator, translator
from mailscope.vocabulary.errors import InputError, MailscopeError, UsageError

if TYPE_CHECKING:
    from mailscope.syslog.conf.rules import Configuration
    from mailscope.syslog.receiver.listener import Listener

CONFIGURATION: Final = "/etc/syslog.conf"
_FORMATS: Final = click.Choice(["text", "json", "csv"])
# CSV of check has a row for each rule, then one for each remark.
_CHECKED: Final = ("where", "rule", "takes", "does", "bad", "remark")
_BLANK: Final[dict[str, Any]] = dict.fromkeys(_CHECKED, "")
_TESTED: Final = ("where", "rule", "taken", "why", "does")
_dialect = click.option(
    "--dialect",
    type=click.Choice(["sysklogd", "rsyslog", "bsd"]),
    help="Whose language it is; otherwise what it looks like.",
)
_conf = click.option(
    "--conf",
    "file",
    type=click.Path(path_type=Path),
    default=CONFIGURATION,
    show_default=True,
    metavar="FILE",
    help="The configuration.",
)
_lang = click.option("--lang", metavar="LANGUAGE", help="Language of the text: en, it, sv or zh.")
_format = click.option("--format", "form", type=_FORMATS, default="text", show_default=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=CONFIGURATION)
@_dialect
@_format
@_lang
def check(file: Path, dialect: str | None, form: str, lang: str | None) -> None:
    """Explain each rule of FILE, and say what is wrong or means something else to another daemon.

    Ends with 1 where a line does not do what it says.

    Example: mailscope syslog check /etc/rsyslog.conf
    """
    from mailscope.syslog.conf.words import does, takes

    tr, found = translator(choose(lang)), _read(file, dialect)
    rules = [
        {"where": rule.where, "rule": rule.text, "takes": tr(takes(rule)), "does": tr(does(rule.action))}
        for rule in found.rules
    ]
    remarks = [{"where": each.where, "bad": each.bad, "text": tr(each.text)} for each in found.remarks]
    if form == "json":
        click.echo(json.dumps({"dialect": found.dialect.value, "rules": rules, "remarks": remarks}))
    elif form == "csv":
        _csv(_CHECKED, [_BLANK | rule for rule in rules] + [_BLANK | _remark(each) for each in remarks])
    else:
        _show_rules(found, rules, remarks, tr)
    if any(each.bad for each in found.remarks):
        sys.exit(1)


def _remark(each: dict[str, Any]) -> dict[str, Any]:
    return {"where": each["where"], "bad": each["bad"], "remark": each["text"]}


def _csv(names: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    from mailscope.cli.host.options import csv_lines

    for lines in csv_lines(names, rows):
        click.echo(lines, nl=False)


def _show_rules(
    found: Configuration, rules: list[dict[str, str]], remarks: list[dict[str, Any]], tr: Translator
) -> None:
    click.echo(tr("Read as {dialect} reads it; rules: {n}.", dialect=found.dialect.value, n=len(rules)))
    shown = set()
    for rule in rules:
        click.echo(f"\n{safe(rule['where'])}: {safe(rule['rule'])}")
        click.echo("  " + tr("takes: {what}", what=safe(rule["takes"])))
        click.echo("  " + tr("does: {what}", what=safe(rule["does"])))
        for remark in remarks:
            if remark["where"] == rule["where"] and id(remark) not in shown:
                shown.add(id(remark))
                click.echo(f"  ! {safe(remark['text'])}")
    for remark in remarks:
        if id(remark) not in shown:
            click.echo(f"\n{safe(remark['where'])}\n  ! {safe(remark['text'])}")


@click.command()
@_conf
@_dialect
@click.option("--tag", default="test", show_default=True, help="The program's name, such as postfix/smtpd.")
@click.option("--host", metavar="NAME", help="The host that the message is of; otherwise this one.")
@click.option("--all", "everything", is_flag=True, help="Also the rules that do not take it, and why.")
@_format
@_lang
@click.argument("priority", metavar="FACILITY.PRIORITY")
@click.argument("text", default="")
def test(
    file: Path,
    dialect: str | None,
    tag: str,
    host: str | None,
    everything: bool,
    form: str,
    lang: str | None,
    priority: str,
    text: str,
) -> None:
    """Say where a message would go, and why.

    Example: mailscope syslog test --conf /etc/syslog.conf mail.err "disk full" --tag postfix/qmgr
    """
    from mailscope.syslog.codes import facility_code, severity_code
    from mailscope.syslog.conf.routing import decided
    from mailscope.syslog.conf.words import does
    from mailscope.syslog.record import Record

    tr, found = translator(choose(lang)), _read(file, dialect)
    facility, dot, severity = priority.rpartition(".")
    if not dot:
        raise UsageError(f"'{priority}' is no priority", "FACILITY.PRIORITY", "such as mail.info")
    where = "FACILITY.PRIORITY"
    record = Record(
        facility_code(facility, where),
        severity_code(severity, where),
        datetime.now(UTC),
        (host or socket.gethostname()).encode(),
        os.fsencode(tag),
        b"",
        os.fsencode(text),
    )
    decisions = decided(found.rules, record)
    rows = [
        {
            "where": each.rule.where,
            "rule": each.rule.text,
            "taken": each.taken,
            "why": tr(each.why),
            "does": tr(does(each.rule.action)),
        }
        for each in decisions
        if each.taken or everything
    ]
    if form == "json":
        click.echo(json.dumps({"message": record.name, "rules": rows}))
        return
    if form == "csv":
        _csv(("message", *_TESTED), [{"message": record.name} | row for row in rows])
        return
    if not any(each.taken for each in decisions):
        click.echo(tr("{name} goes nowhere: no rule takes it.", name=record.name))
    for row in rows:
        words = {name: safe(str(cell)) for name, cell in row.items()}
        click.echo(f"{'->' if row['taken'] else '  '} {words['does']}")
        click.echo(f"     {words['where']}: {words['rule']} ({words['why']})")
    for remark in found.remarks:
        if remark.bad:
            say(f"{remark.where}: {tr(remark.text)}")


@click.command()
@_conf
@_dialect
@click.option(
    "--listen",
    multiple=True,
    metavar="WHERE",
    help="unix-dgram:PATH, unix-stream:PATH, udp:ADDRESS:PORT or tcp:ADDRESS:PORT (repeatable); "
    "otherwise unix-dgram:/dev/log.",
)
@click.option(
    "--mark",
    type=click.FloatRange(min=0),
    default=20.0,
    show_default=True,
    metavar="MINUTES",
    help="Write '-- MARK --' so often to what the rules give mark.info to; 0: never.",
)
def serve(file: Path, dialect: str | None, listen: tuple[str, ...], mark: float) -> None:
    """Take syslog messages and write them where FILE says.

    SIGHUP reads FILE again and opens everything anew; SIGTERM writes what has come, and ends.

    Example: mailscope syslog serve --conf ./syslog.conf --listen udp:127.0.0.1:5140
    """
    from mailscope.syslog.receiver.limits import Limits
    from mailscope.syslog.receiver.server import Server
    from mailscope.syslog.routed import Routed, marking

    routed = Routed(_told(file, dialect), socket.gethostname(), say)
    listeners = [_listener(where) for where in listen or ("unix-dgram:/dev/log",)]
    server = Server(listeners, Limits(), routed.deliver, marking(mark * 60, routed.mark))
    signals = _signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    server.start()
    say(f"listening on {', '.join(listener.name for listener in server.listeners)}")
    for number in signals:
        if number != signal.SIGHUP:
            break
        try:
            routed.reload(_told(file, dialect))
        except MailscopeError as error:
            say(f"{error}; everything goes on as before")
        else:
            say(f"{file} was read again")
    server.stop()
    routed.close()
    if server.failure is not None:
        raise server.failure


def _signals(*numbers: signal.Signals) -> Iterator[int]:
    """Signals of these kinds, as they come from now on."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return iter(lambda: os.read(reading, 1)[0], None)


def _told(file: Path, dialect: str | None) -> Configuration:
    """The configuration, with what is wrong in it told."""
    found = _read(file, dialect)
    for remark in found.remarks:
        if remark.bad:
            say(f"{remark.where}: {remark.text}")
    if not found.rules:
        raise InputError("there is no rule in it", str(file), "see 'mailscope syslog check'")
    return found


def _read(file: Path, dialect: str | None) -> Configuration:
    from mailscope.syslog.conf.reading import read
    from mailscope.syslog.conf.rules import Dialect

    return read(file, Dialect(dialect) if dialect else None)


def _listener(where: str) -> Listener:
    from mailscope.syslog.receiver.listener import Listener

    kind, _, rest = where.partition(":")
    if kind in ("unix-dgram", "unix-stream") and rest:
        return Listener(kind, rest)  # type: ignore[arg-type]
    address, _, port = rest.rpartition(":")
    if kind in ("udp", "tcp") and address and port.isascii() and port.isdigit() and int(port) < 1 << 16:
        return Listener(kind, address.strip("[]"), int(port))  # type: ignore[arg-type]
    raise UsageError(
        f"'{where}' is no place to listen", "--listen", "such as udp:0.0.0.0:514 or unix-dgram:/dev/log"
    )

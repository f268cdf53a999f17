"""``mailscope logins``: who logged in to what, from where; failures by user and by address."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from mailscope.cli.inputs import Inputs, inputs
from mailscope.cli.showing import shown

# Where syslog's own facilities have it: mail, daemon (3), auth (4) and authpriv (10).
JOURNAL: Final = tuple(f"SYSLOG_FACILITY={number}" for number in (2, 3, 4, 10))


@click.command()
@inputs
@shown
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
def logins(
    inputs: Inputs,
    form: str | None,
    output: Path | None,
    top: int,
    only: tuple[str, ...],
    without: tuple[str, ...],
    lang: str | None,
) -> None:
    """Say who logged in to what, from where, and who failed.

    Over IMAP, POP3, SMTP AUTH, SSH, FTP, web, su and sudo, whatever the patterns know.  A failed login that
    two programs tell of counts once.  The lines behind a number: mailscope report --evidence SECTION:ROW
    FILES.

    \b
    mailscope logins /var/log/mail.log /var/log/auth.log
    mailscope logins --since yesterday -o logins.xlsx
    """
    from mailscope.cli.counting import counted
    from mailscope.cli.output import writable
    from mailscope.cli.presenting import again, check_sections, form_of, present, refuse_nothing
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator

    tr, chosen_form = translator(choose(lang)), form_of(form, output)
    writable(output)
    inputs.journal_match = JOURNAL
    pipeline, ledger = counted(inputs, None, (), lambda: check_sections(only, without))
    refuse_nothing(inputs, pipeline, ledger)
    from mailscope.reports.logins import page
    from mailscope.reports.report import Settings, build

    names = inputs.names(pipeline)
    settings = Settings(inputs.zone, top, names, again(inputs, pipeline, ledger))
    present(page(build(ledger, settings), ledger, only, without), chosen_form, tr, output)
    inputs.finish(pipeline.sources)

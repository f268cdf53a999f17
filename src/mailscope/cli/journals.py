"""The journals that a run reads: the host's own, and journal files that were named.

In: what was asked for.  Out: sources; afterwards what went wrong.  A cursor is remembered only when all
went well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from mailscope.vocabulary.errors import InputError, UsageError

if TYPE_CHECKING:
    from mailscope.cli.inputs import Inputs
    from mailscope.intake.journal import Journal
    from mailscope.intake.reader import Source

JOURNAL: Final = "journal:"
MAIL: Final = "SYSLOG_FACILITY=2"


class Journals:
    """journalctl, once for the host's journal and once for all journal files."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._open: list[Journal] = []
        if inputs.cursor_file is not None and not self.asked:
            raise UsageError("it is for the host's journal only", "--cursor-file", "say --journal as well")

    @property
    def asked(self) -> bool:
        """Whether the host's journal is asked for; a unit alone asks for it, unless files are named."""
        return self._inputs.journal or bool(self._inputs.units and not self._inputs.files)

    def opened(self, files: Sequence[str], *, host: bool) -> list[Source]:
        """The sources; ``host``: its own journal has been found to hold its mail log."""
        asked = self._inputs
        if not (files or host or self.asked):
            return []
        from mailscope.intake.journal import Wanted, open_journal

        if files:
            # Files that are named are read whole, unless units are named as well.
            wanted = Wanted(asked.units, (), asked.since_utc, asked.until_utc, files)
            name = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
            self._open.append(open_journal(wanted, name=name))
        if host or self.asked:
            wanted = Wanted(asked.units, asked.journal_match, asked.since_utc, asked.until_utc)
            self._open.append(open_journal(wanted, asked.cursor_file))
        return [journal.source for journal in self._open]

    def closed(self, *, good: bool) -> list[InputError]:
        """End them all; what went wrong.  ``good``: all that was read else went well."""
        from mailscope.cli.terminal import safe

        problems: list[InputError] = []
        for journal in self._open:
            words = journal.close()
            problems += journal.problems
            for line in words.splitlines():
                click.echo(f"mailscope: journalctl: {safe(line)}", err=True)
        for journal in self._open:
            try:
                journal.commit(good=good and not problems)
            except InputError as problem:
                problems.append(problem)
        self._open.clear()
        return problems

"""The forms a report can take, one file each: text, HTML, Markdown, CSV, Excel, JSON.

In: the report as plain data, a language and a paper.  Out: the bytes of a file.  To add one, write a module
with a ``written`` function and name it here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from mailscope.language.translator import Translator
from mailscope.reports.layout import Paper


@dataclass(frozen=True)
class Form:
    """A form: its name, how names of its files end, and whether it is no text.

    Its module ``forms/NAME.py`` is imported when it is asked for, as some need heavy libraries.
    """

    name: str
    endings: tuple[str, ...]
    binary: bool = False

    @property
    def written(self) -> Callable[[dict[str, Any], Translator, Paper], bytes]:
        """The function that writes a report in this form."""
        module = import_module(f"mailscope.reports.forms.{self.name}")
        written: Callable[[dict[str, Any], Translator, Paper], bytes] = module.written
        return written


FORMS: Final = (
    Form("text", (".txt",)),
    Form("html", (".html", ".htm")),
    Form("markdown", (".md",)),
    Form("csv", (".csv",)),
    Form("xlsx", (".xlsx",), binary=True),
    Form("json", (".json",)),
)
BY_NAME: Final = {form.name: form for form in FORMS}
BY_ENDING: Final = {ending: form for form in FORMS for ending in form.endings}

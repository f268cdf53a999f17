"""What a page is: where it is found, who may see it, and how what it shows is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields

from mailscope.web.pages.grid import Grid
from mailscope.web.pages.visit import Visit


@dataclass(frozen=True)
class Context:
    """What a template is given; every page has its own kind."""

    def grids(self) -> Iterator[Grid]:
        """Its tables: any of them can be had as a file."""
        for each in fields(self):
            value = getattr(self, each.name)
            for one in value if isinstance(value, (tuple, list)) else (value,):
                if isinstance(one, Grid):
                    yield one


class Redirect(Exception):
    """Another page tells of it."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True)
class Page:
    """A page.

    ``path``: of its URL, ``{places}`` in it are given with the query; ``action``: what the viewer must be
    allowed; ``usual``: the span where the URL names none, "" where the page is of no span; ``menu``: whether
    it stands there; ``limited``: whether it is for people who see some domains only, too; ``forms``: what may
    be posted, by its path, with the action that it needs; it gives the place to go next.
    """

    name: str
    path: str
    title: str
    template: str
    show: Callable[[Visit], Context]
    action: str
    usual: str = "24h"
    menu: bool = True
    limited: bool = False
    forms: Mapping[str, tuple[str, Callable[[Visit, Mapping[str, str]], str]]] = field(default_factory=dict)

"""Every path has one rule, every rule has a path, and what roles may do is said for each."""

from __future__ import annotations

from typing import Any, get_args
from unittest.mock import MagicMock

import pytest
from fastapi import FastAPI

from mailscope.vocabulary.settings.settings import Settings
from mailscope.web.blocking import blocklists
from mailscope.web.checks import checks
from mailscope.web.people.desk import Desk
from mailscope.web.people.entering import add_door
from mailscope.web.people.own_account import add_account
from mailscope.web.people.roles import ACTIONS, LIMITED, ROLES, TITLES, Action, Role
from mailscope.web.people.rules import OWN, Rules
from mailscope.web.site import rules, site

# Files of the page itself: one route gives them all.
FILES = "/static/{name}"
PUBLIC = {"/healthz", "/login", "/welcome", "/static/site.css", "/static/icon.svg", "/favicon.ico"}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    nothing: Any = MagicMock()
    made = site(nothing, Settings, (checks(nothing), blocklists(nothing)))
    desk = Desk(nothing, lambda: Settings().web, nothing)
    add_door(made, desk)
    add_account(made, desk)
    return made


def routes(app: FastAPI) -> set[tuple[str, str]]:
    found = set()

    def walk(each: Any) -> None:
        for route in each:
            if hasattr(route, "methods"):
                found.update((method, route.path) for method in (route.methods or ()) if method != "HEAD")
            elif hasattr(route, "routes"):
                walk(route.routes)

    walk(app.router.routes)
    return found


def test_every_path_has_its_own_rule(app: FastAPI) -> None:
    all_rules = Rules(rules())
    assert len(routes(app)) > 60
    for method, path in routes(app):
        if path == FILES:
            continue
        rule = all_rules.rule(method, path)
        assert rule is not None, f"{method} {path} has no rule"
        assert rule.path == path, f"{method} {path} falls under {rule.path}"


def test_every_rule_has_a_path(app: FastAPI) -> None:
    there = routes(app)
    for rule in Rules(rules()).all:
        if rule.path.startswith("/static/") or rule.path == "/favicon.ico":
            continue
        for method in rule.methods:
            assert (method, rule.path) in there, rule


def test_what_is_public() -> None:
    assert {rule.path for rule in Rules(rules()).all if rule.public} == PUBLIC


def test_every_action_is_known_and_needed() -> None:
    used = {rule.action for rule in Rules(rules()).all if rule.action is not None}
    assert used <= set(ACTIONS)
    assert set(get_args(Action)) == set(ACTIONS)
    assert set(get_args(Role)) == set(ROLES) == set(TITLES)


def test_who_is_limited_gets_nothing_that_is_not_made_for_it() -> None:
    for rule in Rules(rules()).all:
        if rule.limited and rule.action is not None:
            assert any(rule.action in ROLES[role] for role in LIMITED), rule
    changing = {rule.path for rule in Rules(rules()).all if rule.limited and "POST" in rule.methods}
    assert changing == {rule.path for rule in OWN if rule.in_person and "POST" in rule.methods}

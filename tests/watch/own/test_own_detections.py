"""An admin's own detections: what they find, what is wrong in their files, and that they run with the others."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from running import EVERYTHING, library, pipeline, source

from mailscope.cli.detect import detect as command
from mailscope.pipeline import restarting
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.finding import Finding
from mailscope.watch.history import detect
from mailscope.watch.own.checking import check
from mailscope.watch.own.conditions import ConditionError, condition, regex_fault
from mailscope.watch.own.detection import OwnDetection
from mailscope.watch.own.examples import log_of
from mailscope.watch.own.files import Definition, in_directory, in_files, parse
from mailscope.watch.registry import DETECTIONS, NAMES
from mailscope.watch.watcher import Watcher

SHIPPED = Path(__file__).parents[3] / "examples" / "detections"
LOGIN = (
    "{time} mx postfix/smtpd[17]: warning: unknown[203.0.113.{n}]: SASL LOGIN authentication failed: "
    "UGFzc3dvcmQ6, sasl_username=anna@example.org\n"
)
BASE = f"""
name = "own_logins"
title = "{{value}} of {{account}} in {{minutes}} minutes"
description = "d."
events = ["login_failed"]
group_by = ["account"]
at_least = 5
window_s = 600
[[example]]
fires = true
repeat = 5
lines = '''
{LOGIN}'''
[[example]]
fires = false
repeat = 4
lines = '''
{LOGIN}'''
"""


def definition(text: str = BASE) -> Definition:
    made, faults = parse(text, "own.toml")
    assert made is not None, [str(each) for each in faults]
    return made


def faults(text: str) -> list[str]:
    made, wrong = parse(text, "own.toml")
    return [str(each) for each in wrong] if made is None else [str(each) for each in check(made, library())]


def found(text: str, log: str, place: Path, chunk_bytes: int = EVERYTHING) -> list[Finding]:
    path = place / "own.log"
    path.write_text(log, encoding="utf-8")
    own = definition(text)

    def work(run: object) -> list[Finding]:
        last: dict[str, Finding] = {}
        for changed in detect(run, Watcher([OwnDetection(own)])):  # type: ignore[arg-type]
            last |= {finding.id: finding for finding in changed}
        return list(last.values())

    needed = Watcher([OwnDetection(own)]).needs()
    return restarting(pipeline([source(path, mtime=None)], chunk_bytes=chunk_bytes, needed=needed), work)


def test_shipped_examples_are_right() -> None:
    read = in_directory(SHIPPED, DETECTIONS)
    assert not read.faults
    assert [each.own.name for each in read.definitions] == [
        path.stem for path in sorted(SHIPPED.glob("*.toml"))
    ]
    assert len(read.definitions) == 3
    assert [str(fault) for each in read.definitions for fault in check(each, library())] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('events = ["login_failed"]', 'events = ["login_faild"]'), "own.toml, line 5: there is no event 'login_faild'; did you mean 'login_failed'?"),
        (('group_by = ["account"]', 'group_by = ["acount"]'), "own.toml, line 6: there is no field 'acount'; did you mean 'account'?"),
        (('group_by = ["account"]', 'group_by = ["account", "size_bytes"]'), "own.toml, line 6: events login_failed never have 'size_bytes'; they have "),
        (("at_least = 5", 'at_least = "5"'), "own.toml, line 7: 'at_least' cannot be '5'; give a valid number"),
        (("at_least = 5\n", ""), "own.toml, line 2: it has no limit; give at_least, times_usual or both"),
        (("at_least", "at_lest"), "own.toml, line 7: there is no key 'at_lest'; did you mean 'at_least'?"),
        (("window_s = 600", "window_s = 600\nwhere = { reason = { regex = '(' } }"), "own.toml, line 9: the regular expression is wrong: unclosed group"),
        (("window_s = 600", "window_s = 600\nwhere = { reason = { regx = 'x' } }"), "own.toml, line 9: there is no operator 'regx'; did you mean 'regex'?"),
        (("window_s = 600", "window_s = 600\nwhere = { client_ip = { cidr = '192.0.2.1/24' } }"), "own.toml, line 9: 192.0.2.1/24 has host bits set"),
        (("window_s = 600", "window_s = 600\nwhere = { client_port = { gt = 'x' } }"), "own.toml, line 9: 'x' is of the wrong type; give a number"),
        (("window_s = 600", "window_s = 600\nwhere = { client_port = { contains = '1' } }"), "own.toml, line 9: 'contains' does not go with 'client_port', which is a whole number; it goes with text"),
        (("window_s = 600", 'measure = "distinct"'), "own.toml, line 8: 'distinct' of what?; give field = \"...\""),
        (("{value} of", "{valu} of"), "own.toml, line 3: there is no {valu} to tell of; there are account, value, minutes, limit, usual"),
        (("{value} of", "{value.__class__} of"), "own.toml, line 3: there is no {value.__class__} to tell of"),
        (("repeat = 5", "repeat = 4"), "own.toml, line 9: example 1: it should fire and finds nothing; see how"),
        (("repeat = 4", "repeat = 9"), "own.toml, line 15: example 2: it should stay quiet and finds: 9 of anna@example.org in 10 minutes"),
        (("fires = false", "fires = true"), "own.toml, line 2: there is no example on which it stays quiet"),
        (("postfix/smtpd", "ownd"), "own.toml, line 9: example 1: none of its lines is an event login_failed"),
        (("fires = true", "fires = true\nsubjects = [{ account = 'bert' }]"), "own.toml, line 9: example 1: it finds [[('account', 'anna@example.org')]] and not [[('account', 'bert')]]"),
        (('name = "own_logins"', 'name = "own_logins'), "own.toml, line 2: it is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(change: tuple[str, str], told: str) -> None:
    assert change[0] in BASE
    wrong = faults(BASE.replace(*change))
    assert any(each.startswith(told) for each in wrong), wrong


def test_what_is_right_has_no_faults() -> None:
    assert faults(BASE) == []


def test_names_are_taken_once(tmp_path: Path) -> None:
    for name, text in (("a", BASE), ("b", BASE), ("c", BASE.replace("own_logins", "brute_force"))):
        (tmp_path / f"{name}.toml").write_text(text)
    (tmp_path / "d.toml").write_bytes(b'name = "\xff"')
    read = in_directory(tmp_path, DETECTIONS)
    assert [each.file for each in read.definitions] == [str(tmp_path / "a.toml")]
    assert [str(each).removeprefix(f"{tmp_path}/") for each in read.faults] == [
        f"b.toml, line 2: 'own_logins' is the name of {tmp_path}/a.toml, too; give another name",
        "c.toml, line 2: 'brute_force' is a built-in detection; give another name",
        "d.toml, line 1: it is not UTF-8; save it as UTF-8",
    ]
    assert str(in_files([tmp_path / "none.toml"], ()).faults[0]).endswith(
        "none.toml: no such file; check the name"
    )


ROWS = pl.DataFrame(
    {
        "reason": ["Mailbox full", None, "greylisted, try again", "[mailbox] FULL"],
        "client_ip": ["192.0.2.7", "2001:db8::1", None, "::ffff:192.0.2.9"],
        "client_port": [25, None, 587, 40_000],
    },
    schema_overrides={"client_port": pl.Int64},
)


@pytest.mark.parametrize(
    ("table", "fits"),
    [
        ({}, [0, 1, 2, 3]),
        ({"reason": "mailbox FULL"}, [0]),
        ({"reason": ("mailbox full", "[mailbox] full")}, [0, 3]),
        ({"reason": {"contains": "mailbox"}}, [0, 3]),
        ({"reason": {"contains": ("grey", "[")}}, [2, 3]),
        ({"reason": {"startswith": "GREY"}}, [2]),
        ({"reason": {"endswith": "full"}}, [0, 3]),
        ({"reason": {"regex": r"^\[?[Mm]ail"}}, [0, 3]),
        ({"reason": {"exists": False}}, [1]),
        ({"client_ip": {"cidr": "192.0.2.0/24"}}, [0, 3]),
        ({"client_ip": {"cidr": ("192.0.2.8/29", "2001:db8::/32")}}, [1, 3]),
        ({"client_port": {"gt": 25, "le": 587}}, [2]),
        ({"client_port": {"ge": 25, "lt": 587}}, [0]),
        ({"client_port": (25, 587)}, [0, 2]),
        ({"not": {"client_port": 25}}, [1, 2, 3]),
        ({"not": ({"client_port": 25}, {"reason": {"exists": False}})}, [2, 3]),
        ({"any": ({"client_port": 25}, {"client_ip": "2001:DB8::1"})}, [0, 1]),
        ({"all": ({"reason": {"contains": "mail"}}, {"client_port": {"gt": 30}})}, [3]),
    ],
)  # fmt: skip
def test_conditions_choose_rows(table: dict[str, object], fits: list[int]) -> None:
    chosen = ROWS.with_row_index("n").filter(condition(table).expr)
    assert chosen["n"].to_list() == fits


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.none(), lambda inner: st.dictionaries(st.sampled_from(["any", "not", "all", "reason", "client_port", "equals", "regex", "cidr", "gt", "exists"]), inner, max_size=3) | st.lists(inner, max_size=3).map(tuple), max_leaves=8))  # fmt: skip
def test_no_condition_does_harm(table: object) -> None:
    """Whatever a file says, it is refused in words, or it chooses rows."""
    try:
        made = condition({"any": table})
    except ConditionError:
        return
    ROWS.filter(made.expr)


def test_a_regular_expression_is_bounded() -> None:
    assert regex_fault("(?=x)")
    assert regex_fault("(a{1000}){1000}")
    assert regex_fault("a" * 1_001)
    assert regex_fault("(a+)+$") == ""


def test_each_measure_counts_what_it_says(tmp_path: Path) -> None:
    log = log_of(definition(BASE.replace("repeat = 5", "repeat = 12\nevery_s = 5")).own.example[0])
    plain = "window_s = 600"
    cases = {
        "count": ("at_least = 12", plain, 12),
        "distinct": ("at_least = 12", f'{plain}\nmeasure = "distinct"\nfield = "client_ip"', 12),
        "of a network": ("at_least = 1", f'{plain}\nmeasure = "distinct"\nfield = "client_network"', 1),
        "rate": ("at_least = 2.4", 'window_s = 300\nmeasure = "rate"', 2.4),
        "share": ("at_least = 25", f'{plain}\nmeasure = "share"\nleast_events = 12\n[part]\nclient_ip = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]', 25),
    }  # fmt: skip
    for name, (limit, measure, value) in cases.items():
        text = BASE.replace("at_least = 5", limit).replace("window_s = 600", measure)
        (one,) = found(text, log, tmp_path)
        assert one.subject == {"account": "anna@example.org"}, name
        assert one.figures["value"] == value, name
        more = BASE.replace("at_least = 5", f"at_least = {value + 0.5}").replace("window_s = 600", measure)
        assert found(more, log, tmp_path) == [], name


def test_lines_that_no_pattern_knows_can_be_looked_for(tmp_path: Path) -> None:
    text = BASE.replace('"login_failed"', '"unrecognised"').replace('["account"]', '["host", "program"]')
    text = text.replace("{account}", "{program}").replace(
        "window_s = 600", 'where = { text = { contains = "flux" } }'
    )
    log = "".join(f"2026-03-02T00:00:0{n}.000000+00:00 mx ownd[1]: the Flux is {n}\n" for n in range(5))
    (one,) = found(text, log, tmp_path)
    assert str(one.title) == "5 of ownd in 60 minutes"
    assert [line.number for line in one.lines] == [1, 2, 3, 4, 5]


def test_how_the_log_is_cut_changes_nothing(tmp_path: Path) -> None:
    for path in sorted(SHIPPED.glob("*.toml")):
        text = path.read_text()
        log = log_of(definition(text).own.example[0])
        whole = [(each.subject, each.severity) for each in found(text, log, tmp_path)]
        assert whole
        cut = found(text, log, tmp_path, chunk_bytes=max(400, len(log) // 7))
        assert [(each.subject, each.severity) for each in cut] == whole


def test_a_changed_file_begins_anew_and_a_changed_limit_goes_on() -> None:
    first = OwnDetection(definition())
    state = first.state()
    same = OwnDetection(definition(BASE.replace("at_least = 5", "at_least = 7")))
    other = OwnDetection(definition(BASE.replace('["account"]', '["account", "client_ip"]')))
    assert set(same.state()) == set(state)
    assert not set(other.state()) & {name for name in state if name}
    other.resume(state)


def test_it_runs_among_the_others(tmp_path: Path) -> None:
    own = definition()
    names = [each.about.name for each in Watcher.of(Settings(), own=[own]).detections]
    assert names[-1] == "own_logins"
    assert len(names) > 1
    assert [each.about.name for each in Watcher.of(Settings(), ["own_logins"], [own]).detections] == [
        "own_logins"
    ]
    off = definition("enabled = false\n" + BASE)
    assert "own_logins" not in [each.about.name for each in Watcher.of(Settings(), own=[off]).detections]


def test_the_command_and_its_commands(tmp_path: Path) -> None:
    good, bad = tmp_path / "d" / "a.toml", tmp_path / "d" / "b.toml"
    good.parent.mkdir()
    good.write_text(
        BASE.replace(
            'description = "d."', 'description = "d."\nadvice = "Lock it."\ncommands = ["lock {account}"]'
        )
    )
    bad.write_text("nothing = 1")
    log = tmp_path / "own.log"
    log.write_text(log_of(definition().own.example[0]))
    run = CliRunner()
    ran = run.invoke(command, ["--detections", str(good.parent), str(log)])
    assert ran.exit_code == 0, ran.output
    assert "5 of anna@example.org in 10 minutes" in ran.output
    assert "Lock it." in ran.output
    assert "$ lock anna@example.org" in ran.output
    assert "b.toml, line 1: " in ran.output
    assert (
        run.invoke(command, ["check", str(good)]).output
        == "1 detections: all 2 examples come out as they say\n"
    )
    refused = run.invoke(command, ["check", "--detections", str(good.parent)])
    assert refused.exit_code == 1
    assert "there is no key 'nothing'" in refused.output
    listed = run.invoke(command, ["list", "--detections", str(good.parent)])
    assert [line for line in listed.output.splitlines() if not line.startswith((" ", "mailscope:"))] == [
        *NAMES,
        "own_logins",
    ]
    told = run.invoke(command, ["explain", "own_logins", "--detections", str(good.parent)])
    assert "  What to do: Lock it.\n  $ lock {account}\n" in told.output
    told = run.invoke(command, ["explain", "silence", "--detections", str(good.parent), "--lang", "zh"])
    assert "silence\n  检测内容：某主机" in told.output
    assert "  内置；设置：[detections.silence]，见 docs/settings.md\n" in told.output
    unknown = run.invoke(command, ["explain", "own_login", "--detections", str(good.parent)])
    assert "did you mean own_logins?" in str(unknown.exception)

"""The house: who may import whom, how long a module may be, and what each folder says of itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src" / "mailscope"
LONGEST, LONG = 400, 300

# The flow runs downwards: a folder may use what stands before it, and nothing else.
INTAKE, RECOGNISE, SEQUENCE = (
    {"host/layouts", "vocabulary"},
    {"vocabulary"},
    {"recognise", "intake", "vocabulary"},
)
TRAILS, TALLIES = {"recognise", "vocabulary"}, {"trails", "recognise", "vocabulary"}
REPORTS = {"tallies", "causes", "trails", "recognise", "language", "vocabulary"}
FLOW = {"tallies", "trails", "sequence", "recognise", "intake", "vocabulary"}
SEARCHED = {"trails/search", "trails/narrative"}
ALLOWED: dict[str, set[str]] = {
    "vocabulary": set(),
    # How a process is started beside this one, whatever it does.
    "second_process": set(),
    "language": {"vocabulary"},
    # How records of logins lie in files: intake makes lines of them, the commands tables.
    "host/layouts": {"vocabulary"},
    "host": {"host/layouts", "intake", "vocabulary"},
    "intake": INTAKE,
    "recognise": RECOGNISE,
    "sequence": SEQUENCE,
    "trails": TRAILS,
    # What a reason means: over shapes, as reports keep them.
    "causes": {"recognise", "language", "vocabulary"},
    # Looks for a message's lines in raw bytes, so it reads sources itself ...
    "trails/search": {"intake", *TRAILS},
    # ... and what it finds is timed, merged and followed as every log is: a small flow of its own.
    "trails/narrative": {"language", "causes", "trails", "trails/search", "sequence", *SEQUENCE},
    # A message's way, from the stories of the log or from what strace wrote.
    "steps": {"trails/narrative", "intake", "language", "vocabulary"},
    "tallies": TALLIES,
    "reports": REPORTS,
    # Other programs' reports, made from the very lines as those programs read them.
    "reports/compat": {"second_process", "intake", "vocabulary"},
    "pipeline": FLOW,
    # Keeps what the flow gives: rows with their causes, tallies, and what is under way.
    "store": {"pipeline", "causes", "privacy", *FLOW},
    # Lines that come over sockets are arrivals as intake says; troubles are told in people's languages.
    "syslog": {"intake", "language", "vocabulary"},
    # The same flow as pipeline.py, over one file in two processes.
    "halves": {"second_process", "joining", "periods", *FLOW},
    "joining": {"periods", *FLOW},
    # Events are given to others while the flow runs, and priorities and instants are named as intake names
    # them.
    "exports": {"pipeline", "causes", "recognise", "intake", "vocabulary"},
    # Lines rewritten by the patterns that know them.
    "privacy": {"recognise", "intake", "vocabulary"},
    # One day, week or month of it, with those before.
    "periods": {"pipeline", *FLOW},
    # Everything about one thing: the search of `trace`, counts over the events of any program.
    "about": {"trails/search", "trails/narrative", "causes", "pipeline", *FLOW},
    # Spools as they are; why mail waits is told as reasons in logs are.
    "queues": {"causes", "vocabulary"},
    # Joins feeds, flow and store while lines come, and opens the door to them.
    "daemon": {
        "web",
        "watch",
        "watch/metrics",
        "watch/checks",
        "watch/blocking",
        "watch/alerts",
        "queues",
        "store",
        "privacy",
        "syslog",
        *FLOW,
    },
    # Answers what the commands answer, by the same calls.
    "web": {
        "store",
        "host",
        "watch",
        "watch/blocking",
        "queues",
        "exports",
        "about",
        "reports",
        "causes",
        "language",
        "pipeline",
        *SEARCHED,
        *FLOW,
    },
    # Figures of tallies and of the store, with the causes that reports tell.
    "watch/metrics": {"watch", "store", "reports", *FLOW},
    # Findings and the logins that speak against a block.
    "watch/blocking": {"watch", "store", "vocabulary"},
    # What monitoring programs ask: figures of the store, told without what is heavy where the daemon
    # measures.
    "watch/checks": {"watch", "watch/metrics", "store", "vocabulary"},
    # Messages are posted as exported events are.
    "watch/alerts": {"watch", "store", "exports", "language", "vocabulary"},
    # What needs a person, told from the flow while it runs; what it has seen is kept as the store keeps it.
    "watch": {"store", "pipeline", "causes", "language", *FLOW},
    # Makes logs of its own, and knows nothing of how they are read.
    "demo": {"vocabulary"},
    # The same flow over the lines of many hosts, with the store's own rows, states and tallies.
    "cluster": {"store", "privacy", "pipeline", *FLOW},
    "cli": {
        "cluster",
        # Accounts of the live page.
        "web",
        "demo",
        "watch",
        "watch/metrics",
        "watch/checks",
        "watch/blocking",
        "watch/alerts",
        "queues",
        "daemon",
        "syslog",
        "store",
        "about",
        "steps",
        "privacy",
        "periods",
        "reports",
        "reports/compat",
        "causes",
        "exports",
        "host",
        "host/layouts",
        "language",
        "pipeline",
        "halves",
        "second_process",
        "trails/search",
        "trails/narrative",
        *FLOW,
    },
    "__main__": {"cli"},
}
# (module, imported folder) -> why it may.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("recognise/explain.py", "intake"): "`patterns try` is given a whole line, envelope and all",
    ("reports/forms/csv.py", "exports"): "cells are made safe for a spreadsheet as those of exported events",
    ("reports/evidence.py", "pipeline"): "evidence goes through the logs once more",
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def unit_of(parts: tuple[str, ...]) -> str:
    """The entry of the table that a module belongs to."""
    folder = "/".join(parts[:2])
    return folder if folder in ALLOWED else parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Modules of ours that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("mailscope."))


def uses(path: Path) -> set[str]:
    """The entries of the table that a module imports from."""
    found = set()
    for name in imported(path):
        parts = tuple(name.split(".")[1:])
        if (ROOT / parts[0]).exists() or (ROOT / f"{parts[0]}.py").exists():
            found.add(unit_of(parts))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    name = path.relative_to(ROOT)
    if name.parts == ("__init__.py",):
        assert not uses(path)
        return
    unit = unit_of(name.parts)
    assert unit in ALLOWED, f"{unit} is not in the table of this test"
    excused = {target for module, target in EXCEPTIONS if module == name.as_posix()}
    wrong = uses(path) - ALLOWED[unit] - {unit} - excused
    assert not wrong, f"{name} imports from {', '.join(sorted(wrong))}"


def test_every_exception_is_needed() -> None:
    for module, target in EXCEPTIONS:
        assert target in uses(ROOT / module), f"{module} no longer imports from {target}"
        assert target not in ALLOWED[unit_of(tuple(module.split("/")))]


def test_the_table_has_no_circles() -> None:
    left = dict(ALLOWED)
    while left:
        free = [unit for unit, targets in left.items() if not targets & set(left)]
        assert free, f"these import each other: {', '.join(left)}"
        for unit in free:
            del left[unit]


def test_every_folder_says_what_it_is() -> None:
    for folder in {path.parent for path in modules()}:
        docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert docstring, f"{folder.relative_to(ROOT)}/__init__.py has no docstring"


def test_no_module_is_too_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()
    }
    long = sorted(f"{name}: {length}" for name, length in lengths.items() if length > LONG)
    assert max(lengths.values()) <= LONGEST, "split what is over 400 lines: " + ", ".join(long)


def test_every_module_is_named_after_what_it_does() -> None:
    for path in modules():
        assert path.stem not in ("utils", "util", "helpers", "misc", "common"), path


def test_modules_of_tests_have_names_of_their_own() -> None:
    tests = ROOT.parents[1] / "tests"
    names = [path.name for path in tests.rglob("*.py") if path.stem not in ("__init__", "conftest")]
    assert not {name for name in names if names.count(name) > 1}, "pytest cannot tell them apart"

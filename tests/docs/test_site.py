"""The documentation as a site, and the commands that its pages show."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from commands import commands
from mailscope.cli.main import mailscope

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Pages whose lines are whole commands; those of others are shortened here and there.
PAGES = ("index.md", "install.md", "tasks/find-a-lost-mail.md", "tasks/stop-an-attack.md", "tasks/clean-the-queue.md",
         "tasks/move-from-lightmeter.md")  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return place


def test_the_site_is_built_without_a_warning(site: Path) -> None:
    for page in ("", "install", "tasks/find-a-lost-mail", "commands", "settings", "security", "privacy", "scaling", "file-formats",
                 "project/architecture", "project/benchmarks"):  # fmt: skip
        assert (site / page / "index.html").is_file(), page
    assert "mailscope queue causes" in (site / "tasks/clean-the-queue/index.html").read_text()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"((?:https?:)?//[^\"]+)", page.read_text()
        )
        assert not loaded, page


def shown() -> list[str]:
    text = "\n".join((DOCS / page).read_text() for page in PAGES)
    lines = re.findall(r"^    (mailscope .+)$", text, re.MULTILINE) + re.findall(r"`(mailscope [^`]+)`", text)
    return list(dict.fromkeys(re.sub(r"\s+# .*", "", line) for line in lines))


def examples() -> list[str]:
    lines = (line for command in commands() for line in command.examples)
    return list(dict.fromkeys(line for line in lines if line.startswith("mailscope ")))


@pytest.mark.parametrize("line", [*shown(), *(line for line in examples() if line not in shown())])
def test_commands_that_are_shown_are_understood(line: str) -> None:
    words = shlex.split(re.split(r"\s(?:\d?[<>|])", line)[0], comments=True)[1:]
    command: click.Command = mailscope
    context = click.Context(mailscope, None, "mailscope", **mailscope.context_settings)
    while words and isinstance(command, click.Group):
        inner = command.get_command(context, words[0])
        if inner is None:
            break
        command, context = inner, click.Context(inner, context, words.pop(0), **inner.context_settings)
    assert command is not mailscope, line
    if command.name in ("pflogsumm", "logger", "multilog"):
        return
    with command.make_context(command.name, words, parent=context.parent):
        pass

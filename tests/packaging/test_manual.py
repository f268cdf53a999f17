"""Manual pages: whole, and read by groff and man without a warning."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import manual
from commands import commands

PAGES = manual.pages()


def test_every_command_has_its_place() -> None:
    assert set(PAGES) == {
        "man1/mailscope.1",
        "man5/mailscope.toml.5",
        *(f"man1/mailscope-{each.words[0]}.1" for each in commands() if each.words),
    }
    for command in commands():
        page = "-".join(("man1/mailscope", *command.words[:1])) + ".1"
        for text in (*command.examples, *command.paragraphs):
            assert manual.escaped(text.strip("\b\n").rstrip(".")) in PAGES[page], (command.name, text)


@pytest.mark.parametrize("name", PAGES)
def test_groff_warns_of_nothing(name: str) -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not here (Debian: groff)")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-K", "utf8"],
        input=PAGES[name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_man_shows_what_was_written(tmp_path: Path) -> None:
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("man or groff is not here (Debian: man-db, groff)")
    assert manual.main([str(tmp_path)]) == 0
    page = tmp_path / "man1" / "mailscope-queue.1"
    done = subprocess.run(
        ["man", "--warnings", "-l", str(page)],
        capture_output=True, text=True, check=False, env={"MANWIDTH": "200", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    shown = " ".join(done.stdout.split())
    assert "mailscope queue list --queue deferred --domain example.org --older-than 2h" in shown
    assert "--older-than SPAN Waiting for longer, such as 90m, 2h or 3d." in shown


def test_hostile_text_is_no_request() -> None:
    assert manual.escaped(".so /etc/passwd\n'sy ls\\n") == "\\&.so /etc/passwd\n\\&\\(aqsy ls\\en"

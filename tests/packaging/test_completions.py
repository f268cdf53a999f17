"""Completion in real shells: the scripts are taken, and what they offer is what the program has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import completions

BIN = Path(sys.executable).parent


def shell(*command: str) -> list[str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            # Shells make directories in it.
            "HOME": home,
            "TERM": "dumb",
        }
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("share")
    assert completions.main([str(place)]) == 0
    return {name.split("/")[0].removesuffix("-completion"): place / name for name in completions.SHELLS}


def test_bash_completes_commands_options_and_choices(scripts: dict[str, Path]) -> None:
    ask = 'source "$0"; COMP_WORDS=({}); COMP_CWORD={}; _mailscope_completion mailscope; printf "%s\\n" "${{COMPREPLY[@]}}"'
    for words, number, wanted in (
        ("mailscope re", 1, ["report"]),
        ("mailscope queue ho", 2, ["hold"]),
        ("mailscope report --evi", 2, ["--evidence"]),
        ("mailscope report --format ht", 3, ["html"]),
    ):
        assert shell("bash", "-c", ask.format(words, number), str(scripts["bash"])) == wanted
    assert shell("bash", "-c", f"source '{scripts['bash']}'; complete -p mailscope")[-3:] == [
        "-F",
        "_mailscope_completion",
        "mailscope",
    ]


def test_fish_completes_commands(scripts: dict[str, Path]) -> None:
    told = shell(
        "fish", "--no-config", "-c", f"source {scripts['fish']}; complete --do-complete 'mailscope pflog'"
    )
    assert told[0] == "pflogsumm"


def test_zsh_takes_the_script(scripts: dict[str, Path]) -> None:
    loaded = f"fpath=({scripts['zsh'].parent} $fpath); autoload -U compinit; compinit -u -D; print $_comps[mailscope]"
    assert shell("zsh", "-f", "-c", loaded) == ["_mailscope"]
    assert shell("zsh", "-n", str(scripts["zsh"])) == []

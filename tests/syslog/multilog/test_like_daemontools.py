"""Random scripts and inputs given to daemontools' multilog and to ours: names, modes, contents, what is said.

Labels differ, being times: they are compared by their form, and files by their order.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from multilogging import multilog
from running import examples

MULTILOG = shutil.which("multilog")
CASES, BATCHES = examples(200), 8
LABEL = re.compile(rb"@[0-9a-f]{24}")
WORDS = (
    b"status: local 1/10",
    b"new msg 12",
    b"",
    b" ",
    b"k*l",
    b"kkl",
    b"warning: x",
    b"@",
    b"\0",
    b"\xff\xfe",
    b"kl" * 30,
)
PATTERNS = (
    b"*",
    b"",
    b"*status*",
    b"*status: *",
    b"@*",
    b"k*",
    b"*k*l",
    b"**",
    b"**l",
    b"k**l",
    b"*x",
    b"new*1*",
    b"* *",
    b"*\xff*",
    b"?",
    b".*",
    b"[k]*",
)
PROCESSORS = (b"!cat", b"!tr a-z A-Z", b"!cat <&4 >&5; wc -c >&5; echo done", b"!true", b"!head -c 3000")


def line(chooser: random.Random) -> bytes:
    kind = chooser.random()
    if kind < 0.03:
        return bytes(
            chooser.choices(
                b"kl \0\xff*", k=chooser.choice((998, 999, 1000, 1001, 1002, 973, 974, 975, 5000, 20000))
            )
        )
    if kind < 0.5:
        return b" ".join(chooser.choices(WORDS, k=chooser.randrange(4)))
    return bytes(chooser.choices(b"ghijklmnop 0123456789@*:", k=chooser.randrange(300)))


def text(chooser: random.Random) -> bytes:
    lines = [line(chooser) for _ in range(chooser.choice((0, 1, 3, 30, 200, 400)))]
    return b"\n".join(lines) + (b"" if chooser.random() < 0.3 else b"\n")


def script(chooser: random.Random) -> list[bytes]:
    arguments = [b"t"] if chooser.random() < 0.5 else []
    directories = [b"./one", b"./two", b"./three"]
    for _ in range(chooser.randrange(1, 8)):
        kind = chooser.random()
        if kind < 0.35:
            arguments.append(chooser.choice((b"+", b"-")) + chooser.choice(PATTERNS))
        elif kind < 0.5:
            arguments.append(
                b"s"
                + chooser.choice((b"0", b"4096", b"5000", b"9999", b"20000", b"x", b"4096x", b"99999999"))
            )
        elif kind < 0.6:
            arguments.append(b"n" + chooser.choice((b"0", b"2", b"3", b"7", b"", b"5x")))
        elif kind < 0.65:
            arguments.append(chooser.choice(PROCESSORS))
        elif kind < 0.7:
            arguments.append(b"e")
        elif kind < 0.77:
            arguments.append(b"=" + chooser.choice((b"status", b"nowhere/status", b"other")))
        elif kind < 0.8:
            arguments.append(chooser.choice((b"t", b"zzz", b"", b"+", b"-")))
        elif directories:
            arguments.append(directories.pop(0))
    if directories and chooser.random() < 0.9:
        arguments.append(directories.pop(0))
    if chooser.random() < 0.03:
        arguments.append(chooser.choice((b"./one", b"./no/where", b"./file")))
    return arguments


def leftover(chooser: random.Random) -> list[tuple[str, bytes, int]]:
    """Files as an outage leaves them: name, contents, mode."""
    found = [
        (name, name.encode() * 3 + b"\n", chooser.choice((0o644, 0o744, 0o600)))
        for name in ("current", "previous", "processed", "newstate", "state")
        if chooser.random() < 0.4
    ]
    number = chooser.randrange(4)
    found += [(f"@4000000037c219bf2ef02e9{each}.s", b"old\n", 0o744) for each in range(number)]
    return found


def picture(folder: Path) -> dict[str, list[tuple[str, int, bytes]]]:
    """Everything under a folder: per directory, the files in order with modes and contents."""
    found = {}
    for path, _, names in os.walk(folder):
        files = []
        for name in sorted(names):
            file = Path(path) / name
            shown = LABEL.sub(b"@LABEL", name.encode()).decode()
            contents = LABEL.sub(b"@LABEL", file.read_bytes())
            files.append((shown, stat.S_IMODE(file.stat().st_mode), contents))
        key = str(Path(path).relative_to(folder))
        found[f"{key} {stat.S_IMODE(Path(path).stat().st_mode):o}"] = files
    return found


def prepared(folder: Path, left: list[tuple[str, bytes, int]]) -> None:
    folder.mkdir()
    (folder / "file").write_bytes(b"")
    if left:
        (folder / "one").mkdir(0o700)
        for name, contents, mode in left:
            (folder / "one" / name).write_bytes(contents)
            (folder / "one" / name).chmod(mode)


@pytest.mark.skipif(MULTILOG is None, reason="needs multilog (Debian: daemontools)")
@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_scripts_leave_what_daemontools_leaves(batch: int, tmp_path: Path) -> None:
    assert MULTILOG is not None
    for case in range(batch, CASES, BATCHES):
        chooser = random.Random(f"multilog {case}")
        arguments, inputs = script(chooser), [text(chooser) for _ in range(chooser.choice((1, 1, 2)))]
        left = leftover(chooser) if chooser.random() < 0.3 else []
        folders = {who: tmp_path / f"{who}{case}" for who in ("theirs", "ours")}
        errors = {who: tmp_path / f"{who}{case}.errors" for who in folders}
        for folder in folders.values():
            prepared(folder, left)
        for given in inputs:
            file = tmp_path / "input"
            file.write_bytes(given)
            with file.open("rb") as stream, errors["theirs"].open("ab") as said:
                done = subprocess.run(
                    [MULTILOG.encode(), *arguments],
                    cwd=folders["theirs"],
                    stdin=stream,
                    stderr=said,
                    check=False,
                )
            ours = multilog(arguments, folders["ours"], file, errors["ours"])
            where = f"case {case}: {arguments}"
            assert ours == done.returncode, f"{where}: {errors['ours'].read_text()}"
            assert picture(folders["ours"]) == picture(folders["theirs"]), where
            said_by = [LABEL.sub(b"@LABEL", errors[who].read_bytes()) for who in ("ours", "theirs")]
            assert said_by[0] == said_by[1], where
        for folder in folders.values():
            shutil.rmtree(folder)


def test_scripts_reach_what_they_should() -> None:
    """The generator itself: scripts with several directories, processors, filters and files come up."""
    scripts = [script(random.Random(f"multilog {case}")) for case in range(200)]
    for wanted in (b"e", b"!cat", b"./three", b"=status", b"+*k*l", b"-**l"):
        assert any(wanted in each for each in scripts), wanted

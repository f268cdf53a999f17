"""What is installed beside the program, held against systemd's own tools."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailscope.vocabulary.settings.settings import Settings

PACKAGING = Path(__file__).parents[2] / "packaging"
UNIT = PACKAGING / "systemd" / "mailscope.service"
DROP_IN = PACKAGING / "systemd" / "mailscope.service.d" / "read-all-logs.conf"
# systemd's exposure is 0.0 (safe) to 10.0 (unsafe); its threshold is ten times that.
HIGHEST_EXPOSURE = 20


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here: install systemd")
    return found


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)


def installed(directory: Path, *, drop_in: bool = False) -> Path:
    """The unit as it is installed, with a program that exists."""
    unit = directory / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("/usr/bin/mailscope", sys.executable)
    assert sys.executable in text
    if drop_in:
        text = text.replace("[Install]", DROP_IN.read_text(encoding="utf-8") + "\n[Install]")
    unit.write_text(text, encoding="utf-8")
    return unit


def values(name: str) -> list[str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


@pytest.mark.parametrize("drop_in", [False, True])
def test_the_unit_is_understood(drop_in: bool, tmp_path: Path) -> None:
    result = run(tool("systemd-analyze"), "verify", "--man=no", installed(tmp_path, drop_in=drop_in))
    assert (result.returncode, result.stderr) == (0, "")


def test_the_unit_is_confined(tmp_path: Path) -> None:
    command = (tool("systemd-analyze"), "security", "--offline=true", f"--threshold={HIGHEST_EXPOSURE}")
    result = run(*command, "--no-pager", installed(tmp_path))
    assert result.returncode == 0, result.stdout[-300:] + result.stderr


def test_no_capability_beyond_what_is_used() -> None:
    assert values("CapabilityBoundingSet") == ["CAP_NET_BIND_SERVICE"]
    assert values("AmbientCapabilities") == ["CAP_NET_BIND_SERVICE"]
    assert values("User") == ["mailscope"]
    assert values("NoNewPrivileges") == ["yes"]
    assert values("ProtectSystem") == ["strict"]
    assert values("Type") == ["notify"]


def test_directories_are_those_of_the_settings() -> None:
    settings = Settings()
    assert settings.store.directory == f"/var/lib/{values('StateDirectory')[0]}"
    assert Path(settings.api.socket).parent == Path("/run") / values("RuntimeDirectory")[0]


def test_user_and_directories_are_made(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc" / "mailscope").mkdir(parents=True)
    made = run(tool("systemd-sysusers"), f"--root={root}", PACKAGING / "sysusers.d" / "mailscope.conf")
    assert made.returncode == 0, made.stderr
    passwd = (root / "etc" / "passwd").read_text()
    assert "mailscope:x:" in passwd
    assert ":/var/lib/mailscope:" in passwd
    groups = {
        line.split(":")[0]: line.split(":")[3] for line in (root / "etc" / "group").read_text().splitlines()
    }
    assert groups["adm"] == groups["systemd-journal"] == "mailscope"
    (root / "etc" / "mailscope" / "pseudonym.key").write_text("x")
    config = PACKAGING / "tmpfiles.d" / "mailscope.conf"
    made = run(tool("systemd-tmpfiles"), f"--root={root}", "--create", config)
    assert made.returncode == 0, made.stderr
    assert (root / "var/lib/mailscope").stat().st_mode & 0o777 == 0o750
    assert (root / "etc/mailscope").stat().st_mode & 0o777 == 0o750
    assert (root / "etc/mailscope/pseudonym.key").stat().st_mode & 0o777 == 0o600
    number = int(next(line for line in passwd.splitlines() if line.startswith("mailscope:")).split(":")[2])
    assert (root / "var/lib/mailscope").stat().st_uid == number

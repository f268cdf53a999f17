"""Checks as monitoring programs run them: through the daemon, without it, and by the real Nagios 4."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from metering import log_lines, utc_now
from serving import Daemon

from mailscope.cli.check import check
from mailscope.watch.checks.registry import CHECKS

NAGIOS = shutil.which("nagios4") or shutil.which("nagios")
STATES = {"0": "OK", "1": "WARNING", "2": "CRITICAL", "3": "UNKNOWN"}
PATIENCE_S = 240


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(check, list(words))
    return done.exit_code, done.output.strip()


@pytest.mark.parametrize("name", CHECKS)
def test_help_and_version_are_unknown(name: str) -> None:
    for words in ((name, "--help"), (name, "-h"), (name, "--version"), (name, "-V")):
        code, text = run(*words)
        assert code == 3
        assert "mailscope check" in text or "Usage: check" in text
    assert all(len(line) <= 80 for line in run(name, "--help")[1].splitlines())


def test_a_wrong_command_line_is_unknown() -> None:
    for words, told in (
        ((), "Usage"),
        (("--help",), "Usage"),
        (("spam",), "CHECK UNKNOWN: No such command 'spam'."),
        (("queue", "-w"), "CHECK UNKNOWN: Option '-w' requires an argument."),
        (("queue", "-w", "20:10"), "its start is above its end"),
        (("queue", "--older-than", "soon"), "it is no span"),
        (("queue", "--queue", "x"), "CHECK UNKNOWN: Invalid value for '--queue'"),
        (("queue", "surplus"), "CHECK UNKNOWN: Got unexpected extra argument (surplus)"),
    ):
        code, text = run(*words)
        assert (code, told in text) == (3, True), text


def test_nobody_to_ask(tmp_path: Path) -> None:
    config = tmp_path / "mailscope.toml"
    config.write_text(f'[store]\ndirectory = "{tmp_path}/store"\n[api]\nsocket = "{tmp_path}/api.sock"\n')
    at = ("--config", str(config))
    assert run("daemon", *at)[0] == 2
    code, text = run("queue", "-w", "1", *at)
    assert (code, text) == (
        3,
        f"QUEUE UNKNOWN: {tmp_path}/store: there is no store, and no daemon answers; start 'mailscope serve'",
    )
    code, text = run("queue", "--config", str(tmp_path / "none.toml"))
    assert (code, text) == (3, f"QUEUE UNKNOWN: {tmp_path}/none.toml: no such file; check the name")
    config.write_text("[api]\nsocket = 5\n")
    code, text = run("queue", *at)
    assert code == 3
    assert f"{config}, line 2" in text


def test_a_daemon_that_says_nothing_is_waited_for_no_longer_than_is_asked(tmp_path: Path) -> None:
    import socket

    path = tmp_path / "api.sock"
    (tmp_path / "mailscope.toml").write_text(f'[api]\nsocket = "{path}"\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(path))
        silent.listen()
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "mailscope", "check", "queue", "-t", "1", "--config",
             str(tmp_path / "mailscope.toml")], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert "QUEUE UNKNOWN: " in done.stdout
    assert time.monotonic() - begun < 60


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    """A stopped daemon whose log tells of the last minutes."""
    made = Daemon(tmp_path_factory.mktemp("checks"))
    now = utc_now()
    lines = [line for serial in range(4) for line in log_lines(now, serial)]
    made.log.write_text("".join(f"{line}\n" for line in lines))
    made.start()
    with made:
        made.wait_for(len(lines))
        made.stop()
    return made


ASKED = {
    "queue, few": ("queue -w 100 -c 500", "OK", "'messages'=4;100;500;0"),
    "queue, many": ("queue -w 3 -c 500 --queue deferred", "WARNING", "'messages'=4;3;500;0"),
    "silence": ("deliveries -w 100: -c 50:", "CRITICAL", "'sent'=4;100:;50:;0"),
    "bounces": ("bounces -w 10 -c 60 --minimum 1", "WARNING", "'bounced_percent'=50%;10;60;0;100"),
    "logins": ("logins -c 3 --window 1h --most client", "CRITICAL", "'most_of_one_client'=4;;3;0"),
    "delays": ("delays -w 1m -c 1h", "OK", "'p95'=2s;60;3600;0"),
    "coverage": ("coverage -w 98: -c 50: --minimum 1", "WARNING", "'lines'=76;;;0"),
    "no such store": ("queue -w 1 -c 2 --store /nonexistent/mailscope", "UNKNOWN", ""),
    "mistake": ("queue -w many", "UNKNOWN", ""),
    "help": ("delays --help", "UNKNOWN", ""),
}


def test_the_same_figures_with_and_without_the_daemon(daemon: Daemon) -> None:
    at = ("--config", str(daemon.config))
    commands = [words for words, *_ in ASKED.values() if words.split()[0] in ("queue", "delays", "coverage")]
    alone = {words: run(*words.split(), *at) for words in commands[:4]}
    daemon.start()
    with daemon:
        daemon.wait_until_ready()
        for words, (code, text) in alone.items():
            code_now, text_now = run(*words.split(), *at)
            # The oldest message has become older.
            assert (code, text.split(" 'oldest'")[0].split("|")[-1]) == (
                code_now, text_now.split(" 'oldest'")[0].split("|")[-1],
            ), text_now  # fmt: skip
        code, text = run("daemon", "-w", "1h", "-c", "2h", "-v", *at)
        assert code == 0, text
        assert text.startswith("DAEMON OK: it stores lines, ")
        # A store that the daemon has is asked of the daemon.
        assert run("queue", "-w", "100", "--store", str(daemon.store), *at)[1].startswith(
            "QUEUE OK: 4 messages"
        )
        run("logins", "--user", "bob", *at)
        assert "check logins" in (daemon.store / "audit.jsonl").read_text()
        daemon.stop()
    code, text = run("daemon", *at)
    assert (code, text.startswith("DAEMON CRITICAL: ")) == (2, True)


@pytest.mark.skipif(NAGIOS is None, reason="nagios4 is not installed")
def test_nagios_understands_them(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start()
    with daemon:
        daemon.wait_until_ready()
        found = nagios(tmp_path, daemon)
        daemon.stop()
    for name, (_, state, data) in {**ASKED, "daemon": ("", "OK", "'lines'=0c;;;0 'problems'=0;;;0")}.items():
        told = found[name]
        assert STATES[told["current_state"]] == state, told
        assert data in told["performance_data"], told
        assert ("UNKNOWN" in told["plugin_output"] or name == "help") == (state == "UNKNOWN"), told
        # Help is for people: choices stand between bars in it.
        assert bool(told["performance_data"]) == bool(data) or name == "help", told
    assert (
        found["logins"]["long_plugin_output"] == "failed, by user: bob 4\\nfailed, by client: 203.0.113.9 4"
    )


def nagios(place: Path, daemon: Daemon) -> dict[str, dict[str, str]]:
    """What Nagios has of each service once it has run them all."""
    assert NAGIOS is not None
    commands = {name: f"check {words}" for name, (words, *_) in ASKED.items()}
    commands["daemon"] = "check daemon -w 1h -c 2h"
    user = os.environ.get("USER") or "root"
    objects = "".join(
        f"define command {{\n command_name c{number}\n command_line "
        f"{shlex.quote(sys.executable)} -m mailscope {words} -t 120 --config {daemon.config}\n}}\n"
        f"define service {{\n host_name mx\n service_description {name}\n check_command c{number}\n"
        " max_check_attempts 1\n check_interval 1\n retry_interval 1\n check_period always\n"
        " notification_period always\n contacts nobody\n notifications_enabled 0\n}\n"
        for number, (name, words) in enumerate(commands.items())
    )
    objects += (
        "define timeperiod {\n timeperiod_name always\n alias always\n monday 00:00-24:00\n tuesday 00:00-24:00\n"
        " wednesday 00:00-24:00\n thursday 00:00-24:00\n friday 00:00-24:00\n saturday 00:00-24:00\n"
        " sunday 00:00-24:00\n}\n"
        "define command {\n command_name none\n command_line /bin/true\n}\n"
        "define contact {\n contact_name nobody\n host_notification_commands none\n"
        " service_notification_commands none\n host_notification_period always\n"
        " service_notification_period always\n}\n"
        "define host {\n host_name mx\n address 127.0.0.1\n max_check_attempts 1\n check_period always\n"
        " contacts nobody\n notification_period always\n}\n"
    )
    (place / "objects.cfg").write_text(objects)
    (place / "results").mkdir()
    settings = {
        "log_file": place / "nagios.log", "cfg_file": place / "objects.cfg", "status_file": place / "status.dat",
        "object_cache_file": place / "objects.cache", "precached_object_file": place / "objects.pre",
        "command_file": place / "nagios.cmd", "lock_file": place / "nagios.lock", "temp_file": place / "nagios.tmp",
        "temp_path": place, "check_result_path": place / "results", "state_retention_file": place / "retention.dat",
        "query_socket": place / "nagios.qh", "nagios_user": user, "nagios_group": user, "status_update_interval": 1,
        "interval_length": 600, "max_service_check_spread": 1, "service_check_timeout": PATIENCE_S,
        "max_concurrent_checks": 2, "check_external_commands": 0, "retain_state_information": 0,
        "service_inter_check_delay_method": "n", "illegal_macro_output_chars": "`~$&|'\"<>", "daemon_dumps_core": 0,
        "check_for_updates": 0, "use_syslog": 0,
    }  # fmt: skip
    (place / "nagios.cfg").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    environment = {**daemon.environment, "HOME": str(place)}
    # Into a file: what nobody reads out of a pipe stops it once the pipe is full.
    printed = place / "printed"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [NAGIOS, str(place / "nagios.cfg")], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            found = statuses(place / "status.dat")
            if len(found) == len(commands) and all(
                each["has_been_checked"] == "1" for each in found.values()
            ):
                return found
            assert process.poll() is None, printed.read_text()
            assert time.monotonic() < until, (found, printed.read_text()[-3000:])
            time.sleep(1)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def statuses(path: Path) -> dict[str, dict[str, str]]:
    """The services of Nagios' status file."""
    if not path.exists():
        return {}
    found = {}
    for block in path.read_text().split("servicestatus {")[1:]:
        lines = [line.strip() for line in block.partition("\n\t}")[0].splitlines()]
        told = dict(line.split("=", 1) for line in lines if "=" in line)
        found[told["service_description"]] = told
    return found

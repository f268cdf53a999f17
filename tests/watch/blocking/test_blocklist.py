"""The list of a store, and the programs that take it: nft, ipset, Postfix and fail2ban themselves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from finding_rows import finding
from storing import Feeder, arrivals

from mailscope.store.findings import handling
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.blocking.answering import blocklist
from mailscope.watch.blocking.blocks import Block, Offence, Rules, blocked
from mailscope.watch.blocking.formats import FORMATS

PACKAGING = Path(__file__).parents[3] / "packaging" / "fail2ban"
NOW = datetime(2026, 11, 27, 12)
SETTINGS = Settings.model_validate({"networks": ("198.51.100.0/28",), "domains": ("example.org",)})
FINDINGS = {
    "a": {"client_ip": "203.0.113.9", "user": "x"},
    "b": {"network": "203.0.113.0/24"},
    "c": {"client_ip": "198.51.100.5"},
    "d": {"client_ip": "2001:db8::5"},
    "e": {"client_ip": "192.168.1.5"},
    "f": {"client_ip": "198.51.100.77"},
    "1": {"client_ip": "198.51.100.88"},
    "2": {"user": "nobody's address"},
    "3": {"client_ip": "::ffff:198.51.100.99"},
}
MORE = {"1": {"detection": "silence"}, "f": {"severity": "info"}}
LOGIN = (
    "2026-11-26T12:00:00.000000+00:00 mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=203.0.113.200, "
    "lip=192.0.2.1, mpid=12, TLS, session=<s1>\n"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Feeder:
    feeder = Feeder(tmp_path_factory.mktemp("blocklist") / "store")
    feeder.feed(*arrivals([LOGIN.encode()], []))
    for name, subject in FINDINGS.items():
        row = {"subject": json.dumps(subject), "last_time": NOW - timedelta(hours=1), **MORE.get(name, {})}
        feeder.writer.add("findings", finding(name, NOW, row))
    feeder.writer.add("handled", handling("d" * 16, NOW, "acknowledged", "ann", "", None))
    return feeder


def listed(store: Feeder, settings: Settings = SETTINGS, **asked: list[str]) -> list[str]:
    text = blocklist(store.database, settings, asked, NOW)[0].decode()
    return [json.loads(line)["network"] for line in text.splitlines()]


def test_the_list_of_a_store(store: Feeder) -> None:
    found = listed(store)
    # The address that ann logged in from, and networks of ours, are not in it.
    assert [each for each in found if not each.startswith("203.0.113.")] == [
        "198.51.100.99/32",
        "2001:db8::5/128",
    ]
    assert "203.0.113.0/25" in found
    assert "203.0.113.200/32" not in found
    assert len([each for each in found if each.startswith("203.0.113.")]) == 8
    assert "198.51.100.77/32" in listed(store, severity=["info"])
    assert listed(store, since=["2026-11-27T11:30:00Z"]) == []
    assert "2001:db8::5/128" not in listed(store, spare=["2001:db8::/64"])
    changed = SETTINGS.model_copy(
        update={
            "blocking": SETTINGS.blocking.model_copy(update={"private": True, "logins_days": 0, "hours": 1})
        }
    )
    assert listed(store, changed) == []
    longer = changed.model_copy(update={"blocking": changed.blocking.model_copy(update={"hours": 2})})
    assert listed(store, longer) == [
        "192.168.1.5/32",
        "198.51.100.99/32",
        "203.0.113.0/24",
        "2001:db8::5/128",
    ]
    for wrong in ({"format": ["exe"]}, {"severity": ["worst"]}, {"since": ["soon"]}, {"x": ["1"]}):
        with pytest.raises(UsageError):
            listed(store, **wrong)


def test_its_name_changes_with_what_it_holds(store: Feeder) -> None:
    asked = {"format": ["nft"]}
    later = NOW + timedelta(minutes=5)
    one, other = (blocklist(store.database, SETTINGS, asked, now) for now in (NOW, later))
    assert one[1] == other[1]
    # What is left of the time does not.
    assert one[0] != other[0]
    assert blocklist(store.database, SETTINGS, {**asked, "spare": ["2001:db8::5"]}, NOW)[1] != one[1]


def test_muted_findings_block_nobody(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path / "store")
    feeder.writer.add("findings", finding("a", NOW, {}))
    assert listed(feeder) == ["203.0.113.9/32"]
    feeder.writer.add("handled", handling("a" * 16, NOW, "muted", "ann", "", None))
    assert listed(feeder) == []
    feeder.close()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailscope.cli.blocklist import FORMATS as NAMES
    from mailscope.cli.blocklist import blocklist as command

    assert set(NAMES) == set(FORMATS)
    now = datetime.now(UTC).replace(tzinfo=None)
    feeder = Feeder(tmp_path / "store")
    feeder.writer.add("findings", finding("a", now, {}))
    feeder.close()
    at = ["--store", str(tmp_path / "store")]
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22")
    done = CliRunner().invoke(command, ["--format", "hosts", *at], catch_exceptions=False)
    assert done.stdout.splitlines()[-1] == "ALL: 203.0.113.9"
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.9 5 192.0.2.2 22")
    assert CliRunner().invoke(command, at, catch_exceptions=False).stdout == ""


def some_blocks() -> list[Block]:
    addresses = ("203.0.113.9", "198.51.100.0/24", "2001:db8::5", "2001:db8:1::/48")
    offences = [Offence(each, "brute_force", each, NOW) for each in addresses]
    rules = Rules(timedelta(days=1), timedelta(days=7), (), {4: 24, 6: 48}, 100)
    return blocked(offences, rules, NOW)


def written(name: str) -> str:
    return "".join(f"{line}\n" for line in FORMATS[name](some_blocks(), NOW))


def run(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, input=given, capture_output=True, text=True, timeout=120, check=False)


def needs(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def apart(script: str, *arguments: str) -> str:
    """What a script says in a network of its own."""
    needs("unshare")
    if run("unshare", "-n", "true").returncode:
        pytest.skip("no network namespaces here")
    done = run("unshare", "-n", "sh", "-ec", script, "sh", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nft_takes_it_and_blocks(tmp_path: Path) -> None:
    needs("nft", "ip", "ping")
    file = tmp_path / "list.nft"
    file.write_text(written("nft"))
    # Twice, as a timer does it; then somebody who is listed says something, and somebody who is not.
    told = apart(
        'nft -c -f "$1"; nft -f "$1"; nft -f "$1"; ip link set lo up; ip addr add 203.0.113.9/32 dev lo; '
        "ip addr add 192.0.2.1/32 dev lo; ip addr add 192.0.2.2/32 dev lo; "
        "ping -c 1 -W 1 -I 203.0.113.9 192.0.2.2 >/dev/null && echo through || echo blocked; "
        "ping -c 1 -W 1 -I 192.0.2.1 192.0.2.2 >/dev/null && echo through || echo blocked; nft -j list ruleset",
        str(file),
    )
    lines = told.splitlines()
    assert lines[:2] == ["blocked", "through"]
    sets = {
        each["set"]["name"]: each["set"]["elem"] for each in json.loads(lines[2])["nftables"] if "set" in each
    }
    held = [each["elem"]["val"] for name in ("blocked4", "blocked6") for each in sets[name]]
    shown = {each if isinstance(each, str) else "{addr}/{len}".format(**each["prefix"]) for each in held}
    assert shown == {"203.0.113.9", "198.51.100.0/24", "2001:db8::5", "2001:db8:1::/48"}
    assert {each["elem"]["timeout"] for name in sets for each in sets[name]} == {86_400}


def test_ipset_takes_it(tmp_path: Path) -> None:
    needs("ipset")
    file = tmp_path / "list.ipset"
    file.write_text(written("ipset"))
    if run("unshare", "-n", "ipset", "create", "try", "hash:net").returncode:
        pytest.skip("the kernel has no ipset here")
    told = apart('ipset restore -f "$1"; ipset restore -f "$1"; ipset save', str(file))
    added = {" ".join(line.split()[1:3]) for line in told.splitlines() if line.startswith("add ")}
    assert added == {
        "mailscope4 203.0.113.9", "mailscope4 198.51.100.0/24", "mailscope6 2001:db8::5", "mailscope6 2001:db8:1::/48",
    }  # fmt: skip


def test_postfix_looks_it_up(tmp_path: Path) -> None:
    needs("postmap")
    (tmp_path / "main.cf").write_text("")
    (tmp_path / "table").write_text(written("postfix-cidr"))
    for address, found in (
        ("203.0.113.9", True), ("203.0.113.8", False), ("198.51.100.255", True), ("2001:db8:1::7", True),
        ("2001:db8::6", False),
    ):  # fmt: skip
        done = run("postmap", "-c", str(tmp_path), "-q", address, f"cidr:{tmp_path}/table")
        assert done.stdout == ("REJECT blocked for a while after brute force\n" if found else ""), done.stderr


def test_hosts_deny_names_networks_as_hosts_access_does() -> None:
    assert [line for line in written("hosts").splitlines() if not line.startswith("#")] == [
        "ALL: 198.51.100.0/255.255.255.0", "ALL: 203.0.113.9", "ALL: [2001:db8::5]", "ALL: [2001:db8:1::]/48",
    ]  # fmt: skip


def test_fail2ban_bans_them(tmp_path: Path) -> None:
    needs("fail2ban-client", "fail2ban-server")
    config = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", config)
    shutil.copytree(PACKAGING, config, dirs_exist_ok=True)
    for old in (config / "jail.d").glob("defaults*"):
        old.unlink()
    (config / "action.d" / "told.conf").write_text(
        f"[Definition]\nactionban = echo <ip> >> {tmp_path}/banned\nactionunban = true\n"
    )
    (config / "jail.local").write_text("[DEFAULT]\nbanaction_allports = told\n")
    (config / "fail2ban.local").write_text(
        f"[Definition]\nlogtarget = {tmp_path}/log\nsocket = {tmp_path}/sock\npidfile = {tmp_path}/pid\n"
        f"dbfile = {tmp_path}/db\nallowipv6 = yes\n"
    )
    client = ("fail2ban-client", "-c", str(config), "-s", str(tmp_path / "sock"), "-p", str(tmp_path / "pid"))
    tested = run(*client, "-t")
    assert tested.returncode == 0, tested.stderr
    server = subprocess.Popen(
        ["fail2ban-server", *client[1:], "-f", "start"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while run(*client, "status", "mailscope").returncode:
            assert time.monotonic() < until
            assert server.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.5)
        run(*client, "-i", given=written("fail2ban"))
        wanted = {"203.0.113.9", "198.51.100.0/24", "2001:db8::5", "2001:db8:1::/48"}
        banned = tmp_path / "banned"
        while not banned.exists() or set(banned.read_text().split()) != wanted:
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.5)
    finally:
        server.terminate()
        server.wait(60)

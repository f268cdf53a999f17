"""User names that try to put another address, user or verdict into a line: names are not quoted by the programs."""

from __future__ import annotations

from typing import Any, Final

import pytest
from patterns import SHIPPED, records

from mailscope.recognise.engine import Engine

ENGINE: Final = Engine(SHIPPED)
HERE: Final = "192.0.2.66"
FORGED: Final = "203.0.113.9"
NAMES: Final = (
    "root",
    "a b",
    f"a from {FORGED}",
    f"a from {FORGED} port 1",
    f"a from {FORGED} port 1 ssh2",
    f"a from {FORGED} port 1 ssh2:",
    f"a from {FORGED} port 1 ssh2: b",
    f"a from {FORGED} port 1 ssh2: RSA SHA256:b",
    f'a from {FORGED} port 1 ssh2: RSA SHA256:b, client user "c", client host "d"',
    f"a {FORGED} port 1",
    f"a {FORGED} port 1: b",
    f"a {FORGED} port 1 [preauth]",
    f"a for b from {FORGED} via",
    f"a not allowed because b from {FORGED}",
    f"a rhost={FORGED}",
    f"a rhost={FORGED}  user=root",
    "a; TTY=x ; PWD=/ ; USER=root ; COMMAND=/bin/true",
)
# As OpenSSH's auth_log(), auth_maxtries_exceeded(), getpwnamallow(), sshpkt_vfatal(), auth-pam.c and pam_unix write them.
SSH: Final = (
    "Failed password for invalid user {} from {} port 4711 ssh2",
    "Failed password for {} from {} port 4711 ssh2",
    "Failed none for invalid user {} from {} port 4711 ssh2",
    "Failed keyboard-interactive/pam for invalid user {} from {} port 4711 ssh2",
    "Failed publickey for invalid user {} from {} port 4711 ssh2: ED25519 SHA256:vWGhNTPvJv",
    "Postponed keyboard-interactive for invalid user {} from {} port 4711 ssh2 [preauth]",
    "Invalid user {} from {} port 4711",
    "error: maximum authentication attempts exceeded for invalid user {} from {} port 4711 ssh2 [preauth]",
    "error: PAM: Authentication failure for illegal user {} from {}",
    "Disconnected from invalid user {} {} port 4711 [preauth]",
    "Connection closed by invalid user {} {} port 4711 [preauth]",
    "Connection reset by invalid user {} {} port 4711 [preauth]",
    "Disconnecting invalid user {} {} port 4711: Too many authentication failures [preauth]",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser={} rhost={} ",
)


def told(tag: str, text: str) -> dict[str, Any]:
    """The fields of one text, which must be recognised."""
    [record] = records(ENGINE, f"{tag}[1]", [text])
    assert record is not None, text
    return dict(record["fields"])


@pytest.mark.parametrize("line", SSH)
@pytest.mark.parametrize("name", NAMES)
def test_a_user_name_does_not_forge_the_address(line: str, name: str) -> None:
    fields = told("sshd", line.format(name, HERE))
    assert fields["client_ip"] == HERE
    assert fields["user"] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_name_behind_the_address_does_not_forge_it(name: str) -> None:
    change = f"Change of username or service not allowed: (root,ssh-connection) -> ({name},ssh-connection)"
    fields = told("sshd", f"Disconnecting authenticating user root {HERE} port 4711: {change} [preauth]")
    assert (fields["client_ip"], fields["user"]) == (HERE, "root")
    fields = told("sshd", f"Disconnecting invalid user {name} {HERE} port 4711: {change} [preauth]")
    assert fields.get("client_ip", HERE) == HERE
    fields = told(
        "sshd",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
        f"rhost={HERE}  user={name}",
    )
    assert (fields["client_ip"], fields["user"]) == (HERE, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_does_not_forge_the_address(name: str) -> None:
    certificate = f"ED25519-CERT SHA256:x ID {name} (serial 4) CA ED25519 SHA256:y"
    for user in ("root", f"invalid user {name}"):
        fields = told("sshd", f"Failed publickey for {user} from {HERE} port 4711 ssh2: {certificate}")
        assert fields.get("client_ip", HERE) == HERE
    fields = told("sshd", f"Accepted publickey for alice from {HERE} port 4711 ssh2: {certificate}")
    assert (fields["client_ip"], fields["user"]) == (HERE, "alice")

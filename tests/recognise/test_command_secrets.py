"""Passwords on a command line do not reach the field ``command``; what is no secret stays."""

from __future__ import annotations

from typing import Any, Final

import pytest
from patterns import SHIPPED, records

from mailscope.recognise.engine import Engine

ENGINE: Final = Engine(SHIPPED)
SECRET: Final = "hunter2"
TELLING: Final = (
    f"/usr/bin/mysql -u root -p{SECRET}",
    f"/usr/bin/mysqldump --password={SECRET} mail",
    f"/usr/bin/mysql --password {SECRET}",
    f"/usr/bin/sshpass -p {SECRET} ssh mx1",
    f"/usr/bin/ldapsearch -x -D cn=admin -w {SECRET}",
    f"/usr/bin/curl -u alice:{SECRET} https://example.org/",
    f"/usr/bin/curl -ualice:{SECRET} https://example.org/",
    f"/usr/bin/curl -H 'Authorization: Bearer {SECRET}' https://example.org/",
    f"/usr/bin/curl https://alice:{SECRET}@example.org/",
    f"/usr/bin/curl https://example.org/?token={SECRET}",
    f"/usr/bin/htpasswd -b /etc/apache2/users alice {SECRET}",
    f"/usr/bin/env PGPASSWORD={SECRET} psql",
    f"/usr/bin/env MYSQL_PWD={SECRET} mysql",
    f"/usr/bin/smbclient -U alice%{SECRET} //mx1/mail",
    f"/usr/bin/openssl enc -aes256 -pass pass:{SECRET}",
    f"/usr/sbin/usermod -p {SECRET} alice",
    f"/bin/sh -c 'echo alice:{SECRET} | chpasswd'",
    f"/usr/bin/wget --http-password={SECRET} https://example.org/",
)
PLAIN: Final = (
    "/usr/bin/mkdir -p /srv/mail",
    "/usr/bin/cat /etc/passwd",
    "/usr/sbin/postmap /etc/postfix/sasl_passwd",
    "/usr/bin/journalctl -u postfix -n 50",
    "/usr/bin/passwd alice",
    "/usr/bin/tail -f /var/log/mail.log",
    "/usr/bin/systemctl restart dovecot.service",
    "/usr/sbin/chown mail:mail /var/mail",
)
LINES: Final = (
    ("sudo", "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={}"),
    ("sudo", "alice : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={}"),
    ("sudo", "alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={}"),
    ("doas", "alice ran command {} as root from /home/alice"),
    ("doas", "command not permitted for alice: {}"),
    ("CRON", "(root) CMD ({})"),
)


def fields(tag: str, text: str) -> dict[str, Any]:
    [record] = records(ENGINE, f"{tag}[1]", [text])
    assert record is not None
    return dict(record["fields"])


@pytest.mark.parametrize(("tag", "line"), LINES)
@pytest.mark.parametrize("command", TELLING)
def test_a_secret_is_not_captured(tag: str, line: str, command: str) -> None:
    told = fields(tag, line.format(command))
    assert not any(SECRET in str(value) for value in told.values())
    assert told["command"].startswith(command.split(" ", maxsplit=1)[0])


@pytest.mark.parametrize(("tag", "line"), LINES)
@pytest.mark.parametrize("command", PLAIN)
def test_what_is_no_secret_is_kept(tag: str, line: str, command: str) -> None:
    assert fields(tag, line.format(command))["command"] == command

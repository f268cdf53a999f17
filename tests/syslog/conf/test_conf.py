"""The language of syslog.conf: what is read, what it means, what is remarked on."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailscope.cli.syslog import syslog
from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES
from mailscope.syslog.conf.reading import guess, read
from mailscope.syslog.conf.routing import routed
from mailscope.syslog.conf.rules import Action, Configuration, Dialect
from mailscope.syslog.conf.words import does, takes
from mailscope.syslog.record import Record

# The article's examples, Linux and BSD.
LINUX = """\
# a comment
*.err;kern.debug;auth.notice;mail.crit\t\t/dev/console
*.info;mail.none;authpriv.none    -/var/log/messages
mail.*                            -/var/log/maillog
mail.=info                        /var/log/mail.info
mail.info;mail.!err               /var/log/mail.quiet
cron,local0.warn                  |/run/pipe
*.emerg                           *
kern.crit                         root,operator
*.alert                           @loghost.example.org:5140
uucp,news.crit                    /var/log/spooler;RFC5424,rotate=10M:3
local7.* \\
    /var/log/boot.log
"""
BSD = """\
*.err;kern.warning;auth.notice;mail.crit   /dev/console
mail.info                                  /var/log/maillog
security.*                                 /var/log/security
!ppp
*.*                                        /var/log/ppp.log
!*
+mx2.example.org
mail.*                                     /var/log/mx2
+*
*.=debug                                   |exec /usr/local/bin/filter
#!postfix,dovecot
*.*                                        /var/log/mailer
"""
RSYSLOG = """\
module(load="imuxsock")
template(name="x" type="list") {
    property(name="msg")
}
$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
:programname, isequal, "postfix" /var/log/postfix.log
& stop
:msg, contains, "a \\"quoted\\" word" /var/log/quoted
if $programname == "x" then {
    action(type="omfile" file="/x")
}
mail.*  -/var/log/mail.log
*.*     @@(o)[2001:db8::1]:10514;RSYSLOG_SyslogProtocol23Format
*.emerg :omusrmsg:*
"""


def written(tmp_path: Path, text: str, dialect: Dialect | None = None) -> Configuration:
    file = tmp_path / "syslog.conf"
    file.write_text(text)
    return read(file, dialect, "mx1.example.org")


def message(name: str, program: str = "prog", text: str = "text", host: str = "mx1") -> Record:
    facility, severity = name.split(".")
    codes = FACILITIES.index(facility), SEVERITIES.index(severity)
    return Record(
        *codes, datetime(2026, 11, 27, tzinfo=UTC), host.encode(), program.encode(), b"7", text.encode()
    )


def targets(found: Configuration, record: Record) -> list[str]:
    return [rule.action.target or rule.action.kind for rule in routed(found.rules, record)]


def test_dialects_are_told_apart() -> None:
    assert guess(LINUX) is Dialect.SYSKLOGD
    assert guess(BSD) is Dialect.BSD
    assert guess(RSYSLOG) is Dialect.RSYSLOG
    assert guess("*.* @@loghost\n") is Dialect.RSYSLOG


def test_linux(tmp_path: Path) -> None:
    found = written(tmp_path, LINUX)
    assert [rule.action for rule in found.rules] == [
        Action("device", "/dev/console"),
        Action("file", "/var/log/messages"),
        Action("file", "/var/log/maillog"),
        Action("file", "/var/log/mail.info", synced=True),
        Action("file", "/var/log/mail.quiet", synced=True),
        Action("fifo", "/run/pipe"),
        Action("everyone"),
        Action("users", "root,operator"),
        Action("udp", "loghost.example.org", 5140),
        Action(
            "file", "/var/log/spooler", synced=True, form="rfc5424", rotate_bytes=10 << 20, rotate_count=3
        ),
        Action("file", "/var/log/boot.log", synced=True),
    ]
    assert found.rules[-1].where.endswith(":12")
    assert not [remark for remark in found.remarks if remark.bad]
    assert targets(found, message("mail.info")) == [
        "/var/log/maillog",
        "/var/log/mail.info",
        "/var/log/mail.quiet",
    ]
    # On Linux "mail.crit" adds to "*.err": mail.err goes there.
    assert targets(found, message("mail.err")) == ["/dev/console", "/var/log/maillog"]
    assert targets(found, message("cron.err")) == ["/dev/console", "/var/log/messages", "/run/pipe"]


def test_bsd(tmp_path: Path) -> None:
    found = written(tmp_path, BSD)
    assert found.dialect is Dialect.BSD
    # On a BSD the later "mail.crit" replaces what "*.err" said of mail.
    assert targets(found, message("mail.err")) == ["/var/log/maillog"]
    assert targets(found, message("mail.crit")) == ["/dev/console", "/var/log/maillog"]
    assert targets(found, message("security.debug"))[0] == "/var/log/security"
    assert "/var/log/ppp.log" in targets(found, message("user.info", "ppp"))
    assert "/var/log/mx2" in targets(found, message("mail.debug", host="mx2.example.org"))
    assert "/var/log/mx2" not in targets(found, message("mail.debug"))
    assert targets(found, message("user.debug")) == ["exec /usr/local/bin/filter"]
    assert "/var/log/mailer" in targets(found, message("user.info", "postfix/smtpd"))
    assert found.rules[-2].action == Action("command", "exec /usr/local/bin/filter")


def test_rsyslog(tmp_path: Path) -> None:
    found = written(tmp_path, RSYSLOG)
    assert targets(found, message("mail.info", "postfix/qmgr")) == ["/var/log/postfix.log", "discard"]
    assert targets(found, message("mail.info", text='a "quoted" word')) == [
        "/var/log/quoted",
        "/var/log/mail.log",
        "2001:db8::1",
    ]
    assert found.rules[-2].action == Action("tcp", "2001:db8::1", 10514, form="rfc5424")
    assert found.rules[-1].action.kind == "everyone"
    assert found.rules[0].action == Action("file", "/var/log/postfix.log")
    passed = [remark.where.rpartition(":")[2] for remark in found.remarks if "RainerScript" in remark.text]
    assert passed == ["1", "2", "9"]
    assert [remark.where.rpartition(":")[2] for remark in found.remarks if remark.bad] == ["9"]


def test_blocks_end_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.conf").write_text("!inner\n*.* /inner\n")
    (tmp_path / "d" / "b.conf").write_text("*.* /b\n")
    found = written(tmp_path, f"!outer\n*.* /one\ninclude {tmp_path}/d\n*.* /two\n", Dialect.BSD)
    assert targets(found, message("user.info", "outer")) == ["/one", "/b", "/two"]
    assert targets(found, message("user.info", "inner")) == ["/inner", "/b"]


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    file = tmp_path / "syslog.conf"
    file.write_text(f"include {file}\n*.* /x\n")
    found = read(file, Dialect.BSD)
    assert any("include each other" in remark.text for remark in found.remarks)


@pytest.mark.parametrize(
    ("line", "dialect", "wanted"),
    [
        ("mial.info /x", Dialect.SYSKLOGD, "no such facility"),
        ("mail.infoo /x", Dialect.SYSKLOGD, "no such severity"),
        ("mail.info", Dialect.SYSKLOGD, "it is no rule"),
        ("mail.info @@host", Dialect.SYSKLOGD, "rsyslog only"),
        ("mail.info |command -x", Dialect.SYSKLOGD, "a pipe is a path"),
        ("mail.info @host:99999", Dialect.SYSKLOGD, "no host, or its port none"),
        ("mail.info /x;Nothing", Dialect.SYSKLOGD, "is not known"),
        ("mail.info ?dynamic", Dialect.RSYSLOG, "no action begins"),
        ("!prog", Dialect.RSYSLOG, "since version 7"),
        (':msg, contains, "x" /x', Dialect.BSD, "rsyslog alone"),
        (':nothing, contains, "x"', Dialect.BSD, "'nothing' is no property"),
        (':msg, regex, "("', Dialect.BSD, "is no property, operation or expression"),
        ("& /x", Dialect.RSYSLOG, "needs a rule"),
        ("include /no/such/file.conf", Dialect.BSD, "there is no file"),
    ],
)
def test_what_is_wrong_is_said(line: str, dialect: Dialect, wanted: str, tmp_path: Path) -> None:
    found = written(tmp_path, line + "\n", dialect)
    assert any(wanted in remark.text and remark.bad for remark in found.remarks), found.remarks
    assert found.remarks[0].where.endswith("syslog.conf:1")


def test_what_differs_elsewhere_is_said(tmp_path: Path) -> None:
    found = written(tmp_path, "*.debug;mail.err /x\nmail.info /y\nsecurity.info |/fifo\n", Dialect.SYSKLOGD)
    told = [(remark.where.rpartition(":")[2], str(remark.text)) for remark in found.remarks]
    assert told[0][0] == "1"
    assert "err and more urgent of mail" in told[0][1]
    assert [number for number, _ in told] == ["1", "3", "3"]
    assert not any(remark.bad for remark in found.remarks)
    other = written(tmp_path, "mail.<=info /x\n*.* |cat\n", Dialect.BSD)
    assert [str(remark.text) for remark in other.remarks] == [
        "sysklogd and rsyslog do not read this selector",
        "sysklogd and rsyslog would take that for the path of a named pipe",
    ]


def test_rules_in_words(tmp_path: Path) -> None:
    found = written(tmp_path, LINUX)
    told = [f"{takes(rule)} -> {does(rule.action)}" for rule in found.rules]
    assert (
        told[2]
        == "everything of mail -> appends to the file /var/log/maillog, which is brought to the disk later"
    )
    assert told[3].startswith("only info of mail -> ")
    assert told[4].startswith("only warning, notice, info of mail -> ")
    assert told[5].startswith(
        "warning and more urgent of cron, local0 -> writes into the named pipe /run/pipe"
    )
    assert told[6] == "only emerg of * -> shows it to everyone who is logged in"


def test_most_facilities_are_told_by_those_that_are_missing(tmp_path: Path) -> None:
    found = written(tmp_path, "*.info;auth,authpriv.none /x\n", Dialect.RSYSLOG)
    assert takes(found.rules[0]) == "info and more urgent of all but auth, authpriv"


def test_the_commands(tmp_path: Path) -> None:
    file = tmp_path / "syslog.conf"
    file.write_text("mail.* /var/log/maillog\nmial.* /x\n*.emerg *\n")
    runner = CliRunner()
    checked = runner.invoke(syslog, ["check", str(file)])
    assert checked.exit_code == 1
    assert "everything of mail" in checked.output
    assert "no such facility: mial" in checked.output
    found = json.loads(runner.invoke(syslog, ["check", str(file), "--format", "json"]).output)
    assert len(found["rules"]) == 2
    rows = list(
        csv.DictReader(runner.invoke(syslog, ["check", str(file), "--format", "csv"]).output.splitlines())
    )
    assert [row["rule"] for row in rows if row["rule"]] == [rule["rule"] for rule in found["rules"]]
    assert [row["remark"] for row in rows if row["remark"]] == [each["text"] for each in found["remarks"]]
    wanted = ["test", "--conf", str(file), "mail.info", "hello", "--all", "--format", "csv"]
    rows = list(csv.DictReader(runner.invoke(syslog, wanted).output.splitlines()))
    assert [row["taken"] for row in rows] == ["True", "False"]
    assert {row["message"] for row in rows} == {"mail.info"}
    tested = runner.invoke(syslog, ["test", "--conf", str(file), "mail.info", "hello", "--all"])
    assert "-> appends to the file /var/log/maillog" in tested.output
    assert "the selector does not take mail.info" in tested.output
    nowhere = runner.invoke(syslog, ["test", "--conf", str(file), "cron.info", "--lang", "it"])
    assert nowhere.exit_code == 0
    assert "cron.info" in nowhere.output
    hostile = tmp_path / "hostile.conf"
    hostile.write_text("mail.* /var/\x1b[31mlog\n")
    assert "\x1b" not in runner.invoke(syslog, ["check", str(hostile)]).output


@pytest.mark.parametrize(
    "text", ["", "\0\0\0", "\\\n\\\n", "a" * 100_000, "!" * 1000, ":" * 1000, "if {{{{", "include /dev/zero"]
)
def test_any_text_is_read(text: str, tmp_path: Path) -> None:
    for dialect in Dialect:
        written(tmp_path, text, dialect)

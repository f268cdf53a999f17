"""Finding a host's own mail logs, on made-up hosts: each test writes a root directory and searches it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailscope.intake.discover import Discovery, discover
from mailscope.intake.discovery.main_cf import MainCf
from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES
from mailscope.intake.discovery.selectors import Dialect, parse_selector

MAIL = FACILITIES.index("mail")
NOBODY = 65534


class Host:
    """A made-up host: ``files`` are texts by path, ``logs`` are paths of logs that exist."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str = "one line\n") -> Path:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def logs(self, *names: str) -> None:
        for name in names:
            self.write(name)

    def found(self) -> list[str]:
        return self.names(discover(self.root))

    def why(self) -> list[str]:
        return [found.why for found in discover(self.root).found]

    def names(self, discovery: Discovery) -> list[str]:
        return ["/" + str(found.path.relative_to(self.root)) for found in discovery.found]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def as_nobody() -> Iterator[tuple[Host, Callable[[], Discovery]]]:
    """A host in a directory that all may enter, and a search of it without root's powers."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)

    def search() -> Discovery:
        if os.geteuid() != 0:
            return discover(root)
        os.seteuid(NOBODY)
        try:
            return discover(root)
        finally:
            os.seteuid(0)

    yield Host(root), search
    for directory, _, _ in os.walk(root):
        os.chmod(directory, 0o700)
    shutil.rmtree(root)


def test_an_empty_host_has_no_mail_logs(host: Host) -> None:
    assert discover(host.root) == Discovery((), ())


def test_a_root_that_does_not_exist_has_none_either(tmp_path: Path) -> None:
    assert discover(tmp_path / "nowhere") == Discovery((), ())


class TestSelectors:
    """The grammar of syslog.conf's selectors, as both families read it."""

    @pytest.mark.parametrize(
        ("selector", "linux", "bsd"),
        [
            ("mail.*", "all", "all"),
            ("MAIL.Info", "emerg..info", "emerg..info"),
            ("mail.=info", "info", "info"),
            ("mail.warn", "emerg..warning", "emerg..warning"),
            ("mail.panic", "emerg", "emerg"),
            ("mail.3", "emerg..err", "emerg..err"),
            ("mail.none", "", ""),
            ("*.*", "all", "all"),
            ("*.info;mail.none", "", ""),
            ("*.info;mail.none;authpriv.none;cron.none", "", ""),
            ("auth,mail,news.err", "emerg..err", "emerg..err"),
            ("auth,authpriv.*", "", ""),
            ("*.*;auth,authpriv.none", "all", "all"),
            ("*.debug;mail.err", "all", "emerg..err"),
            ("mail.err;*.debug", "all", "all"),
            ("16.info", "emerg..info", "emerg..info"),
            ("mark.*;mail.crit", "emerg..crit", "emerg..crit"),
        ],
    )
    def test_what_is_taken_of_mail(self, selector: str, linux: str, bsd: str) -> None:
        assert taken(selector, Dialect.LINUX) == severities(linux)
        assert taken(selector, Dialect.BSD) == severities(bsd)

    @pytest.mark.parametrize(
        ("selector", "linux"),
        [
            ("mail.*;mail.!err", "warning..debug"),
            ("mail.*;mail.!=info", "emerg..notice debug"),
            ("mail.*;mail.!*", ""),
            ("mail.!none", "all"),
            ("mail.info;mail.!warn", "notice info"),
        ],
    )
    def test_linux_takes_away_with_an_exclamation_mark(self, selector: str, linux: str) -> None:
        assert taken(selector, Dialect.LINUX) == severities(linux)

    @pytest.mark.parametrize(
        ("selector", "bsd"),
        [
            ("mail.<=info", "info debug"),
            ("mail.>info", "emerg..notice"),
            ("mail.<info", "debug"),
            ("mail.<>info", "emerg..notice debug"),
            ("mail.!err", "warning..debug"),
            ("mail.!=err", "emerg..crit warning..debug"),
        ],
    )
    def test_the_bsds_compare(self, selector: str, bsd: str) -> None:
        assert taken(selector, Dialect.BSD) == severities(bsd)

    @pytest.mark.parametrize(
        "selector", ["", "mail", "mail.", "post.info", "mail.loud", "mail.info x", "999.*"]
    )
    def test_a_mistake_makes_it_no_selector(self, selector: str) -> None:
        for dialect in Dialect:
            with pytest.raises(ValueError, match="no s"):
                parse_selector(selector, dialect)


def taken(selector: str, dialect: Dialect) -> set[str]:
    parsed = parse_selector(selector, dialect)
    return {name for code, name in enumerate(SEVERITIES) if parsed.takes(MAIL, code)}


def severities(words: str) -> set[str]:
    """Spell out ``emerg..err info``."""
    names: set[str] = set(SEVERITIES) if words == "all" else set()
    for word in words.replace("all", "").split():
        first, _, last = word.partition("..")
        names |= set(SEVERITIES[SEVERITIES.index(first) : SEVERITIES.index(last or first) + 1])
    return names


class TestSyslogConf:
    """sysklogd, inetutils and the BSDs."""

    def test_the_fullest_log_is_taken_and_its_parts_are_not(self, host: Host) -> None:
        host.write(
            "/etc/syslog.conf",
            "# rules\n"
            "*.*;auth,authpriv.none\t\t-/var/log/syslog\n"
            "mail.warn\t-/var/log/mail.warn\n"
            "mail.err\t/var/log/mail.err\n"
            "mail.info\t-/var/log/mail.info\n"
            "mail.*\t\t-/var/log/mail.log ;rotate=10M:5\n",
        )
        host.logs(
            *(f"/var/log/{name}" for name in ("syslog", "mail.warn", "mail.err", "mail.info", "mail.log"))
        )
        assert host.found() == ["/var/log/mail.log"]
        assert host.why() == ["syslogd: mail.* in /etc/syslog.conf line 6"]

    def test_a_log_for_everything_serves_when_it_alone_holds_mail(self, host: Host) -> None:
        host.write("/etc/syslog.conf", "*.info /var/log/messages\n*.emerg *\nmail.err /var/log/mail.err\n")
        host.logs("/var/log/messages", "/var/log/mail.err")
        assert host.found() == ["/var/log/messages"]

    def test_a_log_for_everything_that_excludes_mail_is_none(self, host: Host) -> None:
        host.write("/etc/syslog.conf", "*.info;mail.none /var/log/messages\nmail.* -/var/log/maillog\n")
        host.logs("/var/log/messages", "/var/log/maillog")
        assert host.found() == ["/var/log/maillog"]

    def test_a_log_of_emergencies_is_no_mail_log(self, host: Host) -> None:
        host.write("/etc/syslog.conf", "*.emerg /var/log/emerg\n*.info;mail.none /var/log/messages\n")
        host.logs("/var/log/emerg", "/var/log/messages")
        assert host.found() == []

    def test_logs_that_complete_each_other_are_all_taken(self, host: Host) -> None:
        host.write("/etc/syslog.conf", "mail.=info /var/log/mail/info\nmail.notice /var/log/mail/errors\n")
        host.logs("/var/log/mail/info", "/var/log/mail/errors")
        assert sorted(host.found()) == ["/var/log/mail/errors", "/var/log/mail/info"]

    def test_logs_for_mail_alone_are_preferred_even_if_it_takes_two(self, host: Host) -> None:
        host.write(
            "/etc/syslog.conf", "*.* /var/log/all\nmail.=info /var/log/info\nmail.notice /var/log/rest\n"
        )
        host.logs("/var/log/all", "/var/log/info", "/var/log/rest")
        assert sorted(host.found()) == ["/var/log/info", "/var/log/rest"]

    def test_of_two_mixed_logs_the_one_with_less_else_in_it_is_taken(self, host: Host) -> None:
        host.write("/etc/syslog.conf", "*.* /var/log/all\nuser.*;mail.* /var/log/some\n")
        host.logs("/var/log/all", "/var/log/some")
        assert host.found() == ["/var/log/some"]

    def test_a_log_that_does_not_exist_leaves_its_place_to_the_next_best(self, host: Host) -> None:
        host.write("/etc/syslog.conf", "mail.* /var/log/mail.log\n*.* /var/log/all\n")
        host.logs("/var/log/all")
        assert host.found() == ["/var/log/all"]

    def test_lines_continue_after_a_backslash_and_keep_their_number(self, host: Host) -> None:
        host.write(
            "/etc/syslog.conf",
            "# a comment \\\nkern.* /var/log/kern\n"
            "*.=info;\\\n\tauth,authpriv.none;\\\n\tnews.none  -/var/log/all\n",
        )
        host.logs("/var/log/all", "/var/log/kern")
        assert host.found() == ["/var/log/all"]
        assert host.why() == ["syslogd: *.=info;auth,authpriv.none;news.none in /etc/syslog.conf line 3"]

    def test_syslog_d_is_read_once_whether_included_or_not(self, host: Host) -> None:
        host.write("/etc/syslog.conf", "kern.* /var/log/kern\ninclude /etc/syslog.d/*.conf\n")
        host.write("/etc/syslog.d/10-mail.conf", "mail.*\t-/var/log/mail.log\n")
        host.logs("/var/log/mail.log", "/var/log/kern")
        assert host.why() == ["syslogd: mail.* in /etc/syslog.d/10-mail.conf line 1"]

    def test_only_files_are_logs(self, host: Host) -> None:
        host.write(
            "/etc/syslog.conf",
            "mail.* |/var/run/fifo\nmail.* @loghost\nmail.* root,alice\nmail.* *\nmail.* /dev/console\n"
            "mail.* /var/log/dir\nnonsense\nmail.loud /var/log/loud\n",
        )
        host.logs("/var/log/dir/inside", "/var/log/loud", "/dev/console")
        assert host.found() == []

    def test_the_blocks_of_a_bsd(self, host: Host) -> None:
        host.write("/etc/master.passwd")
        host.write(
            "/etc/syslog.conf",
            "*.notice;authpriv.none;kern.debug;lpr.info;mail.crit;news.err\t/var/log/messages\n"
            "mail.info\t/var/log/maillog\n"
            "!ppp\n*.*\t/var/log/ppp.log\n!*\n"
            "#!devd\nmail.*\t/var/log/devd.log\n!*\n"
            "+elsewhere\nmail.*\t/var/log/elsewhere.log\n+*\n"
            "!-sendmail\nmail.*\t/var/log/not-sendmail\n!*\n"
            ':msg, contains, "needle"\nmail.*\t/var/log/needle.log\n:*\n'
            "include /etc/syslog.d\n",
        )
        host.write("/etc/syslog.d/more.conf", "mail.=debug /var/log/mail.debug\n")
        host.logs("/var/log/messages", "/var/log/maillog", "/var/log/ppp.log", "/var/log/devd.log")
        host.logs(
            "/var/log/elsewhere.log", "/var/log/not-sendmail", "/var/log/needle.log", "/var/log/mail.debug"
        )
        assert host.found() == ["/var/log/maillog"]

    def test_a_program_s_own_block_is_followed(self, host: Host) -> None:
        host.write(
            "/etc/syslog.conf",
            "mail.none /var/log/x\n!postfix\nmail.* /var/log/postfix\n!*\nmail.err /var/log/e\n",
        )
        host.logs("/var/log/postfix", "/var/log/e", "/var/log/x")
        assert host.found() == ["/var/log/e", "/var/log/postfix"]


class TestRsyslog:
    """rsyslog's old rules and RainerScript."""

    DEBIAN = (
        'module(load="imuxsock") # local logging\n'
        "$FileOwner root\n"
        "$IncludeConfig /etc/rsyslog.d/*.conf\n"
        "/* a comment\n mail.* /var/log/commented */\n"
    )

    def test_old_rules_in_an_included_file(self, host: Host) -> None:
        host.write("/etc/rsyslog.conf", self.DEBIAN)
        host.write(
            "/etc/rsyslog.d/50-default.conf",
            "auth,authpriv.*\t/var/log/auth.log\n*.*;auth,authpriv.none\t-/var/log/syslog\n#\n\n"
            "kern.*\t-/var/log/kern.log\n#lpr.*\n\nmail.*\t-/var/log/mail.log;Template\n"
            "mail.err\t/var/log/mail.err\n*.emerg\t:omusrmsg:*\n",
        )
        host.logs("/var/log/auth.log", "/var/log/syslog", "/var/log/kern.log", "/var/log/mail.log")
        host.logs("/var/log/mail.err", "/var/log/commented")
        assert host.found() == ["/var/log/mail.log"]
        assert host.why() == ["rsyslog: mail.* in /etc/rsyslog.d/50-default.conf line 8"]

    @pytest.mark.parametrize(
        "rule",
        [
            "if $syslogfacility-text == 'mail' then -/var/log/m",
            'if $syslogfacility-text == "mail" then /var/log/m\n& stop',
            'if ($syslogfacility-text == \'mail\') then { action(type="omfile" file="/var/log/m") stop }',
            "if $syslogfacility == 2 then {\n  /var/log/m\n  stop\n}",
            "if $syslogfacility-text == ['news', 'mail'] and $syslogseverity <= 6 then action(type='x' )\n"
            'mail.* action(type="omfile"\n  # where\n  file="/var/log/m" template="T")',
            "if prifilt('mail.info') then /var/log/m",
            "if $pri-text == 'kern.info' then stop else if $syslogfacility-text == 'mail' then /var/log/m",
            "if $syslogfacility-text == 'mail' and not ($msg contains 'healthcheck') then /var/log/m",
            "if $syslogfacility-text == 'mail' and $hostname == 'elsewhere' then stop\nmail.* /var/log/m",
            ':syslogfacility-text, isequal, "mail" /var/log/m',
            "*.*;\\\n  kern,user.none\t-/var/log/m",
            "mail.* {\n  kern.* /var/log/k\n  /var/log/m\n}",
            "$outchannel channel,/var/log/m,52428800,/usr/local/bin/rotate\nmail.* :omfile:$channel",
            'ruleset(name="mail") {\n  action(type="omfile" file="/var/log/m")\n}\nmail.* call mail',
            "if re_match($programname, '^kern') then stop\nmail.* /var/log/m",
            "set $.x = 'a; b';\nmail.* /var/log/m",
            'template(name="t" type="list") {\n  property(name="msg") constant(value="}\\n")\n}\n'
            "mail.* /var/log/m",
            'foreach ($.i in $!list) do {\n  action(type="omfile" file="/var/log/k")\n}\nmail.* /var/log/m',
        ],
    )
    def test_forms_that_write_mail_to_a_file(self, host: Host, rule: str) -> None:
        host.write("/etc/rsyslog.conf", rule + "\n")
        host.logs("/var/log/m", "/var/log/k")
        assert host.found() == ["/var/log/m"]
        assert host.why()[0].startswith("rsyslog: ")
        assert " in /etc/rsyslog.conf line " in host.why()[0]

    @pytest.mark.parametrize(
        "rule",
        [
            "mail.* stop\n*.* /var/log/m",
            "mail.* ~\n*.* /var/log/m",
            "if $syslogfacility-text == 'mail' then stop\n*.* /var/log/m",
            "if not $syslogfacility-text == 'mail' then /var/log/m",  # (not $x) == 'mail': never true
            "if not $syslogfacility == 'mail' then /var/log/m",
            "if not ($syslogfacility-text == 'mail') then /var/log/m",
            "if $syslogfacility-text != 'mail' then /var/log/m",
            'if unknown_function($msg) then {\n  action(type="omfile" file="/var/log/m")\n}',
            "mail.loud /var/log/m",
            'ruleset(name="remote") {\n  mail.* /var/log/m\n}',
            "$RuleSet remote\nmail.* /var/log/m",
            "mail.* ?Dynamic\nmail.* @@loghost\nmail.* |/var/log/m\nmail.* ^/var/log/m",
            'mail.* action(type="omfwd" target="192.0.2.1" file="/var/log/m")',
            "mail.* /* /var/log/m */ stop",
            "#mail.* /var/log/m",
            ':msg, contains, "needle" /var/log/m',
        ],
    )
    def test_forms_that_do_not(self, host: Host, rule: str) -> None:
        host.write("/etc/rsyslog.conf", rule + "\n")
        host.logs("/var/log/m")
        assert host.found() == []

    def test_what_a_program_has_apart_is_found_beside_the_rest(self, host: Host) -> None:
        host.write(
            "/etc/rsyslog.conf",
            ':programname, isequal, "dovecot" /var/log/dovecot.log\n& stop\nmail.* /var/log/mail.log\n',
        )
        host.logs("/var/log/dovecot.log", "/var/log/mail.log")
        assert host.found() == ["/var/log/mail.log", "/var/log/dovecot.log"]

    def test_what_a_program_has_twice_is_not_read_twice(self, host: Host) -> None:
        host.write(
            "/etc/rsyslog.conf",
            ':syslogtag, startswith, "postfix/" /var/log/postfix.log\nmail.* /var/log/mail.log\n',
        )
        host.logs("/var/log/postfix.log", "/var/log/mail.log")
        assert host.found() == ["/var/log/mail.log"]

    def test_the_reason_shows_the_condition(self, host: Host) -> None:
        host.write("/etc/rsyslog.conf", "\nif $syslogfacility-text  ==\n 'mail' then\n  /var/log/m\n")
        host.logs("/var/log/m")
        assert host.why() == ["rsyslog: if $syslogfacility-text == 'mail' in /etc/rsyslog.conf line 4"]

    def test_include_objects_and_directories(self, host: Host) -> None:
        host.write("/etc/rsyslog.conf", 'include(file="/etc/rsyslog.d/" mode="optional")\n')
        host.write("/etc/rsyslog.d/b.conf", "mail.* /var/log/m\n")
        host.write("/etc/rsyslog.d/a.conf", "mail.* /var/log/never\n")
        host.logs("/var/log/m")
        assert host.found() == ["/var/log/m"]

    def test_a_file_that_includes_itself_ends(self, host: Host) -> None:
        host.write("/etc/rsyslog.conf", "$IncludeConfig /etc/rsyslog.conf\nmail.* /var/log/m\n")
        host.logs("/var/log/m")
        assert host.found() == ["/var/log/m"]

    def test_what_cannot_be_read_does_not_hide_what_follows(self, host: Host) -> None:
        host.write("/etc/rsyslog.conf", "if if if\n}}}\n\x01\x02 ((\naction(oops\nmail.* /var/log/m\n")
        host.logs("/var/log/m")
        assert host.found() == ["/var/log/m"]


class TestSyslogNg:
    """syslog-ng's log paths."""

    HEAD = '@version: 3.38\n@include "scl.conf"\nsource s_src { system(); internal(); };\n'

    def test_a_distribution_s_configuration(self, host: Host) -> None:
        host.write(
            "/etc/syslog-ng/syslog-ng.conf",
            self.HEAD
            + """
options { owner("root"); perm(0640); bad_hostname("^gconfd$"); };
destination d_mail { file("/var/log/mail.log" template("$ISODATE $MSG\\n")); };
destination d_err { file("/var/log/error"); };
destination d_all { file("/var/log/syslog"); };
filter f_dbg { level(debug); };  # debug only
filter f_err { level(err .. emerg); };
filter f_mail { facility(mail) and not filter(f_dbg); };
filter f_all { not facility(auth, authpriv, mail); };
log { source(s_src); filter(f_all); destination(d_all); };
log { source(s_src); filter(f_err); destination(d_err); };
#log { source(s_src); destination(d_all); };
log { source(s_src); filter(f_mail);
      destination(d_mail); };
""",
        )
        host.logs("/var/log/mail.log", "/var/log/error", "/var/log/syslog")
        assert host.found() == ["/var/log/mail.log"]
        assert host.why() == ["syslog-ng: filter f_mail in /etc/syslog-ng/syslog-ng.conf line 16"]

    @pytest.mark.parametrize(
        "paths",
        [
            'log { source { unix-dgram("/dev/log"); }; filter { facility(mail); };'
            ' destination { file("/var/log/m"); }; };',
            "log { source(s_src); filter { facility(2) and level(debug..emerg) };"
            ' destination { file("/var/log/m"); }; };',
            "filter f { program('kern'); }; destination d { file('/var/log/m'); };"
            "log { source(s_src); filter(f); destination(d); flags(final); };"
            "log { source(s_src); destination(d); };",
            'log { source(s_src); if (facility(kern)) { destination { file("/var/log/k"); }; }'
            ' elif (facility(mail)) { destination { file("/var/log/m"); }; }; };',
            "log { source(s_src); junction { channel { filter { facility(mail); }; flags(final); };"
            ' channel { filter { facility(news); }; }; }; destination { file("/var/log/m"); }; };',
            'log { source(s_src); log { filter { "$FACILITY" eq "mail" };'
            ' destination { file("/var/log/m"); }; }; };',
            'log { source(s_src); filter { facility(kern); }; destination { file("/var/log/k"); }; };'
            'log { source(s_src); destination { file("/var/log/m"); }; flags(fallback); };',
            '@define logs "/var/log"\nlog { source(s_src); filter { facility(mail); };'
            ' destination { file("`logs`/m"); }; };',
            'log { source(s_unknown); filter { match("^postfix/" value("PROGRAM")) or facility(mail); };'
            ' destination { file("/var/log/m"); }; };',
        ],
    )
    def test_forms_that_write_mail_to_a_file(self, host: Host, paths: str) -> None:
        host.write("/etc/syslog-ng/syslog-ng.conf", self.HEAD + paths + "\n")
        host.logs("/var/log/m", "/var/log/k")
        assert host.found() == ["/var/log/m"]

    @pytest.mark.parametrize(
        "paths",
        [
            "log { source(s_src); filter { facility(mail); }; flags(final); };"
            'log { source(s_src); destination { file("/var/log/m"); }; };',
            'log { source(s_src); filter { facility(mail); }; destination { file("/var/log/$HOST/m"); }; };',
            'log { source(s_src); filter { not facility(mail); }; destination { file("/var/log/m"); }; };',
            'log { source(s_src); filter(f_missing); destination { file("/var/log/m"); }; };',
            'log { source(s_src); filter { level(crit..emerg); }; destination { file("/var/log/m"); }; };',
            "log { source(s_src); filter { facility(mail); }; };"
            'log { source(s_src); destination { file("/var/log/m"); }; flags(fallback); };',
            "log { source(s_src); if (facility(mail)) { parser(p); }"
            ' else { destination { file("/var/log/m"); }; }; };',
            'log { source { internal(); }; destination { file("/var/log/m"); }; };',
            'log { source { file("/var/log/app"); }; destination { file("/var/log/m"); }; };',
            "filter a { filter(b); }; filter b { filter(a); };"
            'log { source(s_src); filter(a); destination { file("/var/log/m"); }; };',
        ],
    )
    def test_forms_that_do_not(self, host: Host, paths: str) -> None:
        host.write("/etc/syslog-ng/syslog-ng.conf", self.HEAD + paths + "\n")
        host.logs("/var/log/m")
        assert host.found() == []

    @pytest.mark.parametrize(
        "include", ["conf.d/*.conf", "/etc/syslog-ng/conf.d/*.conf", "conf.d", "conf.d/mail.conf"]
    )
    def test_includes(self, host: Host, include: str) -> None:
        host.write("/etc/syslog-ng/syslog-ng.conf", self.HEAD + f'@include "{include}"\n')
        host.write(
            "/etc/syslog-ng/conf.d/mail.conf",
            '\nlog { source(s_src); filter { facility(mail); }; destination { file("/var/log/m"); }; };\n',
        )
        host.logs("/var/log/m")
        assert host.why() == ["syslog-ng: filter facility(mail) in /etc/syslog-ng/conf.d/mail.conf line 2"]

    def test_one_program_s_log_that_ends_its_way(self, host: Host) -> None:
        host.write(
            "/etc/syslog-ng/syslog-ng.conf",
            self.HEAD
            + 'filter f { program("dovecot" type(string) flags(prefix)); };\n'
            + 'log { source(s_src); filter(f); destination { file("/var/log/d"); }; flags(final); };\n'
            + 'log { source(s_src); filter { facility(mail); }; destination { file("/var/log/m"); }; };\n',
        )
        host.logs("/var/log/m", "/var/log/d")
        assert host.found() == ["/var/log/m", "/var/log/d"]


class TestPostfix:
    """maillog_file of every instance."""

    def test_maillog_file_comes_first(self, host: Host) -> None:
        host.write(
            "/etc/postfix/main.cf",
            "# main\nmyhostname = mail.example.org\nmaillog_file = /var/log/postfix.log\n",
        )
        host.write("/etc/rsyslog.conf", "mail.* /var/log/mail.log\n")
        host.logs("/var/log/postfix.log", "/var/log/mail.log")
        assert host.found() == ["/var/log/postfix.log", "/var/log/mail.log"]
        assert host.why()[0] == "Postfix: maillog_file in /etc/postfix/main.cf line 3"

    @pytest.mark.parametrize("value", ["", "/dev/stdout", "/var/log/$myhostname.log", "relative.log"])
    def test_values_that_name_no_known_file(self, host: Host, value: str) -> None:
        host.write("/etc/postfix/main.cf", f"maillog_file = {value}\n")
        host.logs("/dev/stdout", "/var/log/.log", "/relative.log")
        assert host.found() == []

    def test_every_instance(self, host: Host) -> None:
        host.write(
            "/etc/postfix/main.cf",
            "maillog_file = /var/log/$syslog_name.log\n"
            "multi_instance_directories = /etc/postfix-in\n\n# between\n"
            "\t, /etc/postfix-out /etc/postfix-gone\n",
        )
        for name in ("in", "out"):
            host.write(
                f"/etc/postfix-{name}/main.cf",
                f"multi_instance_name = postfix-{name}\nmaillog_file = /var/log/$syslog_name.log\n"
                "multi_instance_directories = /etc/postfix\n",
            )
        host.logs("/var/log/postfix.log", "/var/log/postfix-in.log", "/var/log/postfix-out.log")
        assert host.found() == ["/var/log/postfix.log", "/var/log/postfix-in.log", "/var/log/postfix-out.log"]

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("x = 1", "1"),
            ("x=1\nx = 2", "2"),
            ("x = a\n  b\n\n#c\n\td", "a  b\td"),
            ("x = $y$y\ny = 1", "11"),
            ("x = ${y}z$(y)\ny = 1", "1z1"),
            ("x = $$y", "$y"),
            ("x = ${y?yes}${y:no}\ny = 1", "yes"),
            ("x = ${y?yes}${y:no}\ny =", "no"),
            ("x = ${y?{is $y}:{none}}\ny = 1", "is 1"),
            ("x = ${y ?{a}:{b}}\ny = 1", None),
            ("x = $unset_here", None),
            ("x = $x", None),
            ("x = $y\ny = $x", None),
            ("x = ${y", None),
            ("x = ${{a} == {b} ? {c} : {d}}", None),
            (" x = 1", None),
            ("x", None),
            ("", None),
        ],
    )
    def test_values(self, text: str, value: str | None) -> None:
        assert MainCf(text).value("x") == value


class TestMultilog:
    """Directories of multilog and its kin."""

    @pytest.mark.parametrize(
        "directory",
        [
            "/var/log/qmail",
            "/var/log/qmail/qmail-send",
            "/var/log/qmail/tcp",
            "/service/qmail-smtpd/log/main",
            "/var/qmail/supervise/anything/log/main",
            "/var/multilog/pop3d",
            "/var/log/dovecot",
        ],
    )
    def test_the_live_file_of_a_mail_service(self, host: Host, directory: str) -> None:
        host.logs(f"{directory}/current", f"{directory}/@400000004b5c61f00d112233.s", f"{directory}/lock")
        assert host.found() == [f"{directory}/current"]
        assert host.why() == [f"multilog: the directory {directory}"]

    @pytest.mark.parametrize(
        "directory", ["/var/multilog/dnscache", "/service/tinydns/log/main", "/var/log/sshd"]
    )
    def test_other_services_are_not_mail(self, host: Host, directory: str) -> None:
        host.logs(f"{directory}/current")
        assert host.found() == []

    def test_a_directory_of_another_kind_is_none(self, host: Host) -> None:
        host.logs("/var/log/dovecot/info.log")
        assert host.found() == []

    def test_run_scripts_name_their_directories(self, host: Host) -> None:
        host.write(
            "/etc/sv/smtpd/log/run",
            "#!/bin/sh\n# multilog /var/old\nexec setuidgid qmaill \\\n"
            " multilog t s1000000 '-*status*' /data/logs/smtpd ./own\n",
        )
        host.write("/etc/sv/dnscache/log/run", "exec svlogd -tt /data/logs/dns\n")
        host.logs(
            "/data/logs/smtpd/current",
            "/etc/sv/smtpd/log/own/current",
            "/data/logs/dns/current",
            "/var/old/current",
        )
        assert host.found() == ["/data/logs/smtpd/current", "/etc/sv/smtpd/log/own/current"]

    def test_they_are_given_beside_a_daemon_s_logs_and_once(self, host: Host) -> None:
        host.write("/etc/rsyslog.conf", "mail.* /var/log/mail.log\n")
        host.logs("/var/log/mail.log", "/var/log/qmail/qmail-send/current")
        (host.root / "service/qmail-send/log").mkdir(parents=True)
        (host.root / "service/qmail-send/log/main").symlink_to(host.root / "var/log/qmail/qmail-send")
        assert host.found() == ["/var/log/mail.log", "/var/log/qmail/qmail-send/current"]


class TestUsualPlacesAndJournal:
    """What is left when no configuration says anything."""

    @pytest.mark.parametrize(
        ("logs", "found"),
        [
            (["/var/log/mail.log", "/var/log/mail.err", "/var/log/mail.info"], ["/var/log/mail.log"]),
            (["/var/log/mail.info"], ["/var/log/mail.info"]),
            (["/var/log/maillog", "/var/log/maillog.0"], ["/var/log/maillog"]),
            (["/var/log/mail"], ["/var/log/mail"]),
            (["/var/log/mail/mail.log", "/var/log/mail/mail.info"], ["/var/log/mail/mail.log"]),
            (["/var/log/mail/current"], ["/var/log/mail/current"]),
        ],
    )
    def test_usual_places(self, host: Host, logs: list[str], found: list[str]) -> None:
        host.logs(*logs)
        assert host.found() == found

    def test_two_names_of_one_log_are_one(self, host: Host) -> None:
        host.logs("/var/log/mail.log")
        (host.root / "var/log/maillog").symlink_to("mail.log")
        assert host.found() == ["/var/log/mail.log"]

    def test_they_are_not_asked_when_a_daemon_is_configured(self, host: Host) -> None:
        host.write("/etc/rsyslog.conf", "mail.* /var/log/real\n")
        host.logs("/var/log/real", "/var/log/maillog")
        assert host.found() == ["/var/log/real"]

    def test_the_journal_is_the_last_resort(self, host: Host) -> None:
        host.write("/usr/bin/journalctl")
        host.logs("/var/log/journal/0123456789abcdef/system.journal")
        (found,) = discover(host.root).found
        assert (found.kind, found.path) == ("journal", host.root / "var/log/journal")
        host.logs("/var/log/mail.log")
        assert [found.kind for found in discover(host.root).found] == ["file"]

    def test_a_journal_without_journalctl_or_files_is_none(self, host: Host) -> None:
        host.logs("/run/log/journal/0123456789abcdef/system.journal")
        assert host.found() == []
        host.write("/usr/bin/journalctl")
        assert host.found() == ["/run/log/journal"]
        shutil.rmtree(host.root / "run/log/journal/0123456789abcdef")
        assert host.found() == []


class TestUnreadable:
    """What is there but closed to us is named, not passed over."""

    def test_a_log(self, as_nobody: tuple[Host, Callable[[], Discovery]]) -> None:
        host, search = as_nobody
        host.write("/etc/rsyslog.conf", "mail.* /var/log/mail.log\nmail.err /var/log/mail.err\n")
        host.write("/var/log/mail.log").chmod(0o000)
        host.write("/var/log/mail.err")
        host.write("/var/log/maillog")
        discovery = search()
        assert discovery.found == ()  # not mail.err in its place: it holds a part only
        assert [(found.path, found.why) for found in discovery.unreadable] == [
            (host.root / "var/log/mail.log", "rsyslog: mail.* in /etc/rsyslog.conf line 1")
        ]

    def test_a_configuration(self, as_nobody: tuple[Host, Callable[[], Discovery]]) -> None:
        host, search = as_nobody
        host.write("/etc/rsyslog.conf", "$IncludeConfig /etc/rsyslog.d/\nmail.* /var/log/m\n").chmod(0o644)
        host.write("/etc/rsyslog.d/x.conf").parent.chmod(0o000)
        host.write("/etc/syslog.conf").chmod(0o000)
        host.logs("/var/log/m")
        discovery = search()
        assert host.names(discovery) == ["/var/log/m"]
        assert [(found.path.name, found.why) for found in discovery.unreadable] == [
            ("rsyslog.d", "configuration of rsyslog"),
            ("syslog.conf", "configuration of syslogd"),
        ]

    def test_a_multilog_directory(self, as_nobody: tuple[Host, Callable[[], Discovery]]) -> None:
        host, search = as_nobody
        host.write("/var/log/qmail/qmail-send/current").parent.chmod(0o000)
        host.write("/var/log/spamd-private/notes").parent.chmod(0o000)
        discovery = search()
        assert discovery.found == ()
        assert [found.path for found in discovery.unreadable] == [
            host.root / "var/log/qmail/qmail-send/current"
        ]

    def test_a_journal(self, as_nobody: tuple[Host, Callable[[], Discovery]]) -> None:
        host, search = as_nobody
        host.write("/usr/bin/journalctl")
        host.write("/var/log/journal/0123456789abcdef/system.journal").chmod(0o000)
        discovery = search()
        assert discovery.found == ()
        assert [found.kind for found in discovery.unreadable] == ["journal"]


def test_a_fifo_among_the_configuration_does_not_hold_up_the_search(host: Host) -> None:
    (host.root / "etc").mkdir()
    os.mkfifo(host.root / "etc/rsyslog.conf")
    assert discover(host.root) == Discovery((), ())


def test_a_name_with_dots_does_not_lead_out_of_the_root(host: Host, tmp_path: Path) -> None:
    inner = Host(tmp_path / "inner")
    inner.write("/etc/rsyslog.conf", "mail.* /../../outside\n$IncludeConfig /../../../etc/*.conf\n")
    (tmp_path / "outside").write_text("x")
    inner.logs("/outside")
    assert [found.path for found in discover(inner.root).found] == [inner.root / "outside"]


WORDS = st.sampled_from(
    [
        "mail",
        "mail.*",
        "*.*",
        "if",
        "then",
        "else",
        "$msg",
        "==",
        "'mail'",
        '"',
        "'",
        "{",
        "}",
        "(",
        ")",
        ";",
        "&",
        "stop",
        "/var/log/m",
        "-/var/log/m",
        "\n",
        "\\\n",
        "#",
        "/*",
        "*/",
        "not",
        "and",
        "action(",
        'file="/var/log/m"',
        "include",
        "!",
        "$IncludeConfig",
        "/etc/*.conf",
        ":msg, contains,",
        '"x"',
        "log",
        "filter",
        "source(s)",
        "facility(mail)",
        "@include",
        "..",
        "destination",
        "=",
        "$y",
        "${",
        "maillog_file",
        "\x00",
        "é",
        "call x",
        "ruleset(",
        "set",
        "foreach",
        "do",
        "+",
        "call",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=60), st.sampled_from([" ", ""]))
def test_no_configuration_makes_it_fail(host: Host, words: list[str], glue: str) -> None:
    text = glue.join(words)
    for name in (
        "rsyslog.conf",
        "syslog.conf",
        "syslog-ng/syslog-ng.conf",
        "postfix/main.cf",
        "sv/mail/log/run",
    ):
        host.write(f"/etc/{name}", text)
    host.logs("/var/log/m")
    discovery = discover(host.root)
    assert set(host.names(discovery)) <= {"/var/log/m"}


@pytest.mark.parametrize(
    "opening",
    [
        "{",
        "(",
        "if (",
        "not ",
        "if 1 then ",
        "mail.* {\n",
        "log {",
        "${x?{",
        "else if 1 then ",
        "if 1 then x else ",
    ],
)
def test_no_depth_makes_it_fail(host: Host, opening: str) -> None:
    for name in ("rsyslog.conf", "syslog.conf", "syslog-ng/syslog-ng.conf"):
        host.write(f"/etc/{name}", opening * 3000)
    host.write("/etc/postfix/main.cf", "maillog_file = " + opening * 3000)
    assert discover(host.root).found == ()


def test_a_long_condition_is_read_or_passed_over_but_does_not_fail(host: Host) -> None:
    terms = " or ".join(f"$programname == 'p{number}'" for number in range(5000))
    host.write("/etc/rsyslog.conf", f"if {terms} then /var/log/p\nmail.* /var/log/m\n")
    host.logs("/var/log/m", "/var/log/p")
    assert host.found() == ["/var/log/m"]

"""The settings file: what is taken, and in which words the rest is refused."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from mailscope.language.choice import LANGUAGES
from mailscope.vocabulary.errors import InputError, SettingsError
from mailscope.vocabulary.settings.described import example, setting_at, tables
from mailscope.vocabulary.settings.outward import DailyReport
from mailscope.vocabulary.settings.reading import Loaded, load, parse
from mailscope.vocabulary.settings.settings import Settings

NAME = "mailscope.toml"


def faults(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(text, NAME)
    assert caught.value.exit_code == 2
    return [str(fault) for fault in caught.value.faults]


def test_values_are_taken_and_know_their_lines() -> None:
    loaded = parse(
        """time_zone = "Europe/Rome"
[store]  # here
"batch_interval_s" = 2
[[receiver.listen]]
transport = "tcp"
networks = [  # with a = b in the comment
    "192.0.2.0/24",
]
port = 1514
[[receiver.listen]]
transport = "unix-dgram"
path = "/run/x # [no] = table"
[receiver]
max_connections = 3
""",
        NAME,
    )
    settings = loaded.settings
    assert settings.time_zone == "Europe/Rome"
    assert settings.store.batch_interval_s == 2
    assert [listener.transport for listener in settings.receiver.listen] == ["tcp", "unix-dgram"]
    assert settings.receiver.listen[0].networks == ("192.0.2.0/24",)
    assert loaded.origin(("store", "batch_interval_s")) == f"{NAME}, line 3"
    assert loaded.origin(("receiver", "listen", 0, "port")) == f"{NAME}, line 9"
    assert loaded.origin(("receiver", "listen", 1, "path")) == f"{NAME}, line 12"
    assert loaded.origin(("receiver", "listen", 1, "port")) == "default"
    assert loaded.origin(("receiver", "max_connections")) == f"{NAME}, line 14"
    assert loaded.origin(("retention", "events_days")) == "default"


def test_inline_and_dotted_keys_are_found() -> None:
    loaded = parse('load = { interval_s = 5 }\nstore.directory = """\\\n  /srv/x"""\nhosts = ["a"]\n', NAME)
    assert loaded.settings.store.directory == "/srv/x"
    assert loaded.origin(("load", "interval_s")) == f"{NAME}, line 1"
    assert loaded.origin(("store", "directory")) == f"{NAME}, line 2"
    assert loaded.origin(("hosts",)) == f"{NAME}, line 4"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("retenton = 3", "line 1: there is no setting 'retenton'; did you mean 'retention'?"),
        (
            "[store]\nevents_days = 3",
            "line 2: there is no setting 'store.events_days'; it belongs into [retention]",
        ),
        (
            "[load]\ndirectry = 3",
            "line 2: there is no setting 'load.directry'; did you mean 'directory' of [store] or [archive]?",
        ),
        ("[load]\nxyzzy = 3", "line 2: there is no setting 'load.xyzzy'; known here: interval_s, paths"),
        (
            "[retention]\n\nevents_days = 0",
            "line 3: 'retention.events_days' cannot be 0; give a whole number from 1 to 36500 (days); "
            "the default is 28",
        ),
        (
            "[sources]\ndiscover = 1",
            "line 2: 'sources.discover' cannot be 1; give true or false; the default is true",
        ),
        (
            "[load]\ninterval_s = true",
            "line 2: 'load.interval_s' cannot be true; give a whole number from 1 to 3600 (seconds); "
            "the default is 10",
        ),
        (
            '[load]\ninterval_s = "10"',
            "line 2: 'load.interval_s' cannot be \"10\"; give a whole number from 1 to 3600 (seconds); "
            "the default is 10",
        ),
        (
            "[store]\nbatch_interval_s = nan",
            "line 2: 'store.batch_interval_s' cannot be nan; give a number from 0.1 to 60 (seconds); "
            "the default is 1.0",
        ),
        (
            '[sources]\nfiles = ["/a", "b"]',
            'line 2: \'sources.files[2]\' cannot be "b"; give an absolute path, such as "/var/log/mail.log"',
        ),
        (
            'networks = ["192.0.2.1/24"]',
            "line 1: 'networks[1]' cannot be \"192.0.2.1/24\"; give a network without host bits, such as "
            '"192.0.2.0/24" or "2001:db8::/32"',
        ),
        (
            '[[receiver.listen]]\ntransport = "udq"',
            'line 2: \'receiver.listen[1].transport\' cannot be "udq"; give "udp", "tcp", "tls", "unix-dgram" or "unix-stream"',
        ),
        (
            "[[receiver.listen]]\nport = 514",
            'line 1: \'transport\' is missing in receiver.listen[1]; give "udp", "tcp", "tls", "unix-dgram" or "unix-stream"',
        ),
        (
            '[[receiver.listen]]\ntransport = "udp"\n[[receiver.listen]]\ntransport = "tls"',
            "line 3: receiver.listen[2]: a tls listener needs 'certificate'; see docs/settings.md",
        ),
        (
            '[[receiver.listen]]\ntransport = "udp"\nmode = "0600"',
            "line 1: receiver.listen[1]: 'mode' means nothing to a listener whose transport is udp; "
            "see docs/settings.md",
        ),
        (
            '[daily_report]\nvia = "smtp"\nsmtp_host = "mail.example.org"\nsmtp_tls = "none"\n'
            'smtp_user = "u"\nsmtp_password_file = "/p"',
            "line 1: daily_report: the password would travel in the clear: smtp_tls must be starttls or tls; "
            "see docs/settings.md",
        ),
        ("load = 3", "line 1: 'load' is a table, not 3; write [load]"),
        (
            "[store]\ndirectory = {}",
            "line 2: 'store.directory' cannot be a table; give an absolute path, such as "
            '"/var/log/mail.log"; the default is "/var/lib/mailscope"',
        ),
        (
            "[store]\ndirectory = \n",
            'line 2: it is not TOML: Invalid value; write NAME = VALUE, with texts in quotes: "..."',
        ),
        (
            'time_zone = "Mars/Base"',
            'line 1: \'time_zone\' cannot be "Mars/Base"; give a time zone, such as "Europe/Rome" or "UTC", '
            'or "" for the system\'s; the default is ""',
        ),
    ],
)
def test_a_refusal_names_line_value_and_remedy(text: str, told: str) -> None:
    assert faults(text) == [f"{NAME}, {told}"]


def test_all_faults_are_told_at_once_in_order() -> None:
    text = "hosts = 3\n[retention]\nevents_days = -1\nsessions_days = -1\n"
    told = faults(text)
    assert [each.split(":")[0] for each in told] == [f"{NAME}, line {n}" for n in (1, 3, 4)]
    with pytest.raises(SettingsError) as caught:
        parse(text, NAME)
    assert "(and 2 more faults: see 'mailscope config check')" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_hostile_values_stay_one_line() -> None:
    [told] = faults('[store]\ndirectory = "a\\nb\\u001b[31m' + "x" * 5_000 + '"\n')
    assert told.isprintable()
    assert len(told) < 300


def test_a_file_that_is_missing_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load(tmp_path / "none.toml")
    assert load(tmp_path / "none.toml", must_exist=False) == Loaded(Settings())
    (tmp_path / NAME).write_bytes(b"hosts = []\n# \xff\n")
    with pytest.raises(SettingsError, match="line 2: it is not UTF-8"):
        load(tmp_path / NAME)
    (tmp_path / NAME).write_bytes(b"\xef\xbb\xbfhosts = ['mail']\r\n")
    assert load(tmp_path / NAME).settings.hosts == ("mail",)


def test_the_example_holds_every_default() -> None:
    # What there may be several of is no default.
    repeated = re.findall(r"\n#\[\[.*?(?=\n\[|\Z)", example(), re.DOTALL)
    assert any('\n#transport = "udp"\n' in each for each in repeated)
    assert any('\n#zone = "example.org"\n' in each for each in repeated)
    assert any('\n#name = "mail"\n' in each and '\n#via = "smtp"\n' in each for each in repeated)
    single = example()
    for each in repeated:
        single = single.replace(each, "")
    uncommented = "\n".join(
        line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line
        for line in single.splitlines()
    )
    loaded = parse(uncommented, NAME)
    assert loaded.settings == Settings()
    for group in tables():
        if not group.repeated:
            for setting in group.settings:
                assert loaded.origin((*group.path, setting.name)) != "default", setting.name


def test_every_setting_is_described() -> None:
    for group in tables():
        assert group.meaning.endswith(".")
        for setting in group.settings:
            assert setting.meaning.endswith("."), setting.name
            assert setting_at((*group.path, *([0] if group.repeated else []), setting.name)) is setting


def test_the_report_speaks_the_languages_that_there_are() -> None:
    for language in LANGUAGES:
        assert DailyReport(language=language).language == language  # type: ignore[arg-type]

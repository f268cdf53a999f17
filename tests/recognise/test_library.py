"""Which programs a tag means; an administrator's own files override and add."""

from __future__ import annotations

from pathlib import Path

import pytest
from patterns import EVENT, READERS, SHIPPED, event, program, records, sample_tag

from mailscope.recognise import library as lib
from mailscope.recognise.engine import MANY_PATTERNS, SHALLOW, Engine
from mailscope.recognise.library import Library, in_force, load
from mailscope.vocabulary.errors import PatternError


def write(directory: Path, name: str, content: str) -> Path:
    file = directory / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def source(name: str, header: str, events: str) -> str:
    return f'[program]\nname = "{name}"\n{header}\n{events}'


# ---------------------------------------------------------------- own directories


def test_a_new_file_adds_a_program(tmp_path: Path) -> None:
    write(tmp_path, "site/x", source("site/x", "tags = ['x']", EVENT))
    library = load([tmp_path])
    assert records(Engine(library), "x[1]", ["gone: 4B5C61F00D"]) == [
        {"event": "removed", "fields": {"queue_id": "4B5C61F00D"}}
    ]
    assert library.programs.keys() == {*SHIPPED.programs, "site/x"}


def test_a_file_of_the_same_name_replaces_ours(tmp_path: Path) -> None:
    header = "service = 'anvil'\ntags = ['{postfix}/anvil']"
    write(tmp_path, "postfix/anvil", source("postfix/anvil", header, EVENT))
    engine = Engine(load([tmp_path]))
    known = "statistics: max cache size 1 at Oct 26 18:13:50"
    assert records(engine, "postfix/anvil", ["gone: 4B5C61F00D", known])[1] is None
    assert records(Engine(SHIPPED), "postfix/anvil", [known])[0] is not None


def test_an_own_program_is_asked_before_ours(tmp_path: Path) -> None:
    write(tmp_path, "site/x", source("site/x", "tags = ['postfix/anvil']", EVENT))
    engine = Engine(load([tmp_path]))
    assert records(engine, "postfix/anvil", ["gone: 4B5C61F00D"])[0] is not None
    assert records(engine, "postfix-mx2/anvil", ["gone: 4B5C61F00D"])[0] is None


def test_the_first_of_several_directories_counts(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, "site/x", source("site/x", "service = 'one'\ntags = ['x']", EVENT))
    write(two, "site/x", source("site/x", "service = 'two'\ntags = ['x']", EVENT))
    assert load([one, two]).programs["site/x"].service == "one"


def test_an_own_file_may_include_ours(tmp_path: Path) -> None:
    header = "tags = ['smtp-test']\nincludes = ['postfix/delivery']\nstrip = 'queue_id'"
    write(tmp_path, "site/x", source("site/x", header, EVENT))
    text = (
        "4B5C61F00D: to=<a@example.org>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (x)"
    )
    [record] = records(Engine(load([tmp_path])), "smtp-test[1]", [text])
    assert record is not None
    assert record["event"] == "delivery_attempted"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[program", "not TOML"),
        ("\xff", "not TOML"),
        (source("site/x", "includes = ['nowhere']", ""), "includes 'nowhere', which does not exist"),
        (source("site/y", "", ""), "it must be the file's path"),
        (source("site/x", "", EVENT.replace("{queue_id}", "{colour}")), "unknown field {colour}"),
    ],
)
def test_a_broken_own_file_is_one_clear_line(tmp_path: Path, content: str, complaint: str) -> None:
    file = write(tmp_path, "site/x", content)
    with pytest.raises(PatternError) as caught:
        load([tmp_path])
    assert str(caught.value).startswith(str(file))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PatternError, match="cannot be read") as caught:
        load([tmp_path])
    assert str(file) in str(caught.value)


def test_a_directory_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lib, "ADMIN_DIRECTORY", tmp_path / "etc")
    assert in_force().programs.keys() == SHIPPED.programs.keys()
    with pytest.raises(PatternError, match="no such directory"):
        in_force(tmp_path / "absent")
    write(tmp_path / "etc", "site/x", source("site/x", "tags = ['x']", EVENT))
    assert "site/x" in in_force().programs


# ---------------------------------------------------------------- tags


def test_shipped_files_have_the_names_of_their_paths() -> None:
    root = Path(lib.__file__).parent / "patterns"
    names = {path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.toml")}
    assert SHIPPED.programs.keys() == names


def test_no_tag_means_two_programs() -> None:
    for reader in READERS:
        tag = sample_tag(reader)
        if tag and not reader.inside:
            owners = [
                p.name for p in READERS if not p.inside and any(regex.fullmatch(tag) for regex in p.tags)
            ]
            assert owners == [reader.name], tag


@pytest.mark.parametrize(
    ("tag", "service", "instance"),
    [
        ("postfix/smtpd", "smtpd", "postfix"),
        ("postfix-mx2/smtpd", "smtpd", "postfix-mx2"),
        ("postfix/submission/smtpd", "smtpd", "postfix"),
        ("postfix-in/smtps-465/smtpd", "smtpd", "postfix-in"),
        ("mx/smtp", "smtp", "mx"),
        ("/postfix-script", "postfix-script", None),
        ("qmail", "qmail-send", None),
        ("imapd-ssl", "imapd", None),
        ("dovecot", "dovecot", None),
        ("dovecot: pop3-login", "pop3-login", None),
        ("dovecot: IMAP", "imap", None),
        ("dovecot: my-plugin", "my-plugin", None),
    ],
)
def test_tags(tag: str, service: str, instance: str | None) -> None:
    reading = SHIPPED.reading(tag)
    assert reading is not None
    assert (reading.service, reading.instance) == (service, instance)


@pytest.mark.parametrize("tag", ["sshdx", "postfixx", "postfix/nonsense", "smtpd ", "x postfix/smtpd"])
def test_strangers(tag: str) -> None:
    assert SHIPPED.reading(tag) is None


def test_a_family_tag_means_any_of_its_programs() -> None:
    for tag in ("postfix", "postfix-mx2"):
        reading = SHIPPED.reading(tag)
        assert reading is not None
        assert len(reading.programs) > 20
        assert (reading.service, reading.instance) == (None, tag)


def test_rank_decides_between_programs_of_a_family() -> None:
    late = program("a/late", "service = 'late'\nfamily = 'f'\nrank = 1\ntags = ['l']", event("x", "x", ""))
    early = program("b/early", "service = 'early'\nfamily = 'f'\ntags = ['e']", event("x", "x", ""))
    reading = Library([late, early]).reading("f")
    assert reading is not None
    assert [service for _, service in reading.candidates("x", 4).entries] == ["early", "late"]


def test_a_shared_pattern_implies_no_service() -> None:
    common = program("c/common", "", event("x", "x", ""))
    one = program("a/one", "service = 'one'\nfamily = 'f'\nincludes = ['c/common']\ntags = ['1']", "")
    two = program("b/two", "service = 'two'\nfamily = 'f'\nincludes = ['c/common']\ntags = ['2']", "")
    reading = Library([common, one, two]).reading("f")
    assert reading is not None
    assert [service for _, service in reading.patterns] == [None]


def test_files_may_include_each_other() -> None:
    one = program("a/one", "includes = ['b/two']\ntags = ['1']", event("x", "x", ""))
    two = program("b/two", "includes = ['a/one']\ntags = ['2']", event("y", "y", ""))
    library = Library([one, two])
    assert [p.match for p in library.patterns_of(one)] == ["x", "y"]
    assert [p.match for p in library.patterns_of(two)] == ["y", "x"]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("postfix/smtpd", "connect from mx.example.org[192.0.2.1]"),
        ("postfix/smtpd", "disconnect from mx.example.org[192.0.2.1] ehlo=1 quit=1 commands=2"),
        ("postfix/smtpd", "client=mx.example.org[192.0.2.1]"),
        ("postfix/cleanup", "message-id=<a@example.org>"),
        ("postfix/qmgr", "from=<a@example.org>, size=1, nrcpt=1 (queue active)"),
        ("postfix/qmgr", "removed"),
    ],
)
def test_the_most_frequent_lines_have_few_patterns_to_try(tag: str, text: str) -> None:
    # Beyond MANY_PATTERNS the lines are parted a second time, by more characters, which costs as much as a
    # regex: a new pattern should not begin with the same four characters as one of these.
    reading = in_force().reading(tag)
    assert reading is not None
    assert reading.candidates(text[:SHALLOW], SHALLOW).close <= MANY_PATTERNS

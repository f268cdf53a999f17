"""Writes the documents that are made from the code: fields, events, tables in the others.

    python docs/generate.py            write what is stale
    python docs/generate.py --check    only say what is stale (exit code 1)

``commands.md``, ``fields.md``, ``events.md``, ``causes.md``, ``settings.md``, ``detections.md`` and
``packaging/mailscope.toml`` are made whole; in the others, what stands between the marks ``<!--
generated: NAME -->`` and ``<!-- end -->``.  In: the vocabulary, the pattern files, the sections of the
report.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from mailscope.causes.catalogue import Cause, catalogue, fault_words
from mailscope.causes.codes import Code, enhanced_codes, reply_codes
from mailscope.causes.files import read
from mailscope.causes.messages import messages
from mailscope.causes.wording import rules
from mailscope.exports import names
from mailscope.exports.categories import CATEGORIES
from mailscope.exports.choice import CORE_COLUMNS, EXPORTED
from mailscope.recognise.library import Library, shipped
from mailscope.recognise.replies import ATTEMPT, REPLY_FIELDS
from mailscope.recognise.tokens import FIELD_TOKENS, KIND_TOKENS, TOKENS
from mailscope.reports.sections import SECTIONS
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.fields import BY_NAME, CLIENT, CORE, FIELDS, HOST, MAIL, MEASURES, Field
from mailscope.vocabulary.settings.described import example, tables
from mailscope.vocabulary.tables import EVENTS as STORED
from mailscope.vocabulary.tables import SQL_TYPES, TABLES
from mailscope.watch.metrics.families import GROUPS as METRICS
from mailscope.watch.metrics.shipped import rules as alert_rules
from mailscope.watch.registry import abouts

HERE: Final = Path(__file__).parent
# What is made of the commands is made there, for manual pages and shells too.
sys.path.insert(0, str(HERE.parent / "packaging"))
NOTE: Final = "<!-- Made by docs/generate.py from the code: do not edit. -->"
MARKED: Final = re.compile(r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
KINDS: Final = {"str": "text", "int": "whole number", "float": "number", "time": "instant"}
PRIVACY: Final = {
    "none": "",
    "address": "address or login",
    "ip": "network address or host",
    "content": "words of a person or a remote",
}
GROUPS: Final = (
    ("Core: on every event", CORE),
    ("Mail", MAIL),
    ("Clients, sessions, TLS, logins", CLIENT),
    ("Figures and other objects", MEASURES),
    ("Users, web requests and packets", HOST),
)


def documents() -> dict[str, str]:
    """The wanted text of every document that is wholly or partly generated, by file name."""
    library = Library(shipped())
    whole = {
        "commands.md": commands_page(),
        "fields.md": fields_page(),
        "events.md": events_page(library),
        "causes.md": causes_page(),
        "settings.md": settings_page(),
        "detections.md": detections_page(),
        "../packaging/mailscope.toml": example(),
    }
    parts: dict[str, Callable[[], str]] = {
        "tokens": tokens_table,
        "field tokens": field_tokens_table,
        "core": lambda: fields_table(field for field in CORE if field.name in CORE_COLUMNS),
        "replies": lambda: fields_table(BY_NAME[name] for name in REPLY_FIELDS),
        "sections": sections_table,
        "names": names_table,
        "categories": categories_table,
        "store tables": store_tables,
        "metrics": metrics_tables,
        "alerts": alerts_table,
    }
    return whole | {
        name: filled((HERE / name).read_text(encoding="utf-8"), parts)
        for name in ("json.md", "patterns.md", "exports.md", "store.md", "metrics.md")
    }


def filled(page: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """A page with its marked parts made anew."""
    return MARKED.sub(lambda found: f"{found[1]}{parts[found[2]]()}\n{found[3]}", page)


def commands_page() -> str:
    """docs/commands.md: every command with its options and examples."""
    from commands import commands

    lines = [
        NOTE,
        "# Commands",
        "",
        "What `--help` of each command says; `man mailscope-NAME` has the same where the Debian package is",
        "installed.  Tests hold every example against the command line, and run one of each command.",
    ]
    for command in commands():
        level = "#" * min(2 + max(len(command.words) - 1, 0), 4)
        lines += ["", f"{level} {command.name}", "", f"    {command.name} {command.usage}".rstrip()]
        lines += [f"\n{plain(paragraph)}" for paragraph in command.paragraphs]
        if command.options:
            rows = ((code(option), plain(meaning)) for option, meaning in command.options)
            lines += ["", table(("Option", "Meaning"), rows)]
        lines += ["", "Example:", "", *(f"    {example}" for example in command.examples)]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Words of help, of which nothing is markup."""
    return re.sub(r"([\\<>*_|\[\]])", r"\\\1", text.replace("\b", "").strip("\n"))


def fields_page() -> str:
    """docs/fields.md: every column of every output."""
    lines = [
        NOTE,
        "# Fields",
        "",
        "Every column that any output shows, whatever wrote the line.  Units stand in the name: `_s`",
        "seconds, `_bytes` bytes; instants are UTC with microseconds.  *Privacy* says what a field can tell",
        "of a person.  A field that a line does not carry is absent.  `mailscope patterns fields` prints",
        "this list.",
    ]
    for title, group in GROUPS:
        lines += ["", f"## {title}", "", fields_table(group)]
    return "\n".join(lines) + "\n"


def fields_table(group: Iterable[Field]) -> str:
    """Fields as a table."""
    rows = ((f"`{f.name}`", KINDS[f.kind], f.meaning, PRIVACY[f.privacy]) for f in group)
    return table(("Field", "Type", "Meaning", "Privacy"), rows)


def events_page(library: Library) -> str:
    """docs/events.md: every event, the programs that write it, and what each line of theirs means."""
    lines = [
        NOTE,
        "# Events",
        "",
        "What a line says happened: the same word for every program.  Under each event stand the pattern",
        "files whose lines give it, and what those lines mean.  `mailscope patterns list FILE` shows the",
        "patterns with their fields.",
        "",
        table(("Event", "Meaning"), ((f"[`{name}`](#{name})", meaning) for name, meaning in EVENTS.items())),
    ]
    for event, meaning in EVENTS.items():
        lines += ["", f"## {event}", "", meaning]
        written = [
            (program.name, meanings)
            for program in library.programs.values()
            if (meanings := [p.meaning for p in program.patterns if p.event == event])
        ]
        if event == ATTEMPT:
            names = ", ".join(f"`{name}`" for name in REPLY_FIELDS)
            lines += ["", f"Where a remote's reply is logged, {names} are read from it."]
        if written:
            lines.append("")
        for name, meanings in written:
            lines.append(f"- **{name}**")
            lines += [f"  - {each}" for each in dict.fromkeys(meanings)]
    return "\n".join(lines) + "\n"


def causes_page() -> str:
    """docs/causes.md: every cause, what tells it, and what the codes and log messages mean."""
    lines = [
        NOTE,
        "# Causes",
        "",
        "Why a delivery failed, or why we refused: one word for all the words that servers have for it.  The",
        "fault and the advice depend on the side: *outgoing* is a delivery of ours that failed, *incoming* a",
        "client, message or recipient that we turned away.  `mailscope explain` tells all this for a code, a",
        "reply, a log line or a bounce, in English, Chinese, Italian and Swedish.",
        "",
        "What counts, in this order: words that tell a cause; a precise enhanced code; words that tell",
        "little; a vague enhanced code (such as 5.7.1); the reply code; the status.  What none knows is",
        "`unclassified`; `mailscope coverage --causes` shows it.  The data is in src/mailscope/causes/data:",
        "add a wording as a `[[rule]]` with its `cause`, what it `says` (text in small letters, `*` for",
        "anything, `^` for the beginning) and `examples`; `mailscope patterns check` holds them against each",
        "other.",
        "",
    ]
    known = catalogue()
    heads = ("Cause", "What it is", "Fault, outgoing", "Fault, incoming")
    lines.append(table(heads, (_cause_row(cause) for cause in known.values())))
    for cause in known.values():
        lines += ["", f"## {cause.name}", "", *_cause_lines(cause)]
    lines += ["", "## Enhanced status codes", "", _codes_table(enhanced_codes().values())]
    lines += ["", "## Reply codes", "", _codes_table(reply_codes().values())]
    lines += ["", "## Log messages", "", "Those of the tables of the articles on reading mail logs.", ""]
    heads = ("Program", "Class", "Message", "Meaning", "What to do")
    rows = (
        (m.program, m.kind, f"`{m.says.strip()}`", m.words["en"]["meaning"], m.words["en"]["advice"])
        for m in messages()
    )
    lines.append(table(heads, rows))
    lines += ["", "## Blocklists", "", "Where an address can be looked up on a list that a reply names.", ""]
    lines.append(table(("List", "Look-up"), ((e["name"], e["look_up"]) for e in read("blocklists")["list"])))
    return "\n".join(lines) + "\n"


def _cause_row(cause: Cause) -> tuple[str, str, str, str]:
    faults = fault_words(cause.fault), fault_words(cause.fault_incoming)
    return f"[`{cause.name}`](#{cause.name})", cause.text().title, *faults


def _cause_lines(cause: Cause) -> list[str]:
    outgoing, incoming = cause.text(direction="outgoing"), cause.text(direction="incoming")
    lines = [f"**{outgoing.title}.** {outgoing.meaning}", "", f"- Outgoing: {outgoing.advice}"]
    if incoming.advice != outgoing.advice:
        lines.append(f"- Incoming: {incoming.advice}")
    providers = dict.fromkeys(rule.provider for rule in rules() if rule.cause == cause.name and rule.provider)
    if providers:
        lines.append(f"- Wordings known of: {', '.join(providers)}")
    return [*lines, f"- See: {', '.join(cause.references)}"]


def _codes_table(codes: Iterable[Code]) -> str:
    rows = (
        (f"`{c.code}`", c.meaning["en"], f"`{c.cause}`" if c.cause else "", ", ".join(c.references))
        for c in codes
    )
    return table(("Code", "Meaning", "Cause", "See"), rows)


def tokens_table() -> str:
    """The named tokens of pattern files."""
    return table(("Token", "Matches"), ((f"`{name}`", code(regex)) for name, regex in TOKENS.items()))


def field_tokens_table() -> str:
    """Which token a field stands for when a pattern names no other."""
    rows = [
        (f"`{token}`", ", ".join(f"`{n}`" for n, t in FIELD_TOKENS.items() if t == token))
        for token in dict.fromkeys(FIELD_TOKENS.values())
    ]
    rest = [field for field in FIELDS[len(CORE) :] if field.name not in FIELD_TOKENS]
    rows.append(("their own name", ", ".join(f"`{field.name}`" for field in rest if field.name in TOKENS)))
    rows += [
        (f"`{KIND_TOKENS[kind]}`", f"every other field whose type is {KINDS[kind]}")
        for kind in dict.fromkeys(field.kind for field in rest)
    ]
    return table(("Token", "Fields"), rows)


def settings_page() -> str:
    """docs/settings.md: every setting of the daemon."""
    lines = [
        NOTE,
        "# Settings",
        "",
        "The daemon reads `/etc/mailscope/mailscope.toml`, a [TOML](https://toml.io) file; without it, the",
        "defaults are in force.  `mailscope config check` names every setting that cannot be used, with its",
        "line; `mailscope config show` shows what is in force and where each value comes from; `mailscope",
        "config show --defaults` gives a whole commented file to begin with, as packaging/mailscope.toml is.",
        "Passwords and keys are no settings: they stand in files of their own, which settings name.",
        "Commands that read the store ask the daemon whose settings these are, also with `--store`; the",
        "environment variable `MAILSCOPE_CONFIG` names another settings file for them.",
        "",
        "SIGHUP (`systemctl reload mailscope`) reads the file again, with the patterns, keys and",
        "certificates that it names, and looks for the host's own logs again.  Logs are followed on from",
        "where they were read to; syslog sockets that stay keep their connections; nothing is lost.",
        "Settings that cannot be used leave all as it was, and the daemon says why.  `time_zone`,",
        "`store.directory`, `store.memory_limit_mb` and `[api]` change with the next start only.",
    ]
    for group in tables():
        lines += ["", f"## {group.heading or 'Before the first table'}", "", group.meaning, ""]
        rows = (
            (
                f"`{s.name}`",
                s.meaning,
                f"{s.allowed[0].upper()}{s.allowed[1:]}",
                s.default and code(s.default),
            )
            for s in group.settings
        )
        lines.append(table(("Setting", "Meaning", "Value", "Default"), rows))
    return "\n".join(lines) + "\n"


def detections_page() -> str:
    """docs/detections.md: what each detection sees, why it matters, its settings, what to do."""
    lines = [
        NOTE,
        "# Detections",
        "",
        "The daemon looks at what it stores, `mailscope detect FILES` at logs that are there already, with",
        "the logs' own clock; both find the same.  What is found is a *finding*: one incident, from where it",
        "begins until it is over, with figures, reasons, log lines and advice (`mailscope findings list`,",
        "`mailscope findings show ID`).  People are [told](alerts.md) of it once, and again when it is",
        "worse, comes back, or is over.  Detections are held against",
        "[simulated months](../benchmarks/README.md).",
        "",
        "[Detections of your own](own-detections.md) are data; those below come with Mailscope.  Their",
        "limits stand in `[detections]` of the [settings](settings.md).  Networks of ours and",
        "`trusted_networks` are never told of as attackers.",
    ]
    by_name = {group.path[-1]: group for group in tables() if group.path[:1] == ("detections",)}
    for about in abouts():
        lines += ["", f"## {about.name}", "", f"{about.sees}  {about.why}", ""]
        lines += [f"**False positives.**  {about.false_positives}", "", f"**What to do.**  {about.advice}"]
        if about.commands:
            lines += ["", *(f"    {command}" for command in about.commands)]
        group = by_name.get(about.name)
        if group is not None:
            rows = (
                (f"`{each.name}`", each.meaning, each.unit, each.default and code(each.default))
                for each in group.settings
            )
            lines += ["", table(("Setting", "Meaning", "Unit", "Default"), rows)]
    return "\n".join(lines) + "\n"


def sections_table() -> str:
    """The sections of the report, with the names in their rows."""
    rows = (
        (
            f"`{section.name}`",
            section.meaning,
            ", ".join(f"`{label.name}`" for label in section.labels),
            ", ".join(f"`{number.name}`" for number in section.numbers),
        )
        for section in SECTIONS
    )
    return table(("Key", "What it tells", "Rows are told apart by", "Numbers"), rows)


def store_tables() -> str:
    """The tables of the store."""
    lines: list[str] = []
    for each in TABLES.values():
        lines += [
            f"### {each.name}",
            "",
            f"{each.meaning}  Instants for retention and sealing: `{each.time}`.",
            "",
        ]
        shown = [c for c in each.columns if c.name not in BY_NAME or c.meaning != BY_NAME[c.name].meaning]
        own = shown if each is STORED else each.columns
        if each is STORED:
            rest = ", ".join(f"`{column.name}`" for column in each.columns if column not in own)
            lines += [f"The [fields](fields.md) {rest}; and:", ""]
        lines += [table(("Column", "Type", "Meaning"), ((f"`{c.name}`", sql(c), c.meaning) for c in own)), ""]
    return "\n".join(lines).rstrip()


def metrics_tables() -> str:
    """Every metric, by where it comes from."""
    lines: list[str] = []
    for title, group in METRICS.items():
        rows = (
            (f"`{f.shown}`", f.kind, ", ".join(f"`{label}`" for label in f.labels), f.meaning) for f in group
        )
        lines += [f"### {title}", "", table(("Metric", "Kind", "Labels", "Meaning"), rows), ""]
    return "\n".join(lines).rstrip()


def alerts_table() -> str:
    """The alert rules: what each looks at, and what it says."""
    rows = (
        (f"`{alert}`", text.replace("|", "\\|"))
        for alert, text in re.findall(
            r"- alert: (\w+)\n.*?description: \"(.*?)\"\n", alert_rules(), re.DOTALL
        )
    )
    return table(("Alert", "What to do"), rows)


def sql(column: Field) -> str:
    """A column's type in SQL."""
    return SQL_TYPES[column.kind]


def names_table() -> str:
    """What other schemas call our fields."""
    rows = (
        (f"`{f.name}`", f"`{names.ecs(f.name)}`", _otel(f.name), f"`{names.gelf(f.name)}`") for f in EXPORTED
    )
    return table(("Field", "ECS", "OpenTelemetry", "GELF"), rows)


def _otel(name: str) -> str:
    """An attribute as code, a part of the record in words."""
    told = names.otel(name)
    return told if told[0].isupper() else f"`{told}`"


def categories_table() -> str:
    """Where ECS puts our events."""
    rows = (
        (f"`{event}`", place.kind, ", ".join(place.category), ", ".join(place.type), place.outcome or "")
        for event, place in CATEGORIES.items()
    )
    return table(("event.action", "event.kind", "event.category", "event.type", "event.outcome"), rows)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    heads = tuple(heads)
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("\n", " ") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Text as code within a table, where a bar would end the cell."""
    return f"`{text}`".replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write or check the documents."""
    stale = 0
    for name, wanted in documents().items():
        path = HERE / name
        if path.exists() and path.read_text(encoding="utf-8") == wanted:
            continue
        stale += 1
        if arguments == ["--check"]:
            print(f"docs/{name} is stale: run python docs/generate.py")
        else:
            path.write_text(wanted, encoding="utf-8")
            print(f"wrote docs/{name}")
    return 1 if stale and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

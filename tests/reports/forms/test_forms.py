"""Every form holds every section, and hostile text shows as text in all of them."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import html5lib
import openpyxl
import pytest
from hostile import FORMULA, LONG, PAPER, SCRIPT, hostile
from replaying import Replay

from mailscope.language.choice import LANGUAGES
from mailscope.language.translator import TELL_ENGLISH, translator
from mailscope.reports import forms
from mailscope.reports.document import document
from mailscope.reports.forms import BY_ENDING, BY_NAME, FORMS
from mailscope.reports.forms.markdown import code, plain

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    return hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def report(examples: Replay) -> dict[str, Any]:
    return examples.report(top=10)


def made(form: str, report: dict[str, Any], language: str = "en") -> str:
    return BY_NAME[form].written(report, translator(language), PAPER).decode()


def book(report: dict[str, Any], language: str = "en") -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(BY_NAME["xlsx"].written(report, translator(language), PAPER)))


def rows(report: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made("csv", report))))


def parsed(page: str) -> Any:
    """The page as a browser reads it; any parse error fails."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def words(element: Any) -> str:
    return "".join(element.itertext())


def test_every_file_of_the_folder_is_in_the_registry() -> None:
    files = {path.stem for path in Path(forms.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {form.name for form in FORMS}
    assert len(BY_ENDING) == sum(len(form.endings) for form in FORMS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["text", "html", "markdown", "xlsx"])
def test_every_section_with_rows_is_in_every_form(form: str, language: str, report: dict[str, Any]) -> None:
    tr = translator(language)
    page = document(report, tr, PAPER.safe, whole=form == "xlsx")
    if form == "xlsx":
        text = "\n".join(
            cell.value or ""
            for sheet in book(report, language)
            for cell in sheet["A"]
            if isinstance(cell.value, str)
        )
    elif form == "html":
        text = words(parsed(made(form, report, language)))
    else:
        text = made(form, report, language).replace("\\", "")
    flat = " ".join(text.split())
    for table in page.tables:
        if table.rows and (form, table.name) != ("text", "fates"):
            assert " ".join((table.meaning if form == "xlsx" else table.title).split()) in flat, table.name
    for problem in page.problems:
        assert problem.title.replace(" ", "") in re.sub(r"\s", "", text)


def test_html_is_valid_and_needs_nothing_from_elsewhere(report: dict[str, Any]) -> None:
    page = made("html", report)
    tree = parsed(page)
    assert tree.find("head/title").text.startswith("Mail report")
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag not in ("script", "iframe", "object", "embed", "link", "form", "base")
        for name, value in element.attrib.items():
            assert not str(name).startswith("on")
            if str(name) in ("src", "href", "xlink:href", "action"):
                assert value.startswith("#"), value
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page
    policy = tree.find("head/meta[@http-equiv]").attrib["content"]
    assert policy.startswith("default-src 'none'")
    ids = [
        element.attrib["id"]
        for element in tree.iter()
        if isinstance(element.tag, str) and "id" in element.attrib
    ]
    assert len(ids) == len(set(ids))


def test_charts_are_pictures_in_the_page_that_say_what_they_are(report: dict[str, Any]) -> None:
    page = made("html", report)
    drawn = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert len(drawn) == 5
    tree = parsed(page)
    for svg in drawn:
        assert svg.tag == f"{SVG}svg"
        assert svg.attrib["role"] == "img"
        told = tree.find(f".//*[@id='{svg.attrib['aria-labelledby']}']")
        assert words(told).strip()
        assert "width" not in svg.attrib
        texts = list(svg.iter(f"{SVG}text"))
        assert texts
        assert {text.attrib.get("fill") for text in texts} == {"currentColor"}
    # One bar in the chart for each part of a day's volume that is not nothing.
    volume = drawn[0]
    bars = [path for path in volume.iter(f"{SVG}path") if path.attrib.get("fill", "").startswith("#")]
    days = report["by_day"]["rows"]
    assert len(bars) >= sum(
        bool(day[name]) for day in days for name in ("delivered", "deferred", "bounced", "rejected")
    )


def test_html_follows_the_screen_and_the_paper(report: dict[str, Any]) -> None:
    page = made("html", report)
    assert "@media (prefers-color-scheme: dark)" in page
    assert "@media print" in page
    assert '<meta name="viewport"' in page


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans"), ("it", "it")])
def test_html_says_its_language(language: str, tag: str, report: dict[str, Any]) -> None:
    assert parsed(made("html", report, language)).attrib["lang"] == tag


def test_hostile_text_is_text_in_html(evil: Replay) -> None:
    page = made("html", evil.report())
    tree = parsed(page)
    assert not list(tree.iter("script"))
    assert not list(tree.iter("img"))
    shown = words(tree.find("body"))
    assert SCRIPT.replace(" ", "_")[:60] in shown
    assert "\\x1b]0;owned\\x07" in shown
    assert "{{7*7}}" in shown
    assert all(char.isprintable() or char == "\n" for char in page)
    assert max(map(len, shown.split())) < 1000
    assert len(page) < 500_000


def test_hostile_text_is_text_in_a_workbook(evil: Replay) -> None:
    found = book(evil.report())
    cells = [cell for sheet in found for row in sheet for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert not [cell for cell in cells if cell.hyperlink]
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert any(text.startswith("=cmd") for text in texts)
    assert any("\\x1b]0;owned\\x07" in text for text in texts)
    assert all(text.isprintable() for text in texts)


def test_hostile_text_is_text_in_csv(evil: Replay) -> None:
    cells = [cell for row in rows(evil.report()) for cell in row.values() if cell]
    number = re.compile(r"-?[0-9.]+")
    assert not [cell for cell in cells if cell[0] in "=+-@\t\r" and not number.fullmatch(cell)]
    assert any(cell.startswith("'=cmd") for cell in cells)
    assert any(len(cell) >= len(LONG) for cell in cells)  # nothing is lost here
    assert all(cell.isprintable() for cell in cells)


def test_hostile_text_is_text_in_markdown(evil: Replay) -> None:
    page = made("markdown", evil.report())
    assert all(char.isprintable() or char == "\n" for char in page)
    for line in page.splitlines():
        outside = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line)
        assert not re.search(r"(?<!\\)[<`]", outside), line[:200]
        assert "](http" not in outside
    tables = [line for line in page.splitlines() if line.startswith("|")]
    for line in tables:
        assert line.endswith("|")


def test_code_spans_hold_whatever_is_in_them() -> None:
    assert code("plain", PAPER) == "`plain`"
    assert code("a`b", PAPER) == "`` a`b ``"
    assert code("```", PAPER) == "```` ``` ````"
    assert code("a|b", PAPER) == "`a\\|b`"
    assert code(" x ", PAPER) == "`  x  `"
    assert plain("*a* <b> [c](d)") == "\\*a\\* \\<b\\> \\[c\\](d)"


def test_tables_of_markdown_are_rectangular(report: dict[str, Any]) -> None:
    widths: list[int] = []
    for line in [*made("markdown", report).splitlines(), ""]:
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
        elif widths:
            assert len(set(widths)) == 1
            assert len(widths) > 2
            widths = []


def test_hostile_text_does_not_reach_a_terminal(evil: Replay) -> None:
    for form in ("text", "json"):
        assert all(char.isprintable() or char == "\n" for char in made(form, evil.report()))


def test_csv_has_every_number_under_its_stable_name(report: dict[str, Any]) -> None:
    table = rows(report)
    assert list(table[0])[:3] == ["section", "row", "label_1"]
    found = {(row["section"], row["row"], row["number"]): row["value"] for row in table}
    assert found["lines", "", "read"] == str(report["lines"]["read"])
    assert found["delays", "1", "p95_s"] == str(report["delays"]["rows"][0]["p95_s"])
    for name, section in report.items():
        if not (isinstance(section, dict) and "rows" in section):
            continue
        for row in section["rows"]:
            for number in section["numbers"]:
                value = row[number["name"]]
                assert found[name, str(row["row"]), number["name"]] == ("" if value is None else str(value))
    problem = next(row for row in table if row["section"] == "problems")
    assert problem["label_2"] == TELL_ENGLISH(
        report["problems"][0].get("title") or report["problems"][0]["what"]
    )


def test_workbook_has_real_numbers_and_times(report: dict[str, Any]) -> None:
    found = book(report)
    assert found.sheetnames[0] == "Summary"
    sheet = found["By day"]
    assert [cell.value for cell in sheet[1]][:3] == ["Day", "Received", "Delivered"]
    assert sheet["A2"].is_date
    assert sheet["B2"].value == report["by_day"]["rows"][0]["received"]
    assert sheet.freeze_panes == "A2"
    for sheet in found:
        assert len(sheet.title) <= 31
    assert len(set(found.sheetnames)) == len(found.sheetnames)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sheets_have_names_of_their_own_in_every_language(language: str, report: dict[str, Any]) -> None:
    names = [name.lower() for name in book(report, language).sheetnames]
    assert len(names) == len(set(names)) > 20


def test_json_keeps_its_names_and_tells_people_in_their_language(report: dict[str, Any]) -> None:
    english, italian = (json.loads(made("json", report, language)) for language in ("en", "it"))
    assert italian["language"] == "it"
    assert italian["bounces"]["title"] == "Messaggi respinti per motivo"
    assert italian["bounces"]["rows"] == english["bounces"]["rows"]
    assert italian["fates"]["rows"][0]["fate"] == "sent"
    assert {*italian} == {*english}


def test_long_words_of_the_log_are_cut_where_people_read_and_kept_where_programs_do(evil: Replay) -> None:
    report = evil.report()
    assert LONG[:1000] not in made("html", report)
    assert "\u2026" in made("html", report)
    assert LONG in made("json", report)


def test_formula_is_one_only_in_the_eye_of_a_spreadsheet(evil: Replay) -> None:
    assert FORMULA in made("json", evil.report())


def test_forms_without_charts_do_not_load_the_drawing_engine() -> None:
    command = (
        "import sys, mailscope.reports.forms.text, mailscope.reports.forms.json, mailscope.reports.forms.csv, "
        "mailscope.reports.forms.markdown, mailscope.reports.forms.xlsx, mailscope.cli.report; "
        "assert not {'altair', 'vl_convert', 'jinja2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", command], check=True)


HEATMAP = {
    "title": "Hour and weekday",
    "meaning": "All weeks together.",
    "problem": False,
    "kind": "heatmap",
    "keys": [
        {"name": "weekday", "title": "Day", "unit": "weekday"},
        {"name": "hour", "title": "Hour", "unit": "clock"},
    ],
    "numbers": [
        {"name": "received", "title": "Received", "unit": "count"},
        {"name": "rejected", "title": "Rejected", "unit": "count"},
    ],
    "rows_total": 72,
    "totals": {},
    "rows": [
        {"row": place, "weekday": day, "hour": f"{hour:02}:00", "received": hour * (day - 1), "rejected": 1}
        for place, (day, hour) in enumerate(((day, hour) for day in (1, 2, 7) for hour in range(24)), 1)
    ],
}


def test_heat_map_is_a_grid_where_people_read(report: dict[str, Any]) -> None:
    quiet = {name: part for name, part in report.items() if not (isinstance(part, dict) and "rows" in part)}
    found = {**quiet, "heatmap": HEATMAP}
    part = made("text", found).partition("Hour and weekday")[2].splitlines()
    assert part[1] == "  Day  00    06    12    18"
    assert part[2] == "  Mon  ........................".replace(".", part[2][-1])
    assert part[4].endswith("@")
    table = [line for line in made("markdown", found).splitlines() if line.startswith("| Sun")]
    assert table[0].split("|")[-2].strip() == str(23 * 6 + 1)
    page = made("html", found)
    assert len(re.findall(r"<svg", page)) == 1 + bool(report["recipients"]["total"] and "fates" in found)
    assert "周日" in made("html", found, "zh")
    long = [row for row in rows(found) if row["section"] == "heatmap"]
    assert len(long) == 2 * 72


def test_what_several_problems_have_in_common_is_told_once(report: dict[str, Any]) -> None:
    page = document(report, translator("en"), PAPER.safe)
    kinds = [(problem["meaning"], problem["advice"]) for problem in report["problems"] if "advice" in problem]
    assert len(set(kinds)) < len(kinds)
    told = [(problem.meaning, problem.advice) for problem in page.problems if problem.advice]
    assert len(told) == len(set(told))
    text = made("text", report)
    assert all(
        f"--evidence {p.evidence.split('--evidence ')[1].split(' ')[0]}" in text for p in page.problems
    )

"""What mkdocs needs to know of these pages: they are read in the source tree too, and lead out of docs/.

A link to a page of the project outside docs/ (README.md, benchmarks/README.md, ...) leads to a copy of it on
the site; a link to source code has no place there, and is shown as its words.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).parents[1]
# Pages outside docs/, and what they are called on the site.
CARRIED: Final = {
    "README.md": "project/readme.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "packaging/README.md": "project/packaging.md",
}
LINK: Final = re.compile(r"(?<!!)\[([^\]\[]+)\]\(([^)\s#:]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/."""
    for source, name in CARRIED.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn the links of one page into links of the site."""
    place = page.file.src_uri
    source = next((key for key, name in CARRIED.items() if name == place), f"docs/{place}")
    return LINK.sub(lambda found: _link(found, source, place, files), markdown)


def _link(found: re.Match[str], source: str, place: str, files: Files) -> str:
    words, target, part = found[1], found[2], found[3] or ""
    if not target:
        return found[0]
    there = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    name = CARRIED.get(there, there.removeprefix("docs/") if there.startswith("docs/") else "")
    if name and files.get_file_from_path(name) is not None:
        return f"[{words}]({posixpath.relpath(name, posixpath.dirname(place) or '.')}{part})"
    return words

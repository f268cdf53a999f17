"""Debian packages, made by dpkg-deb alone: ``mailscope``, and ``mailscope-libraries`` with what it rests on.

    python packaging/deb.py --wheel dist/mailscope-0.1.0-py3-none-any.whl --output dist
    python packaging/deb.py --libraries WHEELS --output dist

In: the wheel of this version; for the libraries, a directory with the wheels that requirements.lock names
(``pip download --require-hashes -r packaging/requirements.lock --dest WHEELS``), which are installed by
their hashes and without a network.  Out: the paths of the packages.  The same input gives the same package,
byte for byte, with SOURCE_DATE_EPOCH set.

Debian has no packages of several of those libraries.  So /usr/lib/mailscope is a virtual environment of
Debian's own Python, which nothing else on the host sees; the program's package is small, the libraries'
changes rarely.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import completions
import manual
from mailscope import __version__

HERE: Final = Path(__file__).parent
HOME: Final = "usr/lib/mailscope"
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
NEXT_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor + 1}"
SITE: Final = f"{HOME}/lib/python{PYTHON}/site-packages"
MAINTAINER: Final = "Mailscope <postmaster@example.org>"
SETTINGS: Final = "etc/mailscope/mailscope.toml"
# What is installed as it is: from packaging/ or the root of the source, to where.
FILES: Final = {
    "systemd/mailscope.service": "usr/lib/systemd/system/",
    "systemd/mailscope-blocklist.service": "usr/lib/systemd/system/",
    "systemd/mailscope-blocklist.timer": "usr/lib/systemd/system/",
    "sysusers.d/mailscope.conf": "usr/lib/sysusers.d/",
    "tmpfiles.d/mailscope.conf": "usr/lib/tmpfiles.d/",
    "mailscope.toml": "etc/mailscope/",
    "systemd/mailscope.service.d/read-all-logs.conf": "usr/share/doc/mailscope/examples/",
    "fail2ban/filter.d/mailscope.conf": "usr/share/doc/mailscope/examples/fail2ban/filter.d/",
    "fail2ban/jail.d/mailscope.conf": "usr/share/doc/mailscope/examples/fail2ban/jail.d/",
}
PROGRAM: Final = f"""\
#!/{HOME}/bin/python3 -I
import sys

from mailscope.cli.main import run

sys.exit(run())
"""
COPYRIGHT: Final = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: mailscope

Files: *
Copyright: the authors of Mailscope
License: Expat
"""


def program_package(wheel: Path, output: Path) -> Path:
    """Build ``mailscope``: the program, units, manual pages, completions, settings."""
    with TemporaryDirectory() as made:
        root = Path(made) / "root"
        site = root / SITE
        site.mkdir(parents=True)
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(site)
        environment(root)
        for source, place in FILES.items():
            target = root / place
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HERE / source, target / Path(source).name)
        (root / "usr/bin").mkdir()
        (root / "usr/bin/mailscope").write_text(PROGRAM, encoding="utf-8")
        for name, text in completions.scripts().items():
            put(root / "usr/share" / name, text.encode())
        for name, text in manual.pages().items():
            put(root / "usr/share/man" / f"{name}.gz", packed_text(text))
        documents(root, "mailscope")
        control = fields(
            "mailscope",
            "all",
            f"python3 (>= {PYTHON}), python3 (<< {NEXT_PYTHON}), mailscope-libraries (>= {__version__}), "
            "init-system-helpers",
            "Reads what a mail host logs and follows every message\n"
            " It reads the logs of Postfix, qmail, Exim, Sendmail and what stands beside them, follows\n"
            " every message from arrival to its final fate, explains what went wrong, watches for\n"
            " attacks, manages queues, and shows it all on a live page.",
        )
        scripts = {name: (HERE / "debian" / name).read_bytes() for name in ("postinst", "prerm", "postrm")}
        return build(root, control, output, scripts | {"conffiles": f"/{SETTINGS}\n".encode()})


def libraries_package(wheels: Path, lock: Path, output: Path) -> Path:
    """Build ``mailscope-libraries`` of wheels that are there, as the lock file names and hashes them."""
    with TemporaryDirectory() as made:
        root = Path(made) / "root"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-index",
            "--find-links",
            str(wheels),
        ]
        command += ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "-r", str(lock)]
        subprocess.run(
            [*command, "--target", str(root / SITE)],
            check=True,
            env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
        )
        shutil.rmtree(root / SITE / "bin", ignore_errors=True)
        documents(root, "mailscope-libraries")
        pure = all(each.name.endswith("-any.whl") for each in wheels.glob("*.whl"))
        control = fields(
            "mailscope-libraries",
            "all" if pure else architecture(),
            f"python3 (>= {PYTHON}), python3 (<< {NEXT_PYTHON})",
            "Libraries that mailscope rests on\n"
            " The Python libraries that requirements.lock names, in a directory of mailscope's own.",
        )
        return build(root, control, output, {})


def environment(root: Path) -> None:
    """Make /usr/lib/mailscope a virtual environment of /usr/bin/python3."""
    home = root / HOME
    (home / "bin").mkdir(parents=True, exist_ok=True)
    (home / "bin" / "python3").symlink_to("/usr/bin/python3")
    put(
        home / "pyvenv.cfg",
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON}\n".encode(),
    )


def documents(root: Path, name: str) -> None:
    """What each package has below /usr/share/doc."""
    place = root / "usr/share/doc" / name
    put(
        place / "copyright",
        (COPYRIGHT + _indented((HERE.parent / "LICENSE").read_text(encoding="utf-8"))).encode(),
    )
    put(place / "changelog.gz", packed_text((HERE.parent / "CHANGELOG.md").read_text(encoding="utf-8")))


def _indented(text: str) -> str:
    return "".join(f" {line or '.'}\n" for line in text.strip().splitlines())


def fields(name: str, kind: str, depends: str, description: str) -> dict[str, str]:
    """Fields of a control file."""
    return {
        "Package": name,
        "Version": __version__,
        "Architecture": kind,
        "Maintainer": MAINTAINER,
        "Depends": depends,
        "Section": "mail",
        "Priority": "optional",
        "Description": description,
    }


def build(root: Path, control: Mapping[str, str], output: Path, scripts: Mapping[str, bytes]) -> Path:
    """Make the package of a tree: rights, sums, control files, then dpkg-deb."""
    settle(root)
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}" for path in paths]
    size = sum(path.stat().st_size for path in paths) // 1024 + 1
    about = root / "DEBIAN"
    shown = {**control, "Installed-Size": str(size)}
    put(about / "control", "".join(f"{name}: {value}\n" for name, value in shown.items()).encode())
    put(about / "md5sums", ("\n".join(sums) + "\n").encode())
    for name, data in scripts.items():
        put(about / name, data)
        (about / name).chmod(0o644 if name == "conffiles" else 0o755)
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{control['Package']}_{control['Version']}_{control['Architecture']}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", root, path],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return path


def settle(root: Path) -> None:
    """The rights that Debian's policy asks for, and one time for all."""
    stamp = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    for path in (root, *root.rglob("*")):
        if path.is_symlink():
            continue
        runs = path.is_dir() or path.parent == root / "usr/bin"
        path.chmod(0o755 if runs else 0o644)
        if stamp:
            os.utime(path, (stamp, stamp))


def packed_text(text: str) -> bytes:
    """gzip without a time of its own."""
    return gzip.compress(text.encode(), 9, mtime=0)


def put(path: Path, data: bytes) -> None:
    """Write a file, and the directories that it stands in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def architecture() -> str:
    """Debian's name of this machine's architecture."""
    told = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
    return told.stdout.strip()


def main() -> None:
    """Build what is asked for."""
    parser = argparse.ArgumentParser(description="Build Debian packages.")
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--libraries", type=Path, metavar="WHEELS")
    parser.add_argument("--lock", type=Path, default=HERE / "requirements.lock")
    parser.add_argument("--output", type=Path, default=Path("dist"))
    asked = parser.parse_args()
    if asked.wheel:
        print(program_package(asked.wheel, asked.output))
    if asked.libraries:
        print(libraries_package(asked.libraries, asked.lock, asked.output))


if __name__ == "__main__":
    main()

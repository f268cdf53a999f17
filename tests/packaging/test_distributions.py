"""Wheel, sdist and Debian package: whole, the same from the source and from the sdist, and they work by themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from visiting import Visitor

import deb

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mailscope"
LOG = ROOT / "examples" / "postfix" / "mail.log"
DEMO_S = 240


def run(*command: object, cwd: Path | None = None, text: str | None = None) -> str:
    """Run a command with nothing of this environment; what it writes."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "LC_ALL": "C.UTF-8",
            "HOME": home,
            "PIP_CONFIG_FILE": os.devnull,
        }
        done = subprocess.run(
            [*map(str, command)],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env=environment,
            input=text,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def wheel_of(source: Path, place: Path) -> Path:
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
        "--wheel-dir",
        place,
        source,
    )
    (path,) = place.glob("*.whl")
    return path


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as packed:
        return {name: packed.read(name) for name in packed.namelist() if not name.endswith("RECORD")}


def beside(site: Path) -> None:
    """Let an environment see the libraries that are installed here; not mailscope, which is here by a .pth."""
    (site / "libraries.pth").write_text(
        f"{sysconfig.get_paths()['purelib']}\n{sysconfig.get_paths()['platlib']}\n"
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_of(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, in an environment where only the wheel was installed."""
    home = tmp_path_factory.mktemp("clean") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", home)
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        home / "bin" / "python",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        wheel,
    )
    (site,) = (home / "lib").glob("python*/site-packages")
    beside(site)
    assert run(
        home / "bin" / "python", "-c", "import mailscope; print(mailscope.__file__)", cwd=home
    ).startswith(str(site))
    return home / "bin" / "mailscope"


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    there = contents(wheel)
    ours = {
        f"mailscope/{path.relative_to(SOURCE).as_posix()}": path.read_bytes()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name: data for name, data in there.items() if name.startswith("mailscope/")} == ours
    for kind in (".toml", ".html", ".css", ".js"):
        assert any(name.endswith(kind) for name in there), kind
    outside = {name.split("/")[0] for name in there}
    assert outside == {"mailscope", next(name for name in outside if name.endswith(".dist-info"))}


def test_the_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path, cwd=ROOT)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "docs/settings.md"} <= names
    assert {"packaging/deb.py", "packaging/requirements.lock", "tests/conftest.py"} <= names
    assert not any("__pycache__" in name or name.startswith(("build/", ".venv", "dist/")) for name in names)
    assert contents(wheel_of(sdist, tmp_path / "again")) == contents(wheel)


def test_the_wheel_reports_traces_and_explains(installed: Path, tmp_path: Path) -> None:
    report = json.loads(run(installed, "report", "--tz", "UTC", "--format", "json", LOG, cwd=tmp_path))
    assert report["lines"]["read"] == len(LOG.read_bytes().splitlines())
    assert report["lines"]["unrecognised"] == 0
    assert "mails" in run(installed, "report", "--lang", "sv", "--tz", "UTC", LOG, cwd=tmp_path).lower()
    assert "root@lab.example" in run(installed, "trace", "--tz", "UTC", "root@lab.example", LOG, cwd=tmp_path)
    told = run(installed, "explain", "5.7.26", cwd=tmp_path)
    assert "SPF" in told or "DMARC" in told


def page(url: str) -> str:
    """What is at an address; nothing where nobody answers yet."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return ""


@pytest.mark.slow
def test_the_wheel_shows_its_demo(installed: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        there = f"127.0.0.1:{free.getsockname()[1]}"
    said = tmp_path / "said"
    with said.open("wb") as out:
        command = [installed, "serve", "--demo", "--demo-port", there.partition(":")[2]]
        demo = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out, env={"PATH": "/usr/bin:/bin"})
    try:
        until = time.monotonic() + DEMO_S
        shown = ""
        while not shown and time.monotonic() < until and demo.poll() is None:
            time.sleep(0.5)
            shown = page(f"http://{there}/login")
        assert "Mailscope</title>" in shown, said.read_text()
        key = re.search(r"/welcome\?key=(\S+)", said.read_text())
        assert key is not None
        visitor = Visitor(f"http://{there}")
        password = "correct horse battery"
        assert (
            visitor.post("/welcome", {"key": key[1], "password": password, "again": password}).status == 303
        )
        for path in ("/", "/static/site.css"):
            assert visitor.get(path).status == 200, path
    finally:
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(120)
    assert code == 0, said.read_text()


@pytest.fixture(scope="module")
def package(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not here")
    return deb.program_package(wheel, tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "--raw-extract", package, root)
    return root


def test_the_debian_package_says_what_it_is(package: Path) -> None:
    assert run("dpkg-deb", "--field", package, "Package").strip() == "mailscope"
    assert run("dpkg-deb", "--field", package, "Architecture").strip() == "all"
    assert "mailscope-libraries" in run("dpkg-deb", "--field", package, "Depends")
    listed = run("dpkg-deb", "--contents", package).splitlines()
    assert all(line.split()[1] == "root/root" for line in listed)
    for line in listed:
        rights, path = line.split()[0], line.split()[5]
        wanted = "lrwxrwxrwx" if " -> " in line else "drwxr-xr-x" if path.endswith("/") else "-rw-r--r--"
        assert rights == ("-rwxr-xr-x" if path.startswith("./usr/bin/") and wanted[0] == "-" else wanted), (
            line
        )


def test_the_debian_package_holds_what_a_host_needs(unpacked: Path) -> None:
    units = unpacked / "usr/lib/systemd/system"
    assert {path.name for path in units.iterdir()} == {
        "mailscope.service",
        "mailscope-blocklist.service",
        "mailscope-blocklist.timer",
    }
    assert "ExecStart=/usr/bin/mailscope serve" in (units / "mailscope.service").read_text()
    for name in ("lib/sysusers.d/mailscope.conf", "lib/tmpfiles.d/mailscope.conf", "share/man/man1/mailscope.1.gz",
                 "share/man/man5/mailscope.toml.5.gz", "share/bash-completion/completions/mailscope",
                 "share/zsh/vendor-completions/_mailscope", "share/fish/vendor_completions.d/mailscope.fish",
                 "share/doc/mailscope/copyright", "share/doc/mailscope/changelog.gz"):  # fmt: skip
        assert (unpacked / "usr" / name).is_file(), name
    assert (unpacked / "DEBIAN/conffiles").read_text() == "/etc/mailscope/mailscope.toml\n"
    run("md5sum", "--check", "--quiet", "DEBIAN/md5sums", cwd=unpacked)
    for script in ("postinst", "prerm", "postrm"):
        path = unpacked / "DEBIAN" / script
        assert path.stat().st_mode & stat.S_IXUSR
        run("sh", "-n", path)
    assert sorted(path.name for path in (unpacked / "usr/bin").iterdir()) == ["mailscope"]


def test_what_the_debian_package_installs_runs(unpacked: Path, tmp_path: Path) -> None:
    python = unpacked / deb.HOME / "bin" / "python3"
    if (
        not python.exists()
        or run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip() != deb.PYTHON
    ):
        pytest.skip("Debian's Python is another one than this")
    beside(unpacked / deb.SITE)
    program = unpacked / "usr/bin/mailscope"
    assert program.read_text().startswith(f"#!/{deb.HOME}/bin/python3 -I\n")
    assert run(python, "-I", program, "--version").startswith("mailscope, version")
    assert "root@lab.example" in run(
        python, "-I", program, "trace", "--tz", "UTC", "root@lab.example", LOG, cwd=tmp_path
    )


def test_the_package_is_the_same_again(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not here")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    first, second = (deb.program_package(wheel, tmp_path / name).read_bytes() for name in ("first", "second"))
    assert first == second


def test_libraries_are_taken_by_their_hashes_only(tmp_path: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not here")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    name = wheels / "sample_library-1.0-py3-none-any.whl"
    with zipfile.ZipFile(name, "w") as made:
        made.writestr("sample_library.py", "x = 1\n")
        made.writestr(
            "sample_library-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: sample-library\nVersion: 1.0\n",
        )
        made.writestr(
            "sample_library-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        made.writestr("sample_library-1.0.dist-info/RECORD", "")
    lock = tmp_path / "lock"
    digest = deb.hashlib.sha256(name.read_bytes()).hexdigest()
    lock.write_text(f"sample-library==1.0 --hash=sha256:{digest}\n")
    package = deb.libraries_package(wheels, lock, tmp_path / "out")
    assert f"./{deb.SITE}/sample_library.py" in run("dpkg-deb", "--contents", package)
    lock.write_text(f"sample-library==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(subprocess.CalledProcessError):
        deb.libraries_package(wheels, lock, tmp_path / "out")

"""The files around the code: locks, vendored assets, the wheel, and what no file may name."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.txt"))
DOCS_ASSETS = ROOT / "service" / "api" / "static" / "docs"
PAGE_ASSETS = ROOT / "service" / "pages" / "static" / "vendor"

PINNED = re.compile(r"[a-z0-9][a-z0-9.-]*==[^\s;,*]+( ; [^;#]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
ADDRESS = re.compile(r"https?:|://|\bwww\.|\.(?:org|com|net|io)\b|^-", re.IGNORECASE)
PACKAGE_SOURCE = re.compile(
    r"py(?:pi|thonhosted)\.org|npm(?:js\.(?:org|com))|(?:deb|ftp)\.debian\.org", re.IGNORECASE
)
WORKPLACE_PATH = re.compile(r"(?<![\w./-])/(?:work)/")


def project_files() -> list[Path]:
    """Every file that is tracked, or would be if it were added."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in sorted(filter(None, listing.split("\0"))) if (path := ROOT / name).is_file()]


def locked_requirements(lock: Path) -> list[list[str]]:
    """Each requirement of a lock with the hashes that follow it, comments left out."""
    lines = [line for line in lock.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "\0")
    return [[part.strip() for part in line.split("\0")] for line in joined.splitlines() if line.strip()]


def locked_versions(lock: Path) -> set[str]:
    return {package.partition(" ;")[0] for package, *_ in locked_requirements(lock)}


def declared(requirements_in: Path) -> list[str]:
    lines = (line.strip() for line in requirements_in.read_text("utf-8").splitlines())
    return sorted(line for line in lines if line and not line.startswith(("#", "-")))


def test_there_are_locks_to_guard():
    assert {lock.stem for lock in LOCKS} >= {"run", "test", "build"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_nothing_but_pinned_and_hashed_packages(lock: Path):
    requirements = locked_requirements(lock)
    assert requirements
    for package, *hashes in requirements:
        assert PINNED.fullmatch(package), f"not pinned: {package}"
        assert hashes, f"no hash: {package}"
        assert all(HASH.fullmatch(each) for each in hashes), f"not a sha256: {package}"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_host(lock: Path):
    assert [line for line in lock.read_text("utf-8").splitlines() if ADDRESS.search(line)] == []


@pytest.mark.parametrize("smaller", ["run", "build"])
def test_what_is_tested_is_what_is_run(smaller: str):
    assert locked_versions(REQUIREMENTS / f"{smaller}.txt") <= locked_versions(REQUIREMENTS / "test.txt")


def test_the_project_declares_what_it_locks():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert sorted(project["dependencies"]) == declared(REQUIREMENTS / "run.in")


def test_no_file_names_a_package_source_or_a_path_of_one_machine():
    offending = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in project_files()
        if b"\0" not in (content := path.read_bytes())
        for number, line in enumerate(content.decode("utf-8").splitlines(), start=1)
        if PACKAGE_SOURCE.search(line) or WORKPLACE_PATH.search(line)
    ]
    assert offending == []


def test_the_vendored_assets_are_the_published_ones():
    manifest = json.loads((DOCS_ASSETS / "MANIFEST.json").read_text("utf-8"))
    present = {
        name: hashlib.sha256((DOCS_ASSETS / name).read_bytes()).hexdigest() for name in manifest["sha256"]
    }
    assert present == manifest["sha256"]
    assert {"swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "favicon.png"} <= set(present)
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])


def test_the_vendored_assets_of_the_pages_are_those_that_the_manifest_names():
    manifest = json.loads((PAGE_ASSETS / "MANIFEST.json").read_text("utf-8"))
    present = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in PAGE_ASSETS.iterdir()
        if path.name != "MANIFEST.json"
    }
    assert present == manifest["sha256"]
    taken = {package["name"]: package for package in manifest["packages"]}
    assert taken["nhsuk-frontend"]["license"] == "MIT" and taken["htmx.org"]["license"] == "0BSD"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", package["version"]) for package in taken.values())
    assert "MIT License" in (PAGE_ASSETS / "nhsuk-frontend.LICENSE").read_text("utf-8")
    assert "Zero-Clause BSD" in (PAGE_ASSETS / "htmx.LICENSE").read_text("utf-8")
    [sha] = [each[1] for each in taken["htmx.org"]["from"].values()]
    assert present["htmx.js"] == sha  # the address of a source map alone was to be taken out; there was none


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[PurePosixPath]:
    """What the built wheel holds. Built without a build environment of its own, so without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    finished = subprocess.run(build, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    [built] = folder.glob("dosegate-*.whl")
    with zipfile.ZipFile(built) as archive:
        return {PurePosixPath(name) for name in archive.namelist()}


def test_the_wheel_holds_every_file_of_the_service_and_the_rules(wheel: set[PurePosixPath]):
    wanted = {
        PurePosixPath(path.relative_to(ROOT).as_posix())
        for path in project_files()
        if path.relative_to(ROOT).parts[0] in {"service", "rules"}
    }
    assert wanted - wheel == set()
    assert any(path.parts[:2] == ("rules", "drugs") and path.suffix == ".yaml" for path in wheel)
    assert PurePosixPath("service/api/static/docs/swagger-ui-bundle.js") in wheel


def test_the_wheel_holds_nothing_else(wheel: set[PurePosixPath]):
    own = {path for path in wheel if not path.parts[0].endswith(".dist-info")}
    assert {path.parts[0] for path in own} == {"service", "rules"}
    assert [path for path in own if path.suffix in {".pyc", ".db", ".sqlite"}] == []

"""The settings, and the machine as this process meets it."""

import os
import pwd
import re
import resource
import shutil
import sys
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from service.commands.checks.finding import Finding, ok, warning, wrong
from service.commands.checks.installation import Installation
from service.pages.paper import CannotDraw, pdf_drawing
from service.settings import DATABASE, KEYS, TIME_ZONE

_OLDEST, _BEYOND = (3, 11), (3, 14)
_FEW_FILES = 1024
_MEGABYTE = 1024 * 1024
# In megabytes: what is little, and what is too little.
_FOR_RECORDS, _FOR_TEMPORARY = (1024, 100), (16, 4)
_PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"}
_LAYERS = ("overlay", "fuse.fuse-overlayfs")
_PASSING = {"tmpfs": "in memory, and gone when the machine starts again"}
_PASSING |= dict.fromkeys(_LAYERS, "in the container's own layer, and gone with the container")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def settings(here: Installation) -> Iterator[Finding]:
    """All that is wrong in the environment."""
    if not here.reading.problems:
        yield ok("every setting can be used")
    for problem in here.reading.problems:
        yield wrong(problem, "change it, then type: dosegate settings (docs/settings.md tells of each)")


def python(_here: Installation) -> Iterator[Finding]:
    """The interpreter."""
    has = "Python " + ".".join(map(str, sys.version_info[:3]))
    if _OLDEST <= sys.version_info[:2] < _BEYOND:
        yield ok(has)
    else:
        yield wrong(
            f"this is {has}, with which Dosegate was not tried",
            "install Dosegate with Python 3.11, 3.12 or 3.13: make setup PYTHON=python3.13",
        )


def user(here: Installation) -> Iterator[Finding]:
    """Whether what is found here holds for the user as whom the service runs."""
    files = [here.value(KEYS)]
    if file := _sqlite_file(here):
        files.append(file)
    owners = {each.stat().st_uid for each in files if each.exists()} - {os.geteuid()}
    if not owners:
        yield ok(f"this runs as {_name(os.geteuid())}, whose the files are")
    for owner in owners:
        yield warning(
            f"this runs as {_name(os.geteuid())}, and the records or keys are {_name(owner)}'s: whether the "
            "service can use them is not seen",
            f"sudo -E -u {_name(owner)} dosegate doctor",
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def open_files(_here: Installation) -> Iterator[Finding]:
    """How many connections one process may hold."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY or limit >= _FEW_FILES:
        yield ok(f"a process that is started as this one may open {limit} files")
    else:
        yield warning(
            f"a process that is started as this one may open {limit} files only: a few hundred clients that "
            "wait keep all others out",
            "ulimit -n 4096 before the service starts, or LimitNOFILE=4096 in its systemd unit",
        )


def time_zones(here: Installation) -> Iterator[Finding]:
    """Whether the site's own time is known."""
    if not zoneinfo.available_timezones():
        yield wrong("there are no time zones", "pip install tzdata")
        return
    zone = here.value(TIME_ZONE)
    if TIME_ZONE in here.reading.given:
        yield ok(f"the site's time is that of {zone}")
    else:
        yield warning(
            "the site's time is taken to be UTC: an infusion late in the evening may count for another day",
            f"set {TIME_ZONE}=Europe/Berlin, or whatever the site's own is, UTC too",
        )


def pdf(_here: Installation) -> Iterator[Finding]:
    """Whether a checklist can be had as a PDF."""
    try:
        drawn = pdf_drawing()("<!doctype html><title>x</title><p>x</p>", "doctor")
    except CannotDraw:
        yield warning("no PDF can be made: Pango is missing. The page to print works", _PANGO)
        return
    if drawn.startswith(b"%PDF"):
        yield ok("a PDF can be made")
    else:
        yield warning("what should be a PDF is none. The page to print works", _PANGO)


def disk_space(here: Installation) -> Iterator[Finding]:
    """Whether there is room for what is written: the temporary folder, and where SQLite keeps its file."""
    yield from _room("temporary files", Path(os.environ.get("TMPDIR") or "/tmp"), *_FOR_TEMPORARY)
    if file := _sqlite_file(here):
        yield from _room("the records", file.absolute().parent, *_FOR_RECORDS)


def _room(what: str, folder: Path, little: int, too_little: int) -> Iterator[Finding]:
    if not folder.is_dir():
        yield wrong(f"{folder}, for {what}, is not there", f"mkdir -p {folder}, as the service's user")
        return
    free = shutil.disk_usage(folder).free // _MEGABYTE
    left = f"{free} MB are left for {what} in {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        yield wrong(f"{folder}, for {what}, cannot be written to", f"ls -ld {folder}")
    elif free < too_little:
        yield wrong(f"only {left}: soon nothing can be recorded, and nothing answered", f"df -h {folder}")
    elif free < little:
        yield warning(f"only {left}", f"df -h {folder}; make room, or a larger disk")
    else:
        yield ok(left)


def lasting_place(here: Installation) -> Iterator[Finding]:
    """Whether the records and keys are kept where they last, and where SQLite's locks hold."""
    mounts = Path("/proc/mounts").read_text("utf-8", "replace")
    sqlite, key = _sqlite_file(here), here.value(KEYS)
    for what, file in (("the database", sqlite), ("the signing key", key)):
        if file is None:
            continue
        kind = file_system(file.absolute().parent, mounts)
        if kind in _PASSING:
            yield warning(f"{what} is {_PASSING[kind]}", f"move {file} to a disk or a volume that stays")
        elif file is sqlite and (kind in _NETWORK or kind.startswith("fuse.")):
            yield wrong(
                f"SQLite's locks do not hold on {kind}: two writers could damage the database",
                f"move {file} to a disk of this machine, or let {DATABASE} name PostgreSQL",
            )
        elif file is sqlite:
            yield ok(
                "SQLite serves any number of workers on this one machine; several machines need PostgreSQL"
            )
        else:
            yield ok(f"{what} is on {kind}")


def file_system(folder: Path, mounts: str) -> str:
    """The kind of file system that a folder is on, by the lines of /proc/mounts."""
    found, nearest = "unknown", 0
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split(" ")
        at = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), place))
        if folder.resolve().is_relative_to(at) and len(at.parts) >= nearest:  # a later one covers an earlier
            found, nearest = kind, len(at.parts)
    return found


def _sqlite_file(here: Installation) -> Path | None:
    url = make_url(here.value(DATABASE))
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None

"""Running the command line: inside this process, as a process of its own, and on a pseudo-terminal."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from importlib.resources import files

from click.testing import CliRunner

from service.cli import main

PROGRAM = [sys.executable, "-c", "from service.cli import main; main(prog_name='dosegate')"]
ESCAPE = "\x1b"


def run(*arguments, env=None):
    """The outcome of a command, run in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments], env=env)


def start(*arguments, stdin=b"", env=None, **more):
    """The outcome of a command, run as a process whose output goes to a pipe."""
    command = [*PROGRAM, *(str(each) for each in arguments)]
    return subprocess.run(
        command,
        check=False,
        input=stdin,
        capture_output=True,
        env={**plain_environment(), **(env or {})},
        **more,
    )


def python(*statements):
    """The outcome of a program of so many statements."""
    program = [sys.executable, "-c", "\n".join(statements)]
    return subprocess.run(program, check=False, capture_output=True, env=plain_environment())


def plain_environment():
    """The environment without what would change how a terminal is treated."""
    changing = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in changing and not name.startswith("DOSEGATE_")
    }
    return {**kept, "TERM": "xterm-256color"}


def on_terminal(*arguments, columns=80, env=None, answers_to=None):
    """What a command shows on a terminal of so many columns; with `answers_to`, its output goes there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    command = [*PROGRAM, *(str(each) for each in arguments)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=answers_to or theirs,
        stderr=theirs,
        env={**plain_environment(), **(env or {})},
    )
    os.close(theirs)
    shown = b""
    while part := _read(ours):
        shown += part
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def example(name):
    """A bundled request, as a document."""
    return json.loads(files("service").joinpath("examples", f"{name}.json").read_text("utf-8"))


def changed(document, /, without=(), **facts):
    """The same request with facts given anew or left out."""
    kept = {name: value for name, value in document["facts"].items() if name not in without}
    return {**document, "facts": {**kept, **facts}}


def written(folder, document, name="request.json"):
    """The path of a file that holds a document."""
    path = folder / name
    path.write_text(json.dumps(document), "utf-8")
    return path


def lines(folder, *documents, name="requests.jsonl"):
    """The path of a file with one document a line; a text or bytes stands as it is."""
    path = folder / name
    path.write_bytes(b"".join(_line(each) + b"\n" for each in documents))
    return path


def _line(document):
    if isinstance(document, bytes):
        return document
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()

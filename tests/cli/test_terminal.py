"""Colour on a terminal, plain text in a pipe, and what happens when the reader or the user goes away."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.command import (
    ESCAPE,
    PROGRAM,
    changed,
    example,
    lines,
    on_terminal,
    plain_environment,
    start,
    written,
)

BLOCKED = example("blocked")
COMMANDS = {
    "check": lambda folder: ("check", "--trace", written(folder, BLOCKED)),
    "drugs": lambda folder: ("drugs",),
    "explain": lambda folder: ("explain", "inebilizumab"),
    "demo": lambda folder: ("demo",),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_pipe_gets_plain_text_without_escape_codes_or_trailing_spaces(tmp_path, command):
    printed = start(*COMMANDS[command](tmp_path)).stdout.decode()
    assert printed
    assert ESCAPE not in printed
    assert [line for line in printed.splitlines() if line != line.rstrip()] == []


def test_a_terminal_shows_colour_beside_shape_and_word(tmp_path):
    status, shown = on_terminal("check", written(tmp_path, BLOCKED))
    assert status == 4
    for sign in ("■ HOLD", "■ BLOCK", "▲ WARN", "● PASS", "○ n/a"):
        before = shown[: shown.index(sign)]
        assert before.rindex(ESCAPE) >= before.rindex("\n"), f"{sign} has no colour"


def test_no_color_leaves_shapes_and_words(tmp_path):
    status, shown = on_terminal("check", written(tmp_path, BLOCKED), env={"NO_COLOR": "1"})
    assert status == 4
    assert ESCAPE not in shown
    assert "■ BLOCK  Hepatitis B" in shown


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_or_than_can_be_read(tmp_path, columns):
    _, shown = on_terminal("check", written(tmp_path, BLOCKED), columns=columns, env={"NO_COLOR": "1"})
    assert max(map(len, shown.splitlines())) <= min(columns, 110)


def test_on_a_terminal_each_passed_check_is_one_line_and_the_decision_ends_the_page(tmp_path):
    _, shown = on_terminal("check", written(tmp_path, BLOCKED), env={"NO_COLOR": "1"})
    folded = shown.partition("Nothing found: 14 checks")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(folded) == 15
    assert all(line.startswith(("● PASS", "○ n/a")) for line in folded)
    assert shown.rstrip().splitlines()[-1].strip().startswith("■ HOLD   2 blocks")


def test_patient_data_cannot_steer_the_terminal(tmp_path):
    hostile = changed(BLOCKED, reactions=[{"substance": f"{ESCAPE}[2Juplizna\u202e\x07"}])
    hostile["patient"] = {"id": f"P{ESCAPE}]0;x\x07"}
    _, shown = on_terminal("check", "--trace", written(tmp_path, hostile), env={"NO_COLOR": "1"})
    assert not set(shown) & {ESCAPE, "\x07", "\u202e"}
    assert "P\N{REPLACEMENT CHARACTER}]0;x" in shown


def test_a_terminal_without_these_characters_still_shows_the_words(tmp_path):
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    outcome = start("check", written(tmp_path, BLOCKED), env=latin)
    assert (outcome.returncode, outcome.stderr) == (4, b"")
    assert b"? HOLD   2 blocks" in outcome.stdout


def test_progress_goes_to_a_terminal_on_standard_error_and_answers_to_the_file(tmp_path):
    path = lines(tmp_path, *[BLOCKED] * 3)
    with (tmp_path / "answers.jsonl").open("wb") as answers:
        status, shown = on_terminal("check", path, answers_to=answers)
    assert status == 4
    assert "3 answered" in shown
    written_answers = (tmp_path / "answers.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["status"] for line in written_answers] == ["block"] * 3


def test_there_is_no_progress_where_standard_error_is_no_terminal(tmp_path):
    assert start("check", lines(tmp_path, BLOCKED)).stderr == b""


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path):
    path = lines(tmp_path, *[BLOCKED] * 40)
    asked = subprocess.Popen(
        [*PROGRAM, "check", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=plain_environment()
    )
    asked.stdout.readline()
    asked.stdout.close()
    said = asked.stderr.read()
    asked.stderr.close()
    assert (asked.wait(), said) == (141, b"")


@pytest.mark.parametrize("command", ["explain", "demo"])
def test_a_reader_that_never_reads_ends_the_readable_commands_quietly(tmp_path, command):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        outcome = subprocess.run(
            [*PROGRAM, *COMMANDS[command](tmp_path)],
            check=False,
            stdout=nobody,
            stderr=subprocess.PIPE,
            env=plain_environment(),
        )
    assert (outcome.returncode, outcome.stderr) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_an_interruption_ends_the_command_without_a_traceback():
    asked = subprocess.Popen(
        [*PROGRAM, "check", "-", "--lines"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=plain_environment(),
        # A shell that runs the tests in the background has them ignore what this is about.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no thread of ours
    )
    asked.stdin.write(b"{\n")
    asked.stdin.flush()
    asked.stdout.readline()  # it reads by now
    time.sleep(0.1)
    asked.send_signal(signal.SIGINT)
    _, said = asked.communicate()
    assert (asked.returncode, said) == (130, b"")

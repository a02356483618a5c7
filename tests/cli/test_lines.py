"""One request a line: answered in order, a bad one stopping nothing, in constant memory."""

import io
import json
import sys

import pytest

from service.intake.json_text import MOST_BYTES, MOST_WITH_BUNDLE
from service.terminal.batch import Exit, lines_of, worst
from tests.cli.command import changed, example, lines, python, run, start, written

CLEAR, BLOCKED = example("inebilizumab"), example("blocked")
WARNED = changed(CLEAR, without=["tb_risk_factors"])
BAD = changed(CLEAR, dose_number="1")


def answers(outcome):
    """The answers as documents."""
    printed = outcome.stdout if isinstance(outcome.stdout, str) else outcome.stdout.decode()
    return [json.loads(line) for line in printed.splitlines()]


def test_each_line_is_answered_by_one_line_in_order(tmp_path):
    patients = [
        {**document, "patient": {"id": f"P-{place}"}} for place, document in enumerate([CLEAR, BLOCKED] * 3)
    ]
    outcome = run("check", lines(tmp_path, *patients))
    assert [each["patient"]["id"] for each in answers(outcome)] == [f"P-{place}" for place in range(6)]
    assert [each["status"] for each in answers(outcome)] == ["pass", "block"] * 3


def test_a_line_is_answered_as_the_same_request_alone_is(tmp_path):
    (line,) = answers(run("check", lines(tmp_path, BLOCKED)))
    alone = json.loads(run("check", "--json", written(tmp_path, BLOCKED)).stdout)
    assert {**line, "evaluated_at": None} == {**alone, "evaluated_at": None}


def test_a_bad_line_is_answered_with_its_problem_and_stops_nothing(tmp_path):
    outcome = run("check", lines(tmp_path, CLEAR, "{", BAD, b"\xff", BLOCKED))
    first, broken, refused, garbled, last = answers(outcome)
    assert (first["status"], last["status"]) == ("pass", "block")
    assert broken["errors"][0]["message"].startswith("this is not JSON: line 1, column 2")
    assert refused["errors"] == [
        {"path": "facts.dose_number", "message": "must be a whole number, without quotes"}
    ]
    assert garbled["errors"] == [{"path": "", "message": "the request is not UTF-8 text"}]
    for problem, line in ((broken, 2), (refused, 3), (garbled, 4)):
        assert problem["status"] == 422
        assert problem["line"] == line
        assert all(isinstance(problem[name], str) for name in ("type", "title", "detail"))


@pytest.mark.parametrize(
    ("documents", "status"),
    [
        ([CLEAR], 0),
        ([CLEAR, WARNED, CLEAR], 3),
        ([BLOCKED, WARNED, CLEAR], 4),
        ([BLOCKED, BAD, CLEAR], 2),
        (["{"], 2),
    ],
)
def test_the_exit_status_is_that_of_the_worst_line(tmp_path, documents, status):
    assert run("check", lines(tmp_path, *documents)).exit_code == status


def test_an_internal_error_outweighs_bad_input_which_outweighs_a_block():
    assert worst(Exit.FAULT, Exit.BAD_INPUT, Exit.BLOCK, Exit.WARN, Exit.PASS) is Exit.FAULT
    assert worst(Exit.WARN, Exit.BAD_INPUT, Exit.BLOCK) is Exit.BAD_INPUT
    assert worst(Exit.WARN, Exit.BLOCK, Exit.PASS) is Exit.BLOCK


def test_an_internal_error_on_one_line_answers_that_line_and_the_next(tmp_path, monkeypatch):
    from service.terminal import batch

    def fail_for_one(text, *args, **more):
        if b"P-BROKEN" in text:
            raise ValueError("P-BROKEN")
        return answer_to(text, *args, **more)

    answer_to = batch.answer_to
    monkeypatch.setattr(batch, "answer_to", fail_for_one)
    outcome = run("check", lines(tmp_path, {**CLEAR, "patient": {"id": "P-BROKEN"}}, CLEAR))
    broken, clear = answers(outcome)
    assert (outcome.exit_code, broken["status"], clear["status"]) == (1, 500, "pass")
    assert "P-BROKEN" not in json.dumps(broken)


def test_blank_lines_are_no_requests(tmp_path):
    outcome = run("check", lines(tmp_path, "", CLEAR, "  \t", "{", ""))
    assert [each["status"] for each in answers(outcome)] == ["pass", 422]
    assert answers(outcome)[1]["line"] == 4


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_a_file_without_any_request_is_bad_input(tmp_path, content):
    path = tmp_path / "requests.jsonl"
    path.write_bytes(content)
    outcome = run("check", path)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr == f"dosegate: {path}: holds no request\n"


def test_the_last_line_needs_no_end_and_windows_ends_are_read(tmp_path):
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(CLEAR).encode() + b"\r\n" + json.dumps(BLOCKED).encode())
    assert [each["status"] for each in answers(run("check", path))] == ["pass", "block"]


def test_the_limit_of_256_kib_is_for_each_line(tmp_path):
    full = json.dumps(CLEAR).encode().ljust(MOST_BYTES)
    outcome = run("check", lines(tmp_path, full, full + b" ", full * 3, CLEAR))
    assert [each["status"] for each in answers(outcome)] == ["pass", 422, 422, "pass"]
    assert answers(outcome)[2]["errors"][0]["message"] == "the request is larger than 256 KiB"


def test_lines_are_cut_where_they_end_and_their_sizes_add_up_to_the_file():
    text = b"a\n" + b"b" * (3 * MOST_WITH_BUNDLE) + b"\n\nc"
    found = list(lines_of(io.BytesIO(text)))
    assert [(each.number, each.text[:1]) for each in found] == [(1, b"a"), (2, b"b"), (4, b"c")]
    assert all(len(each.text) <= MOST_WITH_BUNDLE + 2 for each in found)
    assert sum(each.size for each in found) == len(text) - 1  # the blank line


def test_lines_reads_one_request_a_line_from_standard_input():
    text = b"".join(json.dumps(each).encode() + b"\n" for each in (CLEAR, BLOCKED))
    outcome = start("check", "-", "--lines", stdin=text)
    assert outcome.returncode == 4
    assert [each["status"] for each in answers(outcome)] == ["pass", "block"]
    assert outcome.stderr == b""


def test_with_trace_each_line_carries_its_trace(tmp_path):
    documents = answers(run("check", "--trace", lines(tmp_path, CLEAR, BLOCKED)))
    assert all(each["trace"]["fault"] is None and each["trace"]["checks"] for each in documents)


def test_an_answer_comes_before_the_next_request_is_sent():
    answered = python(
        "import subprocess, sys, json",
        f"request = {json.dumps(CLEAR)!r}",
        "program = [sys.executable, '-c', 'from service.cli import main; main()', 'check', '-', '--lines']",
        "asked = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)",
        "for _ in range(2):",
        "    print(request, file=asked.stdin, flush=True)",
        "    print(json.loads(asked.stdout.readline())['status'])",
        "asked.stdin.close()",
        "asked.stdout.close()",
        "sys.exit(asked.wait())",
    )
    assert (answered.returncode, answered.stdout.split()) == (0, [b"pass", b"pass"])


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_memory_does_not_grow_with_the_number_of_lines(tmp_path):
    few, many = (peak_memory(lines(tmp_path, *[LONG_BAD] * count)) for count in (4, 400))
    assert many - few < 8 * 1024  # KiB, for a file of 40 MB


LONG_BAD = b"{" + b" " * 100_000


def peak_memory(path):
    """The most memory that answering a file took, in KiB."""
    outcome = python(
        "import resource, subprocess, sys",
        f"program = [sys.executable, '-c', 'from service.cli import main; main()', 'check', {str(path)!r}]",
        "subprocess.run(program, stdout=subprocess.DEVNULL)",
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
    )
    return int(outcome.stdout)

"""What cannot be answered: one clear line for each thing that is wrong, never a traceback."""

import json

import pytest

from tests.cli.command import ESCAPE, changed, example, run, start, written

REQUEST = example("inebilizumab")


def refused(outcome):
    """The lines of a refusal, without the program's name."""
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    lines = outcome.stderr.splitlines()
    assert all(line.startswith("dosegate: ") for line in lines)
    return [line.removeprefix("dosegate: ") for line in lines]


def file_of(folder, content):
    path = folder / "request.json"
    path.write_bytes(content)
    return path


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "nowhere.json"
    assert refused(run("check", path)) == [f"{path}: cannot be read: no such file or directory"]


def test_a_folder_is_no_request(tmp_path):
    assert refused(run("check", tmp_path)) == [f"{tmp_path}: cannot be read: is a directory"]


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    path = tmp_path / "loop.json"
    path.symlink_to(path)
    (line,) = refused(run("check", path))
    assert line.startswith(f"{path}: cannot be read: too many levels of symbolic links")


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_file_says_what_a_request_is(tmp_path, content):
    path = file_of(tmp_path, content)
    (line,) = refused(run("check", path))
    assert line.startswith(f"{path}: the request is empty: send a JSON object with drug, infusion_at")


def test_what_is_not_json_is_shown_with_line_and_column(tmp_path):
    path = file_of(tmp_path, b'{"drug":\n  inebilizumab}')
    assert refused(run("check", path)) == [f"{path}: this is not JSON: line 2, column 3: Expecting value"]


def test_what_is_not_utf_8_is_refused(tmp_path):
    path = file_of(tmp_path, "{}".encode("utf-16"))
    assert refused(run("check", path)) == [f"{path}: the request is not UTF-8 text"]


@pytest.mark.parametrize("document", [[], "inebilizumab", 5, None])
def test_json_that_is_no_object_says_what_it_must_be(tmp_path, document):
    (line,) = refused(run("check", written(tmp_path, document)))
    assert line.endswith("must be a JSON object with drug, infusion_at, patient and facts")


def test_a_key_that_stands_twice_is_refused(tmp_path):
    (line,) = refused(run("check", file_of(tmp_path, b'{"drug": "a", "drug": "b"}')))
    assert line.endswith('the key "drug" stands twice in one object')


def test_a_request_of_more_than_256_kib_is_refused(tmp_path):
    padded = json.dumps(REQUEST).encode().ljust(256 * 1024 + 1)
    (line,) = refused(run("check", file_of(tmp_path, padded)))
    assert line.endswith("the request is larger than 256 KiB")


def test_a_request_of_exactly_256_kib_is_answered(tmp_path):
    padded = json.dumps(REQUEST).encode().ljust(256 * 1024)
    assert run("check", file_of(tmp_path, padded)).exit_code == 0


def test_every_bad_field_gets_a_line_of_its_own_at_its_path(tmp_path):
    bad = changed(REQUEST, dose_number="1", hbsaag="negative", igg={"value": 8})
    del bad["infusion_at"]
    assert refused(run("check", written(tmp_path, bad))) == [
        "facts.dose_number: must be a whole number, without quotes",
        'facts.hbsaag: is not a fact of the vocabulary. Did you mean "hbsag"?',
        "facts.igg.unit: needs a unit: g/L, mg/dL",
        "infusion_at: is missing",
    ]


def test_a_look_alike_name_is_never_corrected_and_the_near_ones_are_told_apart(tmp_path):
    (line,) = refused(run("check", written(tmp_path, {**REQUEST, "drug": "inebulizumab"})))
    assert line.startswith("drug: is not a drug that has rules here, and is never corrected.")
    assert "inebilizumab (Uplizna; CD19-directed" in line
    assert "ibalizumab (Trogarzo; CD4-directed" in line


@pytest.mark.parametrize("drug", ["rituximab", "infliximab", "eculizumab", "paracetamol", "?"])
def test_a_name_that_looks_like_none_of_ours_is_told_where_the_drugs_are_listed(tmp_path, drug):
    (line,) = refused(run("check", written(tmp_path, {**REQUEST, "drug": drug})))
    lists = "`dosegate drugs` and GET /api/v1/drugs list them"
    assert line == f"drug: is not a drug that has rules here; {lists}"


def test_with_json_the_refusal_is_the_same(tmp_path):
    path = file_of(tmp_path, b"{")
    assert refused(run("check", path, "--json")) == refused(run("check", path))


def test_an_empty_standard_input_is_refused():
    outcome = start("check", "-")
    assert (outcome.returncode, outcome.stdout) == (2, b"")
    assert outcome.stderr.startswith(b"dosegate: standard input: the request is empty")


def test_what_is_refused_cannot_write_control_characters_to_the_terminal(tmp_path):
    bad = changed(REQUEST, **{f"{ESCAPE}[2J\n\u202efact": "x"})
    (line,) = refused(run("check", written(tmp_path, bad)))
    assert line.isprintable()


@pytest.mark.parametrize("arguments", [[], ["check"], ["check", "--nothing", "x"], ["drugs", "x"]])
def test_a_wrong_command_line_shows_the_usage_and_exits_with_2(arguments):
    outcome = run(*arguments)
    assert outcome.exit_code == 2
    assert "Usage: " in outcome.stderr


def test_a_folder_of_rules_that_is_not_there_is_named(tmp_path):
    outcome = run("drugs", "--rules", tmp_path / "nowhere")
    assert outcome.exit_code == 2
    assert "nowhere' does not exist" in outcome.stderr


def test_a_folder_without_rules_says_what_is_missing(tmp_path):
    (line,) = refused(run("check", "--rules", tmp_path, written(tmp_path, REQUEST)))
    assert line == "rules/facts.yaml: cannot be read (FileNotFoundError)"


def test_an_internal_error_is_one_line_with_its_place_and_nothing_of_the_patient(tmp_path, monkeypatch):
    def fail(*args, **more):
        raise ValueError("MRN-1001 was here")

    monkeypatch.setattr("service.terminal.batch.answer_to", fail)
    outcome = run("check", written(tmp_path, REQUEST))
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("dosegate: internal error: ValueError in tests.cli.test_bad_input, line ")
    assert "MRN-1001" not in line

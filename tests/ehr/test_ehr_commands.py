"""`dosegate ehr`."""

import json

import pytest
from click.testing import CliRunner

from service.cli import main
from tests.ehr.an_ehr import ISSUER, ec_key, public

ADD = ["ehr", "add", "epic", "--issuer", ISSUER]
URL = ["--jwks-url", "https://ehr.example.org/jwks.json"]


@pytest.fixture
def run(settings, monkeypatch):
    """Runs a command on the records of a test."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    monkeypatch.setenv("DOSEGATE_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("COLUMNS", "110")

    def command(*arguments, status=0, stdin=None):
        done = CliRunner().invoke(main, arguments, input=stdin)
        assert done.exit_code == status, done.output
        return done

    return command


def test_an_ehr_is_added_listed_and_revoked(run, journaled):
    more = ["--tenant", "north", "--tenant", "south", "--fhir-server", "https://fhir.example.org/r4"]
    said = run(*ADD, *URL, *more, "--origin", "https://pages.example.org").stdout
    assert said == "ehr:epic is believed from now on.\n"
    lines = run("ehr", "list").stdout.splitlines()
    assert lines[0].startswith("epic: believed, added 20")
    assert [line.split() for line in lines[1:]] == [
        ["issuer", ISSUER],
        ["keys", URL[1]],
        ["tenants", "north"],
        ["south"],
        ["FHIR", "servers", "https://fhir.example.org/r4"],
        ["origins", "https://pages.example.org"],
    ]
    assert run("ehr", "revoke", "epic").stdout == "epic is revoked.\n"
    assert run("ehr", "list").stdout.startswith("epic: revoked 20")
    assert [(event, actor[:4]) for event, actor, *_ in journaled()] == [
        ("ehr_client.added", "cli:"),
        ("ehr_client.revoked", "cli:"),
    ]


@pytest.mark.any_database
def test_keys_may_be_given_in_a_file(run, tmp_path, sql):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(public(ec_key())), "utf-8")
    run(*ADD, "--jwks", str(file))
    assert "ec (ES384), given by hand" in run("ehr", "list").stdout
    [(kept,)] = sql("SELECT jwks FROM ehr_clients")
    assert '"ec"' in (kept if isinstance(kept, str) else json.dumps(kept))
    run("ehr", "add", "other", "--issuer", "x", "--jwks", "-", stdin=file.read_text("utf-8"))


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (ADD, "give --jwks-url, where its public keys are, or --jwks, a file of them"),
        ([*ADD, "--jwks-url", "http://x.example/"], "jwks_url cannot be called"),
        ([*ADD, "--jwks-url", "http://10.1.2.3/"], "is listed in DOSEGATE_PRIVATE_HOSTS"),
        ([*ADD, *URL, "--fhir-server", "https://10.1.2.3/"], "is listed in DOSEGATE_PRIVATE_HOSTS"),
        ([*ADD, *URL, "--jwks", "-"], "or --jwks, a file of them, and not both"),
        ([*ADD, *URL, "--origin", "*"], "origins[0] must be"),
        (["ehr", "add", "Epic", "--issuer", "x", *URL], "name must be 2 to 64"),
        (["ehr", "revoke", "nobody"], "nobody: no EHR is registered"),
        (["ehr", "revoke", "x\0"], "no EHR is registered"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(run, journaled, arguments, says):
    done = run(*arguments, status=2, stdin="{}")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert journaled() == []


@pytest.mark.any_database
def test_each_bad_field_has_a_line(run):
    done = run("ehr", "add", "?", "--issuer", "", *URL, "--tenant", "", status=2)
    assert done.stderr.count("\n") == 3


@pytest.mark.any_database
@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\xff"])
def test_a_file_that_is_not_json_is_said_so(run, text):
    assert "is not JSON" in run(*ADD, "--jwks", "-", status=2, stdin=text.encode("latin-1")).stderr


@pytest.mark.any_database
def test_a_private_key_in_a_file_is_not_repeated(run):
    key = ec_key().as_dict(private=True)
    done = run(*ADD, "--jwks", "-", status=2, stdin=json.dumps({"keys": [key]}))
    assert "jwks key 1 is a private key" in done.stderr
    assert key["d"] not in done.output

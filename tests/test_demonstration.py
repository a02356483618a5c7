"""The demonstration clinic: made up, marked everywhere, and never beside the records of a real site."""

import http.client
import json
import re
import shlex
import signal
import sqlite3
import subprocess
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from service.access.accounts import Accounts
from service.access.keys import ApiKeys
from service.access.principal import NotSignedIn
from service.access.roles import SCOPES, Role
from service.app import records_of
from service.demonstration import NotForDemonstration, prepare, settings_for
from service.records.database import Database
from service.records.site import DEMONSTRATION
from service.records.tables import checklists, contents
from service.server import serve
from service.settings import Settings
from tests import people  # noqa: F401  its cheap hashes
from tests.builders import shipped
from tests.cli.command import PROGRAM, plain_environment
from tests.databases import signing_key

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PATIENCE = 60
MARK = "DEMONSTRATION: every patient here is made up"


class Clinic(NamedTuple):
    """Where the demonstration listens, all that it said, and where it keeps its records."""

    port: int
    said: str
    folder: Path


@contextmanager
def serving(folder, *options, env=None):
    """What a server on a free port prints, as a stream; at the end it has to stop cleanly and in silence."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *options],
        cwd=folder,
        env={**plain_environment(), "PYTHONUNBUFFERED": "1", "DOSEGATE_LOG_LEVEL": "error", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    patience = threading.Timer(PATIENCE, process.kill)
    patience.start()
    with process:
        try:
            yield process.stdout
        finally:
            patience.cancel()
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, said) == (0, "")


def lines_until(stream, last):
    """What is printed up to a line with these words."""
    said = ""
    while last not in said:
        line = stream.readline()
        assert line, said
        said += line
    return said


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clinic")
    with serving(folder, "--demonstration") as stream:
        said = lines_until(stream, "Passwords, PINs")
        yield Clinic(int(re.search(r"127\.0\.0\.1:(\d+)", said)[1]), said, folder)


def ask(port, method, address, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, address, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def by_the_curl_line(clinic):
    """What the printed line asks for: method, address, body and headers."""
    words = shlex.split(re.search(r"curl .*", clinic.said)[0])
    given = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    [file] = [word[1:] for word in words if word.startswith("@")]
    [url] = [word for word in words if word.startswith("http://")]
    address = url.removeprefix(f"http://127.0.0.1:{clinic.port}")
    return "POST", address, Path(file).read_bytes(), dict(each.split(": ") for each in given)


def test_the_line_that_is_printed_makes_a_checklist_that_says_what_it_is(clinic):
    method, address, body, headers = by_the_curl_line(clinic)
    status, answered, result = ask(clinic.port, method, address, body, headers)
    assert status == 201
    assert json.loads(result)["site"] == DEMONSTRATION
    report = ask(clinic.port, "POST", answered["Location"] + "/replay", headers=headers)
    assert json.loads(report[2])["identical"] is True


def test_it_is_marked_everywhere(clinic):
    assert MARK in clinic.said
    for address in (
        "/healthz",
        "/readyz",
        "/api/v1/docs",
        "/api/v1/openapi.json",
        "/api/v1/drugs",
        "/nothing",
    ):
        assert ask(clinic.port, "GET", address)[1]["Dosegate-Mode"] == DEMONSTRATION
    assert ask(clinic.port, "GET", "/" + "x" * 5000)[1]["Dosegate-Mode"] == DEMONSTRATION  # the worker's own
    for address in ("/healthz", "/readyz"):
        assert json.loads(ask(clinic.port, "GET", address)[2])["mode"] == DEMONSTRATION
    assert f"<h1><mark>{MARK}".encode() in ask(clinic.port, "GET", "/api/v1/docs")[2]
    document = json.loads(ask(clinic.port, "GET", "/api/v1/openapi.json")[2])
    assert document["info"]["title"] == "Dosegate DEMONSTRATION"
    with closing(sqlite3.connect(clinic.folder / "demonstration.db")) as database:
        assert database.execute("SELECT DISTINCT site FROM journal").fetchall() == [(DEMONSTRATION,)]


def test_who_is_printed_can_sign_in(clinic):
    rows = re.findall(r"^  (\w+) +([a-z]+\.[a-z]+) +(\S+) +(\d{6})$", clinic.said, re.MULTILINE)
    assert [role for role, *_ in rows] == [role.value for role in Role]
    _, name, password, _ = rows[0]
    body = json.dumps({"name": name, "password": password})
    json_of_ours = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    assert ask(clinic.port, "POST", "/api/v1/session", body, json_of_ours)[0] == 201


def test_what_it_keeps_is_for_its_owner_only_and_in_files_of_its_own(clinic):
    names = {path.name for path in clinic.folder.iterdir()} - {"demonstration.db-wal", "demonstration.db-shm"}
    assert names == {"demonstration.db", "demonstration-signing.pem"}
    assert {path.stat().st_mode & 0o077 for path in clinic.folder.iterdir()} == {0}


def test_a_second_start_changes_the_secrets_and_adds_no_patient(settings, sql):
    with closing(records_of(replace(settings, site=DEMONSTRATION), NOW)) as records:
        first, second = (prepare(records, shipped(), NOW, ZoneInfo("UTC")) for _ in range(2))
        accounts, keys = Accounts(records), ApiKeys(records)
        for before, after in zip(first.people, second.people, strict=True):
            account = accounts.by_name(after.name)
            assert account.role == after.role
            assert accounts.knows_password(account, after.password)
            assert accounts.knows_secret(account, after.pin)
            assert not accounts.knows_password(account, before.password)
        assert keys.principal(second.token, NOW).permissions == SCOPES
        with pytest.raises(NotSignedIn):
            keys.principal(first.token, NOW)
        with records.reading() as connection:
            statuses = connection.scalars(select(checklists.c.status)).all()
            patients = connection.scalars(select(contents.c.patient)).all()
    assert sorted(statuses) == ["block", "block", "pass", "pass", "pass", "warn", "warn"]
    assert len(set(patients)) == 7
    assert all(patient.startswith("DEMO-") for patient in patients)
    assert sorted(sql("SELECT patient, state FROM infusions")) == [
        (f"DEMO-{number:04}", "planned") for number in (2, 3, 4, 8)
    ]
    secrets = [each for person in second.people for each in (person.password, person.pin)]
    written = json.dumps(sql("SELECT details, subject FROM journal"), default=str)
    assert not any(secret in written for secret in (*secrets, second.token))


def test_the_records_of_another_site_are_refused_and_left_alone(settings, sql):
    records_of(settings, NOW).close()
    before = sql("SELECT site, sequence FROM chains")
    with pytest.raises(
        NotForDemonstration, match="holds the records of the site main, which a demonstration"
    ):
        settings_for(settings)
    assert sql("SELECT site, sequence FROM chains") == before == [("main", 0)]


def test_a_database_that_is_empty_or_its_own_is_taken(settings):
    given = settings_for(replace(settings, site="main", keys=Path("real.pem"), public_url="https://real"))
    assert (given.database, given.site, given.demonstration) == (settings.database, DEMONSTRATION, True)
    assert given.keys == Path("demonstration-signing.pem")
    assert (given.public_url, given.identity_provider) == (None, None)
    records_of(replace(given, keys=signing_key()), NOW).close()
    assert settings_for(settings) == given


def test_the_file_of_something_else_is_refused(tmp_path):
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(NotForDemonstration, match="the tables of something else"):
        settings_for(Settings(f"sqlite:///{file}"))


def test_the_database_of_a_site_is_not_used_where_none_is_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = settings_for(Settings())
    assert Database(given.database).url.database == "demonstration.db"
    assert not (tmp_path / "dosegate.db").exists()


@pytest.mark.parametrize(
    ("host", "site", "said"),
    [
        ("0.0.0.0", "main", "a demonstration listens on 127.0.0.1 only"),
        ("::", "main", "a demonstration listens on 127.0.0.1 only"),
        ("192.0.2.1", "main", "a demonstration listens on 127.0.0.1 only"),
        ("127.0.0.1", DEMONSTRATION, "the site DEMONSTRATION is for --demonstration alone"),
    ],
)
def test_neither_is_served_in_place_of_the_other(capsys, tmp_path, host, site, said):
    settings = Settings(f"sqlite:///{tmp_path / 'x.db'}", site=site, keys=tmp_path / "new.pem")
    with pytest.raises(SystemExit) as ended:
        serve(host, 0, 1, replace(settings, demonstration=site != DEMONSTRATION))
    told = capsys.readouterr()
    assert (ended.value.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert said in told.err
    assert list(tmp_path.iterdir()) == []


def test_where_others_can_reach_it_a_proxy_is_asked_for(tmp_path):
    with serving(tmp_path, "--host", "0.0.0.0") as stream:
        said = lines_until(stream, "users add")
        # A worker that is told to stop while it begins is waited for, and killed at last.
        assert ask(int(re.search(r":(\d+)", said.partition("//")[2])[1]), "GET", "/healthz")[0] == 200
    assert re.match(
        r"Listening on http://0\.0\.0\.0:\d+ \(what is sent can be read on the way: .+ TLS\)\n", said
    )
    assert MARK not in said

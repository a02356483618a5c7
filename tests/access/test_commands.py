"""`dosegate users`, `keys` and `roles`."""

import json
import os
import pty
import select
import subprocess
import sys

import pytest
from click.testing import CliRunner

from service.access.keys import ApiKeys
from service.access.passwords import verified
from service.access.roles import ROLES, SCOPES, Permission, Role
from service.cli import main
from tests.access.conftest import NOW
from tests.people import PASSWORD, PIN

ANOTHER = "another long enough one"

ADD = ["users", "add", "--role", "nurse"]
WANTED = {Permission.CHECKLIST_MAKE, Permission.KNOWLEDGE_READ}


@pytest.fixture
def run(settings, monkeypatch):
    """Runs a command on the records of a test, with lines on standard input."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    monkeypatch.setenv("COLUMNS", "110")

    def command(*arguments, stdin="", status=0):
        done = CliRunner().invoke(main, arguments, input=stdin)
        assert done.exit_code == status, done.output
        return done

    return command


def test_an_account_is_added_listed_and_changed(run, accounts, journaled):
    run(
        "users",
        "add",
        "nina",
        "--role",
        "nurse",
        "--full-name",
        "Nina Koch",
        "--password-stdin",
        stdin=f"{PASSWORD}\n",
    )
    nina = accounts.by_name("nina")
    assert accounts.knows_password(nina, PASSWORD)
    assert (nina.full_name, nina.role) == ("Nina Koch", Role.NURSE)
    run("users", "role", "nina", "pharmacist")
    run("users", "pin", "nina", "--pin-stdin", stdin=PIN)
    assert accounts.knows_secret(accounts.by_name("nina"), PIN)
    run("users", "password", "nina", "--password-stdin", stdin="another long enough one\r\n")
    assert accounts.knows_password(nina, "another long enough one")
    listed = run("users", "list").output
    assert [line.split() for line in listed.splitlines()[1:]] == [
        ["nina", "Nina", "Koch", "pharmacist", "password", "yes", "enabled"]
    ]
    run("users", "disable", "nina")
    assert "disabled" in run("users", "list").output
    run("users", "enable", "nina")
    entries = journaled()
    assert [row[0] for row in entries] == ["account.added"] + ["account.changed"] * 5
    assert all(row[1].startswith("cli:") for row in entries)
    assert not any(secret in str(entries) for secret in (PASSWORD, PIN, "another", "argon2"))


@pytest.mark.any_database
def test_somebody_who_signs_in_elsewhere_gets_no_password(run, accounts):
    run("users", "add", "nina", "--role", "nurse", "--issuer", "https://id.example", "--external", "7")
    assert not accounts.by_external("https://id.example", "7").has_password
    run("users", "password", "nina", "--password-stdin", stdin=PASSWORD)
    run("users", "unlink", "nina")
    assert accounts.by_name("nina").issuer is None
    run("users", "link", "nina", "--issuer", "https://id.example", "--external", "8")
    assert accounts.by_external("https://id.example", "8").name == "nina"


@pytest.mark.any_database
def test_a_password_that_an_operator_gave_has_to_be_changed(run, accounts):
    said = run(*ADD, "nina", "--password-stdin", stdin=PASSWORD).stdout
    assert said == "nina may sign in as nurse, and has to choose another password then.\n"
    assert accounts.by_name("nina").password_expired
    accounts.change("nina", accounts.by_name("nina").principal.act("a-request", NOW), password=ANOTHER)
    assert not accounts.by_name("nina").password_expired
    run("users", "password", "nina", "--password-stdin", stdin=PASSWORD)
    assert accounts.by_name("nina").password_expired


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        ([*ADD, "Nina", "--password-stdin"], PASSWORD, "Nina: the name must be"),
        ([*ADD, "nina", "--password-stdin"], "short", "the password must be 12"),
        ([*ADD, "nina", "--password-stdin"], "", "the password must be 12"),
        ([*ADD, "nina"], PASSWORD, "--password-stdin"),
        ([*ADD, "nina", "--issuer", "https://id.example"], "", "the password is needed"),
        (["users", "role", "nobody", "nurse"], "", "nobody: no account has this name"),
        (["users", "pin", "nobody", "--pin-stdin"], "123456", "nobody: the PIN must not be"),
        (["users", "unlink", "nobody"], "", "nobody: no account has this name"),
        (["users", "link", "x", "--issuer", "é", "--external", "7"], "", "the issuer must be"),
        (["keys", "revoke", "x\0"], "", "a key has a prefix of 12"),
        (["keys", "revoke", "0123456789ab"], "", "no key has the prefix"),
        (["keys", "add", "a\nb", "--scope", "checklist:make"], "", "printable"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(run, journaled, arguments, stdin, says):
    done = run(*arguments, stdin=stdin, status=2)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "short" not in done.output
    assert journaled() == []


@pytest.mark.any_database
def test_there_is_no_role_and_no_scope_but_those_of_the_table(run):
    assert "'root' is not one of 'nurse'" in run("users", "add", "x", "--role", "root", status=2).output
    assert "is not one of" in run("keys", "add", "x", "--scope", "accounts:manage", status=2).output


@pytest.mark.any_database
def test_a_password_is_typed_unseen_and_twice(settings, sql):
    environment = {**os.environ, "DOSEGATE_DATABASE_URL": settings.database}
    environment |= {"DOSEGATE_SIGNING_KEYS": str(settings.keys), "COLUMNS": "110"}
    program = "from service.cli import main; main(prog_name='dosegate')"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program, "users", "add", "nina", "--role", "nurse"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    shown, typed = b"", [PASSWORD, "mistyped the second time", PASSWORD, PASSWORD]
    while part := _read(ours):
        shown += part
        if part.endswith(b": ") and typed:
            os.write(ours, typed.pop(0).encode() + b"\n")
    os.close(ours)  # which ends a program that waits
    assert process.wait(60) == 0, shown
    assert PASSWORD.encode() not in shown
    [[kept]] = sql("SELECT password FROM accounts")
    assert verified(kept, PASSWORD)
    assert "m=47104,t=2,p=1" in kept


def _read(terminal):
    """What is shown next; nothing where the program has ended, or waits for ever."""
    try:
        return os.read(terminal, 4096) if select.select([terminal], [], [], 60)[0] else b""
    except OSError:
        return b""


@pytest.mark.any_database
def test_a_key_is_made_its_token_printed_once_and_revoked(run, accounts, clock):
    done = run("keys", "add", "EHR", "--scope", "checklist:make", "--scope", "knowledge:read", "--days", "9")
    token = done.stdout.strip()
    keys = ApiKeys(accounts._records)
    [key] = keys.all()
    assert keys.principal(token, clock()).permissions == {
        Permission.CHECKLIST_MAKE,
        Permission.KNOWLEDGE_READ,
    }
    listed = run("keys", "list").output
    assert key.prefix in listed
    assert token not in listed
    run("keys", "revoke", key.prefix)
    assert "revoked" in run("keys", "list").output


@pytest.mark.any_database
def test_the_permissions_table_is_printed_whole(run):
    table = json.loads(run("roles", "--json").stdout)
    assert table == {
        permission.value: {"roles": sorted(allowed), "key": permission in SCOPES}
        for permission, allowed in ROLES.items()
    }
    head, *lines = run("roles").stdout.splitlines()
    assert head.split() == ["May", *Role, "API", "key"]
    for permission, line in zip(ROLES, lines, strict=True):
        cells = ["yes" if role in ROLES[permission] else "-" for role in Role]
        assert line.split() == [permission, *cells, "yes" if permission in SCOPES else "-"]

"""Accounts and API keys that were changed behind the service's back are found and named."""

from contextlib import closing
from datetime import timedelta

import pytest

from service.access.accounts import Accounts
from service.access.keys import ApiKeys
from service.access.roles import Permission, Role
from service.records.chain import documents
from service.records.database import Database
from service.records.export import Form, export
from service.records.signing import Keys
from service.records.tables import moment_text
from service.records.verify import documents_in, verify
from tests.people import PASSWORD
from tests.records.conftest import NOW

ISSUER = "https://id.example"
LIFE = timedelta(days=30)
SCOPES = (Permission.CHECKLIST_MAKE, Permission.CHECKLIST_READ)


@pytest.fixture
def faults(settings):
    """What `dosegate verify` says now, and nothing else; it is asked of the database itself."""

    def ask(site="main"):
        with closing(Database(settings.database)) as database, database.snapshot() as connection:
            read = documents(connection, site, moment_text(NOW))
            return [*map(str, verify(read, Keys.read(settings.keys)).faults)]

    return ask


@pytest.fixture
def lived(records, act):
    """The ids of two keys, the second revoked, after a life of four people in which everything happened."""
    people, keys = Accounts(records), ApiKeys(records)
    people.add("nora.quill", "Nora", Role.PRESCRIBER, PASSWORD, act)
    people.change("nora.quill", act, role=Role.NURSE, full_name="Nora Quill")
    people.add("carl", "Carl", Role.NURSE, None, act, issuer=ISSUER, external="7")
    people.link("carl", ISSUER, "8", act)
    people.add("ada", "Ada", Role.ADMIN, PASSWORD, act)
    people.change("ada", act, disabled=True)
    people.add("bea", "Bea", Role.AUDITOR, PASSWORD, act)
    people.change("bea", act, disabled=True, pin="482913")
    people.change("bea", act, disabled=False, password=PASSWORD + " anew")
    people.link("bea", ISSUER, "9", act)
    people.link("bea", None, None, act)
    made = [keys.make(name, SCOPES, LIFE, act)[0] for name in ("ehr", "old")]
    keys.revoke(made[1].prefix, act)
    return [key.id for key in made]


def test_nothing_is_found_after_a_life_of_accounts_and_keys(lived, faults):
    assert faults() == []


# Whose account, what is changed in it, and the words of the fault before and behind its name.
ACCOUNT_CHANGES = [
    ("nora.quill", "role = 'prescriber'", "role", "prescriber, and the journal says nurse"),
    ("nora.quill", "full_name = 'Nora'", "full name", "Nora, and the journal says Nora Quill"),
    ("carl", "external = '7'", "name at the issuer", "7, and the journal says 8"),
    ("carl", "issuer = NULL", "issuer", f"none, and the journal says {ISSUER}"),
    ("bea", f"issuer = '{ISSUER}'", "issuer", f"{ISSUER}, and the journal says none"),
    ("ada", "disabled_at = NULL", "state", "enabled, and the journal says disabled"),
    ("bea", "disabled_at = created_at", "state", "disabled, and the journal says enabled"),
]


def test_an_account_that_was_changed_behind_the_back_is_named_with_what_the_journal_says(lived, faults, sql):
    for name, change, what, says in ACCOUNT_CHANGES:
        column = change.split()[0]
        [(was,)] = sql(f"SELECT {column} FROM accounts WHERE name = ?", name)
        sql(f"UPDATE accounts SET {change} WHERE name = ?", name)
        assert faults() == [f"edited: the {what} of account {name} is {says}"]
        sql(f"UPDATE accounts SET {column} = ? WHERE name = ?", was, name)
    assert faults() == []


def test_a_key_that_was_changed_behind_the_back_is_named_with_what_the_journal_says(lived, faults, sql):
    live, revoked = lived
    [(prefix,)] = sql("SELECT prefix FROM api_keys WHERE id = ?", live)
    scopes = "journal:read, and the journal says checklist:make, checklist:read"
    for id, change, what, says in (
        (live, "prefix = 'abc'", "prefix", f"abc, and the journal says {prefix}"),
        (live, "name = 'his'", "name", "his, and the journal says ehr"),
        (live, "revoked_at = created_at", "state", "revoked, and the journal says valid"),
        (revoked, "revoked_at = NULL", "state", "valid, and the journal says revoked"),
        (live, "scopes = '[\"journal:read\"]'", "scope", scopes),
    ):
        sql(f"UPDATE api_keys SET {change} WHERE id = ?", id)
        assert faults() == [f"edited: the {what} of key {id} is {says}"]
        sql("UPDATE api_keys SET prefix = ?, name = 'ehr', revoked_at = NULL WHERE id = ?", prefix, live)
        sql("UPDATE api_keys SET revoked_at = created_at WHERE id = ?", revoked)


def test_an_account_or_key_without_an_entry_and_an_entry_without_one_are_found(lived, faults, sql):
    _, revoked = lived
    sql("UPDATE accounts SET name = 'mallory' WHERE name = 'bea'")
    sql("UPDATE api_keys SET site = 'north' WHERE id = ?", revoked)
    number = dict(sql("SELECT subject, MAX(sequence) FROM journal GROUP BY subject"))
    assert faults() == [
        "orphan: the account mallory has no entry",
        f"deleted: the account bea of entry {number['user:bea']} is gone",
        f"deleted: the key {revoked} of entry {number[revoked]} is gone",
    ]
    assert f"orphan: the key {revoked} has no entry" in faults("north")


def test_an_export_has_no_accounts_and_verifies_after_they_changed(lived, records, settings, act):
    lines = [*export(records, Form.NDJSON, act, openings=True)]
    assert not any(b'"registered"' in line for line in lines)
    Accounts(records).change("nora.quill", act, disabled=True)
    assert verify(documents_in(lines), Keys.read(settings.keys)).faults == []

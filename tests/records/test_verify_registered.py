"""EHRs, endpoints and senders that were changed behind the service's back are found and named.

The table of tampering is shown by: pytest -s tests/records/test_verify_registered.py
"""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from service.ehr.clients import EhrClients
from service.ehr.registering import NewEhrClient
from service.outbound.http import Outbound
from service.records.chain import documents
from service.records.tables import moment_text
from service.records.verify import verify
from service.webhooks.courier import Courier
from service.webhooks.endpoints import Endpoints
from service.webhooks.senders import Senders
from tests.ehr.an_ehr import ec_key, public
from tests.records.conftest import NOW
from tests.records.tampering import copied, tampering
from tests.webhooks import receiver as answers
from tests.webhooks.receiver import Clock, receiving
from tests.webhooks.telling import Site

URL = "https://ehr.example.org/hooks?token=s3cret"
EPIC = NewEhrClient(
    name="epic",
    issuer="https://ehr.example.org",
    jwks_url="https://ehr.example.org/jwks.json",
    tenants=("north", "south"),
    fhir_servers=("https://fhir.example.org/r4",),
    origins=("https://pages.example.org",),
)
BY_HAND = NewEhrClient(name="by-hand", issuer="by-hand", jwks=public(ec_key()))
UNTIL = moment_text(NOW + timedelta(hours=24))
EVIL = "whsec_ZXZpbGV2aWxldmlsZXZpbGV2aWxldmlsZXZpbGV2aWw="


@pytest.fixture
def ehrs(records):
    return EhrClients(records, Outbound())


@pytest.fixture
def endpoints(records):
    return Endpoints(records, Outbound())


@pytest.fixture
def senders(records):
    return Senders(records)


@pytest.fixture
def faults(records):
    """What `dosegate verify` says now, and nothing else; it is asked of the database itself."""

    def ask(site="main"):
        with records.database.snapshot() as connection:
            return said(connection, records.keys, site)

    return ask


def said(connection, keys, site="main"):
    return [*map(str, verify(documents(connection, site, moment_text(NOW)), keys).faults)]


@pytest.fixture
def lived(ehrs, endpoints, senders, act):
    """The ids of endpoints, EHRs and senders by a name each, after a life in which everything happened."""
    for client in (EPIC, BY_HAND, replace(EPIC, name="old", issuer="old")):
        ehrs.add(client, act)
    ehrs.revoke("old", act)
    ids = {client.name: client.id for client in ehrs.all()}
    for name in ("plain", "changed", "rotated", "leaked", "paused", "resumed", "removed"):
        ids[name] = endpoints.add(URL, ["pack.released", "outcome.recorded"], full=False, act=act)[0].id
    endpoints.change(ids["changed"], act, events=["checklist.completed"])
    endpoints.change(ids["changed"], act, full=True)
    for at_once in (True, False):
        endpoints.rotate(ids["rotated"], act, at_once=at_once)
    for at_once in (False, True):
        endpoints.rotate(ids["leaked"], act, at_once=at_once)
    for name in ("paused", "resumed"):
        endpoints.pause(ids[name], act)
    endpoints.resume(ids["resumed"], act)
    endpoints.rotate(ids["removed"], act)
    endpoints.pause(ids["removed"], act)
    endpoints.remove(ids["removed"], act)
    for name in ("ward", "turned", "leaky", "gone"):
        senders.add(name, act)
    for name, at_once in (("turned", True), ("turned", False), ("leaky", False), ("leaky", True)):
        senders.rotate(name, act, at_once=at_once)
    senders.rotate("gone", act)
    senders.revoke("gone", act)
    return {**ids, **{sender.name: sender.id for sender in senders.all()}}


def test_nothing_is_found_after_a_life_of_ehrs_endpoints_and_senders(lived, faults):
    assert faults() == []


# Whose row, what is changed in it, and what is said of it; with `other` it is another one than it was.
OTHER = "other"
TABLE = [
    ("ehr_clients", "epic", "name = 'evil'", "name", "evil, and the journal says epic"),
    ("ehr_clients", "epic", "issuer = 'x'", "issuer", "x, and the journal says https://ehr.example.org"),
    (
        "ehr_clients",
        "epic",
        "jwks_url = 'https://evil.example/jwks.json'",
        "jwks_url",
        "https://evil.example/jwks.json, and the journal says https://ehr.example.org/jwks.json",
    ),
    ("ehr_clients", "epic", "jwks = '{\"keys\": []}'", "jwks", OTHER),
    ("ehr_clients", "by-hand", "jwks = '{\"keys\": []}'", "jwks", OTHER),
    (
        "ehr_clients",
        "by-hand",
        "jwks_url = 'https://evil.example'",
        "jwks_url",
        "https://evil.example, and the journal says none",
    ),
    ("ehr_clients", "epic", "tenants = '[]'", "tenants", "none, and the journal says north, south"),
    (
        "ehr_clients",
        "epic",
        "fhir_servers = '[\"https://evil.example\"]'",
        "fhir_servers",
        "https://evil.example, and the journal says https://fhir.example.org/r4",
    ),
    (
        "ehr_clients",
        "by-hand",
        "origins = '[\"https://evil.example\"]'",
        "origins",
        "https://evil.example, and the journal says none",
    ),
    ("ehr_clients", "epic", "revoked_at = created_at", "state", "revoked, and the journal says valid"),
    ("ehr_clients", "old", "revoked_at = NULL", "state", "valid, and the journal says revoked"),
    (
        "endpoints",
        "plain",
        "url = 'https://evil.example/hooks?token=s3cret'",
        "origin",
        "https://evil.example, and the journal says https://ehr.example.org",
    ),
    (
        "endpoints",
        "plain",
        "url = 'https://['",
        "origin",
        "none, and the journal says https://ehr.example.org",
    ),
    ("endpoints", "plain", "url = 'https://ehr.example.org/hooks?token=other'", "address", OTHER),
    ("endpoints", "rotated", "url = 'https://ehr.example.org/evil'", "address", OTHER),
    (
        "endpoints",
        "removed",
        "url = 'http://ehr.example.org'",
        "origin",
        "http://ehr.example.org, and the journal says https://ehr.example.org",
    ),
    (
        "endpoints",
        "plain",
        "events = '[]'",
        "events",
        "none, and the journal says outcome.recorded, pack.released",
    ),
    (
        "endpoints",
        "changed",
        'events = \'["checklist.completed", "pack.released"]\'',
        "events",
        "checklist.completed, pack.released, and the journal says checklist.completed",
    ),
    ("endpoints", "plain", "\"full\" = '1'", "setting full", "true, and the journal says false"),
    ("endpoints", "changed", "\"full\" = '0'", "setting full", "false, and the journal says true"),
    ("endpoints", "plain", f"secret = '{EVIL}'", "secret", OTHER),
    ("endpoints", "plain", "secret = ''", "secret", OTHER),
    ("endpoints", "rotated", f"secret = '{EVIL}'", "secret", OTHER),
    ("endpoints", "rotated", "secret = older_secret", "secret", OTHER),
    ("endpoints", "rotated", f"older_secret = '{EVIL}'", "older secret", OTHER),
    (
        "endpoints",
        "rotated",
        "older_until = '2027-01-01T00:00:00.000000Z'",
        "end of the older secret",
        f"2027-01-01T00:00:00.000000Z, and the journal says {UNTIL}",
    ),
    ("endpoints", "leaked", f"older_secret = '{EVIL}'", "older secret", OTHER),
    ("endpoints", "plain", "paused_at = created_at", "state", "paused, and the journal says active"),
    ("endpoints", "resumed", "paused_at = created_at", "state", "paused, and the journal says active"),
    ("endpoints", "paused", "paused_at = NULL", "state", "active, and the journal says paused"),
    (
        "endpoints",
        "paused",
        "paused_because = 'gone'",
        "reason of the pause",
        "gone, and the journal says by hand",
    ),
    ("endpoints", "plain", "removed_at = created_at", "state", "removed, and the journal says active"),
    ("endpoints", "removed", "removed_at = NULL", "state", "paused, and the journal says removed"),
    ("endpoints", "removed", f"secret = '{EVIL}'", "secret", OTHER),
    ("senders", "ward", "name = 'evil'", "name", "evil, and the journal says ward"),
    ("senders", "ward", f"secret = '{EVIL}'", "secret", OTHER),
    ("senders", "turned", f"secret = '{EVIL}'", "secret", OTHER),
    ("senders", "turned", "secret = older_secret", "secret", OTHER),
    ("senders", "turned", f"older_secret = '{EVIL}'", "older secret", OTHER),
    (
        "senders",
        "turned",
        "older_until = '2027-01-01T00:00:00.000000Z'",
        "end of the older secret",
        f"2027-01-01T00:00:00.000000Z, and the journal says {UNTIL}",
    ),
    ("senders", "leaky", f"older_secret = '{EVIL}'", "older secret", OTHER),
    ("senders", "gone", "revoked_at = NULL", "state", "valid, and the journal says revoked"),
    ("senders", "ward", "revoked_at = created_at", "state", "revoked, and the journal says valid"),
    ("senders", "gone", f"secret = '{EVIL}'", "secret", OTHER),
]
KINDS = {"ehr_clients": "EHR client", "endpoints": "endpoint", "senders": "sender"}


@contextmanager
def tampered(records, tamper):
    """What is said after somebody who owns the database has been at it; nothing of that is left."""
    with tampering(records.database) as theirs:
        tamper(theirs)
        yield said(theirs.connection, records.keys)


def title(table, name, lived):
    """What a fault calls a row: endpoints have no name."""
    return f"{KINDS[table]} {lived[name] if table == 'endpoints' else name}"


def test_each_field_that_was_changed_behind_the_back_is_named_with_what_the_journal_says(
    lived, records, sql, database_kind
):
    secrets = [each for row in (*sql(OF_ENDPOINTS), *sql(OF_SENDERS)) for each in row if each]
    print(f"\n\nTampering on {database_kind}: what verify says")
    wrong = []
    for table, name, change, field, says in TABLE:
        of = f"the {field} of {title(table, name, lived)} is "
        expected = of + ("another one than the journal says" if says == OTHER else says)
        with tampered(records, set_row(table, lived[name], change)) as found:
            print(f"\n{table}, {name}: {change}\n" + "\n".join(f"    {each}" for each in found))
        assert not any(secret in text for secret in (*secrets, EVIL, "s3cret") for text in found)
        if found != [f"edited: {expected}"]:
            wrong.append((change, expected, found))
    assert wrong == []


OF_ENDPOINTS = "SELECT secret, older_secret FROM endpoints"
OF_SENDERS = "SELECT secret, older_secret FROM senders"


def set_row(table, id, changes):
    return lambda theirs: theirs.run(f"UPDATE {table} SET {changes} WHERE id = '{id}'")


def test_several_fields_that_were_changed_are_each_named(lived, records):
    """Under another secret of theirs the rest of an address cannot be compared, but its origin is."""
    changes = f"url = 'https://evil.example', secret = '{EVIL}', events = '[]', \"full\" = '1'"
    of = f"of endpoint {lived['plain']} is"
    with tampered(records, set_row("endpoints", lived["plain"], changes)) as found:
        assert found == [
            f"edited: the origin {of} https://evil.example, and the journal says https://ehr.example.org",
            f"edited: the events {of} none, and the journal says outcome.recorded, pack.released",
            f"edited: the setting full {of} true, and the journal says false",
            f"edited: the secret {of} another one than the journal says",
        ]


def test_an_empty_older_secret_is_named_too(lived, records):
    """Anybody could sign with it."""
    until = "2027-01-01T00:00:00.000000Z"
    for table, name in (("senders", "ward"), ("endpoints", "plain")):
        of = f"of {title(table, name, lived)} is"
        change = f"older_secret = '', older_until = '{until}'"
        with tampered(records, set_row(table, lived[name], change)) as found:
            assert found == [
                f"edited: the older secret {of} another one than the journal says",
                f"edited: the end of the older secret {of} {until}, and the journal says none",
            ]


def test_a_revoked_sender_that_is_revived_with_a_secret_is_named(lived, records):
    with tampered(
        records, set_row("senders", lived["gone"], f"revoked_at = NULL, secret = '{EVIL}'")
    ) as found:
        assert found == [
            "edited: the secret of sender gone is another one than the journal says",
            "edited: the state of sender gone is valid, and the journal says revoked",
        ]


def test_one_without_an_entry_and_an_entry_without_one_are_found(lived, records, sql):
    number = dict(sql("SELECT subject, MAX(sequence) FROM journal GROUP BY subject"))
    new = "00000000-0000-4000-8000-000000000000"
    for table, name in (("ehr_clients", "epic"), ("endpoints", "plain"), ("senders", "ward")):
        kind, id = KINDS[table], lived[name]
        more = {} if table == "endpoints" else {"name": "'evil'"}
        with tampered(records, copied(table, f"id = '{id}'", **more)) as found:
            assert found == [f"orphan: the {kind} {'evil' if more else new} has no entry"]
        of = f"of entry {number[id]} is gone"
        for gone in (f"DELETE FROM {table}", f"UPDATE {table} SET site = 'north'"):
            with tampered(records, lambda t, gone=gone, id=id: t.run(f"{gone} WHERE id = '{id}'")) as found:
                assert found == [f"deleted: the {title(table, name, lived)} {of}"]


def test_rows_of_another_site_are_compared_with_its_own_journal(lived, records):
    with tampering(records.database) as theirs:
        theirs.run(f"UPDATE senders SET site = 'north' WHERE id = '{lived['ward']}'")
        assert "orphan: the sender ward has no entry" in said(theirs.connection, records.keys, "north")


def test_what_moves_without_an_entry_is_not_compared(lived, records):
    moved = "read_to = 0, failing_since = created_at, held_until = created_at"
    with tampered(records, set_row("endpoints", lived["plain"], moved)) as found:
        assert found == []


# ---------------------------------------------------------------- what the service itself does afterwards


def test_a_rotation_does_not_make_an_exchanged_address_the_right_one(lived, faults, endpoints, act, sql):
    id = lived["plain"]
    sql("UPDATE endpoints SET url = 'https://ehr.example.org/evil' WHERE id = ?", id)
    for at_once in (False, True):
        endpoints.rotate(id, act, at_once=at_once)
        assert faults() == [f"edited: the address of endpoint {id} is another one than the journal says"]


def test_after_a_rotation_an_exchanged_secret_is_still_named_as_the_older_one(
    lived, faults, senders, act, sql
):
    sql("UPDATE senders SET secret = ? WHERE name = 'ward'", EVIL)
    senders.rotate("ward", act)
    assert faults() == ["edited: the older secret of sender ward is another one than the journal says"]
    senders.rotate("ward", act, at_once=True)
    assert faults() == []


def test_another_name_does_not_become_the_right_one(lived, faults, senders, act, sql):
    sql("UPDATE senders SET name = 'evil' WHERE name = 'ward'")
    senders.rotate("evil", act)
    assert faults() == ["edited: the name of sender ward is evil, and the journal says ward"]


def test_nothing_is_found_after_the_courier_paused_an_endpoint(records, faults, sql):
    clock = Clock(NOW)
    site = Site(records, clock)
    with receiving() as receiver:
        outbound = Outbound(frozenset({receiver.host}))
        added, receiver.secret = Endpoints(records, outbound).add(
            receiver.url, ["pack.released"], full=False, act=site.act()
        )
        receiver.mode = answers.GONE
        site.release()
        Courier(records, outbound, None, clock, lambda: 0.5).drain()
    assert sql("SELECT paused_because FROM endpoints") == [("gone",)]
    assert faults() == []
    sql("UPDATE endpoints SET paused_at = NULL, paused_because = NULL")
    of = f"of endpoint {added.id} is"
    assert faults() == [
        f"edited: the state {of} active, and the journal says paused",
        f"edited: the reason of the pause {of} none, and the journal says gone",
    ]


def test_no_secret_and_no_whole_address_is_in_what_is_verified(lived, records, sql):
    """Nor in the journal, so that it is in no export either."""
    secrets = [each for row in (*sql(OF_ENDPOINTS), *sql(OF_SENDERS)) for each in row if each]
    with records.database.snapshot() as connection:
        read = json.dumps([*documents(connection, "main", moment_text(NOW))])
    assert "sha256:" in read
    assert len(secrets) == 11  # six endpoints and three senders, and an older one of two that were rotated
    assert not any(secret in read for secret in (*secrets, "s3cret"))

"""Accounts on both databases: what is kept of a person, what the journal says, what is refused."""

import pytest
from argon2 import PasswordHasher

from service.access import passwords
from service.access.account import BadAccount, NoSuchAccount
from service.access.accounts import LastAdmin, WrongSecret
from service.access.principal import NotSignedIn, Principal
from service.access.roles import Role, permissions_of
from service.access.throttle import WINDOW, TooManyFailures
from service.records.journal import Act
from tests.access.conftest import NOW
from tests.people import PASSWORD, PIN

ANOTHER = "another long enough one"


def an_account(accounts, role, name):
    act = Act("cli:setup", "operator", "setup", NOW)
    return accounts.add(name, name.title(), role, PASSWORD, act, pin=PIN)


def test_an_account_is_kept_without_its_secrets_in_sight(accounts, sql, journaled):
    nina = an_account(accounts, Role.NURSE, "nina")
    assert (nina.role, nina.has_password, nina.has_pin, nina.disabled_at) == (Role.NURSE, True, True, None)
    assert accounts.by_name("nina") == accounts.by_id(nina.id) == nina
    assert nina.principal.permissions == permissions_of(Role.NURSE)
    [kept] = sql("SELECT password, pin FROM accounts")
    assert all(each.startswith("$argon2id$") for each in kept)
    assert not {PASSWORD, PIN, *kept} & set(str(nina).split("'"))
    assert "argon2" not in str(journaled())
    added, changed = journaled("account.added"), journaled("account.changed")
    assert [row[1:3] for row in added] == [("cli:setup", "user:nina")]
    assert changed == []


def test_every_change_is_in_the_journal_and_no_secret_is(accounts, act, journaled):
    an_account(accounts, Role.NURSE, "nina")
    accounts.change("nina", act, role=Role.PRESCRIBER, full_name="Dr Nina Koch")
    accounts.change("nina", act, password=ANOTHER, pin="90210713")
    accounts.change("nina", act, disabled=True)
    accounts.change("nina", act, disabled=False)
    accounts.change("nina", act, disabled=False, role=Role.PRESCRIBER)  # changes nothing
    entries = journaled("account.changed")
    assert len(entries) == 4
    for said in ("prescriber", "Dr Nina Koch", "disabled", "password", "pin"):
        assert said in str(entries)
    for secret in (PASSWORD, PIN, ANOTHER, "90210713", "argon2"):
        assert secret not in str(journaled())


def told(entry):
    """An entry as Python writes it, of either database."""
    return str(entry).replace('"', "'")


BAD = [
    ("name", {"name": "Nina"}),
    ("name", {"name": "n"}),
    ("name", {"name": "nina koch"}),
    ("name", {"name": "taken"}),
    ("full_name", {"full_name": " "}),
    ("full_name", {"full_name": "Nina\nKoch"}),
    ("password", {"password": "short"}),
    ("password", {"password": None}),
    ("password", {"password": None, "issuer": "https://id.example"}),
    ("external", {"password": None, "issuer": "https://id.example", "external": "7"}),
    *(("issuer", {"issuer": bad, "external": "8"}) for bad in ("", "a\0b", "\ud800", "é", "x" * 256)),
    *(("external", {"issuer": "i", "external": bad}) for bad in ("", "a\0b", "\ud800", "é", "x" * 256)),
    ("pin", {"pin": "123456"}),
]


@pytest.mark.any_database
def test_an_account_that_cannot_be_is_refused_by_its_field(accounts, act):
    accounts.add("taken", "T", Role.NURSE, PASSWORD, act, issuer="https://id.example", external="7")
    right = {"name": "nina", "full_name": "Nina Koch", "role": Role.NURSE, "password": PASSWORD}
    for field, changes in BAD:
        with pytest.raises(BadAccount) as refused:
            accounts.add(**{**right, **changes}, act=act)
        assert refused.value.field == field, changes
    assert len(accounts.all()) == 1


def test_somebody_whom_an_issuer_vouches_for_is_found_by_its_name_for_them(accounts, act):
    nina = accounts.add("nina", "N", Role.NURSE, None, act, issuer="https://id.example", external="7")
    assert accounts.by_external("https://id.example", "7") == nina
    assert not accounts.knows_password(nina, "")
    for other in (("https://id.example", "8"), ("https://other.example", "7")):
        with pytest.raises(NoSuchAccount):
            accounts.by_external(*other)


def test_an_account_is_linked_later_and_unlinked_and_the_journal_says_to_whom(accounts, act, journaled):
    an_account(accounts, Role.NURSE, "nina")
    accounts.add("carl", "C", Role.NURSE, None, act, issuer="https://id.example", external="7")
    assert "'external': '7'" in told(journaled("account.added")[1])
    with pytest.raises(BadAccount, match="external is another account's"):
        accounts.link("nina", "https://id.example", "7", act)
    with pytest.raises(BadAccount, match="password is needed first"):
        accounts.link("carl", None, None, act)
    nina = accounts.link("nina", "https://id.example", "8", act)
    assert accounts.by_external("https://id.example", "8") == nina
    accounts.link("nina", "https://id.example", "8", act)  # changes nothing
    accounts.link("nina", None, None, act)
    with pytest.raises(NoSuchAccount):
        accounts.by_external("https://id.example", "8")
    linked, unlinked = journaled("account.changed")
    assert all(row[1:3] == ("cli:setup", "user:nina") for row in (linked, unlinked))
    assert "'external': {'to': '8'}" in told(linked)
    assert "'external': {'from': '8'}" in told(unlinked)


@pytest.mark.any_database
@pytest.mark.parametrize("name", ["a\0b", "\ud800x", "", "NINA", "x" * 65])
def test_a_text_that_can_be_no_name_is_nobodys_and_is_not_sought(accounts, act, name):
    for ask in (accounts.by_name, lambda name: accounts.change(name, act, disabled=True)):
        with pytest.raises(NoSuchAccount):
            ask(name)


def test_the_last_administrator_stays_where_one_is_to_be_kept(accounts, act):
    for name in ("anna", "ada"):
        an_account(accounts, Role.ADMIN, name)
    accounts.change("ada", act, disabled=True, keep_an_admin=True)
    for changes in ({"disabled": True}, {"role": Role.NURSE}):
        with pytest.raises(LastAdmin):
            accounts.change("anna", act, **changes, keep_an_admin=True)
    assert accounts.by_name("anna").principal.role == "admin"
    accounts.change("anna", act, full_name="Anna", keep_an_admin=True)
    accounts.change("anna", act, disabled=True)


def test_signing_takes_the_pin_or_the_password_and_counts_the_wrong_ones(accounts, act, clock, journaled):
    nina = an_account(accounts, Role.NURSE, "nina").principal

    def sign(secret):
        accounts.sign(nina, secret, nina.act("a-request", clock()))

    sign(PIN)
    sign(PASSWORD)
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(WrongSecret):
                sign("314159")
        sign(PIN)  # forgets the wrong ones
    for _ in range(5):
        with pytest.raises(WrongSecret):
            sign("314159")
    with pytest.raises(TooManyFailures) as over:
        sign(PIN)
    assert 0 < over.value.retry_after <= WINDOW.total_seconds()
    clock.pass_by(seconds=over.value.retry_after)
    sign(PIN)
    failures = journaled("signature.failed")
    assert len(failures) == 13
    assert {row[1:3] for row in failures} == {("user:nina", "user:nina")}
    assert "314159" not in str(failures)


@pytest.mark.any_database
def test_a_machine_signs_nothing(accounts, act):
    with pytest.raises(NotSignedIn):
        accounts.sign(Principal("key:1", "client", "EHR", frozenset()), PASSWORD, act)


@pytest.mark.any_database
def test_a_hash_of_older_parameters_is_made_anew_when_it_is_next_right(accounts, sql, monkeypatch):
    nina = an_account(accounts, Role.NURSE, "nina")
    [before] = sql("SELECT password, pin FROM accounts")
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert not accounts.knows_secret(nina, ANOTHER)
    assert sql("SELECT password, pin FROM accounts") == [before]
    for secret in (PASSWORD, PIN):
        assert accounts.knows_secret(nina, secret)
    [after] = sql("SELECT password, pin FROM accounts")
    assert all("m=16,t=2" in each for each in after)
    for secret in (PASSWORD, PIN):
        assert accounts.knows_secret(nina, secret)

"""Signing in: who fails too often waits, no colleague is locked out, and no answer tells who has one."""

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event

from service.access import passwords
from service.access.roles import Role
from service.access.sign_in import (
    AT_A_KNOWN_DEVICE,
    AT_ONE_ADDRESS,
    BY_COPIES_OF_A_DEVICE,
    FROM_ONE_ADDRESS,
    MOST_PEOPLE,
    OVER_ALL_ADDRESSES,
)
from service.access.throttle import WINDOW
from service.web.cookies import DEVICE_COOKIE
from tests.access.test_sessions import SESSION, is_kind, sign_in
from tests.people import PASSWORD, an_account, browser

WRONG = "wrong, wrong, wrong"


class Counting(PasswordHasher):
    """Counts how often a password was verified, right or wrong."""

    verified = 0

    def verify(self, *kept_and_tried):
        self.verified += 1
        return super().verify(*kept_and_tried)


@pytest.fixture
def work(monkeypatch):
    """The hasher, which counts."""
    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", hasher)
    return hasher


def at(app, address):
    """A browser at an address."""
    client = browser(app)
    client.environ_base["REMOTE_ADDR"] = address
    return client


def fail(client, name, times):
    for _ in range(times):
        assert is_kind(sign_in(client, name, WRONG), 401, "sign-in-failed")


def is_made_to_wait(client, name, password=PASSWORD):
    return is_kind(sign_in(client, name, password), 429, "too-many-failures")


@pytest.mark.any_database
def test_an_unknown_name_a_wrong_password_and_a_disabled_account_are_answered_alike(app, parts, act, work):
    an_account(app, Role.NURSE, "nina")
    an_account(app, Role.NURSE, "gone")
    parts.accounts.change("gone", act, disabled=True)
    parts.accounts.add("elsewhere", "E", Role.NURSE, None, act, issuer="https://id.example", external="7")
    told = []
    for name, password in [("nina", WRONG), ("nobody", WRONG), ("gone", PASSWORD), ("elsewhere", WRONG)]:
        before, response = work.verified, sign_in(browser(app), name, password)
        headers = {key: value for key, value in response.headers if key != "X-Request-Id"}
        told.append((response.status_code, response.get_data(), headers, work.verified - before))
    assert all(each == told[0] for each in told)
    assert told[0][0] == 401
    assert told[0][3] == 1


def test_as_much_is_read_and_written_for_an_unknown_name_as_for_a_known_one(app, parts):
    an_account(app, Role.NURSE, "nina")
    fail(at(app, "192.0.2.1"), "carl", 1)  # the pool has a connection
    counts = []
    for name in ("nina", "nobody"):
        asked = []

        def count(_connection, _cursor, statement, *_others, asked=asked):
            asked.append(statement)

        event.listen(parts.store.records.database.engine, "before_cursor_execute", count)
        fail(at(app, "192.0.2.2"), name, 1)
        event.remove(parts.store.records.database.engine, "before_cursor_execute", count)
        counts.append(asked)
    assert counts[0] == counts[1] != []


@pytest.mark.any_database
def test_the_same_wait_for_an_account_and_for_none_and_no_password_is_tried_meanwhile(app, clock, work):
    an_account(app, Role.NURSE, "nina")
    waits = []
    for name in ("nina", "nobody"):
        client = at(app, f"192.0.2.{len(waits)}")
        fail(client, name, FROM_ONE_ADDRESS)
        before, response = work.verified, sign_in(client, name)
        assert is_kind(response, 429, "too-many-failures")
        assert work.verified == before
        waits.append((response.headers["Retry-After"], response.json))
    assert waits[0] == waits[1]
    clock.pass_by(seconds=60)
    assert int(sign_in(at(app, "192.0.2.0"), "nina").headers["Retry-After"]) == int(waits[0][0]) - 60
    clock.pass_by(seconds=int(waits[0][0]) - 61)
    assert is_made_to_wait(at(app, "192.0.2.0"), "nina")
    clock.pass_by(seconds=1)
    assert sign_in(at(app, "192.0.2.0"), "nina").status_code == 201


def test_who_tries_a_colleagues_name_locks_no_colleague_out(app):
    an_account(app, Role.NURSE, "nina")
    own = at(app, "192.0.2.1")
    assert sign_in(own, "nina").status_code == 201
    for each in range(OVER_ALL_ADDRESSES // FROM_ONE_ADDRESS):  # from many addresses, hers too
        fail(at(app, f"192.0.2.{each + 1}"), "nina", FROM_ONE_ADDRESS)
    assert is_made_to_wait(at(app, "198.51.100.7"), "nina")  # the account, over all addresses
    assert is_made_to_wait(at(app, "192.0.2.1"), "nina")  # her address, without her device
    assert sign_in(own, "nina").status_code == 201
    fail(own, "nina", AT_A_KNOWN_DEVICE)  # and at her device nobody tries for ever either
    assert is_made_to_wait(own, "nina")


@pytest.mark.any_database
def test_a_copy_of_a_devices_cookie_keeps_nobody_out_of_the_device(app):
    an_account(app, Role.NURSE, "nina")
    own = at(app, "192.0.2.1")
    sign_in(own, "nina")

    def copied(address):
        client = at(app, address)
        client.set_cookie(DEVICE_COOKIE, own.get_cookie(DEVICE_COOKIE).value)
        return client

    fail(copied("198.51.100.0"), "nina", AT_A_KNOWN_DEVICE)
    assert is_made_to_wait(copied("198.51.100.0"), "nina")
    assert sign_in(own, "nina").status_code == 201
    for each in range(1, BY_COPIES_OF_A_DEVICE // AT_A_KNOWN_DEVICE):
        fail(copied(f"198.51.100.{each}"), "nina", AT_A_KNOWN_DEVICE)
    fail(copied("198.51.100.9"), "nina", FROM_ONE_ADDRESS)  # now it is worth no more than no cookie
    assert is_made_to_wait(copied("198.51.100.9"), "nina")
    assert sign_in(own, "nina").status_code == 201


@pytest.mark.any_database
def test_many_names_from_one_address_are_made_to_wait_at_that_address_alone(app):
    an_account(app, Role.NURSE, "nina")
    for each in range(AT_ONE_ADDRESS):
        fail(at(app, "192.0.2.1"), f"name{each}", 1)
    assert is_made_to_wait(at(app, "192.0.2.1"), "nina")
    assert sign_in(at(app, "192.0.2.2"), "nina").status_code == 201


@pytest.mark.any_database
def test_a_device_knows_several_people_and_no_more_than_it_is_told(app):
    client = at(app, "192.0.2.1")
    names = [f"nurse{each}" for each in range(MOST_PEOPLE + 1)]
    for name in names:
        an_account(app, Role.NURSE, name)
        assert sign_in(client, name).status_code == 201
    device = client.get_cookie(DEVICE_COOKIE).value
    assert not any(name in device for name in names)
    assert len(device.split(".")) == MOST_PEOPLE + 1
    fail(client, "stranger", FROM_ONE_ADDRESS)
    assert is_made_to_wait(client, "stranger")
    fail(client, names[-1], FROM_ONE_ADDRESS + 1)  # known: a bucket of its own
    fail(client, names[0], FROM_ONE_ADDRESS)  # the first of too many: no longer known
    assert is_made_to_wait(client, names[0])


@pytest.mark.any_database
def test_a_device_that_nobody_told_is_not_known(app):
    for name in ("nina", "carl"):
        an_account(app, Role.NURSE, name)
    own, carls = at(app, "192.0.2.1"), at(app, "192.0.2.1")
    sign_in(own, "nina")
    sign_in(carls, "carl")
    told = own.get_cookie(DEVICE_COOKIE).value
    another_number = f"{'0' * 32}.{told.partition('.')[2]}"
    others = carls.get_cookie(DEVICE_COOKIE).value
    for each, device in enumerate([others, another_number, told[:-1], ".".join([told] * 40), "\"';,é"]):
        client = at(app, f"198.51.100.{each}")
        client.set_cookie(DEVICE_COOKIE, device)
        fail(client, "nina", FROM_ONE_ADDRESS)  # a device that is known has more
        assert is_made_to_wait(client, "nina")
    assert sign_in(own, "nina").status_code == 201


@pytest.mark.any_database
def test_a_right_password_forgets_the_wrong_ones_of_its_own_browser(app):
    an_account(app, Role.NURSE, "nina")
    for _ in range(3):
        client = at(app, "192.0.2.1")
        fail(client, "nina", FROM_ONE_ADDRESS - 1)
        assert sign_in(client, "nina").status_code == 201


def test_failures_are_counted_without_names_and_forgotten_after_a_while(app, clock, sql):
    an_account(app, Role.NURSE, "nina")
    fail(at(app, "192.0.2.1"), "nina", 2)
    rows = sql("SELECT bucket FROM failures")
    assert len({bucket for (bucket,) in rows}) == 3
    assert all(len(bucket) == 64 for (bucket,) in rows)
    clock.pass_by(seconds=WINDOW.total_seconds())
    fail(at(app, "192.0.2.9"), "carl", 1)
    assert len(sql("SELECT bucket FROM failures")) == 3


def test_failures_and_full_buckets_are_journaled_and_a_name_only_where_it_is_an_account(app, journaled):
    an_account(app, Role.NURSE, "nina")
    client = at(app, "192.0.2.1")
    fail(client, "nina", FROM_ONE_ADDRESS)
    assert is_made_to_wait(client, "nina")
    fail(client, PASSWORD, 1)  # typed into the wrong field
    entries = journaled("account.sign_in_failed")
    assert [row[2] for row in entries] == ["user:nina"] * FROM_ONE_ADDRESS + ["unknown"]
    assert ["limit_reached" in str(row[3]) for row in entries] == [False] * 4 + [True, False]
    for secret in (WRONG, PASSWORD, "192.0.2.1"):
        assert secret not in str(journaled())


@pytest.mark.any_database
def test_nothing_of_a_sign_in_is_logged_or_repeated(app, caplog):
    an_account(app, Role.NURSE, "nina")
    caplog.set_level("DEBUG")
    client = browser(app)
    said = [
        sign_in(client, "nina").text,
        sign_in(client, "nina", WRONG).text,
        client.post(SESSION, json={"name": "nina", "password": [WRONG], WRONG: 1}).text,
        client.post(SESSION, data=f'{{"name": {WRONG}', content_type="application/json").text,
        client.post("/api/v1/account/pin", json={"present": PASSWORD, "pin": "77777777"}).text,
    ]
    for secret in (PASSWORD, "77777777", "argon2"):
        assert secret not in caplog.text
        assert secret not in " ".join(said)
    assert WRONG not in caplog.text

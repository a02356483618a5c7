"""Where a request comes from, and what that is worth: behind a proxy, over IPv6, from a page of ours."""

from dataclasses import replace

import pytest

from service.access.addresses import counted_as, is_loopback
from service.access.roles import Role
from service.access.sign_in import AT_ONE_ADDRESS, FROM_ONE_ADDRESS, OVER_ALL_ADDRESSES
from service.app import create_app
from service.settings import BadSetting, Settings
from service.web.guard import COOKIE
from tests.access.test_sessions import SESSION, is_kind, sign_in
from tests.access.test_sign_in import at, fail, is_made_to_wait
from tests.builders import shipped
from tests.people import an_account, signed_in

pytestmark = pytest.mark.any_database
PUBLIC_URL = "https://dosegate.example"


@pytest.fixture
def behind(settings, clock):
    """Makes an application of other settings; each is closed at the end."""
    made = []

    def make(**changes):
        made.append(create_app(replace(settings, **changes), shipped(), clock))
        return made[-1]

    yield make
    for app in made:
        app.extensions["dosegate"].store.records.close()


def through(app, forwarded):
    """A browser whose requests a proxy on this machine sends on."""
    client = at(app, "127.0.0.1")
    client.environ_base["HTTP_X_FORWARDED_FOR"] = forwarded
    return client


def test_behind_a_proxy_that_is_trusted_each_client_is_counted_by_its_own_address(behind):
    app = behind(trusted_proxies=1)
    an_account(app, Role.NURSE, "nina")
    for each in range(FROM_ONE_ADDRESS):  # what a client writes there itself comes first, and is not believed
        fail(through(app, f"198.51.100.{each}, 192.0.2.9"), "nina", 1)
    assert is_made_to_wait(through(app, "203.0.113.5, 192.0.2.9"), "nina")
    assert sign_in(through(app, "192.0.2.9, 203.0.113.5"), "nina").status_code == 201
    for each in range(AT_ONE_ADDRESS - FROM_ONE_ADDRESS):
        fail(through(app, "192.0.2.9"), f"name{each}", 1)
    an_account(app, Role.NURSE, "carl")
    assert is_made_to_wait(through(app, "192.0.2.9"), "carl")
    assert sign_in(through(app, "203.0.113.5"), "carl").status_code == 201


def test_of_two_proxies_the_first_says_who_asks(behind):
    app = behind(trusted_proxies=2)
    an_account(app, Role.NURSE, "nina")
    fail(through(app, "192.0.2.9, 10.0.0.1"), "nina", FROM_ONE_ADDRESS)
    assert is_made_to_wait(through(app, "192.0.2.9, 10.0.0.1"), "nina")
    assert sign_in(through(app, "192.0.2.8, 10.0.0.1"), "nina").status_code == 201


def test_behind_a_proxy_that_nobody_named_wrong_names_lock_nobody_out(app):
    for each in range(AT_ONE_ADDRESS + 1):
        fail(through(app, f"192.0.2.{each}"), f"name{each}", 1)
    an_account(app, Role.NURSE, "nina")
    own = through(app, "192.0.2.1")
    assert sign_in(own, "nina").status_code == 201
    fail(through(app, "198.51.100.7"), "nina", FROM_ONE_ADDRESS)
    assert is_made_to_wait(through(app, "198.51.100.8"), "nina")  # an account is still counted
    assert sign_in(own, "nina").status_code == 201  # and a device that knows it apart


def test_a_header_of_a_proxy_is_not_believed_where_none_is_trusted(app):
    an_account(app, Role.NURSE, "nina")
    for each in range(FROM_ONE_ADDRESS):
        client = at(app, "192.0.2.1")
        client.environ_base["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{each}"
        fail(client, "nina", 1)
    assert is_made_to_wait(at(app, "192.0.2.1"), "nina")


def test_the_addresses_of_one_ipv6_network_are_one(app):
    an_account(app, Role.NURSE, "nina")
    for each in range(AT_ONE_ADDRESS):
        fail(at(app, f"2001:db8:0:1::{each:x}"), f"name{each}", 1)
    assert is_made_to_wait(at(app, "2001:db8:0:1:ffff::1"), "nina")
    assert sign_in(at(app, "2001:db8:0:2::1"), "nina").status_code == 201
    assert OVER_ALL_ADDRESSES < AT_ONE_ADDRESS


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("unknown", "unknown", True),
    ],
)
def test_which_addresses_are_counted_as_one(one, other, alike):
    assert (counted_as(one) == counted_as(other)) is alike


def test_which_addresses_are_of_this_machine():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("192.0.2.1", "::2", "unknown", "", "localhost.example")))


def test_a_page_of_ours_is_one_at_the_address_that_is_set_whatever_a_proxy_calls_it(behind):
    app = behind(public_url=PUBLIC_URL)
    session = f"{COOKIE}={signed_in(app, Role.NURSE).get_cookie(COOKIE).value}"

    def sign_out(**headers):
        sent = {"Host": "127.0.0.1:8080", "Cookie": session}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return app.test_client(use_cookies=False).delete(SESSION, headers=sent)

    for foreign in ("http://127.0.0.1:8080", "https://127.0.0.1:8080", "http://dosegate.example", "null"):
        assert is_kind(sign_out(Origin=foreign), 403, "foreign-site"), foreign
    assert is_kind(sign_out(Origin=PUBLIC_URL, Sec_Fetch_Site="same-site"), 403, "foreign-site")
    assert sign_out(Origin=PUBLIC_URL, Sec_Fetch_Site="same-origin").status_code == 204


def test_a_request_that_says_nothing_of_where_it_comes_from_is_not_ours_there_either(behind):
    client = signed_in(behind(public_url=PUBLIC_URL), Role.NURSE)
    del client.environ_base["HTTP_SEC_FETCH_SITE"]
    assert is_kind(client.delete(SESSION), 403, "foreign-site")


def test_the_number_of_proxies_is_a_whole_number(monkeypatch):
    assert Settings.from_environment().trusted_proxies == 0
    monkeypatch.setenv("DOSEGATE_TRUSTED_PROXIES", "2")
    assert Settings.from_environment().trusted_proxies == 2
    for bad in ("10", "-1", "1.0", "one", "1 ", "²", ""):
        monkeypatch.setenv("DOSEGATE_TRUSTED_PROXIES", bad)
        with pytest.raises(BadSetting, match="DOSEGATE_TRUSTED_PROXIES must be a whole number from 0 to 9"):
            Settings.from_environment()

"""The keys of an EHR, which a server publishes: rotation, and a server that is down."""

import pytest

from service.ehr.keys import MOST_BYTES
from service.ehr.tokens import NotTrusted
from tests.ehr.an_ehr import bearer, claims_at, ec_key, public, rsa_key, signed
from tests.ehr.conftest import URL
from tests.logged import logged


@pytest.mark.any_database
def test_a_new_key_is_fetched_when_it_is_named(call, refused, keys, clock):
    assert call(signed(claims_at(clock())))
    assert call(signed(claims_at(clock())))
    assert keys.reads == 1
    new = ec_key("new")
    keys.document = public(new)
    assert refused(signed(claims_at(clock()), new), "no such key")  # the keys were read a moment ago
    clock.pass_by(seconds=29)
    assert refused(signed(claims_at(clock()), new), "no such key")
    assert keys.reads == 1
    clock.pass_by(seconds=1)
    assert call(signed(claims_at(clock()), new))
    assert keys.reads == 2
    assert refused(signed(claims_at(clock())), "no such key")  # withdrawn


@pytest.mark.any_database
def test_who_names_keys_that_are_none_makes_us_ask_every_half_minute_only(call, refused, keys, clock):
    for _ in range(5):
        for number in range(4):
            assert refused(signed(claims_at(clock()), kid=f"k{number}"), "no such key")
        clock.pass_by(seconds=30)
    assert keys.reads == 5
    assert call(signed(claims_at(clock())))


@pytest.mark.any_database
def test_a_withdrawn_key_is_believed_for_an_hour_at_most(call, refused, keys, clock):
    assert call(signed(claims_at(clock())))
    keys.document = public(ec_key("new"))
    clock.pass_by(minutes=59)
    assert call(signed(claims_at(clock())))
    clock.pass_by(minutes=1)
    assert refused(signed(claims_at(clock())), "no such key")


@pytest.mark.any_database
@pytest.mark.parametrize(
    "failing",
    [
        {"status": 500},
        {"status": 404},
        {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
        {"document": b"<html>"},
        {"document": b"[" * 100_000},
        {"document": []},
        {"document": {"keys": []}},
        {"document": {"keys": "x"}},
        {"document": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "ec"}]}},
        {"document": b" " * (MOST_BYTES + 1)},
    ],
)
def test_where_the_keys_cannot_be_read_those_known_are_used_for_a_day(call, refused, keys, clock, failing):
    assert call(signed(claims_at(clock())))
    for name, value in failing.items():
        setattr(keys, name, value)
    clock.pass_by(hours=1)
    assert call(signed(claims_at(clock())))
    assert call(signed(claims_at(clock())))
    assert keys.reads == 2  # not asked again at once
    clock.pass_by(hours=22, minutes=59, seconds=59)
    assert call(signed(claims_at(clock())))
    clock.pass_by(seconds=1)
    assert refused(signed(claims_at(clock())), "its keys cannot be read")
    keys.status, keys.document = 200, public(ec_key())
    clock.pass_by(seconds=30)
    assert call(signed(claims_at(clock())))


@pytest.mark.any_database
def test_without_any_keys_nobody_is_believed(registered, parts, clock, caplog):
    registered(jwks_url="http://127.0.0.1:9/jwks.json")
    with pytest.raises(NotTrusted, match="ehr:epic: its keys cannot be read"):
        parts.trust.caller(bearer(signed(claims_at(clock()))), URL, clock())
    [told] = logged(caplog, "ehr_keys_unreadable")
    assert (told["client"], told["reason"]) == ("epic", "refused the connection")


@pytest.mark.any_database
def test_a_key_server_inside_the_network_is_not_asked(call, refused, clock, sql, keys):
    sql("UPDATE ehr_clients SET jwks_url = ?", keys.url.replace("127.0.0.1", "127.0.0.2"))
    assert refused(signed(claims_at(clock())), "its keys cannot be read")
    assert keys.reads == 0


@pytest.mark.any_database
@pytest.mark.parametrize(
    "odd", [None, 7, "x", [], {"kty": "RSA"}, {"kty": "EC", "crv": "P-384", "kid": "ec"}]
)
def test_keys_that_cannot_be_read_do_not_spoil_the_others(call, keys, clock, odd):
    private = rsa_key().as_dict(private=True)
    keys.document = {"keys": [odd, private, *public(ec_key())["keys"]]}
    assert call(signed(claims_at(clock())))
    with pytest.raises(NotTrusted, match="no such key"):  # one whose private half is published is anybody's
        call(signed(claims_at(clock()), rsa_key(), "RS384"))

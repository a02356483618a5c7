"""What a password and a PIN must be, and how they are kept."""

import importlib.util

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from service.access import passwords
from service.access.passwords import hashed, outdated, password_fault, pin_fault, verified
from tests.people import PASSWORD, PIN

FIT = [PASSWORD, "twelve chars", "x" * 1024, "паролькошкиё", "  spaces count  "]
NAMED = ["my name is nina", "NINAninaNINA"]
UNFIT = ["", "eleven char", "x" * 1025, "twelve chars\n", "twelve chars\ud800", *NAMED]


@pytest.mark.parametrize("password", FIT)
def test_a_long_password_will_do(password):
    assert password_fault(password, "nina") is None


@pytest.mark.parametrize("password", UNFIT)
def test_a_password_that_is_short_endless_untypable_or_has_the_name_in_it_will_not(password):
    assert password_fault(password, "nina") is not None


@pytest.mark.parametrize("pin", [PIN, "112233", "123457", "909090", "123456789013"])
def test_six_to_twelve_digits_are_a_pin(pin):
    assert pin_fault(pin) is None


@pytest.mark.parametrize("pin", ["", "12345", "1234567890123", "27182x", "271 828", "٢٧١٨٢٨", "271828\n"])
def test_anything_else_is_none(pin):
    assert pin_fault(pin) is not None


@pytest.mark.parametrize("pin", ["777777", "000000000000", "123456", "987654", "890123", "210987"])
def test_one_digit_repeated_and_digits_in_a_row_are_none(pin):
    assert pin_fault(pin) is not None


def test_the_service_hashes_as_dearly_as_owasp_asks():
    """The module as it is shipped, not with the cheap hasher of tests."""
    spec = importlib.util.find_spec("service.access.passwords")
    shipped = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shipped)
    kept = extract_parameters(shipped.hashed(PASSWORD))
    assert kept.type is Type.ID
    assert kept.memory_cost >= 46 * 1024
    assert (kept.time_cost, kept.parallelism, kept.salt_len, kept.hash_len) == (2, 1, 16, 32)


def test_the_same_letters_typed_another_way_are_the_same_password():
    assert verified(hashed("schöne Grüße an alle"), "scho\u0308ne Gru\u0308ße an alle")
    assert not verified(hashed("schöne Grüße an alle"), "schone Grusse an alle")


def test_any_text_can_be_tried():
    for tried in ("", "\ud800", "\0", "x" * 10_000):
        assert not verified(hashed(PASSWORD), tried)


def test_what_is_kept_tells_when_the_parameters_have_changed(monkeypatch):
    kept = hashed(PASSWORD)
    assert not outdated(kept)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert outdated(kept)
    assert verified(kept, PASSWORD)

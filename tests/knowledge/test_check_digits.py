"""Check digits: of LOINC (mod 10) and of SNOMED CT (Verhoeff)."""

import pytest

from service.knowledge.check_digits import mod10, verhoeff


@pytest.mark.parametrize("code", ["5196-1", "13952-7", "71773-6", "2106-3", "82810-3", "LA6576-8"])
def test_codes_of_loinc_fit(code):
    assert mod10(code)


# 54187-1, 38372-3 and 13952-0 are in public projects, as tests of tuberculosis and hepatitis B.
@pytest.mark.parametrize(
    "code", ["54187-1", "38372-3", "13952-0", "5196", "5196-", "-1", "5196-11", "519６-1"]
)
def test_slips_do_not(code):
    assert not mod10(code)


@pytest.mark.parametrize("code", ["236", "10828004", "260385009", "73211009"])
def test_codes_of_snomed_fit(code):
    assert verhoeff(code)


def test_every_slip_of_one_digit_of_snomed_and_of_two_side_by_side_is_found():
    code = "10828004"
    for place, digit in enumerate(code):
        for other in set("0123456789") - {digit}:
            assert not verhoeff(code[:place] + other + code[place + 1 :])
    for place in range(len(code) - 1):
        changed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert changed == code or not verhoeff(changed)


@pytest.mark.parametrize("code", ["", "1082800A", "１0828004", "10828004 "])
def test_what_is_no_number_is_no_code_of_snomed(code):
    assert not verhoeff(code)

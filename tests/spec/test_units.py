"""Every accepted unit of the vocabulary against an independent library of UCUM units.

What that library cannot convert is checked against arithmetic written out by hand: temperatures, whose
scales have different zeros, and bilirubin, whose conversion needs its molar mass.
"""

from decimal import Decimal

import pint
import pytest
from ucumvert import PintUcumRegistry

from tests.builders import shipped

AMOUNTS = [Decimal(text) for text in ("0.001", "1", "3.7", "38.5", "100", "1234.5")]
BY_HAND = {("temperature", "[degF]"), ("bilirubin_total", "umol/L")}
UNITS = [
    pytest.param(fact.name, unit, id=f"{fact.name} in {unit.name}")
    for fact in shipped().vocabulary.facts.values()
    for unit in fact.units.values()
    if unit.name != unit.canonical and (fact.name, unit.name) not in BY_HAND
]


@pytest.fixture(scope="module")
def ucum():
    return PintUcumRegistry()


def unit_of(fact, name):
    return shipped().vocabulary[fact].units[name]


@pytest.mark.parametrize(("fact", "unit"), UNITS)
def test_an_accepted_unit_converts_as_an_independent_library_does(ucum, fact, unit):
    for amount in AMOUNTS:
        theirs = (float(amount) * ucum.from_ucum(unit.name)).to(ucum.from_ucum(unit.canonical))
        assert float(unit.convert(amount)) == pytest.approx(theirs.magnitude, rel=1e-12)


def test_every_unit_is_one_of_ucum(ucum):
    for fact in shipped().vocabulary.facts.values():
        for unit in fact.units.values():
            assert ucum.from_ucum(unit.name) is not None
            assert ucum.from_ucum(unit.canonical) is not None


FAHRENHEIT = [("32", "0"), ("212", "100"), ("98.6", "37"), ("100.4", "38"), ("104", "40"), ("-40", "-40")]
CELSIUS_OF_99 = Decimal(67) * 5 / 9


@pytest.mark.parametrize(("fahrenheit", "celsius"), FAHRENHEIT)
def test_fahrenheit_becomes_celsius_by_the_two_fixed_points(fahrenheit, celsius):
    converted = unit_of("temperature", "[degF]").convert(Decimal(fahrenheit))
    assert converted == Decimal(celsius)
    theirs = pint.UnitRegistry().Quantity(float(fahrenheit), "degF").to("degC")
    assert float(converted) == pytest.approx(theirs.magnitude, abs=1e-9)


def test_a_fahrenheit_that_ends_nowhere_in_celsius_is_not_rounded_to_a_tenth():
    assert unit_of("temperature", "[degF]").convert(Decimal(99)) == CELSIUS_OF_99


def test_bilirubin_is_converted_by_its_molar_mass():
    # C33 H36 N4 O6, standard atomic weights; 1 umol/L is that many micrograms in a litre.
    molar_mass = (
        33 * Decimal("12.011") + 36 * Decimal("1.008") + 4 * Decimal("14.007") + 6 * Decimal("15.999")
    )
    expected = molar_mass / 1000 / 10
    assert abs(unit_of("bilirubin_total", "umol/L").convert(Decimal(1)) / expected - 1) < Decimal("0.0001")


EXACT = [
    ("height", "m", "1.72", "172"),
    ("height", "[in_i]", "70", "177.8"),
    ("weight", "[lb_av]", "150", "68.0388555"),
    ("weight", "g", "3500", "3.5"),
    ("igg", "mg/dL", "700", "7"),
    ("ordered_dose", "g", "2", "2000"),
    ("anc", "/uL", "999", "0.999"),
    ("platelets", "/uL", "49999", "49.999"),
]


@pytest.mark.parametrize(("fact", "unit", "amount", "canonical"), EXACT)
def test_a_conversion_is_exact_to_the_last_digit(fact, unit, amount, canonical):
    assert unit_of(fact, unit).convert(Decimal(amount)) == Decimal(canonical)


def test_the_canonical_unit_converts_to_itself_unchanged():
    for fact in shipped().vocabulary.facts.values():
        for unit in fact.units.values():
            if unit.name == unit.canonical:
                assert unit.convert(Decimal("3.70")) == Decimal("3.70")
                assert (unit.minus, unit.times, unit.over) == (0, 1, 1)


def test_a_dose_by_surface_is_no_dose_in_milligrams():
    units = shipped().vocabulary["ordered_dose"].units
    assert {name: unit.canonical for name, unit in units.items()} == {"mg": "mg", "g": "mg", "mg/m2": "mg/m2"}


def test_the_units_checked_by_hand_are_all_that_the_library_cannot_convert(ucum):
    for fact, name in BY_HAND:
        unit = unit_of(fact, name)
        with pytest.raises((pint.errors.DimensionalityError, pint.errors.OffsetUnitCalculusError)):
            (1.0 * ucum.from_ucum(unit.name)).to(ucum.from_ucum(unit.canonical))

"""A policy parameter that is not set holds whatever it could decide: never a pass, never a default."""

from decimal import Decimal

import pytest
from hypothesis import given, settings

from service.checklist.rules import Kind, Override, Status
from tests.laws.asking import DRUGS, LAWS, LIBRARY, SEEDS, ask, compact, patients, statuses, verdicts
from tests.oracle import RULES, book_of
from tests.oracle import verdicts as by_the_oracle

PARAMETERS = LIBRARY.policy.parameters
EXAMPLES = settings(LAWS, max_examples=25)
every_drug = pytest.mark.parametrize("drug", DRUGS)


def choices(name):
    """Values that a site may choose: as shipped, and far to either side."""
    parameter = PARAMETERS[name]
    match parameter.type:
        case "integer":
            return {0, 1, parameter.value, 90, 3650}
        case "decimal":
            return {Decimal("0.1"), parameter.value, Decimal("5.0")}
    return {"bsa_formula": {"mosteller", "dubois"}, "unspecified_vaccine": {"warn", "block"}}[name]


def read_by(drug):
    """The parameters that the drug's rules read. The region is settled with the request."""
    book = book_of(RULES, drug)
    written = str((book.rules, book.quantities))
    return [name for name in PARAMETERS if name in written and name != "region"]


@every_drug
def test_a_check_that_a_parameter_decides_is_held_while_it_is_not_set(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        [request] = patients(seed, drug, 1)
        for name in read_by(drug):
            unset = ask(request, **{name: None})
            held = {finding.check for finding in unset.findings if finding.kind is Kind.POLICY}
            chosen = [statuses(ask(request, **{name: value})) for value in choices(name)]
            for check, status in statuses(unset).items():
                said = f"{check} without {name}: {compact(request)}"
                if len({each[check] for each in chosen}) > 1:
                    assert check in held, said
                elif check not in held:
                    assert status == chosen[0][check], said

    law()


@every_drug
def test_a_finding_about_an_unset_parameter_blocks_for_good_and_engine_and_oracle_agree(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        [request] = patients(seed, drug, 1)
        for name in read_by(drug):
            unset = ask(request, **{name: None})
            for finding in unset.findings:
                if finding.kind is Kind.POLICY:
                    assert finding.status is Status.BLOCK
                    assert finding.override is Override.NEVER
                    assert name in {unknown.fact for unknown in finding.unknowns}
                    assert name not in finding.missing
            assert unset.trace.fault is None
            oracle = by_the_oracle(request, drug, unset={name})
            assert verdicts(unset) == oracle, f"{name}: {compact(request)}"

    law()

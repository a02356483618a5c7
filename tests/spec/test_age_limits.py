"""Age limits: old evidence may hold an infusion, and never clears one.

`fresh` counts for both, `stale` only where it counts against the infusion, in whichever way a rule is
worded. Ages are whole calendar days, the limit inclusive, counted in the offset of the infusion.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from service.checklist.evidence import Reason
from tests.builders import INFUSION_AT, loaded, measured, pack_of, shipped, verdicts

YEAR = {"no_older_than": {"days": 365}}
IS_POSITIVE = {"hbsag": {"is": "positive", **YEAR}}
IS_NEGATIVE = {"hbsag": {"is": "negative", **YEAR}}
IS_SETTLED = {"hbsag": {"is_one_of": ["negative", "positive"], **YEAR}}
# The infusion is held where a concern holds; it is cleared where the concern is ruled out.
HOLDS, CLEARED, OPEN = "yes", "no", "unknown"

# How the rule is worded, the value; the concern with a fresh, and with a stale result.
POLARITIES = [
    ({"warn_if": IS_POSITIVE}, "positive", HOLDS, HOLDS),
    ({"warn_if": IS_POSITIVE}, "negative", CLEARED, OPEN),
    ({"warn_unless": IS_NEGATIVE}, "positive", HOLDS, HOLDS),
    ({"warn_unless": IS_NEGATIVE}, "negative", CLEARED, OPEN),
    ({"warn_if": {"not": IS_NEGATIVE}}, "positive", HOLDS, HOLDS),
    ({"warn_if": {"not": IS_NEGATIVE}}, "negative", CLEARED, OPEN),
    ({"warn_unless": {"not": IS_POSITIVE}}, "positive", HOLDS, HOLDS),
    ({"warn_unless": {"not": IS_POSITIVE}}, "negative", CLEARED, OPEN),
    ({"warn_unless": {"not": {"not": IS_NEGATIVE}}}, "positive", HOLDS, HOLDS),
    ({"warn_unless": {"not": {"not": IS_NEGATIVE}}}, "negative", CLEARED, OPEN),
    ({"warn_unless": IS_SETTLED}, "indeterminate", HOLDS, HOLDS),
    ({"warn_unless": IS_SETTLED}, "negative", CLEARED, OPEN),
    ({"warn_if": {"recorded": IS_POSITIVE}}, "positive", HOLDS, HOLDS),
    ({"warn_if": {"not": {"recorded": IS_NEGATIVE}}}, "negative", CLEARED, HOLDS),
    ({"warn_if": {"any": [IS_POSITIVE, {"tb_active": {"is": "yes"}}]}}, "positive", HOLDS, HOLDS),
    ({"warn_if": {"all": [IS_POSITIVE, {"tb_active": {"is": "no"}}]}}, "positive", HOLDS, HOLDS),
    ({"warn_if": {"all": [IS_POSITIVE, {"tb_active": {"is": "no"}}]}}, "negative", CLEARED, OPEN),
]
NO_TB = {"tb_active": "no"}


def result(value, days):
    return {"hbsag": {"value": value, "at": (INFUSION_AT - timedelta(days=days)).date().isoformat()}}


def concern(rule, facts, **situation):
    pack = pack_of({"r": rule})
    with loaded(pack) as engine:
        return verdicts(pack, engine, facts, **situation)["r"]


@pytest.mark.parametrize(("rule", "value", "fresh", "stale"), POLARITIES)
def test_stale_evidence_holds_an_infusion_but_never_clears_one(rule, value, fresh, stale):
    assert concern(rule, {**NO_TB, **result(value, 365)}) == fresh
    assert concern(rule, {**NO_TB, **result(value, 366)}) == stale


@pytest.mark.parametrize("wording", [{"warn_if": IS_POSITIVE}, {"warn_unless": IS_NEGATIVE}])
@pytest.mark.parametrize("value", ["positive", "negative", "indeterminate"])
def test_growing_old_never_turns_a_result_from_a_hold_into_a_pass(wording, value):
    order = [HOLDS, OPEN, CLEARED]
    fresh, stale = (order.index(concern(wording, result(value, days))) for days in (0, 5000))
    assert stale <= fresh
    assert order[stale] != CLEARED


def counts(days, limit=365, **situation):
    """Whether a negative result of that age clears."""
    rule = {"warn_unless": {"hbsag": {"is": "negative", "no_older_than": {"days": limit}}}}
    return concern(rule, result("negative", days), **situation) == CLEARED


def test_the_limit_is_inclusive():
    assert [counts(days, 28) for days in (0, 27, 28, 29)] == [True, True, True, False]


def test_a_limit_of_no_days_takes_results_of_the_day_itself():
    assert [counts(days, 0) for days in (0, 1)] == [True, False]


def test_a_result_with_an_age_limit_needs_its_date():
    rule = {"warn_unless": IS_NEGATIVE}
    assert concern(rule, {"hbsag": "negative"}) == OPEN
    assert concern(rule, {"hbsag": "positive"}) == HOLDS
    assert objection(rule, {"hbsag": "negative"}) == (Reason.MISSING, "no date")


def objection(rule, facts, **situation):
    """Why the first criterion of the rule is unknown."""
    pack = pack_of({"r": rule})
    case, _ = measured(pack, facts, **situation)
    criterion = next(pack.rules[0].concern.criteria())
    unknown = next(criterion.measure.unknowns(case))
    return unknown.reason, unknown.detail


def test_a_stale_result_says_how_old_it_is_and_how_old_it_may_be():
    found = objection({"warn_unless": IS_NEGATIVE}, result("negative", 400))
    assert found == (Reason.STALE, "400 days old (365 allowed)")


def test_the_age_is_counted_in_calendar_days_of_the_infusions_offset():
    rule = {"warn_unless": {"hbsag": {"is": "negative", "no_older_than": {"days": 1}}}}
    just_after_midnight = datetime(2026, 12, 1, 0, 5, tzinfo=timezone(timedelta(hours=-5)))
    # 47 hours and 55 minutes before, yet the day before yesterday; 24 hours and 4 minutes, yet yesterday.
    two_days = {"hbsag": {"value": "negative", "at": "2026-11-29T00:10:00-05:00"}}
    one_day = {"hbsag": {"value": "negative", "at": "2026-11-30T00:01:00-05:00"}}
    # The 30th in Greenwich is still the 29th in the offset of the infusion.
    greenwich = {"hbsag": {"value": "negative", "at": "2026-11-30T04:00:00+00:00"}}
    assert concern(rule, two_days, infusion_at=just_after_midnight) == OPEN
    assert concern(rule, one_day, infusion_at=just_after_midnight) == CLEARED
    assert concern(rule, greenwich, infusion_at=just_after_midnight) == OPEN


def test_an_age_may_be_counted_back_from_another_date():
    limit = {"days": 365, "before": "first_dose_on"}
    rule = {"warn_unless": {"hbsag": {"is": "negative", "no_older_than": limit}}}
    screened = {"hbsag": {"value": "negative", "at": "2024-01-10"}}
    assert concern(rule, {**screened, "first_dose_on": "2025-01-09"}) == CLEARED
    assert concern(rule, {**screened, "first_dose_on": "2025-01-10"}) == OPEN
    assert concern(rule, screened) == OPEN
    assert objection(rule, screened) == (Reason.MISSING, "not recorded")


def test_an_age_in_hours_is_counted_to_the_minute():
    rule = {"warn_unless": {"pregnancy_test": {"is": "negative", "no_older_than": {"hours": 24}}}}

    def at(moment):
        return concern(rule, {"pregnancy_test": {"value": "negative", "at": moment}})

    assert at("2026-11-30T09:00:00-05:00") == CLEARED
    assert at("2026-11-30T08:59:00-05:00") == OPEN
    # A bare date counts from its first minute, the oldest that it may be.
    assert at("2026-12-01") == CLEARED
    assert at("2026-11-30") == OPEN


def test_a_limit_of_the_site_that_is_not_set_leaves_the_rule_open():
    rule = {
        "warn_unless": {"hbsag": {"is": "negative", "no_older_than": {"policy": "hbv_screen_max_age_days"}}}
    }
    unset = {**shipped().policy.values, "hbv_screen_max_age_days": None}
    assert concern(rule, result("negative", 0), policy=unset) == OPEN
    assert concern(rule, result("positive", 0), policy=unset) == HOLDS
    assert objection(rule, result("negative", 0), policy=unset)[0] is Reason.POLICY


def test_a_number_of_any_age_still_holds_the_infusion():
    low = {"warn_if": {"anc": {"below": "1.0 10*9/L", "no_older_than": {"days": 3}}}}

    def count(value, day):
        return concern(low, {"anc": {"value": Decimal(value), "unit": "10*9/L", "at": day}})

    assert [count(value, "2026-11-28") for value in ("0.999999", "1.0")] == [HOLDS, CLEARED]
    assert [count(value, "2026-11-27") for value in ("0.999999", "1.0")] == [HOLDS, OPEN]

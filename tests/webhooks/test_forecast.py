"""The forecast: who would be held, what is needed before, and what is asked on the day."""

import json
from contextlib import closing
from datetime import date

import pytest

from service.app import create_app
from service.intake.errors import BadInput
from service.webhooks.forecast import Prospect, days_asked, forecast
from tests.builders import shipped
from tests.pages.clock import Clock
from tests.pages.conftest import NOW
from tests.pages.planning import Clinic

TOMORROW = "2026-10-07T18:00:00+00:00"


@pytest.fixture
def app(settings):
    made = create_app(settings, shipped(), Clock(NOW))
    with closing(made.extensions["dosegate"].store.records):
        yield made


@pytest.fixture
def clinic(app):
    return Clinic(app)


def expected(clinic, days=3, drug=None):
    zone = clinic.parts.time_zone
    asked = days_asked(days, drug, shipped(), NOW, zone)
    return forecast(clinic.records, asked, clinic.act(), zone, shipped())


def only(clinic):
    [outlook] = expected(clinic).outlooks
    return outlook


@pytest.mark.any_database
@pytest.mark.parametrize(("days", "last"), [(1, "2026-10-07"), (3, "2026-10-09"), (31, "2026-11-06")])
def test_it_is_of_so_many_days_from_tomorrow_on(clinic, days, last):
    for day in ("2026-10-06", "2026-10-07", last):
        clinic.plan(f"P-{day}", f"{day}T13:00:00+00:00")
    found = expected(clinic, days)
    assert (found.first, found.last) == (date(2026, 10, 7), date.fromisoformat(last))
    assert {each.infusion.patient for each in found.outlooks} == {"P-2026-10-07", f"P-{last}"}


@pytest.mark.any_database
@pytest.mark.parametrize("days", [0, -1, 32])
def test_no_other_number_of_days(days, clinic):
    with pytest.raises(BadInput):
        expected(clinic, days)


def test_who_has_a_block_that_is_found_will_be_held_for_it(clinic):
    clinic.plan("P-1", TOMORROW)
    clinic.check("P-1", TOMORROW, with_={"hbsag": {"value": "positive", "at": "2026-09-01"}})
    outlook = only(clinic)
    assert outlook.prospect is Prospect.HELD
    assert [finding.check for finding in outlook.held_for] == ["hepatitis_b"]
    assert outlook.eligible_from is None


def test_a_contradiction_that_a_rule_has_found_is_told(clinic):
    clinic.plan("P-1", TOMORROW)
    clinic.check("P-1", TOMORROW, with_={"infection_signs": ["fever"], "active_infection": "none"})
    assert "infection" in [finding.check for finding in only(clinic).warnings]


def test_what_time_lifts_says_from_when_it_could_be_given(clinic):
    live = [{"kind": "live", "on": "2026-10-01"}]
    clinic.plan("P-1", TOMORROW)
    clinic.check("P-1", TOMORROW, with_={"vaccinations": live})
    outlook = only(clinic)
    assert (outlook.prospect, outlook.eligible_from) == (Prospect.HELD, date(2026, 10, 29))


def test_what_is_missing_is_kept_apart_by_who_can_give_it(clinic):
    clinic.plan("P-1", TOMORROW)
    clinic.check("P-1", TOMORROW, without=["hbsag", "pml_signs", "premedications"])
    outlook = only(clinic)
    assert outlook.prospect is Prospect.NOT_READY
    assert "hbsag" in outlook.before
    assert {"pml_signs", "premedications"} <= set(outlook.at_the_chair)
    assert not set(outlook.before) & set(outlook.at_the_chair)


def test_what_is_only_asked_at_the_chair_holds_nobody_at_home(clinic):
    clinic.plan("P-1", TOMORROW)
    clinic.check(
        "P-1", TOMORROW, without=["pml_signs", "premedications", "infection_signs", "active_infection"]
    )
    outlook = only(clinic)
    assert (outlook.prospect, outlook.before) == (Prospect.OPEN, ())


def test_a_premedication_that_was_not_given_yet_holds_nobody_at_home(clinic):
    clinic.plan("P-1", TOMORROW)
    clinic.check("P-1", TOMORROW, with_={"premedications": []})
    assert only(clinic).prospect is Prospect.OPEN


def test_without_a_checklist_of_the_visit_it_rests_on_what_earlier_ones_say(clinic):
    clinic.plan("P-1", TOMORROW)
    assert only(clinic).prospect is Prospect.NOT_READY
    clinic.check(
        "P-1", "2026-10-01T18:00:00+00:00", with_={"hbsag": {"value": "positive", "at": "2026-09-01"}}
    )
    outlook = only(clinic)
    assert (outlook.prospect, outlook.infusion.checklist) == (Prospect.HELD, None)


def test_the_checklist_of_the_visit_counts_before_what_earlier_ones_say(clinic):
    clinic.plan("P-1", TOMORROW)
    clinic.check(
        "P-1", "2026-10-01T18:00:00+00:00", with_={"hbsag": {"value": "positive", "at": "2026-09-01"}}
    )
    clinic.check("P-1", TOMORROW)
    assert only(clinic).prospect is Prospect.OPEN


def test_an_infusion_that_was_moved_is_evaluated_for_its_new_day(clinic):
    """The checklist is of the day; at another hour of it the same facts say something else."""
    clinic.plan("P-1", "2026-10-07T06:00:00+00:00")
    clinic.check("P-1", TOMORROW, with_={"vaccinations": [{"kind": "live", "on": "2026-09-09"}]})
    assert only(clinic).infusion.infusion_at.startswith("2026-10-07T06:00")


def test_a_fact_that_cannot_be_so_at_the_planned_time_is_unknown_and_hides_nothing(clinic):
    """A vaccination later than the infusion, known from a checklist of a later day."""
    clinic.plan("P-1", TOMORROW)
    later = {"vaccinations": [{"kind": "live", "on": "2026-10-08"}]}
    clinic.check("P-1", "2026-12-01T18:00:00+00:00", with_=later)
    outlook = only(clinic)
    assert outlook.evaluated
    assert "vaccinations" in (*outlook.before, *outlook.also, *outlook.at_the_chair)


def test_the_worst_come_first_each_day_and_who_is_over_is_left_out(clinic):
    for hour, patient in ((9, "P-open"), (10, "P-held"), (8, "P-bare"), (7, "P-over")):
        clinic.plan(patient, f"2026-10-07T{hour:02}:00:00+00:00")
    clinic.check("P-open", TOMORROW)
    clinic.check("P-held", TOMORROW, with_={"hbsag": "positive"})
    clinic.end(clinic.check("P-over", TOMORROW))
    found = expected(clinic)
    assert [each.infusion.patient for each in found.outlooks] == ["P-held", "P-bare", "P-open"]
    assert found.counts == {Prospect.HELD: 1, Prospect.NOT_READY: 1, Prospect.OPEN: 1}


def test_nothing_is_kept_of_it_but_that_it_was_looked_at(clinic, sql):
    clinic.plan("P-1", TOMORROW)
    before = sql("SELECT count(*) FROM checklists")
    expected(clinic)
    assert sql("SELECT count(*) FROM checklists") == before
    [(details,)] = sql("SELECT details FROM journal WHERE event = 'infusions.searched'")
    details = details if isinstance(details, dict) else json.loads(details)
    assert (details["forecast"], details["found"]) == (True, 1)


@pytest.mark.any_database
def test_it_is_asked_for_by_drug_under_any_name(clinic):
    clinic.plan("P-1", TOMORROW, "ibalizumab")
    clinic.plan("P-2", TOMORROW)
    found = expected(clinic, drug="trogarzo")
    assert [each["patient"] for each in found.document()["infusions"]] == ["P-1"]

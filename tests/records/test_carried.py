"""What earlier checklists of a patient still say."""

import json
from contextlib import closing
from datetime import timedelta

import pytest

from service.app import create_app
from service.records.carried import carried_facts
from service.records.erasure import Reason, erase, held
from service.records.journal import Act
from tests.builders import request_for, shipped
from tests.fhir.builders import bundle, negative, patient
from tests.records.conftest import NOW

DRUG, PATIENT = "inebilizumab", "MRN-1001"


class Site:
    """Makes checklists one after the other, each a day later."""

    def __init__(self, app):
        parts = app.extensions["dosegate"]
        self.records, self.making, self.at = parts.store.records, parts.making, NOW

    def make(self, facts, drug=DRUG, patient=PATIENT, **changes):
        self.at += timedelta(days=1)
        request = {
            "drug": drug,
            "infusion_at": (self.at + timedelta(hours=1)).isoformat(),
            "patient": {"id": patient},
            "facts": facts,
            **changes,
        }
        act = Act("user:nina", "nurse", "a-request", self.at)
        return self.making.make(json.dumps(request, default=float).encode(), act)[0].id

    def carried(self, drug=DRUG, patient=PATIENT):
        return carried_facts(self.records, patient, drug, shipped())


@pytest.fixture
def site(settings):
    app = create_app(settings, shipped(), lambda: NOW)
    with closing(app.extensions["dosegate"].store.records):
        yield Site(app)


def test_nothing_is_carried_of_a_patient_who_never_was_here(site):
    assert site.carried() == {}


def test_what_lasts_and_dated_results_are_carried_and_nothing_of_one_visit(site):
    complete = request_for(DRUG, "first dose, US")["facts"]
    id = site.make({**complete, "temperature": {"value": 36.5, "unit": "Cel", "at": "2026-10-06"}})
    carried = site.carried()
    lasting = {name for name, each in shipped().vocabulary.facts.items() if each.lasting or each.result}
    read = set(shipped().packs[DRUG].facts_read) - {"temperature"}
    assert set(carried) == set(complete) & lasting & read
    assert carried["birth_date"] == {"value": str(complete["birth_date"]), "source": f"checklist {id}"}
    assert not {"dose_number", "premedications", "temperature"} & set(carried)


def test_the_entries_of_lists_are_put_together_and_may_not_be_all(site):
    mild = {"substance": "Uplizna", "severity": "mild", "type": "infusion_reaction"}
    severe = {"substance": "paracetamol", "severity": "severe", "type": "hypersensitivity"}
    site.make({"reactions": [severe]})
    site.make({"reactions": {"value": [mild, severe], "source": "Nora Quill at the chair"}})
    last = site.make({"reactions": []})
    found = site.carried()["reactions"]
    assert found["value"] == [mild, severe]
    assert found["complete"] == "no"
    assert found["source"].startswith("Nora Quill at the chair, checklist ")
    assert last not in found["source"]


def test_of_a_list_that_was_empty_it_is_carried_that_others_may_have_come(site):
    id = site.make({"reactions": []})
    assert site.carried()["reactions"] == {"value": [], "complete": "no", "source": f"checklist {id}"}


def test_results_stand_side_by_side_the_newest_first_and_of_one_result_the_newer_word_counts(site):
    site.make({"igg": [{"value": 6, "unit": "g/L", "at": "2026-08-01", "source": "lab/1"}]})
    site.make(
        {
            "igg": [
                {"value": 9, "unit": "g/L", "at": "2026-09-01", "source": "lab/2"},
                {"value": 7, "unit": "g/L", "at": "2026-08-01", "source": "lab/1", "status": "corrected"},
                {"value": 8, "unit": "g/L", "at": "2026-08-15", "status": "preliminary"},
                {"value": 5, "unit": "g/L"},
            ]
        }
    )
    assert [(each["value"], each["at"]) for each in site.carried()["igg"]] == [
        (9, "2026-09-01"),
        (7, "2026-08-01"),
    ]


def test_a_result_that_was_taken_back_is_not_carried(site):
    result = {"value": "negative", "at": "2026-09-01", "source": "lab/1"}
    site.make({"hbsag": result})
    site.make({"hbsag": {**result, "status": "entered-in-error"}})
    assert "hbsag" not in site.carried()


def test_two_values_of_one_time_stay_two_so_that_neither_counts(site):
    both = [{"value": each, "at": "2026-09-01", "source": "lab"} for each in ("negative", "positive")]
    site.make({"hbsag": both})
    assert sorted(each["value"] for each in site.carried()["hbsag"]) == ["negative", "positive"]


def test_a_value_that_never_clears_is_carried_without_a_date_and_no_other(site):
    site.make({"hbsag": "positive", "hbv_dna": "negative"})
    carried = site.carried()
    assert [each["value"] for each in carried["hbsag"]] == ["positive"]
    assert "hbv_dna" not in carried


def test_a_result_that_cannot_be_read_is_carried_so_that_no_older_one_counts(site):
    unreadable = {"value": None, "at": "2026-09-02", "unreadable": "text: see report"}
    site.make({"hbsag": [{"value": "negative", "at": "2026-09-01"}, unreadable]})
    assert site.carried()["hbsag"][0]["unreadable"] == "text: see report"


def test_checklists_of_other_drugs_count_and_other_patients_do_not(site):
    site.make({"birth_date": "1984-03-02"}, drug="ibalizumab")
    site.make({"sex": "female"}, patient="MRN-2")
    assert site.carried()["birth_date"]["value"] == "1984-03-02"
    assert "sex" not in site.carried()


def test_what_was_corrected_or_erased_says_nothing_any_more(site):
    wrong = site.make({"birth_date": "1948-03-02", "reactions": [{"substance": "Uplizna"}]})
    site.make({"birth_date": "1984-03-02"}, supersedes={"id": wrong, "reason": "another patient's"})
    carried = site.carried()
    assert carried["birth_date"]["value"] == "1984-03-02"
    assert "reactions" not in carried
    act = Act("cli:op", "operator", "r", NOW)
    erase(site.records, PATIENT, held(site.records, PATIENT), Reason.PATIENT_REQUEST, act)
    assert site.carried() == {}


@pytest.mark.any_database
def test_the_facts_of_a_bundle_are_among_them(site):
    chart = bundle(patient(PATIENT), negative(subject={"reference": f"Patient/{PATIENT}"}), of=False)
    site.make({}, bundle=chart)
    carried = site.carried()
    assert carried["birth_date"]["value"] == "1984-03-02"
    [hbsag] = carried["hbsag"]
    assert (hbsag["value"], hbsag["at"], hbsag["source"]) == ("negative", "2026-11-10", "Observation/1")


def test_what_is_carried_can_begin_a_checklist(site):
    site.make(request_for(DRUG, "first dose, US")["facts"])
    site.make(site.carried())
    assert site.carried()["birth_date"]["value"]


def test_a_result_that_was_removed_does_not_come_back_from_an_older_checklist(site):
    wrong, positive = ({"value": each, "at": "2026-09-01"} for each in ("negative", "positive"))
    site.make({"hbsag": wrong})
    assert site.carried()["hbsag"][0]["value"] == "negative"
    site.make({"hbsag": None})
    assert "hbsag" not in site.carried()
    site.make({"hbsag": positive})
    site.make({"hbsag": None})
    assert [each["value"] for each in site.carried()["hbsag"]] == ["positive"]

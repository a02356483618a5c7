"""The trace page: every rule of a checklist in three groups, the facts, the journal around it, and replay."""

import json
import re

import pytest

from service.access.roles import Role
from tests.builders import request_for, scenario_file
from tests.fhir.test_bundles import request_of
from tests.kept import keep
from tests.pages.auditing import (
    READERS,
    answered,
    erased,
    events_about,
    events_of,
    kept,
    posted,
    records_of,
    text_of,
)
from tests.pages.conftest import NOW, PHONE, accessibility_faults
from tests.people import signed_in

pytestmark = pytest.mark.any_database
INOTUZUMAB = "inotuzumab_ozogamicin"


@pytest.fixture
def auditor(app):
    return signed_in(app, Role.AUDITOR)


def documents(app, id):
    stored = app.extensions["dosegate"].store.get(id)
    return json.loads(stored.result), json.loads(stored.trace)


def leaves(node):
    return [node] if "criterion" in node else [leaf for part in node["of"] for leaf in leaves(part)]


def group_of(page, verdict):
    return re.search(rf'<section aria-labelledby="{verdict}">(.*?)</section>', page.text, re.DOTALL)[1]


def inotuzumab(app, **changes):
    return keep(records_of(app), request_for(INOTUZUMAB, "first dose of a woman, EU", **changes), NOW)


@pytest.mark.parametrize("drug", [INOTUZUMAB, "inebilizumab", "ibalizumab"])
@pytest.mark.parametrize("facts", ["all", "none"])
def test_every_rule_stands_in_the_group_of_its_verdict_with_every_criterion(app, auditor, drug, facts):
    patient = next(iter(scenario_file(drug)["patients"]))
    document = request_for(drug, patient)
    id = keep(records_of(app), document if facts == "all" else {**document, "facts": {}}, NOW)
    page, (_, trace) = auditor.get(f"/checklists/{id}/trace"), documents(app, id)

    assert page.status_code == 200
    for verdict in ("holds", "undecided", "ruled_out"):
        section = group_of(page, verdict)
        rules = [rule for each in trace["checks"] for rule in each["rules"] if rule["verdict"] == verdict]
        assert re.findall(r'id="rule-([^"]+)"', section) == [rule["rule"] for rule in rules]
        said = text_of(section)
        for rule in rules:
            assert all(row in said for row in rule["ledger"])
            assert all(leaf["criterion"] in said for leaf in leaves(rule["concern"]))


def test_a_rule_that_fired_says_why_with_value_date_and_source(app, auditor):
    hbsag = {"value": "positive", "at": "2026-09-20", "source": "Observation/31"}
    id = kept(app, with_={"hbsag": hbsag})
    said = text_of(group_of(auditor.get(f"/checklists/{id}/trace"), "holds"))
    assert "gave Block" in said
    assert re.search(r"True .{0,40}HBsAg.{0,60}positive", said)
    assert "positive, 2026-09-20, Observation/31" in said


def test_an_undecided_rule_names_the_facts_that_would_settle_it(app, auditor):
    id = kept(app, without=["hbsag"])
    result, _ = documents(app, id)
    said = text_of(group_of(auditor.get(f"/checklists/{id}/trace"), "undecided"))
    [finding] = [each for each in result["findings"] if each["rule"] == "hbv-active"]
    assert finding["message"] in said
    assert (
        "These facts would settle it: hepatitis B surface antigen (HBsAg): not known (not recorded)" in said
    )
    assert "Not known" in said and "not known, so it gave Block" in said


def test_one_check_can_be_shown_alone_and_another_name_is_no_page(app, auditor):
    id = kept(app)
    page = auditor.get(f"/checklists/{id}/trace?check=pml")
    _, trace = documents(app, id)
    [check] = [each for each in trace["checks"] if each["check"] == "pml"]
    assert set(re.findall(r'id="rule-([^"]+)"', page.text)) == {rule["rule"] for rule in check["rules"]}
    assert auditor.get(f"/checklists/{id}/trace?check=nothing").status_code == 404


def test_the_facts_stand_as_received_and_as_they_counted(app, auditor):
    igg = {"value": 900, "unit": "mg/dL", "at": "2026-09-20", "ref_low": 700, "source": "the laboratory"}
    id = kept(app, with_={"igg": igg}, without=["tb_test"])
    page = auditor.get(f"/checklists/{id}/trace")
    rows = {row.split("</code>")[0].split(">")[-1]: text_of(row) for row in page.text.split("<tr>")}
    assert "value 900, unit mg/dL, at 2026-09-20, ref_low 700, source the laboratory" in rows["igg"]
    assert "9 g/L; lower limit 7 2026-09-20 the laboratory" in rows["igg"]
    assert "nothing Not known: not recorded" in rows["tb_test"]

    taken = auditor.get(f"/checklists/{id}/received")
    assert taken.data == app.extensions["dosegate"].store.get(id).request
    assert events_about(app, id)[-2:] == ["trace.viewed", "trace.viewed"]


def test_of_a_bundle_the_page_says_what_was_read_and_what_was_not_understood_first(app, auditor):
    id = keep(records_of(app), request_of("inebilizumab"), NOW)
    page, (_, trace) = auditor.get(f"/checklists/{id}/trace"), documents(app, id)
    said = text_of(page.text)
    assert all(re.sub(r"\s+", " ", line["says"]) in said for line in trace["reading"])
    table = page.text.split('aria-labelledby="reading"')[1].split("</table>")[0].split("<tr>")[2:]
    understood = ["<strong>" not in row for row in table]
    assert understood == sorted(understood) and len(table) == len(trace["reading"])
    assert False in understood


def test_the_journal_around_a_checklist_shows_who_did_what(app, auditor):
    id = kept(app, without=["hbsag"])
    answered(app, id, "hepatitis_b", "hbv-active")
    page = auditor.get(f"/checklists/{id}/trace")
    said = text_of(page.text.split('id="journal"')[1])
    for words in (
        "Checklist made user:nina (nurse)",
        "Block overridden user:paul (prescriber)",
        "Trace read",
    ):
        assert words in said
    assert "reason risk-benefit-ratio" in said
    assert "the signature is right" in said and "Head" in said
    assert events_of(app, auditor)[:2] == ["journal.viewed", "trace.viewed"]


@pytest.mark.parametrize("role", READERS)
def test_every_reader_sees_the_trace_and_only_an_auditor_the_journal(app, role):
    id, client = kept(app), signed_in(app, role)
    page = client.get(f"/checklists/{id}/trace")
    assert page.status_code == 200
    assert ('id="journal"' in page.text) == (role is Role.AUDITOR)
    may_replay = role in (Role.AUDITOR, Role.PHARMACIST)
    assert (f"/checklists/{id}/replay" in page.text) == may_replay
    answer = posted(client, f"/checklists/{id}/replay")
    assert (answer.status_code, answer.mimetype) == (200 if may_replay else 403, "text/html")


def test_a_replay_that_is_identical_says_so_and_is_entered(app, auditor):
    id = inotuzumab(app)
    page = posted(auditor, f"/checklists/{id}/replay")
    assert page.status_code == 200 and "Identical" in text_of(page.text)
    assert "First difference" not in text_of(page.text)
    assert events_about(app, id)[-1] == "checklist.replayed"
    assert "Replayed: identical" in text_of(auditor.get(f"/checklists/{id}/trace").text)


def test_a_replay_of_an_altered_result_names_the_first_difference(app, auditor, unguarded):
    id = kept(app, without=["hbsag"])
    [(stored,)] = unguarded("SELECT result FROM contents WHERE checklist = ?", id)
    old, new = b'"status":"block","title":"Inebilizumab"', b'"status":"pass","title":"Inebilizumab"'
    assert old in stored
    unguarded("UPDATE contents SET result = ? WHERE checklist = ?", stored.replace(old, new), id)

    said = text_of(posted(auditor, f"/checklists/{id}/replay").text)
    assert "Not the same" in said
    assert 'In the result At status Stored "pass" Replayed "block"' in said
    assert "Replayed: not the same" in text_of(auditor.get(f"/checklists/{id}/trace").text)


def test_what_cannot_be_replayed_says_why(app, auditor, unguarded):
    id = kept(app)
    unguarded("UPDATE policies SET text = ?", "altered")
    page = posted(auditor, f"/checklists/{id}/replay")
    assert page.status_code == 409
    assert "the stored files of the pack or the policy are not those that were recorded" in text_of(page.text)


def test_of_an_erased_checklist_the_page_says_what_remains(app, auditor):
    id = kept(app, patient={"id": "MRN-77"}, without=["hbsag"])
    erased(app, "MRN-77")
    page = auditor.get(f"/checklists/{id}/trace")
    said = text_of(page.text)
    assert page.status_code == 200 and "MRN-77" not in page.text
    assert "The patient of this checklist was erased" in said
    assert "hbv-active (hepatitis_b) could not be decided" in said
    assert "Checklist made" in said and "Patient erased" in said
    assert "What it commits to" in said
    assert posted(auditor, f"/checklists/{id}/replay").status_code == 410
    assert events_about(app, id)[-1] == "record.viewed"


def test_what_was_held_by_a_fault_says_so_and_shows_what_was_received(app, auditor, unguarded):
    id = kept(app)
    fault = {"fault": "the engine failed", "checks": [], "facts": []}
    unguarded("UPDATE contents SET trace = ? WHERE checklist = ?", json.dumps(fault).encode(), id)
    page = auditor.get(f"/checklists/{id}/trace")
    said = text_of(page.text)
    assert "The rules could not be evaluated, so everything was held: the engine failed" in said
    assert "Fired (0)" in said and "nothing was evaluated" in said
    assert "Dose of the series: not known" in said


def test_an_unknown_checklist_is_no_page(auditor):
    page = auditor.get("/checklists/00000000-0000-4000-8000-000000000000/trace")
    assert (page.status_code, page.mimetype) == (404, "text/html")


def test_the_longest_trees_are_read_on_a_phone(app, a_person):
    id = inotuzumab(app, without=["pregnancy_potential", "contraception", "alt"])
    page = a_person(Role.AUDITOR, viewport=PHONE)
    page.goto(f"/checklists/{id}/trace?check=contraception")
    page.get_by_text("no-contraception", exact=True).click()
    assert page.get_by_text("These facts would settle it").is_visible()
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Replay").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Identical"

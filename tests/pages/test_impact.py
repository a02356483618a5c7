"""What the rules in force, or a pharmacist's draft, would say of past checklists; drafts that are refused."""

import io
import json
import re
from datetime import timedelta

import pytest

from service.access.roles import Role
from tests.api.sending import a_request
from tests.builders import shipped
from tests.kept import keep
from tests.pages.auditing import text_of
from tests.pages.conftest import NOW, PHONE, TABLET, accessibility_faults
from tests.pages.page_texts import form_key
from tests.people import signed_in

PACK, POLICY = "drugs/inebilizumab.yaml", "policy.yaml"
IMPACT = "/drugs/inebilizumab/impact"
LENIENT = (
    'if_unknown: {block: "Send the missing hepatitis B marker, and hold until it is back."}',
    'if_unknown: {warn: "Send the missing hepatitis B marker."}',
)
pytestmark = pytest.mark.any_database


def draft(file, *edits):
    """A shipped file with passages edited, as it is sent."""
    text = shipped().texts[file]
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


@pytest.fixture
def made(app):
    """Keeps checklists, each a day after the last, the first one three days ago; the ids."""
    records, ids = app.extensions["dosegate"].store.records, []

    def make(*requests):
        for request in requests:
            at = NOW - timedelta(days=3 - len(ids))
            ids.append(keep(records, a_request(patient={"id": f"CANARY-{len(ids)}"}, **request), at))
        return ids

    return make


@pytest.fixture
def assessed(app):
    """Asks for the impact as a pharmacist; the page."""
    client = signed_in(app, Role.PHARMACIST)
    key = form_key(client.get(IMPACT))

    def ask(*, pack=None, policy=None, **fields):
        files = {
            name: (io.BytesIO(sent), f"{name}.yaml")
            for name, sent in (("pack", pack), ("policy", policy))
            if sent
        }
        return client.post(IMPACT, data={"form_key": key, **fields, **files})

    return ask


@pytest.fixture
def entries(sql):
    """The details of the assessments in the journal."""

    def details():
        rows = sql("SELECT details FROM journal WHERE event = 'impact.assessed'")
        return [each if isinstance(each, dict) else json.loads(each) for (each,) in rows]

    return details


def test_the_rules_in_force_change_nothing_of_what_they_made_and_the_journal_tells(made, assessed, entries):
    made({}, {"without": ["anti_hbc_total"]})
    page = assessed()
    assert page.status_code == 200
    assert "Nothing would change in 2 checklists." in text_of(page.text)
    [entry] = entries()
    assert (entry["assessed"], entry["changed"], entry["patients_named"]) == (2, 0, False)
    assert entry["pack"] == shipped().packs["inebilizumab"].digest


def test_a_draft_is_assessed_by_kind_of_change_and_by_rule_with_examples(app, made, assessed, entries, sql):
    ids = made({"without": ["anti_hbc_total"]}, {}, {"without": ["anti_hbc_total"]})
    before = sql("SELECT digest FROM knowledge")
    page = assessed(pack=draft(PACK, ("version: 1.0.0", "version: 1.1.0"), LENIENT))
    said = text_of(page.text)
    assert "2 of 3 checklists would change." in said
    assert "2 × Block ✕ becomes Warn !" in said
    assert "Less strict hbv-screening-incomplete Hepatitis B" in said
    assert "Stricter" not in said
    linked = re.findall(r'href="/checklists/([0-9a-f-]+)"', page.text)
    assert linked == [ids[0], ids[2]]
    assert "After Warn: Send the missing hepatitis B marker." in said
    assert "CANARY" not in page.text

    [entry] = entries()
    assert (entry["assessed"], entry["changed"]) == (3, 2)
    assert entry["pack"] != shipped().packs["inebilizumab"].digest
    # Nothing of the draft is kept or in force.
    assert sql("SELECT digest FROM knowledge") == before
    assert app.extensions["dosegate"].library.packs["inebilizumab"].version == "1.0.0"
    assert "Nothing would change in 3 checklists." in text_of(assessed().text)


def test_a_stricter_policy_is_assessed(made, assessed):
    made({"with_": {"pregnancy_test": {"value": "negative", "at": "2026-10-03"}}}, {})
    said = text_of(assessed(policy=draft(POLICY, ("value: 7", "value: 1"))).text)
    assert "1 of 2 checklists would change." in said
    assert "1 × Pass ✓ becomes Warn !" in said
    assert "Stricter pregnancy-test-missing Pregnancy" in said
    assert "Value Before 7 days After 1 days" in said


def test_a_period_bounds_what_is_evaluated(made, assessed, entries):
    made({}, {}, {}, {})  # 2026-10-03 to 2026-10-06
    for fields, count in (
        ({"since": "2026-10-05"}, 2),
        ({"until": "2026-10-03"}, 1),
        ({"since": "2026-10-04", "until": "2026-10-05"}, 2),
        ({"until": "2020-01-01"}, 0),
    ):
        said = text_of(assessed(**fields).text)
        assert ("There is no checklist to evaluate." if count == 0 else f"in {count} checklist") in said
    assert [each["assessed"] for each in entries()] == [2, 1, 2, 0]


def test_one_page_evaluates_so_many_and_says_where_the_rest_is_done(made, assessed, monkeypatch, entries):
    monkeypatch.setattr("service.pages.impact.MOST_CHECKLISTS", 2)
    made({}, {}, {})
    said = text_of(assessed().text)
    assert "These are the first 2 of 3 checklists of this period, from the oldest." in said
    assert "dosegate impact" in said
    assert entries()[0]["assessed"] == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"since": "yesterday"}, "Write the day as 2026-10-06."),
        ({"since": "2026-10-06", "until": "2026-10-05"}, "The last day is before the first."),
    ],
)
def test_a_period_that_is_none_is_refused_at_its_field(assessed, entries, fields, said):
    page = assessed(**fields)
    assert page.status_code == 422
    assert text_of(page.text).count(said) == 2  # on top of the page, and at the field
    assert entries() == []


AGE = "block_if: {age: {below: 18}}"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            {"pack": draft(PACK, (AGE, "block_if: {agee: {below: 18}}"))},
            'the fact "agee" is not in rules/facts.yaml',
        ),
        ({"pack": draft(PACK, (AGE, "block_if: {age: [below: 18}}"))}, "did not find expected"),
        (
            {"pack": draft(PACK, ("drug: inebilizumab", "drug: another"))},
            "the file of another is called another.yaml",
        ),
        ({"policy": draft(POLICY, ("value: 7", "value: 9999"))}, "9999 is outside 0 to 365"),
        ({"pack": b"\xff\xfe\x00"}, "This is not a text in UTF-8."),
        ({"pack": b"a: " + b"[" * 50_000}, "This is nested too deeply."),
        ({"pack": b"- a\n"}, "Invalid input type."),
    ],
)
def test_a_draft_with_mistakes_is_refused_with_file_and_line(assessed, entries, sent, said):
    page = assessed(**sent)
    assert page.status_code == 422
    shown = text_of(page.text)
    assert said in shown
    assert ("rules/policy.yaml" if "policy" in sent else "rules/drugs/inebilizumab.yaml") in shown
    assert entries() == []
    text = next(iter(sent.values()))
    if b"agee" in text or b"9999" in text:
        place = text.split(b"agee" if b"agee" in text else b"9999")[0].count(b"\n") + 1
        assert f"line {place}" in shown


def test_a_draft_that_is_too_long_is_refused(assessed, entries):
    assert assessed(pack=b"# " + b"x" * 300_000).status_code == 413
    assert entries() == []


def test_a_form_without_its_key_and_a_nurse_are_refused(app, entries):
    assert signed_in(app, Role.PHARMACIST).post(IMPACT).status_code == 403
    nurse = signed_in(app, Role.NURSE)
    assert nurse.get(IMPACT).status_code == 403
    assert entries() == []


def test_an_impact_is_read_on_a_tablet_and_a_phone(made, a_person, tmp_path):
    made({"without": ["anti_hbc_total"]}, {})
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_bytes(draft(PACK, LENIENT))
    bad.write_bytes(draft(PACK, (AGE, "block_if: {agee: {below: 18}}")))
    page = a_person(Role.PHARMACIST)
    for sent in (None, good, bad):
        page.goto(IMPACT)
        if sent is not None:
            page.set_input_files("input[name=pack]", sent)
            page.get_by_role("button", name="Evaluate").click()
        for size in (TABLET, PHONE):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert accessibility_faults(page) == []

"""Alert quality on a page: the figures of each rule, charts with the same numbers, and what to review."""

import re
from datetime import timedelta

import pytest

from service.access.roles import Role
from service.records.journal import Event
from tests.pages.auditing import answered, events_of, kept, text_of
from tests.pages.conftest import NOW, PHONE, accessibility_faults
from tests.people import signed_in

pytestmark = pytest.mark.any_database


@pytest.fixture
def auditor(app):
    return signed_in(app, Role.AUDITOR)


@pytest.fixture
def clinic(app):
    """Four checklists with signs of PML, three of them overridden; one of them with a warning as well."""
    ids = [
        kept(
            app, with_={"pml_signs": "yes"}, patient={"id": f"MRN-{number}"}, at=NOW + timedelta(days=number)
        )
        for number in range(4)
    ]
    for number, id in enumerate(ids[:3]):
        minutes = number * 24 * 60 + 10 * (number + 1)
        answered(app, id, "pml", "pml-signs", minutes=minutes, reason="need-more-info")
    return ids


def table_of(page, label):
    """The rows of a table as texts, by the text of their first cell."""
    table = page.text.split(f'aria-label="{label}"')[1].split("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in table.split("<tr>")[2:]]
    return {text_of(first).strip(): [text_of(each).strip() for each in others] for first, *others in rows}


def test_the_table_holds_the_figures_and_the_chart_says_the_same(auditor, clinic):
    page = auditor.get("/quality")
    answers = table_of(page, "How findings were answered, as a table")
    assert answers["pml-signs"] == ["3", "0", "1", "4"]
    shares = table_of(page, "Share overridden and time to answer, as a table")
    assert shares["pml-signs"] == ["75.0 %", "20 min", "30 min"]
    assert table_of(page, "Reasons given, as a table") == {"A result or consultation is awaited": ["3"]}

    for id, rows, column in (("answers", answers, -1), ("shares", shares, 0)):
        says = text_of(re.search(rf'<desc id="{id}-desc">(.*?)</desc>', page.text, re.DOTALL)[1])
        assert all(f"{rule}: {cells[column]}." in says for rule, cells in rows.items())
    assert "A result or consultation is awaited: 3." in text_of(page.text)


def test_a_rule_that_is_mostly_overridden_is_marked_for_review_in_words(auditor, clinic):
    said = text_of(auditor.get("/quality").text)
    assert "Overridden in 3 of 4 findings (75.0 %), which is more than half: review the rule" in said


def test_half_is_not_more_than_half(app, auditor):
    ids = [kept(app, with_={"pml_signs": "yes"}) for _ in range(2)]
    answered(app, ids[0], "pml", "pml-signs")
    assert "No rule is overridden in more than half of its findings." in text_of(auditor.get("/quality").text)


def test_figures_are_those_of_a_drug_and_a_period(app, auditor, clinic):
    def counted(query):
        return int(re.search(r"(\d+) checklists?", text_of(auditor.get(f"/quality?{query}").text))[1])

    kept(app, "loading dose, US", drug="ibalizumab")
    assert counted("") == 5
    assert counted("drug=inebilizumab") == 4
    assert counted("from=2026-10-07&to=2026-10-08") == 2
    assert events_of(app, auditor)[:3] == ["quality.viewed"] * 3


def test_without_checklists_and_without_findings_the_page_says_so(app, auditor):
    assert "there is nothing to show" in text_of(auditor.get("/quality").text)
    kept(app)
    said = text_of(auditor.get("/quality").text)
    assert "1 checklist." in said and "there is nothing to show" in said
    assert re.search(r"Rules that were never found \(\d+\)", said)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("drug=inebilizumabb", "Drug: "),
        ("to=never", "Made on or before: must be a date such as 2026-10-06"),
    ],
)
def test_what_cannot_be_looked_for_is_said_at_its_field(auditor, asked, says):
    page = auditor.get(f"/quality?{asked}")
    assert (page.status_code, says in text_of(page.text)) == (422, True)


def test_acknowledged_warnings_are_no_overrides(app, auditor):
    id = kept(app, with_={"igg": {"value": 5, "unit": "g/L", "at": "2026-09-20", "ref_low": 7}})
    answered(app, id, "immunoglobulins", "igg-low", event=Event.WARN_ACKNOWLEDGED)
    answers = table_of(auditor.get("/quality"), "How findings were answered, as a table")
    assert answers["igg-low"] == ["0", "1", "0", "1"]


@pytest.mark.parametrize("role", [Role.NURSE, Role.PRESCRIBER, Role.ADMIN])
def test_others_are_refused_with_a_page(app, role):
    refused = signed_in(app, role).get("/quality")
    assert (refused.status_code, refused.mimetype) == (403, "text/html")


def test_a_pharmacist_reads_the_figures(app, clinic):
    assert signed_in(app, Role.PHARMACIST).get("/quality").status_code == 200


def test_the_charts_on_a_phone(a_person, clinic):
    page = a_person(Role.AUDITOR, viewport=PHONE)
    page.goto("/quality")
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
    assert page.get_by_role("img", name="Share overridden").is_visible()
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

"""Every text of every finding, in all examples of the project, stands on every page that shows the finding.

The draft of each example is shown as it is. The page of a record, the print and the PDF are made from
what is stored: there the findings of the examples, each different one once, are stored together in albums.
"""

import functools
import io
import json
import re
import uuid
from collections.abc import Mapping

import pypdf
import pytest

from service.access.roles import Role
from service.intake.answers import answer_to
from service.records.canonical import canonical
from service.records.journal import Act
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist
from service.records.visits import Person
from tests.builders import EVALUATED_AT, ROOT, request_for, scenario_file, shipped
from tests.pages.shown import squeezed, words_of
from tests.people import signed_in
from tests.scenarios.test_scenarios import DRUGS, EVERY, requested

pytestmark = pytest.mark.any_database

BY = Act("user:nora", "nurse", "examples", EVALUATED_AT)
OVERRIDES = {
    "never": "Can never be overridden",
    "prescriber": "Only a prescriber can override this",
    "acknowledge": "Can be acknowledged",
}
SLICES = 4
ON_ONE_PAGE = 60
DRAFTED = [pytest.param(drug, part, id=f"{drug} {part + 1}") for drug in DRUGS for part in range(SLICES)]
# What may differ between two findings beside their words, as far as paper goes.
PARTS = ("missing", "because", "would_pass_when", "eligible_from", "sources", "tags")


@functools.cache
def examples(drug):
    """Every request of a drug that is an example somewhere in the project, and is answered."""
    told = [requested(drug, each) for of, each in EVERY if of == drug and "refused" not in each["expect"]]
    patients = [request_for(drug, patient) for patient in scenario_file(drug)["patients"]]
    files = [json.loads(file.read_text("utf-8")) for file in (ROOT / "service" / "examples").glob("*.json")]
    return [*told, *patients, *(each for each in files if each["drug"] == drug)]


def body_of(request):
    return json.dumps(request, default=float).encode()


def evaluated(request):
    return answer_to(
        body_of(request), shipped(), id=str(uuid.uuid4()), evaluated_at=EVALUATED_AT, site="main"
    )


@functools.cache
def findings(drug):
    """Each different finding of the examples of a drug, once."""
    found = {}
    for request in examples(drug):
        for finding in json.loads(canonical(evaluated(request).result))["findings"]:
            found[json.dumps(finding, sort_keys=True)] = finding
    return [*found.values()]


def said_by(finding):
    """Every text that a finding has to show, each in the ways that it may be written."""
    yield from ((finding[name],) for name in ("title", "message", "action", "rule", "eligible_from"))
    for way in finding["would_pass_when"]:
        yield from ((step,) for step in way)
    yield from ((shipped().vocabulary[name].label,) for name in finding["missing"])
    for source in finding["sources"]:
        yield from ((source[name],) for name in ("id", "title", "section", "revised"))
        yield from ((row,) for row in source["ledger"])
    for because in finding["because"]:
        yield from written(because["fact"], because["value"], because.get("unit"))
        yield from ((because.get(name),) for name in ("at", "source"))
    if finding["override"]:
        yield (OVERRIDES[finding["override"]],)


def written(fact, value, unit=None):
    """A value, and everything inside it: as it is coded, or in the words of the vocabulary."""
    definition = shipped().vocabulary.facts.get(fact)
    words = {**definition.values, **definition.words} if definition else {}
    if isinstance(value, list):
        for entry in value:
            fields = entry if isinstance(entry, Mapping) else {"": entry}
            for name, each in fields.items():
                known = definition.fields[name].values if name else words
                part = f"{each['value']} {each['unit']}" if isinstance(each, Mapping) else str(each)
                yield part, known.get(part, part)
    else:
        amount = f"{value} {unit}" if unit else str(value)
        yield amount, words.get(str(value), amount)


def not_shown(text, findings):
    """What of these findings a text does not say."""
    there = squeezed(text)
    asked = {ways for finding in findings for ways in said_by(finding) if ways[0]}
    return sorted(map(str, (each for each in asked if not any(squeezed(str(way)) in there for way in each))))


@pytest.mark.parametrize(("drug", "part"), DRAFTED)
def test_the_page_of_a_draft_shows_every_text_of_every_finding(app, drug, part):
    nora, parts = signed_in(app, Role.NURSE, "nora"), app.extensions["dosegate"]
    by = Person("Nora", nora.account.principal.act("examples", parts.clock()))
    for request in examples(drug)[part::SLICES]:
        drafted = parts.drafting.begin(json.loads(body_of(request)), by)
        page = nora.get(f"/drafts/{drafted.id}")
        assert page.status_code == 200
        shown = json.loads(canonical(drafted.evaluated.result))["findings"]
        assert not_shown(words_of(page.text), shown) == [], request


def albums(drug, chosen):
    """Findings, so many that they fill pages but not a book."""
    return [chosen[start : start + ON_ONE_PAGE] for start in range(0, len(chosen), ON_ONE_PAGE)]


def stored(app, drug, album):
    """The id of a checklist that is stored with these findings."""
    request = examples(drug)[0]
    answered, id = evaluated(request), str(uuid.uuid4())
    result = {**answered.result, "id": id, "status": "block", "findings": album}
    kept = StoredChecklist(
        id=id,
        created_at=EVALUATED_AT,
        patient="MRN-1001",
        drug=drug,
        status="block",
        infusion_at=answered.result["infusion_at"],
        request=body_of(request),
        result=canonical(result),
        trace=canonical(answered.trace),
        pack=answered.request.pack.digest,
        actor=BY.actor,
    )
    records = app.extensions["dosegate"].store.records
    return Store(records).add(kept, Basis.of(shipped(), answered.request.pack), BY).id


@pytest.mark.parametrize("page", ["", "/print"])
@pytest.mark.parametrize("drug", DRUGS)
def test_the_pages_of_a_record_show_every_text_of_every_finding(app, drug, page):
    nora = signed_in(app, Role.NURSE, "nora")
    for album in albums(drug, findings(drug)):
        shown = nora.get(f"/checklists/{stored(app, drug, album)}{page}")
        assert shown.status_code == 200
        assert not_shown(words_of(shown.text), album) == []


def one_of_each(drug):
    """The longest finding of each kind and status, with each set of parts that it comes in.

    The PDF is drawn from the page that is printed, and that page is tested with all findings: what drawing
    could lose is a part of a finding, never one wording of it.
    """
    found = {}
    for finding in sorted(findings(drug), key=lambda finding: len(json.dumps(finding))):
        parts = tuple(bool(finding.get(part)) for part in PARTS)
        found[finding["kind"], finding["status"], finding["override"], parts] = finding
    return [*found.values()]


@pytest.mark.parametrize("drug", DRUGS)
def test_the_pdf_shows_every_text_of_a_finding_of_each_kind(app, drug):
    nora = signed_in(app, Role.NURSE, "nora")
    for album in albums(drug, one_of_each(drug)):
        drawn = nora.get(f"/checklists/{stored(app, drug, album)}/pdf")
        assert drawn.status_code == 200
        pages = pypdf.PdfReader(io.BytesIO(drawn.data)).pages
        assert not_shown("".join(page.extract_text() for page in pages), album) == []


def test_a_text_that_is_left_out_is_found_missing():
    [finding] = [each for each in findings("inebilizumab") if each["rule"] == "infection-active"][:1]
    words = " ".join(str(way) for ways in said_by(finding) for way in ways)
    assert not_shown(words, [finding]) == []
    assert not_shown(re.sub(re.escape(finding["action"]), "", words), [finding]) != []

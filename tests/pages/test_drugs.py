"""The list of drugs, and each pack as a document that says all that the pack says."""

import re
from datetime import UTC, datetime
from html import escape

import pytest

from service.access.roles import Role
from service.app import create_app
from service.checklist.terms import Region
from service.checklist.truth import FALSE
from service.knowledge.words import Words
from service.web.drug_documents import drug_document
from tests.builders import shipped
from tests.double_check import asking
from tests.pages.auditing import text_of
from tests.people import signed_in

DRUGS = sorted(shipped().packs)
WORDS = {"block": "Block", "warn": "Warn"}
pytestmark = pytest.mark.any_database


@pytest.fixture
def shown(app):
    """Gets a page as a pharmacist."""
    return signed_in(app, Role.PHARMACIST).get


def texts_in(value):
    """Every text of a document."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts_in(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts_in(each)]
    return [" ".join(value.split())] if isinstance(value, str) else []


def as_read(text):
    """A text as it is read where a page shows it."""
    return text_of(escape(text))


def article(page, id):
    """The HTML of the rule with this id."""
    return re.search(rf'<article class="dg-rule[^>]* id="{id}".*?</article>', page.text, re.S)[0]


def test_every_pack_is_listed_with_its_names_version_owner_and_look_alikes(shown):
    page = text_of(shown("/drugs").text)
    for pack in shipped().packs.values():
        others = [shipped().packs[name].title for name in pack.look_alikes]
        for said in (pack.title, *pack.brands, pack.drug_class, pack.review_by, pack.owner, *others):
            assert said in page
        assert f"{pack.version}, Approved; {len(pack.checks)} checks, {len(pack.rules)} rules" in page


@pytest.mark.parametrize(
    ("day", "badge"),
    [
        ("2027-03-01", None),
        ("2027-03-02", "Review due in 60 days"),
        ("2027-05-01", "Review due today"),
        ("2027-05-02", "Review overdue by 1 day"),
    ],
)
def test_a_review_that_is_due_or_overdue_has_a_badge(app, clock, day, badge):
    clock.now = datetime.fromisoformat(day).replace(hour=9, tzinfo=UTC)
    page = text_of(signed_in(app, Role.PHARMACIST).get("/drugs").text)
    packs = [pack for pack in shipped().packs.values() if pack.review_by == "2027-05-01"]
    assert packs
    if badge is None:
        assert "Review due" not in page and "overdue" not in page
    else:
        assert page.count(badge) == len(packs)


@pytest.mark.parametrize("drug", DRUGS)
def test_everything_that_a_pack_says_is_in_its_page(shown, drug):
    library = shipped()
    document, page = drug_document(library.packs[drug], library), shown(f"/drugs/{drug}")
    words = text_of(page.text)
    for part in (
        "title",
        "brands",
        "aliases",
        "excipients",
        "class",
        "version",
        "digest",
        "owner",
        "review_by",
    ):
        assert all(as_read(text) in words for text in texts_in(document[part])), part
    # Conditions in one sentence, and who may override, are said in other words: see the tests below.
    rules = [
        {
            name: each
            for name, each in rule.items()
            if name not in ("when", "status", "kind", "override", "facts")
        }
        for check in document["checks"]
        for rule in check["rules"]
    ]
    checks = [
        (check["title"], check["nothing_found"], check["not_applicable"] or "")
        for check in document["checks"]
    ]
    plans = [(plan["text"], plan["sources"]) for plan in document["observation"]]
    for part in (rules, [[*each] for each in checks], [[*each] for each in plans], document["ledger"]):
        for text in texts_in(part):
            assert text in ("block", "warn") or as_read(text) in words, text
    for each in document["not_checked"]:
        assert all(as_read(text) in words for text in texts_in(each)), each
    for conflict in document["conflicts"]:
        said = [conflict["about"], conflict["why"], *conflict["says"].values()]
        assert all(as_read(text) in words for text in said), conflict
    for source in document["sources"]:
        assert source["title"] in words and f"revised: {source['revised']}" in words
    for name in document["facts_read"]:
        assert library.vocabulary[name].label in words and library.vocabulary[name].question in words


@pytest.mark.parametrize("drug", DRUGS)
def test_each_rule_has_an_anchor_its_severity_its_condition_and_its_ledger_rows_beside_it(shown, drug):
    library = shipped()
    pack, page = library.packs[drug], shown(f"/drugs/{drug}")
    words = Words.of(pack, library)
    for check, rule in ((each, rule) for each in pack.checks for rule in each.rules):
        html = article(page, rule.id)
        said = text_of(html)
        assert f"{WORDS[rule.status.word]}:" in said
        assert f'href="#{rule.id}"' in html
        unknown = rule.if_unknown
        assert (
            (f"{WORDS[unknown.status.word]}" in said and unknown.action in said)
            if unknown
            else "Always" in said
        )
        outside = {criterion for part in (check.applies,) if part for criterion in part.criteria()}
        for each in rule.concern.criteria():
            if each not in outside and not isinstance(each.measure.left, Region):
                assert words.criterion(each) in said or words.criterion(each, FALSE) in said
        for citation in rule.citations:
            for row in citation.ledger:
                assert re.search(rf"<summary><code>{re.escape(row)}</code></summary>", html)
                assert " ".join(library.ledger[row].statement.split()) in said
        for name in rule.concern.facts():
            assert words.label(name) in said
        assert ("nobody has verified" in said) is rule.unverified


def test_the_sites_own_values_stand_where_they_are_used(shown):
    page = shown("/drugs/inebilizumab")
    said = text_of(article(page, "hbv-screening-incomplete"))
    assert "no older than 365 days (site policy) before the date of the first dose" in said
    assert "hbv_screen_max_age_days: 365 days" in said
    assert "pregnancy_test_max_age_days: 7 days" in text_of(page.text)


def test_a_rule_of_one_label_says_so_and_an_override_that_is_never_given_too(shown):
    said = text_of(article(shown("/drugs/inebilizumab"), "pml-history-eu"))
    assert "only on the label of EU" in said
    assert "Overridden By nobody" in said


def test_a_second_persons_facts_are_named_with_the_reason(settings, clock):
    app = create_app(settings, asking(), clock)
    said = text_of(signed_in(app, Role.PHARMACIST).get("/drugs/inebilizumab").text)
    facts = "; ".join(shipped().vocabulary[name].label for name in ("ordered_dose", "anc"))
    assert f"Facts {facts} Because Two people read the dose." in said
    app.extensions["dosegate"].store.records.close()


def test_a_drug_without_rules_is_not_found(shown):
    page = shown("/drugs/aspirin")
    assert page.status_code == 404


def test_who_may_not_read_many_checklists_is_offered_no_impact(app):
    for role, offered in (
        (Role.PHARMACIST, True),
        (Role.AUDITOR, True),
        (Role.NURSE, False),
        (Role.ADMIN, False),
    ):
        client = signed_in(app, role)
        page = client.get("/drugs/ibalizumab")
        assert page.status_code == 200
        assert ("/drugs/ibalizumab/impact" in page.text) is offered
        assert client.get("/drugs/ibalizumab/impact").status_code == (200 if offered else 403)


def test_a_pack_is_read_with_a_keyboard(a_person):
    page = a_person(Role.PHARMACIST)
    page.goto("/drugs/ibalizumab")
    row = page.locator("#under-18 details").first
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    assert row.locator("p").is_visible()

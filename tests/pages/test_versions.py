"""Versions of a drug's rules: when each was in force, how much it was used, and where two of them differ."""

import re
from datetime import timedelta

import pytest

from service.access.roles import Role
from service.knowledge.library import load_library
from service.records.journal import Act
from service.records.opening import announce
from tests.api.sending import a_request
from tests.builders import shipped
from tests.kept import keep, rules_folder
from tests.pages.auditing import text_of
from tests.pages.conftest import NOW
from tests.people import signed_in

PACK = "drugs/inebilizumab.yaml"
VERSIONS = "/drugs/inebilizumab/versions"
# An older version: a rule of another name, one stricter, one less strict, and a shorter limit.
EDITS = (
    (PACK, "version: 1.0.0", "version: 0.9.0"),
    (PACK, "      under-18:\n", "      under-age:\n"),
    (PACK, "warn_if: {breastfeeding: {is: yes}}", "block_if: {breastfeeding: {is: yes}}"),
    (
        PACK,
        'if_unknown: {block: "Send the missing hepatitis B marker, and hold until it is back."}',
        'if_unknown: {warn: "Send the missing hepatitis B marker."}',
    ),
    ("policy.yaml", "value: 7", "value: 1"),
)


@pytest.fixture
def old(tmp_path):
    """The older version."""
    return load_library(rules_folder(tmp_path / "old", EDITS))


@pytest.fixture
def used(app, old):
    """The records, where the older version was in force for two days, and two checklists were made."""
    records = app.extensions["dosegate"].store.records
    in_force(records, old, days=3)
    for number in range(2):
        at = NOW - timedelta(days=3 - number)
        keep(records, a_request(patient={"id": f"CANARY-{number}"}), at, old)
    in_force(records, shipped(), days=1)
    keep(records, a_request(patient={"id": "CANARY-3"}), NOW)
    return records


def in_force(records, library, *, days):
    announce(records, library, Act("service", "service", "start", NOW - timedelta(days=days)))


def ids_of(page):
    return re.findall(r'<h2[^>]* id="version-([^"]+)"', page.text)


def change(page, name):
    """What the comparison says of one rule or part, as text."""
    found = re.search(
        rf'<article class="dg-change (?:(?!</article>).)*?{re.escape(name)}.*?</article>', page.text, re.S
    )
    return text_of(found[0])


def compared(client, *ids):
    return client.get("/drugs/inebilizumab/compare", query_string=dict(zip(("from", "to"), ids, strict=True)))


def test_each_version_has_its_days_and_the_number_of_checklists_made_with_it(app, used):
    client = signed_in(app, Role.PHARMACIST)
    page = client.get(VERSIONS)
    now, before = page.text.split('<article class="dg-panel"')[1:3]
    assert "1.0.0 In force" in text_of(now)
    assert shipped().packs["inebilizumab"].digest in now and shipped().policy.digest in now
    assert "Made with it 1 checklist from 2026-10-06" in text_of(now)
    assert "0.9.0" in text_of(before) and "In force" not in text_of(before)
    assert "Came into force 2026-10-03" in text_of(before)
    assert "Made with it 2 checklists from 2026-10-03" in text_of(before)


@pytest.mark.any_database
def test_counts_are_shown_to_those_alone_who_may_read_many_checklists(app, used):
    page = signed_in(app, Role.NURSE).get(VERSIONS)
    assert page.status_code == 200
    assert "0.9.0" in page.text
    assert "Made with it" not in page.text


@pytest.mark.any_database
def test_two_versions_are_compared_rule_by_rule_in_words(app, used):
    client = signed_in(app, Role.PHARMACIST)
    now, before = ids_of(client.get(VERSIONS))
    page = compared(client, before, now)
    assert page.status_code == 200

    assert "Removed under-age Age Block" in change(page, "under-age")
    added = change(page, "<code>under-18</code>")
    assert "Added under-18 Age Block" in added
    assert "if age in completed years is below 18" in added
    assert "Before" not in added
    severity = change(page, "<code>breastfeeding</code>")
    assert "Changed breastfeeding Breastfeeding Block ✕ becomes Warn !" in severity
    assert "Severity Before Block After Warn" in severity
    unknown = change(page, "<code>hbv-screening-incomplete</code>")
    assert "Before Warn: Send the missing hepatitis B marker." in unknown
    assert "After Block: Send the missing hepatitis B marker, and hold until it is back." in unknown
    assert "Message" not in unknown and "Condition" not in unknown
    limit = change(page, "<code>pregnancy-test-missing</code>")
    assert "no older than 1 days (site policy) before the infusion After" in limit
    assert "no older than 7 days (site policy) before the infusion" in limit
    assert "Value Before 1 days After 7 days" in change(page, "pregnancy_test_max_age_days")
    assert "Version Before 0.9.0 After 1.0.0" in change(page, "The pack")

    said = text_of(page.text)
    changed = re.findall(
        r'<article class="dg-change[^>]*>\s*<h3[^>]*>\s*<span[^>]*>(\w+)</span>\s*<code>', page.text
    )
    assert changed == sorted(changed, key=["Removed", "Changed", "Added"].index)
    same = len(shipped().packs["inebilizumab"].rules) - changed.count("Changed") - changed.count("Added")
    assert f"{same} rules are the same." in said
    assert "-version: 0.9.0 +version: 1.0.0" in said
    assert "-      under-age:\n" in page.text


@pytest.mark.any_database
def test_a_version_is_the_same_as_itself(app, used):
    client = signed_in(app, Role.PHARMACIST)
    now, _ = ids_of(client.get(VERSIONS))
    said = text_of(compared(client, now, now).text)
    assert "Both say the same." in said
    assert "73 rules are the same." in said


@pytest.mark.any_database
def test_a_version_that_nothing_was_made_with_is_named_and_cannot_be_compared(app, old):
    records = app.extensions["dosegate"].store.records
    in_force(records, old, days=3)
    in_force(records, shipped(), days=1)
    client = signed_in(app, Role.PHARMACIST)
    page = client.get(VERSIONS)
    now, lost = ids_of(page)
    assert "Not kept: no checklist was made with it." in text_of(page.text)
    assert "Compare two versions" not in page.text
    for pair in ((lost, now), (now, "nothing"), ("", "")):
        page = compared(client, *pair)
        assert page.status_code == 404
        assert "Choose two versions whose files are kept here." in page.text


def test_files_that_are_not_those_that_were_recorded_are_not_shown(app, used, unguarded):
    client = signed_in(app, Role.PHARMACIST)
    now, before = ids_of(client.get(VERSIONS))
    unguarded("UPDATE knowledge SET files = REPLACE(files, 'version: 0.9.0', 'version: 0.9.1')")
    assert compared(client, before, now).status_code == 404

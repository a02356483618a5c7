"""What the service knows, over HTTP."""

import csv
import io

import pytest

from service.knowledge.source_attributes import LABELS
from tests.builders import shipped

DRUGS = sorted(shipped().packs)
pytestmark = pytest.mark.any_database


def test_every_pack_is_listed(client):
    listed = client.get("/api/v1/drugs").json["drugs"]
    assert [drug["id"] for drug in listed] == DRUGS
    assert {drug["digest"] for drug in listed} == {pack.digest for pack in shipped().packs.values()}


@pytest.mark.parametrize("drug", DRUGS)
def test_every_rule_of_a_drug_is_in_words_with_its_sources(client, drug):
    document = client.get(f"/api/v1/drugs/{drug}").json
    rules = [rule for check in document["checks"] for rule in check["rules"]]

    assert [rule["rule"] for rule in rules] == [rule.id for rule in shipped().packs[drug].rules]
    assert all(rule["when"] and rule["message"] and rule["action"] and rule["sources"] for rule in rules)


@pytest.mark.parametrize("drug", DRUGS)
def test_every_ledger_row_of_a_drug_is_shown(client, drug):
    document = client.get(f"/api/v1/drugs/{drug}").json
    shown = {row["row"] for row in document["ledger"]}

    assert shown >= {row.row for row in shipped().ledger.values() if drug in row.drugs}
    assert shown >= {each["row"] for each in document["not_checked"]}


def test_a_drug_is_read_by_the_id_of_its_pack_only(client):
    assert client.get("/api/v1/drugs/Uplizna").status_code == 404


def test_a_rule_says_its_condition(client):
    document = client.get("/api/v1/drugs/inebilizumab").json
    [said] = [
        rule["when"]
        for check in document["checks"]
        for rule in check["rules"]
        if rule["rule"] == "hbv-active"
    ]
    assert said == "hepatitis B surface antigen (HBsAg) is positive"


def test_the_whole_vocabulary_is_there(client):
    facts = {fact["fact"]: fact for fact in client.get("/api/v1/facts").json["facts"]}

    assert list(facts) == list(shipped().vocabulary.facts)
    assert set(facts["temperature"]["units"]) == {"Cel", "[degF]"}
    assert set(facts["hbsag"]["values"]) == {"positive", "negative", "indeterminate"}
    assert {field["field"] for field in facts["vaccinations"]["fields"]} >= {"cvx", "kind", "on"}
    assert all(fact["question"] and fact["help"] for fact in facts.values())


def test_the_vaccine_codes_are_there(client):
    codes = client.get("/api/v1/facts").json["codes"]["cvx"]
    assert codes["187"]["kind"] == "non_live"


@pytest.mark.parametrize("drug", DRUGS)
def test_every_rule_has_all_thirteen_and_none_is_blank(client, drug):
    document = client.get(f"/api/v1/drugs/{drug}/source-attributes").json
    pack = shipped().packs[drug]
    assert (document["drug"], document["digest"]) == (drug, pack.digest)
    assert [each["rule"] for each in document["rules"]] == [rule.id for rule in pack.rules]
    for said, rule in zip(document["rules"], pack.rules, strict=True):
        assert [each["attribute"] for each in said["attributes"]] == list(LABELS)
        assert [each["number"] for each in said["attributes"]] == list(range(1, 14))
        assert all(each["value"].strip() for each in said["attributes"])
        citation, developer, funding, dates, *_ = (each["value"] for each in said["attributes"])
        for cited in rule.citations:
            assert cited.source.title in citation and all(row in citation for row in cited.ledger)
            assert f"{cited.source.title} " in dates and cited.source.revised in dates
        assert (developer, funding) == ("The Dosegate project", "not stated")
        assert f"{pack.version} released {pack.released}" in dates


def test_the_same_is_a_line_of_csv_for_each_rule(client):
    answer = client.get("/api/v1/drugs/inebilizumab/source-attributes?_format=csv")
    assert answer.mimetype == "text/csv"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    document = client.get("/api/v1/drugs/inebilizumab/source-attributes").json
    for line, rule in zip(lines, document["rules"], strict=True):
        assert (line["Rule"], line["Check"]) == (rule["rule"], rule["check"])
        assert (line["Pack version"], line["Pack digest"]) == (document["version"], document["digest"])
        assert [line[each["label"]] for each in rule["attributes"]] == [
            each["value"] for each in rule["attributes"]
        ]


def test_another_form_or_drug_is_refused(client):
    asked = client.get("/api/v1/drugs/inebilizumab/source-attributes?_format=xml")
    assert (asked.status_code, asked.json["errors"][0]["path"]) == (422, "_format")
    assert client.get("/api/v1/drugs/uplizna/source-attributes").status_code == 404

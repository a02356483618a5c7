"""What the service knows, over HTTP."""

import pytest

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

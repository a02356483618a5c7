import pytest

from service.fhir.service_requests import missing_orders, on_order
from tests.builders import shipped
from tests.fhir.charts import LOINC, MAPS, coded, resource
from tests.fhir.others import problems_of


def request(code="5196-1", **content):
    content = {"status": "active", "intent": "order", "code": coded(LOINC, code), **content}
    return resource("ServiceRequest", "7", **content)


def codes(drafts):
    return [each["code"]["coding"][0]["code"] for each in drafts.values()]


def test_a_draft_for_each_fact_that_a_test_gives():
    drafts = missing_orders(["igg", "breastfeeding", "hbsag", "igg"], "p", MAPS, [])
    assert codes(drafts) == ["2465-3", "5196-1"]
    assert list(drafts) == ["igg", "hbsag"]
    assert drafts["hbsag"] == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://snomed.info/sct",
                        "code": "108252007",
                        "display": "Laboratory procedure",
                    }
                ]
            }
        ],
        "code": {
            "coding": [{"system": LOINC, "code": "5196-1", "display": "Hepatitis B virus surface Ag"}],
            "text": "Hepatitis B virus surface Ag",
        },
        "subject": {"reference": "Patient/p"},
    }


def test_an_electrocardiogram_is_no_laboratory_test():
    assert "category" not in missing_orders(["qtc"], "p", MAPS, [])["qtc"]


@pytest.mark.parametrize("code", ["5196-1", "5195-3"])
def test_what_is_on_order_is_not_drafted_again(code):
    there = [request(code)]
    assert codes(missing_orders(["hbsag", "igg"], "p", MAPS, there)) == ["2465-3"]
    assert on_order(["hbsag", "igg"], MAPS, there) == {"hbsag": "ServiceRequest/7"}


@pytest.mark.parametrize(
    "content",
    [
        {"status": "completed"},
        {"status": "revoked"},
        {"status": "draft"},
        {"status": None},
        {"intent": "proposal"},
        {"doNotPerform": True},
        {"code": coded("http://example.org", "5196-1")},
        {"code": coded(text="HBsAg")},
        {"code": coded(LOINC, "2465-3")},
    ],
)
def test_what_is_not_on_order_is_drafted(content):
    there = [request(**content)]
    assert codes(missing_orders(["hbsag"], "p", MAPS, there)) == ["5196-1"]
    assert on_order(["hbsag"], MAPS, there) == {}


def test_a_request_without_an_id_is_named_by_its_type():
    there = [{**request(), "id": None}]
    assert on_order(["hbsag"], MAPS, there) == {"hbsag": "ServiceRequest"}


def test_every_draft_that_can_be_offered_is_valid_fhir():
    maps = shipped().code_maps
    drafts = missing_orders(maps.tests, "p", maps, [])
    assert len(drafts) == len(maps.tests) > 0
    assert [problems_of(each) for each in drafts.values()] == [[]] * len(drafts)


def test_what_is_on_order_for_other_facts_is_not_told():
    assert on_order(["igg"], MAPS, [request("5196-1")]) == {}

"""From a Bundle to one patient's resources: shapes, references, versions, and whose they are."""

import copy
import time

import pytest

from service.fhir.chart import MOST_ENTRIES, BadBundle, OtherPatient, read_chart
from tests.fhir.builders import bundle, chart, condition, negative, observation, patient, report

ANOTHER = {"reference": "Patient/q"}


def refused(document, error=BadBundle, **options):
    with pytest.raises(error) as raised:
        read_chart(document, patient=options.get("patient"), searched={})
    return list(raised.value.errors)


@pytest.mark.parametrize(
    "type", ["collection", "document", "searchset", "transaction", "batch", "batch-response", None]
)
def test_bundles_of_these_types_are_read_and_of_none(type):
    found = chart(negative("31"), type=type)
    assert [found.name(each) for each in found.of_type("Observation")] == ["Observation/31"]


@pytest.mark.parametrize("type", ["history", "message", "subscription-notification", 7])
def test_bundles_of_other_types_are_refused(type):
    assert refused(bundle(type=type))[0][0] == "bundle.type"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], "bundle"),
        ("a text", "bundle"),
        ({"resourceType": "Patient"}, "bundle"),
        ({"resourceType": "Bundle", "entry": 5}, "bundle.entry"),
        (bundle("no resource"), "bundle.entry[1].resource"),
        (bundle({"id": "1"}), "bundle.entry[1].resource"),
        (bundle({"resourceType": "<b>"}), "bundle.entry[1].resource"),
        ({"resourceType": "Bundle", "entry": [7]}, "bundle.entry[0]"),
        (bundle(bundle(bundle(of=False), of=False)), "bundle.entry[1].resource.entry[0].resource"),
    ],
)
def test_what_is_no_bundle_of_resources_is_refused_at_its_path(document, path):
    assert [each for each, _ in refused(document)] == [path]


def test_a_bundle_without_a_patient_needs_to_be_told_whose_it_is():
    assert refused(bundle(negative(), of=False)) == [("bundle", "has no Patient, and patient.id is missing")]
    assert read_chart(bundle(negative(), of=False), patient="p", searched={}).patient is None


def test_the_answers_of_several_searches_may_be_nested_in_one_bundle():
    found = chart(bundle(negative("1"), of=False), bundle(condition("2"), of=False))
    assert [found.name(each) for each in found.of_type("Condition")] == ["Condition/2"]


def test_more_resources_than_a_chart_has_are_refused():
    many = bundle(*[{"resourceType": "Basic"}] * MOST_ENTRIES)
    assert refused(many) == [("bundle.entry", "holds more than 5,000 resources")]


# Whose it is


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p",
        "Patient/p/_history/4",
        "https://ehr.example/fhir/Patient/p",
        "https://ehr.example/fhir/Patient/p/_history/1",
        "urn:uuid:4a0d1dd6-3b9f-4c4a-9a3b-000000000001",
        "Patient?identifier=urn:site|MRN-7",
    ],
)
def test_a_patient_may_be_referred_to_in_each_of_these_ways(reference):
    document = bundle(
        patient(identifier=[{"system": "urn:site", "value": "MRN-7"}]),
        observation("1", subject={"reference": reference}),
        of=False,
    )
    if reference.startswith("urn"):
        document["entry"][0]["fullUrl"] = reference
    assert read_chart(document, patient=None, searched={}).of_type("Observation")


@pytest.mark.parametrize(
    ("subject", "error"),
    [
        (ANOTHER, OtherPatient),
        ({"reference": "urn:uuid:another"}, OtherPatient),
        ({"reference": "Patient?identifier=urn:site|MRN-8"}, OtherPatient),
        ({"identifier": {"system": "urn:site", "value": "MRN-8"}}, OtherPatient),
        ({"reference": "https://elsewhere.example/fhir/Patient/p"}, OtherPatient),
        ({"display": "Somebody"}, BadBundle),
        ({"reference": "#nowhere"}, BadBundle),
        ({"reference": "???"}, BadBundle),
        ("Patient/p", BadBundle),
    ],
)
@pytest.mark.parametrize("key", ["subject", "patient"])
def test_what_is_of_another_patient_or_of_nobody_that_can_be_told_is_refused(subject, error, key):
    resource = {"resourceType": "Observation", "id": "1", key: subject}
    document = bundle(patient(identifier=[{"system": "urn:site", "value": "MRN-7"}]), resource, of=False)
    document["entry"][0]["fullUrl"] = "https://ehr.example/fhir/Patient/p"
    with pytest.raises(BadBundle) as raised:
        read_chart(document, patient=None, searched={})
    assert type(raised.value) is error
    assert [path for path, _ in raised.value.errors] == [f"bundle.entry[1].resource.{key}"]
    assert "MRN" not in str(raised.value)
    assert "Somebody" not in str(raised.value)


def test_a_contained_resource_of_another_patient_is_refused_too():
    inner = {"resourceType": "Observation", "id": "x", "subject": ANOTHER}
    errors = refused(bundle(observation(contained=[inner])), OtherPatient)
    assert errors[0][0] == "bundle.entry[1].resource.contained[0].subject"


def test_a_second_patient_is_refused():
    assert refused(bundle(patient("q")), OtherPatient)[0][0] == "bundle.entry[1].resource"


def test_a_patient_asked_for_is_the_one_of_the_bundle_by_id_or_identifier():
    document = bundle(patient(identifier=[{"value": "MRN-7"}]), of=False)
    for asked in ("p", "MRN-7"):
        assert read_chart(document, patient=asked, searched={}).patient_id == "p"
    assert refused(document, OtherPatient, patient="MRN-8")[0][0] == "patient.id"


def test_where_the_id_is_asked_for_no_identifier_is_the_patient():
    document = bundle(patient("q", identifier=[{"system": "urn:mrn", "value": "p"}]), of=False)
    assert read_chart(document, patient="q", searched={}, by_id=True).patient_id == "q"
    with pytest.raises(OtherPatient) as refused_one:
        read_chart(document, patient="p", searched={}, by_id=True)
    assert refused_one.value.errors == (("patient.id", "is not the id of the Patient of the bundle"),)


@pytest.mark.parametrize("of", [True, False])
@pytest.mark.parametrize("server", ["https://fhir.example.org/r4", "http://fhir.example.org/r4/"])
def test_the_patient_of_another_server_is_another_one(of, server):
    def read_from(address):
        subject = {"reference": f"{address}/Patient/p"}
        return read_chart(
            bundle(negative(subject=subject), of=of), patient="p", searched={}, server=server, by_id=True
        )

    assert read_from("https://fhir.example.org/r4").of_type("Observation")
    for another in ("https://other.example/fhir", "https://fhir.example.org/r5"):
        with pytest.raises(OtherPatient):
            read_from(another)


def test_what_is_about_a_group_or_a_device_is_left_out_and_said():
    found = chart(observation("9", subject={"reference": "Group/3"}))
    assert not found.of_type("Observation")
    assert [(line.resource, line.says) for line in found.lines] == [
        ("Observation/9", "about no patient, left out")
    ]


# Versions and references


def test_of_two_versions_the_newer_one_counts():
    old = condition("1", clinical="active", meta={"versionId": "9"})
    new = condition("1", clinical="resolved", meta={"versionId": "10"})
    for several in ((old, new), (new, old)):
        found = chart(*several).of_type("Condition")
        assert [each["meta"]["versionId"] for each in found] == ["10"]


def test_without_version_the_time_of_the_update_counts():
    old = condition("1", meta={"lastUpdated": "2026-01-01T23:30:00+02:00"})
    new = condition("1", clinical="resolved", meta={"lastUpdated": "2026-01-01T22:00:00Z"})
    assert chart(new, old).of_type("Condition")[0]["clinicalStatus"] == new["clinicalStatus"]


def test_the_same_twice_is_one_and_two_versions_of_unknown_order_are_refused():
    assert len(chart(condition("1"), condition("1")).of_type("Condition")) == 1
    errors = refused(bundle(condition("1"), condition("1", clinical="resolved")))
    assert errors[0][0] == "bundle.entry[2].resource"


def test_what_was_entered_in_error_is_left_out_with_a_line():
    wrong = condition("1", verified="entered-in-error")
    found = chart(wrong, {"resourceType": "Procedure", "id": "2", "status": "entered-in-error"})
    assert not found.of_type("Condition") + found.of_type("Procedure")
    assert [line.resource for line in found.lines] == ["Condition/1", "Procedure/2"]


def test_references_are_followed_once_and_cycles_have_no_end_to_reach():
    one = observation("1", hasMember=[{"reference": "Observation/2"}])
    other = observation("2", hasMember=[{"reference": "Observation/1"}])
    found = chart(one, other)
    first, second = found.of_type("Observation")
    assert found.resolve(first["hasMember"][0], first) is second
    assert found.resolve(second["hasMember"][0], second) is first
    for nowhere in ({"reference": "Observation/3"}, {"reference": "#x"}, {"reference": 7}, None, "x"):
        assert found.resolve(nowhere, first) is None


def test_contained_resources_refer_to_each_other():
    medication = {"resourceType": "Medication", "id": "m"}
    inner = {"resourceType": "Observation", "id": "x", "focus": {"reference": "#m"}}
    found = chart(observation("1", contained=[medication, inner]))
    outer = found.of_type("Observation")[0]
    within = found.contained(outer)
    assert found.resolve({"reference": "#m"}, within[1]) is within[0]
    assert found.name(within[1]) == "Observation/1#x"


def test_of_two_contained_resources_with_one_id_the_first_is_meant():
    several = [{"resourceType": type, "id": "m"} for type in ("Medication", "Substance")]
    outer = observation("1", contained=several)
    for inside in (outer, chart(outer).of_type("Observation")[0]):
        assert chart(outer).resolve({"reference": "#m"}, inside)["resourceType"] == "Medication"


def test_the_contained_resources_of_one_are_looked_through_once():
    """What takes time for each pair of them would take a minute for so many."""
    many = [observation(f"c{n}", subject={"reference": "#p"}) for n in range(20_000)]
    whose = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "1"}]}
    holder = report("r", contained=[*many, whose], result=[{"reference": f"#c{n}"} for n in range(20_000)])
    made = {
        "resourceType": "Bundle",
        "entry": [{"resource": each} for each in (patient(identifier=[{"value": "1"}]), holder)],
    }
    began = time.process_time()
    found = read_chart(made, patient=None, searched={})
    (read,) = found.of_type("DiagnosticReport")
    assert all(found.resolve(each, read) is not None for each in read["result"])
    assert time.process_time() - began < 10


def test_an_id_that_fhir_does_not_allow_is_no_name():
    found = chart({"resourceType": "Observation", "id": "<script>", "subject": {"reference": "Patient/p"}})
    assert found.name(found.of_type("Observation")[0]) == "Observation (entry 2)"


# What was searched


@pytest.mark.parametrize(
    "gap",
    [
        {"link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]},
        {"entry": [{"resource": patient()}, {"response": {"status": "403 Forbidden"}}]},
        {
            "entry": [
                {"resource": patient()},
                {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}},
            ]
        },
    ],
)
def test_an_answer_that_is_not_whole_makes_no_search_complete(gap):
    document = {**bundle(), **copy.deepcopy(gap)}
    found = read_chart(document, patient=None, searched={"orders": "complete", "results": "failed"})
    assert found.searched == {"orders": "incomplete", "results": "failed"}
    assert [line.understood for line in found.lines] == [False]


def test_a_remark_of_the_server_is_no_gap():
    remark = {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}
    assert chart(remark, searched={"orders": "complete"}).searched == {"orders": "complete"}

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fhir import reactions
from tests.fhir.charts import ATC, SNOMED, chart_of, coded, context_of, given_by, lines_of, resource
from tests.fhir.test_orders import JUNK

ACTIVE = coded("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active")
ANAPHYLAXIS = coded(SNOMED, "39579001", "Anaphylaxis")
OURS = {"substance": "inebilizumab"}


def allergy(text="Uplizna", id="1", **content):
    content = {"clinicalStatus": ACTIVE, "code": coded(text=text), **content}
    return resource("AllergyIntolerance", id, **content)


def event(id="1", **content):
    content = {"actuality": "actual", "event": coded(text="Infusion related reaction"), **content}
    return resource("AdverseEvent", id, **content)


def suspect(display="Uplizna", **reference):
    return [{"instance": {"display": display, **reference}}]


def read(*resources, drug="inebilizumab", patient=None, searched=None):
    chart = chart_of(*resources, patient=patient, searched=searched)
    return list(reactions.read(chart, context_of(drug)))


def entries(*resources, **more):
    return given_by(read(*resources, **more)).get("reactions", [])


def doubts(reads):
    return [says for _, fact, says, understood in lines_of(reads) if fact == "reactions" and not understood]


# To what


@pytest.mark.parametrize(
    ("concept", "substance"),
    [
        (coded(text="Uplizna"), "inebilizumab"),
        (coded(ATC, "L04AG10"), "inebilizumab"),
        (coded(text="Allergy to inebilizumab-cdon (finding)"), "inebilizumab"),
        (coded(text="Polysorbate 80"), "polysorbate 80"),
        (coded(SNOMED, "123", "Allergy to polysorbate 80 (finding)"), "polysorbate 80"),
        (coded(text="Penicillin V"), "Penicillin V"),
        (coded(text="Peanut"), "Peanut"),
        (coded(text="ibalizumab"), "ibalizumab"),
        (coded(text="gemtuzumab ozogamicin"), "gemtuzumab ozogamicin"),
    ],
)
def test_a_substance_is_the_drug_an_excipient_or_another(concept, substance):
    reads = read(allergy(code=concept))
    assert given_by(reads) == {"reactions": [{"substance": substance}]}
    assert doubts(reads) == []


@pytest.mark.parametrize("text", ["Upliza", "inebilizumb"])
def test_a_look_alike_is_kept_as_written_and_leaves_doubt(text):
    reads = read(allergy(text))
    assert given_by(reads) == {"reactions": [{"substance": text}]}
    assert doubts(reads) == [f"{text} looks like Inebilizumab"]


def test_a_substance_with_an_excipient_in_its_name_is_not_that_excipient():
    reads = read(allergy("Iron sucrose"), drug="ibalizumab")
    assert given_by(reads) == {"reactions": [{"substance": "Iron sucrose"}]}
    assert doubts(reads) == ["Iron sucrose names sucrose among other words"]


@pytest.mark.parametrize(
    "concept",
    [{}, coded("http://example.org/local", "42"), coded(text="No known drug allergy to inebilizumab")],
)
def test_an_allergy_to_nothing_readable_is_a_line(concept):
    reads = read(allergy(code=concept))
    assert given_by(reads) == {}
    assert len(doubts(reads)) == 1


def test_the_substance_of_a_reaction_is_the_more_exact_one():
    several = [{"substance": coded(text="Uplizna")}, {"substance": coded(text="Latex")}, {}]
    found = entries(allergy("biologics", reaction=several))
    assert [each["substance"] for each in found] == ["inebilizumab", "Latex", "biologics"]


# Whether it is so


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_what_is_refuted_is_no_reaction(status):
    reads = read(allergy(verificationStatus=coded("http://x", status)))
    assert given_by(reads) == {}
    assert doubts(reads) == []


def test_what_is_confirmed_and_refuted_at_once_counts():
    both = {"coding": [{"system": "http://x", "code": each} for each in ("confirmed", "refuted")]}
    assert given_by(read(allergy(verificationStatus=both))) == {"reactions": [OURS]}
    both = {"coding": [{"system": "http://x", "code": each} for each in ("confirmed", "entered-in-error")]}
    assert given_by(read(allergy(verificationStatus=both))) == {"reactions": [OURS]}


def test_what_is_active_and_resolved_at_once_counts():
    both = {"coding": [{"system": "http://x", "code": each} for each in ("active", "resolved")]}
    assert given_by(read(allergy(clinicalStatus=both))) == {"reactions": [OURS]}


def test_what_is_unconfirmed_counts_and_is_said():
    reads = read(allergy(verificationStatus=coded("http://x", "unconfirmed"), criticality="high"))
    assert given_by(reads) == {"reactions": [OURS]}
    expected = "reaction to inebilizumab, unconfirmed, criticality high"
    assert lines_of(reads) == [("AllergyIntolerance/1", "reactions", expected, True)]


@pytest.mark.parametrize(("text", "doubted"), [("Uplizna", True), ("Penicillin", False)])
def test_what_is_resolved_is_no_entry_but_to_the_drug_it_is_asked(text, doubted):
    reads = read(allergy(text, clinicalStatus=coded("http://x", "resolved")))
    assert given_by(reads) == {}
    assert bool(doubts(reads)) is doubted


def test_without_a_clinical_status_it_counts():
    assert entries(allergy(clinicalStatus=None)) == [OURS]


def test_an_extension_that_may_change_it_leaves_doubt():
    reads = read(allergy(modifierExtension=[{"url": "https://example.org/no-risk"}]))
    assert given_by(reads) == {}
    assert len(doubts(reads)) == 1


# How and when


@pytest.mark.parametrize(
    ("reaction", "more", "says"),
    [
        ({"severity": "mild"}, {"severity": "mild"}, "mild"),
        ({"severity": "moderate"}, {"severity": "moderate"}, "moderate"),
        (
            {"severity": "severe"},
            {},
            "recorded as severe, which does not say whether it was life-threatening",
        ),
        ({"severity": "dreadful"}, {}, "dreadful"),
        ({"manifestation": [ANAPHYLAXIS]}, {"type": "anaphylaxis"}, "anaphylaxis"),
        (
            {"manifestation": [coded(text="Infusion related reaction"), coded(text="rash")]},
            {"type": "infusion_reaction"},
            "infusion reaction",
        ),
        (
            {"manifestation": [coded(SNOMED, "421961002"), ANAPHYLAXIS], "severity": "severe"},
            {"type": "anaphylaxis"},
            "recorded as severe, which does not say whether it was life-threatening, anaphylaxis",
        ),
        ({"onset": "2025-03-01"}, {"on": "2025-03-01"}, "on 2025-03-01"),
        ({"onset": "2025-03-01T23:30:00-08:00"}, {"on": "2025-03-02"}, "on 2025-03-02"),
        ({"onset": "2025"}, {}, ""),
        ({"onset": "2027-01-01"}, {}, ""),
    ],
)
def test_a_reaction_is_read(reaction, more, says):
    reads = read(allergy(reaction=[reaction]))
    assert given_by(reads) == {"reactions": [{**OURS, **more}]}
    expected = f"reaction to inebilizumab, {says}" if says else "reaction to inebilizumab"
    assert [each for _, _, each, _ in lines_of(reads)] == [expected]


def test_several_reactions_are_several_entries():
    found = entries(allergy(reaction=[{"severity": "mild"}, {"severity": "moderate"}]))
    assert [each["severity"] for each in found] == ["mild", "moderate"]


def test_high_criticality_alone_is_no_severity():
    assert entries(allergy(criticality="high")) == [OURS]


def test_a_reaction_before_birth_has_no_date():
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1990-01-01"}
    assert entries(allergy(reaction=[{"onset": "1985-01-01"}]), patient=patient) == [OURS]


# That there is none


@pytest.mark.parametrize("concept", [coded(SNOMED, "716186003", "No known allergy"), coded(text="NKDA")])
def test_a_statement_that_there_is_none_makes_the_list_whole(concept):
    (found,) = read(allergy(code=concept))
    assert (found.none_known, found.given, found.line.understood) == (True, None, True)


@pytest.mark.parametrize(
    "content",
    [
        {"verificationStatus": coded("http://x", "unconfirmed")},
        {"clinicalStatus": coded("http://x", "inactive")},
        {"reaction": [{"severity": "mild"}]},
    ],
)
def test_a_doubtful_statement_that_there_is_none_states_nothing(content):
    reads = read(allergy(code=coded(SNOMED, "716186003", "No known allergy"), **content))
    assert [each.none_known for each in reads] == [False]
    assert len(doubts(reads)) == 1


@pytest.mark.parametrize(
    ("searched", "stated"),
    [
        ({"allergies": "complete", "adverse_events": "complete"}, True),
        ({"allergies": "complete"}, False),
        ({"allergies": "complete", "adverse_events": "failed"}, False),
        ({"allergies": "incomplete", "adverse_events": "complete"}, False),
        ({"adverse_events": "complete"}, False),
        ({"conditions": "complete"}, False),
        ({}, True),
    ],
)
def test_that_there_is_none_counts_where_allergies_and_adverse_events_were_both_searched(searched, stated):
    (found,) = read(allergy(code=coded(text="NKDA")), searched=searched)
    assert found.none_known == found.line.understood == stated


# Adverse events


def test_an_adverse_event_of_the_drug_is_a_reaction():
    it = event(
        suspectEntity=suspect(),
        severity=coded(text="Moderate"),
        date="2026-05-01T10:00:00-05:00",
    )
    assert entries(it) == [{**OURS, "severity": "moderate", "type": "infusion_reaction", "on": "2026-05-01"}]


@pytest.mark.parametrize(
    ("content", "severity", "says"),
    [
        ({"severity": coded(text="mild")}, "mild", "mild"),
        (
            {"severity": coded(text="severe")},
            None,
            "recorded as severe, which does not say whether it was life-threatening",
        ),
        (
            {"severity": coded(text="severe"), "seriousness": coded(SNOMED, "442452003")},
            "life_threatening",
            "serious: life-threatening",
        ),
        ({"seriousness": coded(text="serious")}, None, None),
        *(
            ({"extension": [{"url": f"http://hl7.org/fhir/us/{place}", **value}]}, severity, f"grade {grade}")
            for place, value, severity, grade in (
                ("ctcae/StructureDefinition/ctcae-grade", {"valueInteger": 1}, "mild", 1),
                ("x/ae-grade", {"valueCodeableConcept": coded("http://x", "2")}, "moderate", 2),
                ("x/ctcae-grade", {"valueCodeableConcept": coded("http://x", "C1", "Grade 3")}, "severe", 3),
                ("x/ctcae-grade", {"valueCoding": {"code": "4"}}, "life_threatening", 4),
                ("x/ctcae-grade", {"valueCode": "grade-5"}, "life_threatening", 5),
            )
        ),
        ({"extension": [{"url": "http://x/other-grade", "valueInteger": 4}]}, None, None),
        ({"extension": [{"url": "http://x/ctcae-grade", "valueInteger": 7}]}, None, None),
    ],
)
def test_how_severe_an_adverse_event_was(content, severity, says):
    reads = read(event(suspectEntity=suspect(), **content))
    ((entry,),) = given_by(reads).values()
    assert entry.get("severity") == severity
    expected = "Infusion related reaction after inebilizumab"
    assert reads[0].line.says == (f"{expected}, {says}" if says else expected)


def test_grade_0_is_no_event():
    none = [{"url": "http://x/ctcae-grade", "valueInteger": 0}]
    assert read(event(suspectEntity=suspect(), extension=none)) == []


def test_what_might_have_happened_did_not():
    assert read(event(actuality="potential", suspectEntity=suspect())) == []


@pytest.mark.parametrize("kind", ["MedicationAdministration", "Medication"])
def test_the_suspected_medicine_may_be_referred_to(kind):
    concept = coded(ATC, "L04AG10")
    content = {"code": concept} if kind == "Medication" else {"medicationCodeableConcept": concept}
    what = {"resourceType": kind, "id": "m", **content}
    what |= {"subject": {"reference": "Patient/p"}} if kind != "Medication" else {}
    it = event(suspectEntity=[{"instance": {"reference": f"{kind}/m"}}])
    assert entries(it, what) == [{**OURS, "type": "infusion_reaction"}]


def test_harm_of_another_sort_by_the_drug_is_no_infusion_reaction():
    grave = coded(text="life-threatening")
    reads = read(event(event=coded(text="Neutropenia"), suspectEntity=suspect(), severity=grave))
    assert given_by(reads) == {}
    assert doubts(reads) == [
        "Neutropenia after inebilizumab: whether it was a reaction to the drug is not known"
    ]


def test_harm_by_another_medicine_leaves_no_doubt():
    reads = read(event(event=coded(text="Neutropenia"), suspectEntity=suspect("Cisplatin")))
    assert given_by(reads) == {}
    assert doubts(reads) == []


def test_a_reaction_to_something_that_is_not_said_leaves_doubt():
    assert len(doubts(read(event()))) == 1
    assert doubts(read(event(event=coded(text="Fall")))) == []


# Anything at all

KEYS = (
    *("code", "clinicalStatus", "verificationStatus", "criticality", "reaction", "lastOccurrence", "event"),
    *("suspectEntity", "severity", "seriousness", "extension", "date", "modifierExtension", "contained"),
)


@settings(max_examples=120, deadline=None)
@given(
    type=st.sampled_from(("AllergyIntolerance", "AdverseEvent")),
    content=st.dictionaries(st.sampled_from(KEYS), JUNK),
)
def test_no_content_makes_reading_a_reaction_fail(type, content):
    odd = resource(type, **{"code": coded(text="Uplizna"), "suspectEntity": suspect(), **content})
    for each in reactions.read(chart_of(odd), context_of()):
        assert each.line.says
        json.dumps(each.given, default=str)

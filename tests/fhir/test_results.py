"""Results of observations: each way in which a laboratory writes them, and what the nurse then sees."""

from decimal import Decimal

import pytest

from service.fhir.searches import searches
from tests.builders import checklist_for, shipped
from tests.fhir.builders import (
    ALT,
    HBSAG,
    HBV_DNA,
    HCG,
    IGG,
    INTERPRETATION,
    LOINC,
    PLATELETS,
    RACE,
    SNOMED,
    concept,
    count,
    lines_about,
    negative,
    observation,
    positive,
    quantity,
    read,
    report,
    request,
)

NORMAL, OTHER = concept("normal", "x"), {"type": concept("treatment", "x")}


def hbsag_of(**more):
    return read(observation("31", **more)).facts.get("hbsag")


def said_of(name, resources, **more):
    """What the checklist says of a fact that it needs: why it is not known, in the words of its findings."""
    found = checklist_for(request(*resources, **more))
    return found.trace.case.evidence(name).unknown


def means(code, system=SNOMED, **more):
    return {"valueCodeableConcept": concept(code, system, **more)}


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (means("260385009"), "negative"),
        (means("10828004"), "positive"),
        (means("LA6577-6", LOINC), "negative"),
        (means("unknown code", text="Negative"), "negative"),
        ({"valueCodeableConcept": {"text": "NEG\u200bATIVE "}}, "negative"),
        ({"valueString": "Non-Reactive"}, "negative"),
        ({"interpretation": [concept("NEG", INTERPRETATION)]}, "negative"),
        ({"interpretation": concept("POS", INTERPRETATION)}, "positive"),
        (
            {"interpretation": [concept("IND", INTERPRETATION)], "valueQuantity": quantity(0.9, "{index}")},
            None,
        ),
        (
            {"interpretation": [concept("NEG", INTERPRETATION)], "valueQuantity": quantity(0.1, "1")},
            "negative",
        ),
        (
            {"interpretation": [concept("NEG", INTERPRETATION)], "valueQuantity": quantity(0.02, "[IU]/mL")},
            "negative",
        ),
        (
            {
                "interpretation": [concept("NEG", INTERPRETATION)],
                "valueQuantity": quantity(2, "[IU]/mL"),
                "referenceRange": [{"high": quantity(5, "[IU]/mL")}],
            },
            "negative",
        ),
        (
            {"interpretation": [concept("NEG", INTERPRETATION)], "valueQuantity": quantity(2, "m[IU]/mL")},
            "negative",
        ),
        ({**means("260385009"), "interpretation": [concept("N", INTERPRETATION)]}, "negative"),
        ({**means("10828004"), "interpretation": [concept("A", INTERPRETATION)]}, "positive"),
    ],
)
def test_a_qualitative_result_by_code_text_or_interpretation(value, meant):
    fact = hbsag_of(**value)
    assert fact["value"] == (meant or "indeterminate")
    assert (fact["source"], fact["at"], fact["status"]) == ("Observation/31", "2026-11-10", "final")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"valueString": "see comment"}, '"see comment"'),
        ({"valueString": "not positive"}, '"not positive"'),
        ({"valueString": ""}, '"an empty text"'),
        (means("373121007"), '"373121007 of http://snomed.info/sct"'),
        ({"valueQuantity": quantity(0.04, "1")}, "0.04 1, not interpreted"),
        ({"valueBoolean": True}, '"true"'),
        ({"valueInteger": 1}, '"1"'),
        ({"valueRange": {}}, '"a Range that is not read"'),
        ({}, "no value"),
        ({"dataAbsentReason": concept("unsatisfactory", "x", "Unsatisfactory")}, "no value: Unsatisfactory"),
        ({**means("260385009"), "dataAbsentReason": "error"}, "no value: error"),
        *[
            (
                {**means("260385009"), "interpretation": [concept(code, INTERPRETATION)]},
                f"negative, but interpreted as {code} of {INTERPRETATION}",
            )
            for code in ("A", "AA", "H", "HH")
        ],
        (
            {**means("260385009"), "interpretation": [{"text": "Abnormal"}]},
            "negative, but interpreted as Abnormal",
        ),
        (
            {
                "valueQuantity": quantity(250, "[IU]/mL"),
                "interpretation": [concept("NEG", INTERPRETATION)],
            },
            "negative, but an amount of 250 [IU]/mL",
        ),
        (
            {
                "valueQuantity": quantity(900, "m[IU]/mL"),
                "interpretation": [concept("NEG", INTERPRETATION)],
            },
            "negative, but an amount of 900 m[IU]/mL",
        ),
        (
            {
                "valueQuantity": quantity(3, "{index}"),
                "interpretation": [concept("NEG", INTERPRETATION)],
                "referenceRange": [{"high": quantity(1, "{index}")}],
            },
            "negative, but an amount of 3 {index}",
        ),
        (
            {**means("260385009"), "interpretation": [concept("POS", INTERPRETATION)]},
            "negative as its value, positive as its interpretation",
        ),
        ({"valueString": "see note", "interpretation": [concept("NEG", INTERPRETATION)]}, '"see note"'),
        (means("260385009", display="POSITIVE"), "negative and positive at once"),
        ({**means("260385009"), "valueString": "negative"}, "more than one value at once"),
        (
            {**means("260385009"), "modifierExtension": [{"url": "https://x.example/not"}]},
            "changed by an extension that is not known here",
        ),
    ],
)
def test_a_result_that_cannot_be_read_is_unknown_and_the_nurse_is_told_why(value, words):
    result = observation("31", **value)
    assert read(result).facts["hbsag"]["unreadable"] == words
    assert said_of("hbsag", [result]).detail == f"cannot be read: {words} (Observation/31)"
    assert lines_about(read(result), "Observation/31")[0].understood is False


def test_an_older_readable_result_does_not_win_over_a_newer_one_that_cannot_be_read():
    older = negative("1", at="2026-10-01")
    newer = observation("2", at="2026-11-01", valueString="hmm")
    assert said_of("hbsag", [older, newer]).detail == 'cannot be read: "hmm" (Observation/2)'
    assert said_of("hbsag", [older]) is None


def test_a_positive_interpretation_counts_beside_a_value_that_is_not_understood():
    fact = hbsag_of(valueString="see note", interpretation=[concept("POS", INTERPRETATION)])
    assert fact["value"] == "positive"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("preliminary", "only preliminary"),
        ("registered", "only registered"),
        ("cancelled", "only cancelled"),
        ("entered-in-error", "entered in error"),
        ("unknown", "only unknown"),
        (None, "only unknown"),
        ("reviewed", "only unknown"),
        (["final"], "only unknown"),
    ],
)
def test_a_result_that_is_not_final_does_not_count_and_the_nurse_is_told(status, why):
    assert said_of("hbsag", [negative(status=status)]).detail == why


@pytest.mark.parametrize("status", ["final", "amended", "corrected", " Final "])
def test_a_final_result_counts(status):
    assert said_of("hbsag", [negative(status=status)]) is None


def test_a_corrected_result_of_the_same_day_is_not_silently_preferred():
    unknown = said_of("hbsag", [negative("1"), positive("2", status="corrected")])
    assert (unknown.reason, unknown.detail) == ("conflict", "different values of the same time")


# Times


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ({"effectiveDateTime": "2026-11-10T08:30:00-05:00"}, "2026-11-10T08:30:00-05:00"),
        ({"effectiveDateTime": "2026-11-10T08:30:00.123456789Z"}, "2026-11-10T08:30:00.123456Z"),
        ({"effectiveDateTime": "2026-11-10T08:30:00"}, "2026-11-10"),
        ({"effectivePeriod": {"start": "2026-11-09", "end": "2026-11-10"}}, "2026-11-10"),
        ({"effectivePeriod": {"start": "2026-11-09"}}, "2026-11-09"),
        ({"effectiveInstant": "2026-11-10T08:30:00Z"}, "2026-11-10T08:30:00Z"),
        ({"effectiveTiming": {"event": ["2026-11-08", "2026-11-09"]}}, "2026-11-09"),
        ({"issued": "2026-11-11T08:30:00Z"}, "2026-11-11T08:30:00Z"),
        ({"effectiveDateTime": "2026-11-10", "issued": "2026-11-12T08:30:00Z"}, "2026-11-10"),
        ({"effectiveDateTime": "yesterday"}, None),
        ({"effectiveDateTime": "2026-02-30"}, None),
        ({}, None),
    ],
)
def test_the_time_of_a_result(time, at):
    assert read(negative(at=None, **time)).facts["hbsag"].get("at") == at


@pytest.mark.parametrize(
    ("written", "at"), [("2026", "2026-12-01"), ("2026-11", "2026-11-30"), ("2025", "2025-12-31")]
)
def test_a_clearing_result_of_a_month_or_a_year_is_unknown_from_the_latest_day_that_it_can_be(written, at):
    fact = read(negative(at=written)).facts["hbsag"]
    assert fact["value"] is None
    assert fact["at"] == at
    assert fact["unreadable"] == f"negative, but dated only {written}"


def test_a_positive_result_of_a_year_counts():
    assert read(positive(at="2019")).facts["hbsag"]["value"] == "positive"


def test_a_newer_full_result_wins_over_one_of_a_year_before():
    assert said_of("hbsag", [negative("1", at="2019"), negative("2")]) is None


# Amounts


@pytest.mark.parametrize(
    ("amount", "unit", "value"),
    [
        (quantity(150, "10*9/L"), "10*9/L", 150),
        (quantity(150, "10*3/uL"), "10*9/L", 150),
        (quantity(150, "K/uL", coded=False), "10*9/L", 150),
        ({**quantity(Decimal("150.5"), "10*9/L"), "unit": "x10(9)/L"}, "10*9/L", Decimal("150.5")),
        (quantity(150000, "/uL"), "/uL", 150000),
    ],
)  # fmt: skip
def test_an_amount_in_the_spellings_of_its_unit(amount, unit, value):
    fact = read(observation("1", PLATELETS, valueQuantity=amount)).facts["platelets"]
    assert (fact["value"], fact["unit"]) == (value, unit)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"valueQuantity": quantity(0.5, "10*9/L", comparator="<")}, "below 0.5 10*9/L"),
        ({"valueQuantity": quantity(1000, "10*9/L", comparator=">=")}, "at least 1000 10*9/L"),
        ({"valueQuantity": quantity("150", "10*9/L")}, "150 10*9/L, not a number"),
        ({"valueQuantity": quantity(True, "10*9/L")}, "true 10*9/L, not a number"),
        ({"valueQuantity": {"value": 150}}, "150, without a unit"),
        ({"valueQuantity": quantity(150, "mg/dL")}, "150 mg/dL, a unit not known here"),
        ({"valueQuantity": {**quantity(150, "10*9/L"), "unit": "/uL"}}, "150 /uL, a unit not known here"),
        ({"valueQuantity": quantity(-3, "10*9/L")}, "-3 10*9/L, which is implausible"),
        ({"valueQuantity": quantity(150000, "10*9/L")}, "150000 10*9/L, which is implausible"),
        ({"valueString": "150"}, 'text only: "150"'),
        ({"valueString": "5.2 x10E9/L"}, 'text only: "5.2 x10E9/L"'),
        ({"valueInteger": 150}, "150, not an amount with a unit"),
        ({"valueQuantity": []}, "an empty text, not a number"),
    ],
)
def test_an_amount_that_cannot_be_read_is_named_and_never_refused(value, words):
    result = observation("1", PLATELETS, **value)
    fact = read(result).facts["platelets"]
    if words.startswith("an empty"):
        assert fact["unreadable"].endswith("not a number")
        return
    assert fact["unreadable"] == words
    found = checklist_for({**request(result, drug="inotuzumab ozogamicin")})
    assert found.trace.case.evidence("platelets").unknown.detail == f"cannot be read: {words} (Observation/1)"


@pytest.mark.parametrize(
    ("ranges", "limits"),
    [
        ([{"low": quantity(7, "g/L"), "high": quantity(16, "g/L")}], (7, 16)),
        ([{"low": quantity(700, "mg/dL")}], (None, None)),
        ([{"low": {"value": 7}}], (None, None)),
        ([{"low": quantity(7, "g/L")}, {"low": quantity(8, "g/L")}], (None, None)),
        ([{"low": quantity(7, "g/L"), "type": NORMAL}, {"low": quantity(1, "g/L"), **OTHER}], (7, None)),
        ([{"low": quantity(7, "g/L"), "type": NORMAL}, {"low": quantity(8, "g/L")}], (7, None)),
        ([{"low": quantity(1, "g/L"), **OTHER}], (None, None)),
        ({"low": quantity(7, "g/L", comparator=">")}, (None, None)),
        (["7 to 16"], (None, None)),
        ([{"text": "7-16"}], (None, None)),
        ([{"low": quantity(2.3, "g/L"), "age": {"high": quantity(1, "a")}}], (None, None)),
        ([{"low": quantity(8, "g/L"), "appliesTo": [concept("248153007", SNOMED)]}], (None, None)),
        ([{"low": quantity(2.3, "g/L"), "age": {}}, {"low": quantity(7, "g/L")}], (7, None)),
    ],
)  # fmt: skip
def test_the_limits_of_the_laboratory_are_those_of_its_one_normal_range(ranges, limits):
    result = observation("1", IGG, valueQuantity=quantity(9, "g/L"), referenceRange=ranges)
    fact = read(result).facts["igg"]
    assert (fact.get("ref_low"), fact.get("ref_high")) == limits


def test_the_upper_limit_of_that_very_result_decides():
    high = {"high": quantity(40, "U/L")}
    result = observation("1", ALT, valueQuantity=quantity(120, "U/L"), referenceRange=[high])
    known = checklist_for(request(result, drug="besponsa")).trace.case.evidence("alt")
    assert (known.value, known.ref_high) == (120, 40)


@pytest.mark.parametrize(
    ("amount", "meant"),
    [
        (quantity(2000, "[IU]/mL"), "positive"),
        (quantity(2000, "[IU]/mL", comparator=">"), "positive"),
        (quantity(10, "[IU]/mL", comparator="<"), None),
        (quantity(0, "[IU]/mL"), None),
    ],
)
def test_virus_that_was_counted_is_there_and_none_counted_says_nothing_by_itself(amount, meant):
    fact = read(observation("1", HBV_DNA, valueQuantity=amount)).facts["hbv_dna"]
    assert fact["value"] == meant


def test_virus_below_the_limit_of_detection_and_interpreted_is_negative():
    amount, interpreted = quantity(10, "[IU]/mL", comparator="<"), [concept("ND", INTERPRETATION)]
    result = observation("1", HBV_DNA, valueQuantity=amount, interpretation=interpreted)
    assert read(result).facts["hbv_dna"]["value"] == "negative"


# Codes


def test_a_code_counts_with_its_system_alone():
    """LOINC 2106-3 is a pregnancy test in urine, and a race in another system."""
    pregnant = {"valueCodeableConcept": concept("10828004", SNOMED)}
    assert read(observation("1", HCG, **pregnant)).facts["pregnancy_test"]["value"] == "positive"
    for system in (RACE, None, "http://loinc.org.example", 7):
        race = {"coding": [{"system": system, "code": HCG}]}
        assert "pregnancy_test" not in read(observation("1", race, **pregnant)).facts


@pytest.mark.parametrize("system", ["http://loinc.org/", "urn:oid:2.16.840.1.113883.6.1", "http://loinc.org"])
def test_other_addresses_of_a_system_are_known(system):
    assert "hbsag" in read(negative(code=concept(HBSAG, system))).facts


def test_a_control_tube_is_never_read_whatever_else_it_is_coded_as():
    code = {"coding": [{"system": LOINC, "code": "71773-6"}, {"system": LOINC, "code": "71772-8"}]}
    reading = read(observation("7", code, **means("260385009")))
    assert "tb_test" not in reading.facts
    assert "is not read: " in lines_about(reading, "Observation/7")[0].says


def test_codes_of_two_facts_on_one_result_make_both_unreadable():
    code = {"coding": [{"system": LOINC, "code": HBSAG}, {"system": LOINC, "code": HBV_DNA}]}
    facts = read(observation("7", code, **means("260385009"))).facts
    assert facts["hbsag"]["value"] is facts["hbv_dna"]["value"] is None


def test_codes_that_are_not_known_are_named_once_with_their_count():
    glucose = [
        observation(f"{n}", concept("2345-7", display="Glucose"), category=[concept("laboratory", "x")])
        for n in range(5)
    ]
    own_code = observation("z", concept("L-77", "urn:lab", text="HBsAg, serum"), **means("260385009"))
    pulse = [observation(f"p{n}", concept("8867-4", display="Heart rate")) for n in range(3)]
    lines = [line for line in read(*glucose, own_code, *pulse).lines if not line.understood]
    assert {(line.resource, line.fact, line.says) for line in lines} == {
        ("Observation/0", None, "code not known here: Glucose, 5 results"),
        ("Observation/z", "hbsag", "code not known here: HBsAg, serum"),
    }


SURFACE_ANTIGEN = "Hepatitis B surface antigen (HBsAg)"


@pytest.mark.parametrize(
    "code",
    [
        concept(text=SURFACE_ANTIGEN),
        concept("L-77", "urn:lab", "Serum HBsAg"),
        concept("99999-9", display="HBsAg and total hepatitis B core antibody"),
        concept(HBSAG, None, "HBsAg"),
    ],
)
@pytest.mark.parametrize("make", [observation, report])
def test_a_newer_result_that_is_only_named_like_it_does_not_leave_an_older_one_to_clear(code, make):
    newer = make("2", code, at="2026-11-20", **means("10828004"))
    unknown = said_of("hbsag", [negative("1"), newer])
    assert unknown.detail.startswith("cannot be read: ")
    assert unknown.detail.endswith(f"({make()['resourceType']}/2)")
    assert said_of("hbsag", [negative("1", at="2026-11-21"), newer]) is None
    assert read(positive("1"), newer).facts["hbsag"][1]["value"] == "positive"


def test_each_result_that_is_only_named_like_it_counts_by_its_own_time():
    code, older = concept("L-77", "urn:lab", "HBsAg"), concept("L-77", "urn:lab", "HBsAg")
    several = [observation("1", older, at="2026-01-01"), observation("2", code, at="2026-11-20")]
    assert said_of("hbsag", [negative("3"), *several]).detail.endswith("(Observation/2)")
    assert said_of("hbsag", [negative("3"), several[0]]) is None


@pytest.mark.parametrize("status", ["preliminary", None])
def test_one_that_is_not_final_yet_and_only_named_like_it_leaves_nothing_older_to_clear(status):
    newer = observation("2", concept(text=SURFACE_ANTIGEN), status, "2026-11-20", **means("10828004"))
    assert "code not known here" in said_of("hbsag", [negative("1"), newer]).detail


def test_a_panel_that_is_only_named_like_it_leaves_it_to_its_parts():
    panel = observation("p", concept(text="HBsAg panel"), hasMember=[{"reference": "Observation/m"}])
    assert said_of("hbsag", [panel, negative("m")]) is None
    assert said_of("hbsag", [panel, count(id="m")]).detail.endswith("(Observation/p)")
    component = {"code": concept(text="HBsAg, serum"), **means("260385009")}
    inner = observation("q", concept(text="Hepatitis panel"), component=[component])
    assert "code not known here: HBsAg, serum" in said_of("hbsag", [inner]).detail


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("IgG", "igg"),
        ("S-IgG", "igg"),
        ("Immunoglobulin G in serum", "igg"),
        ("MOG-IgG", None),
        ("Mumps virus IgG Ab", None),
        ("AQP4-IgG", "aqp4_igg"),
        ("Weight", "weight"),
        ("body weight", "weight"),
        ("Ideal body weight", None),
        ("P-ALT", "alt"),
        ("Salt", None),
    ],
)
def test_what_a_test_is_named_like(name, fact):
    facts = read(observation("1", concept(text=name), valueQuantity=quantity(1, "g/L"))).facts
    assert {*facts} - {"birth_date"} == ({fact} if fact else set())


def test_a_system_is_known_in_any_case():
    newer = positive("2", at="2026-11-20", code=concept(HBSAG, "http://LOINC.org/"))
    facts = read(negative("1"), newer).facts["hbsag"]
    assert [each["value"] for each in facts] == ["positive", "negative"]


def test_the_odd_shapes_of_other_senders_are_read_like_the_right_ones():
    code = {"coding": {"system": LOINC, "code": HBSAG}}
    result = observation("1", code, valueCodeableConcept={"coding": {"system": SNOMED, "code": "260385009"}})
    assert read(result).facts["hbsag"]["value"] == "negative"


def test_what_is_about_a_child_or_a_donor_is_not_the_patient_s():
    focus = [{"reference": "Group/donor"}]
    assert "hbsag" not in read(negative("1", focus=focus)).facts
    component = {"code": concept("8636-3"), "valueQuantity": quantity(441, "ms")}
    assert "qtc" not in read(observation("e", concept("34534-8"), focus=focus, component=[component])).facts


WHOLE = {"results": "complete", "reports": "complete"}


@pytest.mark.parametrize(
    "searched",
    [
        {**WHOLE, "results": "incomplete"},
        {**WHOLE, "results": "failed"},
        {**WHOLE, "reports": "incomplete"},
        {**WHOLE, "reports": "failed"},
        {"results": "complete"},
        {"reports": "complete"},
        {"conditions": "complete"},
    ],
)
def test_a_clearing_result_of_a_search_that_is_not_whole_may_not_be_the_newest(searched):
    facts = read(negative("1"), count(id="2"), searched=searched).facts
    for name in ("hbsag", "platelets"):
        assert [each["value"] for each in facts[name] if "unreadable" in each] == [None]
    unknown = said_of("hbsag", [negative("1")], searched=searched)
    assert "a newer result may be there" in unknown.detail


def test_a_clearing_result_of_whole_searches_counts():
    assert said_of("hbsag", [negative("1")], searched=WHOLE) is None


def test_a_positive_result_counts_however_little_was_searched():
    assert read(positive("1"), searched={"results": "failed"}).facts["hbsag"]["value"] == "positive"


# Panels, members and reports


def test_components_have_the_time_and_the_status_of_their_panel():
    component = {"code": concept("8636-3"), "valueQuantity": quantity(441, "ms")}
    uncorrected = {"code": concept("8634-8"), "valueQuantity": quantity(390, "ms")}
    panel = observation("e", concept("34534-8"), component=[uncorrected, component])
    fact = read(panel).facts["qtc"]
    assert (fact["value"], fact["at"], fact["source"]) == (441, "2026-11-10", "Observation/e")
    early = {**panel, "status": "preliminary"}
    assert read(early).facts["qtc"]["status"] == "preliminary"


def test_a_panel_without_a_value_of_its_own_leaves_it_to_its_members():
    member = {"reference": "Observation/m"}
    facts = read(observation("p", hasMember=[member]), negative("m")).facts
    assert facts["hbsag"]["value"] == "negative"
    missing = {"reference": "Observation/elsewhere"}
    assert read(observation("p", hasMember=[missing])).facts["hbsag"]["unreadable"] == "no value"


def test_contained_observations_of_a_report_are_read_with_the_time_of_the_report():
    inner = {**negative("x", at=None), "subject": None}
    facts = read(report("5", contained=[inner], result=[{"reference": "#x"}])).facts
    assert facts["hbsag"] == {
        "value": "negative",
        "at": "2026-11-10",
        "status": "final",
        "source": "DiagnosticReport/5#x",
    }


def test_a_report_without_an_observation_is_no_result_and_is_said():
    assert said_of("hbsag", [report("5", conclusion="HBsAg negative")]).detail == (
        "cannot be read: a report without a readable result (DiagnosticReport/5)"
    )
    assert said_of("hbsag", [report("5", result=[{"reference": "Observation/gone"}])]).detail.endswith(
        "(DiagnosticReport/5)"
    )
    assert said_of("hbsag", [report("5"), negative("1")]) is None  # of the same day: its result is here


def test_a_report_that_is_only_partial_is_not_final():
    assert said_of("hbsag", [report("5", status="partial")]).detail == "only preliminary"


# What is asked of the patient today


@pytest.mark.parametrize(
    ("code", "at", "value"),
    [("60001007", "2026-12-01", "no"), ("60001007", "2024-05-01", None), ("77386006", "2024-05-01", "yes")],
)
def test_not_being_pregnant_on_another_day_clears_nothing_today(code, at, value):
    fact = read(observation("1", "82810-3", at=at, **means(code))).facts["pregnant"]
    assert fact["value"] == value


def test_many_results_of_a_fact_are_taken_by_the_newest_and_their_lines_are_few():
    days = [
        f"{year}-{month:02}-{day:02}"
        for year in (2024, 2025)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    reading = read(*(count(id=f"c{n}", at=day) for n, day in enumerate(days)))
    taken = reading.facts["platelets"]
    assert len(taken) == 200
    assert taken[0]["at"] == "2025-12-28"
    lines = [line for line in reading.lines if line.fact == "platelets"]
    assert len(lines) == 21
    assert any(line.says.endswith("on 2025-12-28") for line in lines)
    assert lines[-1].resource == "652 more"


def test_the_searches_name_every_loinc_code_that_is_read():
    maps = shipped().code_maps
    results = next(each for each in searches(maps) if each.name == "results")
    codes = results.template.split("code=")[1].split("&")[0].split(",")
    assert {HBSAG, HCG, IGG} < set(codes) == {code for system, code in maps.results if system == "loinc"}
    assert "{codes}" not in "".join(each.template for each in searches(maps))

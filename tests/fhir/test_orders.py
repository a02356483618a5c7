import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fhir import prescriptions
from service.fhir.drugs import Product, named
from service.fhir.orders import orders_in
from service.knowledge.code_maps import Medicine
from tests.builders import result_for, shipped
from tests.fhir.charts import (
    ATC,
    ICD,
    INFUSION_AT,
    LOINC,
    MAPS,
    NDC,
    RXNORM,
    SNOMED,
    UCUM,
    chart_of,
    coded,
    context_of,
    given_by,
    library,
    lines_of,
    resource,
)

NOW = datetime.fromisoformat("2026-11-22T12:00:00-05:00")


def order(id="1", **content):
    return resource("MedicationRequest", id, **{"status": "active", "intent": "order", **content})


def ordered(*resources, chart=None, now=None):
    return orders_in(resources, chart or chart_of(), library(), now=now)


def one(**content):
    (found,) = ordered(order(**content))
    return found


def drug(found):
    return found.drug.id if found.drug is not None else None


# Which drug


@pytest.mark.parametrize(
    ("concept", "id"),
    [
        (coded(RXNORM, "1942950"), "inotuzumab_ozogamicin"),
        (coded(RXNORM, "2043317", "1.33 ML ibalizumab-uiyk 150 MG/ML Injection"), "ibalizumab"),
        (coded(ATC, "L04AG10"), "inebilizumab"),
        (coded(NDC, "75987-150"), "inebilizumab"),
        (coded(NDC, "75987-150-03"), "inebilizumab"),
        (coded(NDC, "75987015003"), "inebilizumab"),
        (coded(NDC, "7598715003"), "inebilizumab"),
        (coded(NDC, "75987-0150-03"), "inebilizumab"),
        (coded(NDC, "00008010001"), "inotuzumab_ozogamicin"),
        (coded(NDC, "75987-151-03"), None),
        (coded(NDC, "75987015103"), None),
        (coded(NDC, "75987-1503"), None),
        (coded(NDC, "75987150"), None),
        (coded(NDC, "759871500333"), None),
        (coded(text="Uplizna"), "inebilizumab"),
        (coded(text="UPLIZNA 100 mg/10 mL intravenous solution"), "inebilizumab"),
        (coded(text="inebilizumab\u200b-cdon 300 mg"), "inebilizumab"),
        (coded(text="inotuzumab ozogamicin 0.9 MG Injection [Besponsa]"), "inotuzumab_ozogamicin"),
        (coded("http://example.org/local", "42", "Trogarzo 200 mg/1.33 mL"), "ibalizumab"),
        (coded(RXNORM, "99999999", text="Inebilizumab"), "inebilizumab"),
        # a code alone means nothing in another system
        (coded("http://example.org/local", "1942950"), None),
        (coded(ATC, "1942950"), None),
        (coded(text="rituximab 500 mg"), None),
        (coded(text="inebilizumabum"), None),
        (coded(RXNORM, "121191", "rituximab"), None),
    ],
)
def test_an_order_is_for_the_drug_of_its_code_or_name(concept, id):
    found = one(medicationCodeableConcept=concept)
    assert (drug(found), found.problem) == (id, None)


@pytest.mark.parametrize(
    ("concept", "problem"),
    [
        (
            coded(ATC, "L04AG10", text="Trogarzo"),
            "its code is of Inebilizumab and its name of Ibalizumab",
        ),
        (
            {
                "coding": [
                    {"system": ATC, "code": "L04AG10"},
                    {"system": RXNORM, "code": "2043317"},
                ]
            },
            "its codes are of Inebilizumab and of Ibalizumab",
        ),
        (coded(text="inebilizumab or ibalizumab"), "its name is of Ibalizumab and of Inebilizumab"),
        (
            coded(RXNORM, "1942950", "Ibalizumab"),
            "its code is of Inotuzumab ozogamicin and its name of Ibalizumab",
        ),
        (
            coded(ATC, "L04AG10", text="rituximab 1 g"),
            "its code is of Inebilizumab and its name of rituximab",
        ),
        (coded(RXNORM, "121191", text="Uplizna"), "its code is of rituximab and its name of Inebilizumab"),
        (
            coded(ATC, "L04AG10", text="Trogazo"),
            "its code is of Inebilizumab and its name of almost Ibalizumab",
        ),
    ],
)
def test_where_codes_and_names_disagree_nothing_is_guessed(concept, problem):
    found = one(medicationCodeableConcept=concept)
    assert (drug(found), found.problem, found.look_alikes) == (None, problem, ())


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("inebilizumb", {"inebilizumab"}),
        ("Upliza", {"inebilizumab"}),
        ("UPLINZA 300 mg", {"inebilizumab"}),
        ("inotuzmab ozogamicin", {"inotuzumab_ozogamicin"}),
        ("Besponza", {"inotuzumab_ozogamicin"}),
        ("Trogarza 200 mg", {"ibalizumab"}),
        ("ibilizumab", {"ibalizumab", "inebilizumab"}),
    ],
)
def test_a_name_that_is_almost_one_is_a_look_alike_and_never_corrected(text, like):
    found = one(medicationCodeableConcept=coded(text=text))
    assert (drug(found), {each.id for each in found.look_alikes}) == (None, like)
    assert found.named == text


OTHERS = (
    "omalizumab benralizumab obinutuzumab elotuzumab natalizumab tocilizumab vedolizumab rituximab "
    "trastuzumab infliximab adalimumab eculizumab ravulizumab ocrelizumab satralizumab gemtuzumab "
    "pembrolizumab nivolumab bevacizumab mepolizumab denosumab ublituximab teplizumab acetaminophen "
    "diphenhydramine methylprednisolone ondansetron"
).split()


@pytest.mark.parametrize("name", OTHERS)
def test_another_medicine_is_no_look_alike(name):
    found = one(medicationCodeableConcept=coded(text=f"{name} 100 mg"))
    assert (drug(found), found.look_alikes, found.problem) == (None, (), None)


def test_the_three_look_alikes_are_told_apart():
    for pack in shipped().packs.values():
        for name in pack.names:
            assert drug(one(medicationCodeableConcept=coded(text=name.upper()))) == pack.id


def test_a_drug_that_is_right_by_code_may_be_misspelled():
    assert drug(one(medicationCodeableConcept=coded(ATC, "L04AG10", text="inebilizumb"))) == "inebilizumab"


def test_what_is_read_of_one_pack_does_not_depend_on_the_others():
    packs = shipped().packs
    product = Product((), ("ibalizumab",), "ibalizumab")
    assert named(product, (packs["inebilizumab"],), MAPS).look_alikes == ()
    assert named(product, (packs["ibalizumab"],), MAPS).drug is packs["ibalizumab"]


def test_every_shipped_code_is_of_its_pack_alone():
    maps, ids = shipped().code_maps, set()
    for (system, code), id in maps.drugs.items():
        it = order(medicationCodeableConcept=coded(maps.systems[system], code))
        (found,) = orders_in([it], chart_of(), shipped())
        assert (drug(found), found.problem) == (id, None)
        ids.add(id)
    assert ids == {*shipped().packs}


def test_the_name_of_another_known_medicine_is_no_slip():
    pack, product = shipped().packs["inebilizumab"], Product((), ("uplizma",), "uplizma")
    other = Medicine("uplizma", {}, ())
    assert named(product, (pack,), MAPS).look_alikes == (pack,)
    assert named(product, (pack,), replace(MAPS, medicine_names={"uplizma": (other,)})).look_alikes == ()
    assert named(product, (replace(pack, look_alikes=("uplizma",)),), MAPS).look_alikes == ()


@pytest.mark.parametrize("place", ["contained", "chart", "beside", "address", "display"])
def test_the_medication_may_be_referred_to(place):
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "code": coded(RXNORM, "1942950", "inotuzumab ozogamicin"),
    }
    written = {
        "contained": {"reference": "#m"},
        "chart": {"reference": "Medication/m"},
        "beside": {"reference": "Medication/m"},
        "address": {"reference": "https://fhir.example/r4/Medication/m/_history/2"},
        "display": {"reference": "Medication/elsewhere", "display": "Besponsa"},
    }[place]
    contained = {"contained": [medication]} if place == "contained" else {}
    it = order(medicationReference=written, **contained)
    chart = chart_of(*([medication] if place in ("chart", "address") else []))
    (found,) = ordered(it, *([medication] if place == "beside" else []), chart=chart)
    assert (drug(found), found.reference) == ("inotuzumab_ozogamicin", "MedicationRequest/1")


def test_a_medication_is_also_what_it_is_made_of():
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "code": coded(text="infusion bag"),
        "ingredient": [
            {"itemCodeableConcept": coded(text="sodium chloride 0.9 %")},
            {"itemCodeableConcept": coded(ATC, "L04AG10")},
        ],
    }
    assert drug(one(medicationReference={"reference": "#m"}, contained=[medication])) == "inebilizumab"


def test_a_circle_of_references_ends():
    medication = {"resourceType": "Medication", "id": "m", "code": {"text": "x"}}
    medication["ingredient"] = [{"itemReference": {"reference": "#m"}}]
    assert one(medicationReference={"reference": "#m"}, contained=[medication]).named == "x"


def test_the_first_call_of_the_sandbox_names_nothing():
    it = {
        "resourceType": "MedicationRequest",
        "id": "request-123",
        "status": "draft",
        "intent": "order",
        "category": {"coding": [{"code": "inpatient"}]},
        "subject": {"reference": "Patient/p"},
    }
    (found,) = ordered(it)
    assert (found.reference, found.named, found.drug) == ("MedicationRequest/request-123", "", None)
    assert (found.look_alikes, found.problem, found.infusion_at) == ((), None, None)


def test_the_order_of_the_sandbox_is_read_although_it_is_not_valid():
    it = order(
        category={"coding": [{"code": "inpatient"}]},
        medicationCodeableConcept=coded(RXNORM, "1942950", text="inotuzumab ozogamicin 0.9 MG Injection"),
        dosageInstruction={"doseAndRate": {"doseQuantity": {"value": 1, "unit": "{pill}"}}},
    )
    (found,) = ordered(it)
    assert drug(found) == "inotuzumab_ozogamicin"
    reads = facts(it, "inotuzumab_ozogamicin")
    assert given_by(reads)["ordered_dose"] == [
        {"value": None, "unreadable": "1 {pill}, a unit not known here"}
    ]


# Whether it is an order now


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "unknown", None])
def test_an_order_may_be_given_now(status):
    content = {"status": status} if status else {}
    it = {"resourceType": "MedicationRequest", "id": "1", **content}
    assert len(ordered(it)) == 1


@pytest.mark.parametrize(
    "content",
    [
        {"status": "completed"},
        {"status": "stopped"},
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"doNotPerform": True},
        {"intent": "option"},
        {"resourceType": "ServiceRequest"},
        {"resourceType": ["MedicationRequest"]},
    ],
)
def test_what_is_over_or_no_order_is_left_out(content):
    assert ordered({**order(medicationCodeableConcept=coded(text="Uplizna")), **content}) == []


def test_several_drugs_are_several_orders():
    found = ordered(
        order("a", medicationCodeableConcept=coded(text="Uplizna")),
        order("b", medicationCodeableConcept=coded(text="Besponsa")),
        order("c", medicationCodeableConcept=coded(text="aspirin")),
    )
    assert [(each.reference[-1], drug(each)) for each in found] == [
        ("a", "inebilizumab"),
        ("b", "inotuzumab_ozogamicin"),
        ("c", None),
    ]


# When


def timed(**timing):
    return [{"timing": timing}]


@pytest.mark.parametrize(
    ("dosage", "at"),
    [
        (timed(event=["2026-12-01T09:00:00-05:00"]), INFUSION_AT),
        (timed(event=["2026-12-01"]), date(2026, 12, 1)),
        (timed(event=["2026-12-15", "2026-12-01"]), date(2026, 12, 1)),
        (timed(event=["2026-06-01", "2026-12-01"]), date(2026, 12, 1)),
        (timed(event=["2026-11-22T08:00:00-05:00"]), datetime.fromisoformat("2026-11-22T08:00:00-05:00")),
        (timed(event=["2026-06-01"]), None),
        (timed(event=["2026-12"]), None),
        (timed(event="2026-12-01"), date(2026, 12, 1)),
        (timed(repeat={"boundsPeriod": {"start": "2026-12-03"}}), date(2026, 12, 3)),
        (timed(repeat={"boundsPeriod": {"start": "2026-01-03"}}), None),
        (timed(event=["2026-12-04"], repeat={"boundsPeriod": {"start": "2026-12-03"}}), date(2026, 12, 4)),
        ([], None),
    ],
)
def test_an_order_says_when_it_is_due(dosage, at):
    it = order(authoredOn="2026-11-30", dosageInstruction=dosage)
    assert ordered(it, now=NOW)[0].infusion_at == at


# What it says of dose, route, running time, slot and reason


def facts(it, drug_id="inebilizumab", *, beside=(), at=INFUSION_AT):
    it = {"medicationCodeableConcept": coded(text=shipped().packs[drug_id].title), **it}
    chart = chart_of(it, *beside)
    (placed,) = chart.of_type("MedicationRequest")
    return list(prescriptions.read(chart, context_of(drug_id, placed, at)))


TODAY = {"event": ["2026-12-01"]}


def dose(value, unit, code=None, **more):
    quantity = {"value": value, "unit": unit} | ({"system": UCUM, "code": code} if code else {})
    return {"doseAndRate": [{"doseQuantity": quantity}], **more}


@pytest.mark.parametrize(
    ("dosages", "value"),
    [
        ([dose(300, "mg", "mg")], (300, "mg")),
        ([dose(0.3, "g")], (0.3, "g")),
        ([dose(0.8, "mg/m2", "mg/m2")], (0.8, "mg/m2")),
        (
            [
                dose(300, "mg", timing={"event": ["2026-12-01"]}),
                dose(150, "mg", timing={"event": ["2026-12-15"]}),
            ],
            (300, "mg"),
        ),
        (
            [
                dose(300, "mg", timing={"event": ["2026-12-08"]}),
                dose(300, "mg", timing={"event": ["2026-12-22"]}),
            ],
            (300, "mg"),
        ),
        (
            [
                dose(2000, "mg", timing={"event": ["2026-12-01"]}),
                dose(800, "mg", timing={"repeat": {"boundsPeriod": {"start": "2026-12-15"}}}),
            ],
            (2000, "mg"),
        ),
        (
            [
                {
                    "doseAndRate": [
                        {"type": coded(text="calculated"), "doseQuantity": {"value": 1.95, "unit": "mg"}},
                        {"type": coded(text="ordered"), "doseQuantity": {"value": 2, "unit": "mg"}},
                    ]
                }
            ],
            (2, "mg"),
        ),
        (
            [
                {
                    "doseAndRate": [
                        {"type": coded(text="calculated"), "doseQuantity": {"value": 1.6, "unit": "mg"}},
                        {"type": coded(text="ordered"), "doseQuantity": {"value": 0.8, "unit": "mg/m2"}},
                    ]
                }
            ],
            (0.8, "mg/m2"),
        ),
    ],
)
def test_the_dose_is_read_with_its_unit(dosages, value):
    (found,) = given_by(facts(order(dosageInstruction=dosages)))["ordered_dose"]
    assert (float(found["value"]), found["unit"]) == value


@pytest.mark.parametrize(
    ("dosages", "says"),
    [
        ([dose(1, "{pill}")], "1 {pill}, a unit not known here"),
        ([dose(30, "mL", "mL")], "30 mL, a unit not known here"),
        ([dose(3, "{vial}")], "3 {vial}, a unit not known here"),
        ([dose("300", "mg")], "300 mg, not a number"),
        ([dose(300, None)], "300, without a unit"),
        ([dose(300, "mg"), dose(150, "mg")], "says several doses"),
        ([dose(300, "mg"), dose(0.3, "g")], "says several doses"),
        ([dose(300, "mg", timing=TODAY), dose(300, "mg", timing=TODAY)], "says several doses"),
        ([dose(300, "mg", timing=TODAY), dose(300, "mg")], "says several doses"),
        (
            [
                dose(300, "mg", timing={"event": ["2026-12-08"]}),
                dose(300, "mg", timing={"event": ["2026-12-08"]}),
            ],
            "says several doses",
        ),
        (
            [dose(300, "mg", timing=TODAY), {"text": "and then another 300 mg"}],
            'says the dose in words only: "and then another 300 mg"',
        ),
        (
            [dose(300, "mg", timing=TODAY), {"timing": TODAY, "doseAndRate": [{"doseString": "300 mg"}]}],
            "says a part of the dose without an amount",
        ),
        (
            [
                {
                    "doseAndRate": [
                        {"type": coded(text="calculated"), "doseQuantity": {"value": 3000, "unit": "mg"}},
                        {"type": coded(text="ordered"), "doseQuantity": {"value": 300, "unit": "mg"}},
                    ]
                }
            ],
            "says 300 mg as ordered and 3000 mg as calculated",
        ),
        (
            [
                dose(300, "mg", timing={"event": ["2026-12-01"]}),
                dose(150, "mg", timing={"event": ["2026-12-01"]}),
            ],
            "says several doses",
        ),
        ([{"doseAndRate": [{"doseRange": {"low": {"value": 1}}}]}], "says a range of doses"),
        ([{"doseAndRate": dose(300, "mg")["doseAndRate"] * 2}], "says several doses"),
        ([{"text": "300 mg once"}], 'says the dose in words only: "300 mg once"'),
        ([dose(10**9, "mg")], "1000000000 mg, which is implausible"),
    ],
)
def test_a_dose_that_cannot_be_read_is_unknown_and_says_so(dosages, says):
    reads = facts(order(dosageInstruction=dosages))
    assert given_by(reads)["ordered_dose"] == [{"value": None, "unreadable": says}]
    assert ("MedicationRequest/1", "ordered_dose", says, False) in lines_of(reads)


ONCE_A_DAY = [
    {},
    {"repeat": {}},
    {"repeat": {"frequency": 1}},
    {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
    {"repeat": {"frequency": 1, "period": 4, "periodUnit": "wk"}},
    {"repeat": {"frequency": 3, "period": 1, "periodUnit": "wk"}},
    {"repeat": {"frequency": 1, "period": 14, "periodUnit": "d", "count": 5}},
    {"repeat": {"count": 1, "timeOfDay": ["09:00:00"], "when": ["MORN"]}},
    {"repeat": {"duration": 90, "durationUnit": "min"}},
    {"code": coded("http://x", "QD")},
    {"event": ["2026-12-01T09:00:00-05:00"]},
    {"event": ["2026-12-01T09:00:00-05:00", "2026-12-01T14:00:00Z"]},
    {"event": ["2026-12-01", "2026-12-15"], "repeat": {"count": 2}},
    {"event": ["2026-12-08", "2026-12-22"]},
    {"event": ["2026-12-02T03:00:00Z"]},
]
SEVERAL_A_DAY = [
    {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
    {"repeat": {"frequency": 3}},
    {"repeat": {"frequency": "3"}},
    {"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}},
    {"repeat": {"frequency": 3, "period": 2, "periodUnit": "d"}},
    {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}},
    {"repeat": {"frequency": 1, "period": 1}},
    {"repeat": {"frequency": 1, "period": "1", "periodUnit": "d"}},
    {"repeat": {"count": 5}},
    {"repeat": {"countMax": 5}},
    {"event": ["2026-12-01"], "repeat": {"count": 5}},
    {"repeat": {"timeOfDay": ["09:00:00", "18:00:00"]}},
    {"repeat": {"when": ["MORN", "EVE"]}},
    {"code": coded("http://x", "BID")},
    {"code": {"text": "Q8H"}},
    {"event": ["2026-12-01T09:00:00-05:00", "2026-12-01T11:00:00-05:00"]},
    {"event": ["2026-12-08T09:00:00-05:00", "2026-12-08T11:00:00-05:00"]},
    {"event": ["2026-12-01T09:00:00-05:00", "tonight"]},
]


@pytest.mark.parametrize("timing", ONCE_A_DAY)
def test_an_order_of_one_dose_a_day_is_read(timing):
    (found,) = given_by(facts(order(dosageInstruction=[dose(300, "mg", "mg", timing=timing)])))[
        "ordered_dose"
    ]
    assert (found["value"], found["unit"]) == (300, "mg")


@pytest.mark.parametrize("timing", SEVERAL_A_DAY)
def test_an_amount_that_is_given_several_times_a_day_is_not_the_dose(timing):
    reads = facts(order(dosageInstruction=[dose(300, "mg", "mg", timing=timing)]))
    assert given_by(reads)["ordered_dose"] == [{"value": None, "unreadable": "says several doses"}]


def test_an_order_without_a_dosage_gives_no_dose():
    reads = facts(order())
    assert given_by(reads) == {}
    assert lines_of(reads) == [("MedicationRequest/1", "ordered_dose", "says neither dose nor route", False)]


VEIN, INFUSION, UNDER_SKIN = coded(SNOMED, "47625008"), coded(SNOMED, "14152002"), coded(SNOMED, "34206005")
RUNS = {"timing": {"repeat": {"duration": 90, "durationUnit": "min"}}}


@pytest.mark.parametrize(
    ("dosage", "value"),
    [
        ({"route": INFUSION}, "iv_infusion"),
        ({"route": UNDER_SKIN}, "sc"),
        ({"route": coded(text="IV push")}, "iv_push"),
        ({"route": VEIN, **RUNS}, "iv_infusion"),
        ({"route": VEIN, "doseAndRate": [{"rateQuantity": {"value": 200}}]}, "iv_infusion"),
        ({"route": VEIN, "method": coded(text="iv push"), **RUNS}, "iv_push"),
    ],
)
def test_the_route_is_read(dosage, value):
    (found,) = given_by(facts(order(dosageInstruction=[dosage])))["route"]
    assert found["value"] == value


@pytest.mark.parametrize(
    "dosage",
    [
        {"route": VEIN},
        {"route": coded(text="by mouth")},
        {"route": INFUSION, "method": coded(text="iv push")},
        {"route": coded(LOINC, "14152002", "of another system")},
    ],
)
def test_a_route_that_is_not_told_stays_unknown(dosage):
    (found,) = given_by(facts(order(dosageInstruction=[dosage])))["route"]
    assert found["value"] is None


@pytest.mark.parametrize(
    ("dosage", "minutes"),
    [
        (RUNS, 90),
        ({"timing": {"repeat": {"duration": 1.5, "durationUnit": "h"}}}, 90),
        ({"timing": {"repeat": {"duration": 120, "durationUnit": "s"}}}, 2),
        (
            {
                "doseAndRate": [
                    {
                        "doseQuantity": {"value": 300, "unit": "mg"},
                        "rateRatio": {
                            "numerator": {"value": 200, "unit": "mg"},
                            "denominator": {"value": 1, "unit": "h", "code": "h"},
                        },
                    }
                ]
            },
            90,
        ),
    ],
)
def test_the_running_time_is_read_in_whole_minutes(dosage, minutes):
    (found,) = given_by(facts(order(dosageInstruction=[dosage])))["infusion_minutes"]
    assert found["value"] == minutes


@pytest.mark.parametrize(
    ("repeat", "says"),
    [
        ({"duration": 90, "durationUnit": "s"}, "runs for 1.5 minutes, which is no whole number"),
        ({"duration": 90}, "says a running time that is no single time in minutes or hours"),
        (
            {"duration": 60, "durationMax": 90, "durationUnit": "min"},
            "says a running time that is no single time in minutes or hours",
        ),
        ({"duration": 0, "durationUnit": "min"}, "runs for a time that cannot be"),
        ({"duration": 48, "durationUnit": "h"}, "runs for a time that cannot be"),
    ],
)
def test_a_running_time_that_cannot_be_read_is_unknown(repeat, says):
    (found,) = given_by(facts(order(dosageInstruction=[{"timing": {"repeat": repeat}}])))["infusion_minutes"]
    assert found == {"value": None, "unreadable": says}


def at_rate(value, unit, **more):
    ratio = {"numerator": {"value": value, "unit": unit}, "denominator": {"value": 1, "code": "h"}}
    given_at = {"doseQuantity": {"value": 300, "unit": "mg"}, "rateRatio": ratio}
    return order(dosageInstruction=[{"doseAndRate": [given_at], **more}])


@pytest.mark.parametrize("unit", ["mL", "mg/m2"])
def test_a_rate_of_something_else_does_not_say_how_long_it_runs(unit):
    assert "infusion_minutes" not in given_by(facts(at_rate(42, unit)))


def test_running_times_that_differ_are_unreadable():
    assert given_by(facts(at_rate(200, "mg", **RUNS)))["infusion_minutes"] == [{"value": 90}]
    (found,) = given_by(facts(at_rate(300, "mg", **RUNS)))["infusion_minutes"]
    assert found == {"value": None, "unreadable": "says several running times"}


@pytest.mark.parametrize(
    ("events", "slot"),
    [
        (["2026-11-28"], "2026-11-28"),
        (["2026-12-02T03:00:00+00:00"], None),  # still 1 December where the infusion is
        (["2026-12-01"], None),
        (["2026-11-17", "2026-12-01"], None),
        (["2026-11-17", "2026-12-15"], None),
        (["2026-11"], None),
    ],
)
def test_a_slot_is_another_day_than_that_of_the_infusion(events, slot):
    found = given_by(facts(order(dosageInstruction=timed(event=events)))).get("scheduled_on")
    assert found == ([{"value": slot}] if slot else None)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ({"reasonCode": [coded(ICD, "G36.0", "Neuromyelitis optica")]}, "nmosd"),
        ({"reasonCode": [coded(ICD, "G70.01")]}, "gmg"),
        ({"reasonReference": [{"reference": "Condition/c"}]}, "nmosd"),
        ({"reasonCode": [coded(ICD, "G36.0"), coded(ICD, "R52", "Pain")]}, "nmosd"),
    ],
)
def test_the_indication_is_the_coded_reason_of_the_order(content, value):
    condition = resource("Condition", "c", code=coded(ICD, "G36.0"))
    (found,) = given_by(facts(order(**content), beside=[condition]))["indication"]
    assert found["value"] == value


def test_a_reason_in_words_or_refuted_gives_no_indication():
    refuted = resource("Condition", "c", code=coded(ICD, "G36.0"), verificationStatus=coded(text="refuted"))
    it = order(
        reasonCode=[coded(text="neuromyelitis optica")], reasonReference=[{"reference": "Condition/c"}]
    )
    reads = facts(it, beside=[refuted])
    assert "indication" not in given_by(reads)
    says = "ordered for neuromyelitis optica: not a known code"
    assert ("MedicationRequest/1", "indication", says, False) in lines_of(reads)


def test_a_reason_that_is_confirmed_and_refuted_at_once_is_named_and_leaves_doubt():
    both = {"coding": [{"system": "http://x", "code": each} for each in ("confirmed", "refuted")]}
    unsure = resource("Condition", "c", code=coded(ICD, "G36.0", "NMO"), verificationStatus=both)
    reads = facts(order(reasonReference=[{"reference": "Condition/c"}]), beside=[unsure])
    assert "indication" not in given_by(reads)
    assert ("Condition/c", "indication", "ordered for NMO: refuted, not confirmed", False) in lines_of(reads)


def test_reasons_that_differ_are_unreadable():
    it = order(reasonCode=[coded(ICD, "G36.0"), coded(ICD, "G70.01")])
    (found,) = given_by(facts(it))["indication"]
    assert found == {"value": None, "unreadable": "several reasons: gmg, nmosd"}


@pytest.mark.parametrize("concept", [coded(text="Trogarzo"), coded(text="Upliza"), {}])
def test_an_order_of_another_drug_gives_nothing(concept):
    it = order(medicationCodeableConcept=concept, dosageInstruction=[dose(2000, "mg", route=INFUSION)])
    reads = facts(it)
    assert given_by(reads).keys() == {"ordered_dose"}
    says = f"is for {concept.get('text', 'no medicine')}, not for Inebilizumab"
    assert lines_of(reads) == [("MedicationRequest/1", "ordered_dose", says, False)]


def test_an_extension_that_may_change_the_order_leaves_its_dose_unknown():
    it = order(dosageInstruction=[dose(300, "mg")], modifierExtension=[{"url": "https://example.org/x"}])
    (found,) = given_by(facts(it))["ordered_dose"]
    assert found["value"] is None


# Anything at all

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *(
                        "coding",
                        "code",
                        "system",
                        "text",
                        "value",
                        "unit",
                        "timing",
                        "event",
                        "repeat",
                        "duration",
                    ),
                    *(
                        "durationUnit",
                        "doseAndRate",
                        "doseQuantity",
                        "doseRange",
                        "rateRatio",
                        "numerator",
                        "type",
                    ),
                    *(
                        "denominator",
                        "reference",
                        "display",
                        "route",
                        "method",
                        "boundsPeriod",
                        "start",
                        "end",
                    ),
                )
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = (
    *("id", "status", "intent", "category", "medicationCodeableConcept", "medicationReference", "contained"),
    *("dosageInstruction", "reasonCode", "reasonReference", "doNotPerform", "modifierExtension"),
)


@settings(max_examples=150, deadline=None)
@given(content=st.dictionaries(st.sampled_from(KEYS), JUNK))
def test_no_content_makes_reading_an_order_fail(content):
    named_it = {"medicationCodeableConcept": coded(text="Uplizna")}
    it = {"resourceType": "MedicationRequest", **named_it, **content}
    found = orders_in([it], chart_of(), library(), now=NOW)
    assert len(found) <= 1
    chart = chart_of()
    for each in prescriptions.read(chart, context_of(order=it)):
        assert each.line.says
        json.dumps(each.given, default=str)


# From the order to the finding


def test_a_late_dose_is_late_although_it_is_ordered_for_today():
    concept = coded(RXNORM, "2043317", "ibalizumab")
    it = order(
        medicationCodeableConcept=concept,
        dosageInstruction=[dose(800, "mg", timing={"event": ["2026-12-01"]})],
    )
    before = resource(
        "MedicationAdministration",
        "2",
        status="completed",
        medicationCodeableConcept=concept,
        effectiveDateTime="2026-11-10",
    )
    entries = [{"resource": each} for each in ({"resourceType": "Patient", "id": "p"}, it, before)]
    request = {
        "drug": "ibalizumab",
        "infusion_at": INFUSION_AT.isoformat(),
        "bundle": {"resourceType": "Bundle", "type": "collection", "entry": entries},
        "searched": {"administrations": "complete"},
    }
    findings = [each for each in result_for(request)["findings"] if each["check"] == "dose"]
    assert [(each["status"], each["kind"]) for each in findings] == [("block", "dose")]
    sources = {each["fact"]: each["source"] for each in findings[0]["because"]}
    assert sources["ordered_dose"] == "MedicationRequest/1"
    assert sources["last_dose_on"] == "MedicationAdministration/2"

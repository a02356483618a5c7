"""The shipped code maps: each line says where from, no trap is stepped into, and absence says nothing."""

import re
from decimal import Decimal

import pytest

from service.fhir.chart import read_chart
from service.fhir.reading import facts_of
from service.knowledge import strict_yaml
from service.knowledge.code_maps import Concept
from tests.builders import shipped
from tests.fhir.builders import AT

MAPS = shipped().code_maps
FACTS = shipped().vocabulary.facts
FILES = [name for name in shipped().texts if name.startswith("codes/") and name != "codes/cvx.yaml"]

# Public sources: what `from` begins with.
SOURCES = (
    "CDC DIBBs",
    "CIBMTR IG terminology cache",
    "CISMeF copy of LOINC",
    "CMS ICD-10-CM 2025",
    "Ethiopia HIV IG",
    "FHIR R4 reaction-event-severity",
    "HL7 COVID-19 FHIR library",
    "HL7 UTG",
    "HL7 v3",
    "HealthAssure copy of LOINC",
    "IPS absent and unknown data",
    "Laboratory lists of five public projects",
    "Mayo Clinic",
    "PDDI-CDS IG",
    "Public ECG implementation guides",
    "RKI DEMIS laboratoryTest",
    "RKI PrEP IG",
    "SMART Health Cards and OpenHIE HIV guides",
    "SNOMED GPS (HL7 UTG)",
    "US Core",
    "VSAC 2.16.840.1.11",
    "WHO ATC 2026 (fabkury/atcd)",
    "WHO stage lists of two public HIV projects",
    "findacode.com copy of LOINC",
    "loinc.org",
    "mCODE",
    "openFDA NDC directory",
)
SHAPES = {
    "loinc": r"[1-9]\d{2,5}-\d|LA\d+-\d",
    "snomed": r"[1-9]\d{5,17}",
    "rxnorm": r"[1-9]\d{2,6}",
    "icd10cm": r"[A-Z]|[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
    "atc": r"[A-Z]\d\d([A-Z]([A-Z](\d\d)?)?)?",
    "ndc": r"\d{5}-\d{3}",
}


def groups():
    """Every group of codes in the files and the packs: where it stands, and itself."""

    def within(data, place):
        if isinstance(data, dict):
            if "system" in data:
                yield place, data
            for name, each in data.items():
                yield from within(each, f"{place} {name}")
        elif isinstance(data, list):
            for number, each in enumerate(data):
                yield from within(each, f"{place} {number}")

    for name, text in shipped().texts.items():
        if name in FILES or name.startswith("drugs/"):
            data = strict_yaml.read(text, name).data
            yield from within(data if name in FILES else data["codes"], name)


def test_every_code_says_where_it_was_read_and_has_the_shape_of_its_system():
    found = [*groups()]
    assert len(found) > 150
    for place, group in found:
        assert any(group["from"].startswith(source) for source in SOURCES), (place, group["from"])
        codes = group["codes"] if "codes" in group else {group["code"]: group["display"]}
        for code, display in codes.items():
            assert display.strip(), place
            assert re.fullmatch(SHAPES.get(group["system"], ".+"), code), (place, code)


def test_every_list_of_codes_of_the_vocabulary_has_its_system():
    assert shipped().vocabulary.codes.keys() <= MAPS.systems.keys()


def loinc(*codes):
    return [("loinc", code) for code in codes]


def test_a_code_of_race_is_no_pregnancy_test():
    race = "urn:oid:2.16.840.1.113883.6.238"
    for code in ("2106-3", "2118-8"):
        assert MAPS.results[MAPS.key("http://loinc.org", code)].fact == "pregnancy_test"
        assert MAPS.key(race, code) is None


@pytest.mark.parametrize(
    "code", ["71772-8", "71774-4", "71776-9", "64084-7", "88517-8", "74277-5", "74278-3"]
)
def test_no_tube_of_a_tuberculosis_test_is_read_as_its_result(code):
    assert ("loinc", code) in MAPS.never_read
    assert ("loinc", code) not in MAPS.results


def test_look_alikes_of_results_are_not_read():
    for key in loinc(
        "24113-3", "31204-1", "40725-4", "77739-1", "47364-5", "8634-8", "8601-7", "26446-5", "13955-0"
    ):
        assert key in MAPS.never_read
    # direct bilirubin, lead, free beta subunit, cord blood, spinal fluid (two), stated height, no code at all
    for key in loinc("1968-7", "5671-3", "19180-9", "55870-0", "42505-8", "46718-3", "3138-5", "54187-1"):
        assert key not in MAPS.results


@pytest.mark.parametrize(
    ("code", "fact"),
    [
        *[(code, "hbsag") for code in ("5196-1", "5195-3", "75410-1")],
        *[(code, "anti_hbc_total") for code in ("13952-7", "16933-4", "51914-0")],
        *[("10900-9", "anti_hbs"), ("42595-9", "hbv_dna"), ("29610-3", "hbv_dna"), ("11259-9", "hcv_rna")],
        *[("71773-6", "tb_test"), ("82810-3", "pregnant"), ("2465-3", "igg"), ("751-8", "anc")],
        *[("777-3", "platelets"), ("1742-6", "alt"), ("1920-8", "ast"), ("1975-2", "bilirubin_total")],
        *[("14631-6", "bilirubin_total"), ("8636-3", "qtc"), ("30376-8", "peripheral_blasts")],
        *[("8310-5", "temperature"), ("29463-7", "weight"), ("8302-2", "height"), ("43638-6", "aqp4_igg")],
    ],
)
def test_results_are_read_by_their_codes(code, fact):
    assert MAPS.results["loinc", code].fact == fact


def test_a_virus_that_was_counted_is_there_and_an_amount_says_nothing_of_the_others():
    above = {result.fact for result in MAPS.results.values() if result.above_zero}
    assert above == {"hbv_dna", "hcv_rna"}


def test_the_tests_to_order_are_those_of_the_results_that_rules_ask_for():
    assert MAPS.tests["hbsag"].code == "5196-1"
    assert MAPS.tests["pregnancy_test"] == Concept(
        "http://loinc.org", "2106-3", "Choriogonadotropin (pregnancy test) [Presence] in Urine"
    )
    wanted = {
        "hbsag",
        "anti_hbc_total",
        "tb_test",
        "pregnancy_test",
        "igg",
        "alt",
        "ast",
        "anc",
        "platelets",
        "qtc",
    }
    assert wanted | {"bilirubin_total", "hbv_dna", "hcv_rna"} <= MAPS.tests.keys()


def fields(fact):
    return FACTS[fact].fields


@pytest.mark.parametrize(
    ("name", "meanings"),
    [
        ("qualitative", {*FACTS["hbsag"].values}),
        ("pregnancy_status", {*FACTS["pregnant"].values}),
        ("birth_sex", {"female", "male"}),
        ("route", {*FACTS["route"].values, "intravenous"}),
        ("reaction_severity", {*fields("reactions")["severity"].values} - {"severe"}),
        ("reaction_kind", {*fields("reactions")["type"].values}),
        ("purpose", {*fields("anti_infectives")["purpose"].values}),
        ("none_known", {"reactions", "immunosuppressants"}),
    ],
)
def test_the_lists_of_answers_mean_what_the_vocabulary_has(name, meanings):
    assert MAPS.answers[name].meanings == meanings


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *[
            ("Not Detected", "negative"),
            ("NEG", "negative"),
            ("non reactive", "negative"),
            ("Negativ", "negative"),
        ],
        *[("Positive", "positive"), ("nachweisbar", "positive"), ("nicht nachweisbar", "negative")],
        *[("Equivocal", "indeterminate"), ("weakly reactive", "indeterminate")],
        *[
            (said, None)
            for said in ("not positive", "see comment", "normal", "abnormal", "0", "+", "-", "no", "n")
        ],
    ],
)
def test_texts_of_results(said, meant):
    assert MAPS.meaning("qualitative", text=said) == meant


@pytest.mark.parametrize(
    ("system", "code", "meant"),
    [
        *[
            ("snomed", "260415000", "negative"),
            ("snomed", "131194007", "negative"),
            ("loinc", "LA6577-6", "negative"),
        ],
        *[("interpretation", "WR", "indeterminate"), ("interpretation", "IND", "indeterminate")],
        *[("interpretation", code, None) for code in ("N", "A", "H", "L", "S", "R", "<", ">")],
    ],
)
def test_codes_of_results(system, code, meant):
    assert MAPS.meaning("qualitative", key=(system, code)) == meant


def test_a_plain_vein_does_not_say_how_and_severe_does_not_say_how_severe():
    assert MAPS.meaning("route", key=("snomed", "47625008")) == "intravenous"
    assert MAPS.meaning("route", text="IV") == "intravenous"
    assert MAPS.meaning("route", text="IV push") == "iv_push"
    assert MAPS.meaning("route", key=("route", "IV")) is None
    assert MAPS.meaning("reaction_severity", text="severe") is None
    assert MAPS.meaning("reaction_severity", key=("snomed", "24484000")) is None
    assert MAPS.meaning("reaction_severity", key=("snomed", "399166001")) is None


# What the parts of a spelling mean: thousands, billions, millions, ones; microlitres, litres.
_EACH = r"/(uL|ul|µL|μL|mcL|UL|mm\^?3|cumm)"
THOUSANDS = rf"([Xx]?10(\*|\^|[Ee]|x|\()3\)?|[Kk]|[Tt]hou|THOU|Thousands?){_EACH}"
BILLIONS = r"[Xx]?10(\*|\^|[Ee])9/(L|l|liter)"
MILLIONS = r"x?10(\*|\^|E)6/L"
ONES = rf"(\{{cells\}}|cells?|#)?{_EACH}"


def test_other_spellings_of_counts_are_the_same_amount():
    in_each_litre = {"10*9/L": Decimal(10) ** 9, "/uL": Decimal(10) ** 6}
    for spelling, unit in MAPS.spelled.items():
        if unit not in in_each_litre:
            continue
        powers = {THOUSANDS: 3 + 6, BILLIONS: 9, MILLIONS: 6, ONES: 6}
        matched = {power for pattern, power in powers.items() if re.fullmatch(pattern, spelling)}
        assert len(matched) == 1, spelling
        assert Decimal(10) ** matched.pop() == in_each_litre[unit], spelling


def test_a_spelling_that_is_read_in_two_ways_is_none():
    for spelling in ("G/L", "%", "mm", "ng/mL", "g", "10*6/uL", "M/uL", "ug/L", "mmol/L", ""):
        assert spelling not in MAPS.spelled


def said(code, system="icd10cm", of=MAPS.conditions):
    """What a code says: fact by fact the value, or `?` for what is not settled, with the period."""
    return {each.fact: (each.value or "?", each.period) for each in of.of((system, code))}


def every(coded):
    """All that is said at any code."""
    return [each for level in (coded.exact, coded.within) for several in level.values() for each in several]


YES, POSITIVE = ("yes", "active"), ("positive", "active")


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("B18.1", {"hbsag": POSITIVE}),
        ("B16.9", {"hbsag": POSITIVE, "liver_disease": ("active_hepatitis", "active")}),
        ("B18.2", {}),
        ("A15.0", {"tb_active": YES}),
        ("A81.2", {"pml_history": ("yes", "ever")}),
        ("A81.1", {}),
        ("R76.12", {"tb_test": ("positive", "ever")}),
        ("Z22.7", {"tb_test": ("positive", "ever"), "latent_tb_treatment": ("?", "ever")}),
        ("Z86.11", {"latent_tb_treatment": ("?", "ever")}),
        ("Z34.90", {"pregnant": YES}),
        ("O09.91", {"pregnant": YES}),
        ("O80", {"pregnant": ("?", "active")}),
        ("Z32.02", {}),
        ("C50.911", {"active_malignancy": YES}),
        ("C7A.1", {"active_malignancy": YES}),
        ("C91.00", {"active_malignancy": YES, "indication": ("?", "planned")}),
        ("C91.01", {"active_malignancy": ("?", "active"), "indication": ("?", "planned")}),
        ("C81.0A", {"active_malignancy": ("?", "active")}),
        ("Z85.3", {}),
        ("D12.6", {}),
        ("I45.81", {"qt_risk": ("yes", "ever")}),
        ("R94.31", {}),
        ("K74.60", {"liver_disease": ("cirrhosis", "active")}),
        ("K74.3", {}),
        ("K76.0", {}),
        ("K76.5", {"vod_history": ("?", "ever")}),
        ("E80.4", {"gilbert_or_haemolysis": YES}),
        ("D59.11", {"gilbert_or_haemolysis": ("?", "active")}),
        ("Z94.84", {"hsct_history": ("yes", "ever")}),
        ("D84.821", {"immunodeficiency": ("?", "active")}),
        ("G36.0", {"indication": ("nmosd", "planned")}),
        ("D89.84", {"indication": ("igg4_rd", "planned")}),
        ("G70.01", {"indication": ("?", "planned")}),
        ("B20", {"indication": ("?", "planned")}),
        ("Z79.52", {}),
    ],
)
def test_what_conditions_say(code, means):
    assert said(code) == means


@pytest.mark.parametrize("code", ["271511000", "313234004", "60001007", "161638000", "40733004"])
def test_findings_that_look_alike_say_nothing(code):
    """Immune to hepatitis B, antibodies of it, not pregnant, at risk by work, an infection of some kind."""
    assert said(code, "snomed") == {}


def test_no_condition_and_no_procedure_ever_clears_anything():
    statements = [*every(MAPS.conditions), *every(MAPS.procedures)]
    clearing = {"no", "none", "negative", "never", "not_needed", "completed", "resolved"}
    assert not {each.value for each in statements} & clearing
    assert all((each.value is None) + (each.unreadable is None) + (not each.date) == 2 for each in statements)


def test_a_disease_on_the_problem_list_is_not_what_the_infusion_is_ordered_for():
    condition = {
        "resourceType": "Condition",
        "id": "1",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G36.0"}]},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
    }
    patient = {"resourceType": "Patient", "id": "p"}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": patient}, {"resource": condition}],
    }
    library = shipped()
    chart = read_chart(bundle, patient="p", searched={})
    assert "indication" not in facts_of(chart, library.packs["inebilizumab"], None, AT, library).facts


def test_procedures_that_were_done_or_are_planned():
    transplant = {"hsct_history": ("yes", "ever"), "hsct_planned": ("yes", "planned")}
    assert said("234336002", "snomed", MAPS.procedures) == transplant
    for code, fact in (("12719002", "platelet_transfusion_on"), ("268400002", "ecg_on")):
        (statement,) = MAPS.procedures.of(("snomed", code))
        assert (statement.fact, statement.date, statement.period) == (fact, True, "ever")


STEROID = {"immunosuppressants", "premedications"}


@pytest.mark.parametrize(
    ("code", "lists"),
    [
        ("L04AG08", {"immunosuppressants"}),
        ("L04AX03", {"immunosuppressants"}),
        ("L04AA04", {"immunosuppressants"}),
        ("L01FA01", {"immunosuppressants"}),
        ("L01FB01", set()),
        ("H02AB02", STEROID),
        ("H02AB09", STEROID),
        ("H02AA02", set()),
        ("D07AC01", set()),
        ("S01BA01", set()),
        ("J01CA04", {"anti_infectives"}),
        ("J02AC01", {"anti_infectives"}),
        ("J04AC01", {"anti_infectives"}),
        ("J05AB01", {"anti_infectives"}),
        ("J05AE16", {"anti_infectives"}),  # ensitrelvir
        ("J05AE30", {"anti_infectives"}),  # nirmatrelvir and ritonavir
        ("J05AE10", {"antiretrovirals"}),
        ("J05AF10", {"anti_infectives"}),  # entecavir
        ("J05AF07", {"antiretrovirals"}),
        ("J05AG05", {"antiretrovirals"}),
        ("J05AJ03", {"antiretrovirals"}),
        ("J05AR20", {"antiretrovirals"}),
        ("J05AX18", {"anti_infectives"}),  # letermovir
        ("J05AX31", {"antiretrovirals"}),  # lenacapavir
        ("J05AP55", {"anti_infectives"}),
        ("J07BK01", set()),
        ("R06AE07", {"premedications"}),
        ("R03BA02", set()),
        ("N02BE01", {"premedications"}),
        ("N02AJ06", set()),
        ("A02BA03", set()),
    ],
)
def test_the_lists_that_a_medicine_belongs_to(code, lists):
    found = [*MAPS.medicines.of(("atc", code))]
    assert {fact for each in found for fact in each.lists} == lists
    assert len(found) <= 1


def test_an_immune_globulin_gives_a_date_and_what_is_only_called_so_does_not():
    dated = {
        code: [each.dates for each in MAPS.medicines.of(("atc", code))] for code in ("J06BA02", "J06BB04")
    }
    assert dated == {"J06BA02": [("immune_globulin_on",)], "J06BB04": [("immune_globulin_on",)]}
    for code in ("J06BD01", "J06BC03", "L04AA03", "L04AA04"):
        assert not [each for each in MAPS.medicines.of(("atc", code)) if each.dates]


def test_names_of_medicines_are_words_that_mean_one_thing():
    assert {each.name for each in MAPS.medicine_names["cyclosporine"]} == {"ciclosporin"}
    for name, found in MAPS.medicine_names.items():
        assert len(found) == 1, name
        assert re.fullmatch(r"[a-z][a-z-]{4,}", name), name
    for name in ("ritonavir", "triamcinolone", "budesonide", "globulin", "steroid", "interferon"):
        assert name not in MAPS.medicine_names
    # hydrocortisone may be a cream: not what prepares for the infusion
    (by_name,) = MAPS.medicine_names["hydrocortisone"]
    assert by_name.lists == {"immunosuppressants": {}}


def test_the_drugs_are_ordered_by_codes_that_were_confirmed():
    by_drug = {
        pack.id: {key for key, id in MAPS.drugs.items() if id == pack.id} for pack in shipped().packs.values()
    }
    assert by_drug["inebilizumab"] == {("atc", "L04AG10"), ("ndc", "75987-150")}
    assert by_drug["ibalizumab"] == {("atc", "J05AX23"), ("rxnorm", "2043317"), ("rxnorm", "2043322")}
    inotuzumab = {("rxnorm", str(code)) for code in range(1942950, 1942960)}
    assert by_drug["inotuzumab_ozogamicin"] == {("atc", "L01FB01"), *inotuzumab}
    # of public projects: not confirmed, or of another medicine
    for wrong in (("atc", "J05AX21"), ("rxnorm", "2001632"), ("rxnorm", "2375327")):
        assert wrong not in MAPS.drugs


# Read from a resource itself, or from the order of the infusion, without a code of these files.
READ_OTHERWISE = {
    *("birth_date", "vaccinations", "reactions", "ordered_dose", "route", "infusion_minutes", "scheduled_on"),
    *("first_dose_on", "last_dose_on"),
}
# Facts that are asked for, and why no code answers them.
ASKED = {
    "pregnancy_potential": "judged by more than one code",
    "contraception": "what the patient does now",
    "partner_pregnancy_potential": "not of the patient",
    "hepatology_clearance": "a note in words",
    "infectious_disease_clearance": "a note in words",
    "immunology_clearance": "a note in words",
    "active_infection": "judged today",
    "infection_signs": "asked today",
    "pml_signs": "asked today",
    "dose_number": "depends on what counts as the first",
    "cycle": "of the protocol",
    "cycle_day": "of the protocol",
    "remission": "judged on the marrow",
    "baseline_anc": "its code is that of the latest count",
    "baseline_platelets": "its code is that of the latest count",
    "counts_low_due_to_disease": "a judgement",
    "nonhaematologic_toxicity_grade": "graded today",
    "electrolytes_on": "three tests of one day, not one code",
    "qt_prolonging_drugs": "no list of them that may be copied",
    "last_reduced_dose": "why a dose was reduced is on no code",
}


def test_every_fact_is_mapped_or_it_is_said_why_not():
    statements = {each.fact for coded in (MAPS.conditions, MAPS.procedures) for each in every(coded)}
    results = {result.fact for result in MAPS.results.values()}
    medicines = {fact for each in every(MAPS.medicines) for fact in (*each.lists, *each.dates)}
    mapped = statements | results | medicines | READ_OTHERWISE
    assert mapped | ASKED.keys() == FACTS.keys()
    assert not mapped & ASKED.keys()

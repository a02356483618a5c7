"""The code maps: how codes, texts and units are looked up; no mistake in their files goes unnamed."""

from types import SimpleNamespace

import pytest

from service.knowledge.code_builder import build_code_maps
from service.knowledge.code_maps import Coded, Concept, Medicine, Result, Statement, folded
from service.knowledge.problems import KnowledgeError
from tests.builders import shipped

FILES = {
    "codes/systems.yaml": """\
title: Systems
systems:
  loinc: {uri: "http://loinc.org", also: ["urn:oid:2.16.840.1.113883.6.1"], check_digit: mod10}
  snomed: {uri: "http://snomed.info/sct", check_digit: verhoeff}
  icd: {uri: "http://hl7.org/fhir/sid/icd-10-cm"}
  atc: {uri: "http://www.whocc.no/atc"}
""",
    "codes/results.yaml": """\
title: Results
results:
  hbsag:
    above_zero: positive
    order: 5196-1
    codes:
      - {system: loinc, from: a list, codes: {5196-1: HBsAg in serum, 5195-3: HBsAg}}
  alt:
    codes:
      - {system: loinc, from: a list, codes: {1742-6: ALT}}
never_read:
  - {system: loinc, from: a list, why: it is a control, codes: {71772-8: Mitogen}}
""",
    "codes/answers.yaml": """\
title: Answers
answers:
  qualitative:
    codes:
      - {system: snomed, means: positive, from: a list, codes: {"10828004": Positive}}
      - {system: snomed, means: negative, from: a list, codes: {"260385009": Negative}}
    texts:
      positive: [Positive]
      negative: [not  detected, non-reactive]
""",
    "codes/units.yaml": """\
title: Units
units:
  "10*9/L": ["K/uL"]
""",
    "codes/conditions.yaml": """\
title: Conditions
statements:
  - fact: active_malignancy
    value: yes
    codes:
      - {system: icd, from: a list, children: yes, codes: {C: Malignant neoplasms}}
  - fact: active_malignancy
    unreadable: in remission
    codes:
      - {system: icd, from: a list, codes: {C91.01: ALL in remission}}
  - fact: indication
    value: bcp_all
    codes:
      - {system: icd, from: a list, children: yes, codes: {C91.0: ALL}}
""",
    "codes/procedures.yaml": """\
title: Procedures
statements:
  - fact: ecg_on
    date: yes
    while: ever
    codes:
      - {system: snomed, from: a list, codes: {"29303009": ECG}}
""",
    "codes/medicines.yaml": """\
title: Medicines
medicines:
  - name: antiviral
    codes:
      - {system: atc, from: a list, children: yes, codes: {J05: Antivirals}}
    lists: {anti_infectives: {}}
  - name: antiretroviral
    codes:
      - {system: atc, from: a list, children: yes, codes: {J05AF: NRTI}}
    names: [Lamivudine]
    lists: {antiretrovirals: {}}
  - name: entecavir
    codes:
      - {system: atc, from: a list, codes: {J05AF10: entecavir}}
    lists: {anti_infectives: {}}
  - name: prednisone
    names: [prednisone]
    lists: {immunosuppressants: {}, premedications: {class: corticosteroid}}
    dates: [immune_globulin_on]
""",
}


def maps_of(texts=FILES, packs=()):
    """The maps of these files."""
    return build_code_maps(texts, shipped().vocabulary, packs)


def test_a_code_is_looked_up_with_its_system_by_any_address_of_it():
    maps = maps_of()
    for address in (
        *("http://loinc.org", "http://loinc.org/", "HTTP://LOINC.org/", " http://loinc.org"),
        *("urn:oid:2.16.840.1.113883.6.1", "URN:OID:2.16.840.1.113883.6.1"),
    ):
        assert maps.results[maps.key(address, "5196-1")] == Result("hbsag", "qualitative", "positive")
    for address in ("http://example.org", "http://loinc.org/x", "", None, 5, ["http://loinc.org"]):
        assert maps.key(address, "5196-1") is None
    assert maps.key("http://loinc.org", 51961) is None
    assert maps.results.get(maps.key("http://snomed.info/sct", "5196-1")) is None


def test_texts_mean_something_as_a_whole_in_any_case_and_spacing():
    maps = maps_of()
    for text in ("positive", " POSITIVE ", "Posi\u200btive"):
        assert maps.meaning("qualitative", text=text) == "positive"
    assert maps.meaning("qualitative", text="Not\u00a0detected\n") == "negative"
    for text in ("not positive", "positive?", "", "detected"):
        assert maps.meaning("qualitative", text=text) is None
    assert maps.meaning("qualitative", key=("snomed", "260385009")) == "negative"
    assert maps.meaning("qualitative", key=("snomed", "5196-1")) is None
    assert maps.meaning("qualitative") is maps.meaning("nothing", text="positive") is None


def test_what_to_order_what_to_search_for_and_what_is_never_read():
    maps = maps_of()
    assert maps.tests == {"hbsag": Concept("http://loinc.org", "5196-1", "HBsAg in serum")}
    assert [each.code for each in maps.result_codes] == ["1742-6", "5195-3", "5196-1"]
    assert maps.never_read == {("loinc", "71772-8"): "it is a control"}
    assert maps.spelled == {"K/uL": "10*9/L"}
    assert ("atc", "J05AF10") in maps.known
    assert ("icd", "C") in maps.known
    assert len(maps.known) == 13


def test_of_lines_on_one_fact_the_most_exact_one_counts():
    conditions = maps_of().conditions

    def said(code):
        return {each.fact: each.value or each.unreadable for each in conditions.of(("icd", code))}

    assert said("C50.911") == {"active_malignancy": "yes"}
    assert said("C91.00") == {"active_malignancy": "yes", "indication": "bcp_all"}
    assert said("C91.01") == {"active_malignancy": "in remission", "indication": "bcp_all"}
    assert said("D12") == said("") == {}
    assert not [*conditions.of(("atc", "C91.01"))]


def test_of_the_classes_of_a_medicine_the_narrowest_one_counts():
    maps = maps_of()
    names = {
        code: [each.name for each in maps.medicines.of(("atc", code))] for code in ("J05AB01", "J05AF05")
    }
    assert names == {"J05AB01": ["antiviral"], "J05AF05": ["antiretroviral"]}
    assert [each.name for each in maps.medicines.of(("atc", "J05AF10"))] == ["entecavir"]
    assert [each.name for each in maps.medicine_names[folded("LAMIVUDINE")]] == ["antiretroviral"]
    assert maps.medicine_names["prednisone"] == (
        Medicine(
            "prednisone",
            {"immunosuppressants": {}, "premedications": {"class": "corticosteroid"}},
            ("immune_globulin_on",),
        ),
    )


def test_several_things_may_be_said_at_one_code_and_the_default_is_that_all_are_about_the_same():
    coded = Coded()
    coded.add(("icd", "A"), "wide", children=True)
    coded.add(("icd", "A1"), "first")
    coded.add(("icd", "A1"), "second")
    assert [*coded.of(("icd", "A1"))] == ["first", "second"]
    assert [*coded.of(("icd", "A2"))] == ["wide"]


def test_a_procedure_gives_a_date_and_missing_files_map_nothing():
    assert [*maps_of().procedures.of(("snomed", "29303009"))] == [Statement("ecg_on", "ever", date=True)]
    assert not maps_of({}).known


def test_an_order_of_a_drug_is_known_by_the_codes_of_its_pack():
    packs = shipped().packs.values()
    maps = maps_of(shipped().texts, packs)
    assert {maps.drugs[key] for key in maps.drugs} == {pack.id for pack in packs}


S, R, A, U = "codes/systems.yaml", "codes/results.yaml", "codes/answers.yaml", "codes/units.yaml"
C, P, M = "codes/conditions.yaml", "codes/procedures.yaml", "codes/medicines.yaml"
ONE, SECOND = "give exactly one of value", "  - fact: active_malignancy\n    unreadable"
# The file, what is changed in it to what, what is said; and where it is not the line of the change that is
# named, a passage of that line.
MISTAKES = [
    (
        S,
        'icd: {uri: "http://hl7.org/fhir/sid/icd-10-cm"}',
        'icd: {uri: "http://loinc.org"}',
        "is an address of",
    ),
    (S, "check_digit: verhoeff", "check_digit: mod11", "Must be one of"),
    (R, "1742-6", "1742-5", "the check digit of 1742-5 is wrong: it is no code of loinc"),
    (R, "71772-8", "71772-9", "the check digit of 71772-9 is wrong"),
    (A, '"10828004"', '"10828005"', "the check digit of 10828005 is wrong: it is no code of snomed"),
    (R, "{system: loinc, from: a list, codes: {1742", "{system: lionc, from: a list, codes: {1742", "loinc"),
    (R, "  alt:", "  alat:", '"alat" is not a fact of the vocabulary. Did you mean "alt"'),
    (R, "{1742-6: ALT}", "{5195-3: ALT}", "5195-3 is a code of hbsag already"),
    (R, "{71772-8: Mitogen}", "{5195-3: Mitogen}", "5195-3 is read as hbsag"),
    (R, "order: 5196-1", "order: 1742-6", "the test to order is one of the codes of the fact"),
    (R, "above_zero: positive", "above_zero: high", "hbsag is never high"),
    (R, "    order: 5196-1", "    answers: routes", '"routes" is not in rules/codes/answers.yaml'),
    (R, "from: a list, codes: {1742", "codes: {1742", "this must be given"),
    (R, "from: a list, codes: {1742", 'from: " ", codes: {1742', "this must not be empty"),
    (R, "why: it is a control, ", "", "this must be given"),
    (R, "{1742-6: ALT}", "{}", "Shorter than minimum length"),
    (
        A,
        "{system: snomed, means: positive",
        "{system: snomed, means: positiv",
        "is ever positiv",
        "  qualitative:",
    ),
    (A, '"260385009": Negative', '"10828004": Positive', "10828004 means two things"),
    (
        A,
        "positive: [Positive]",
        "positive: [Positive, Non-Reactive]",
        '"non-reactive" means two things',
        "negative: [not",
    ),
    (U, '"10*9/L": [', '"10*9/l": [', '"10*9/l" is not a unit of the vocabulary'),
    (U, '["K/uL"]', '["K/uL", "mg/dL"]', '"mg/dL" is a unit already'),
    (U, '["K/uL"]', '["K/uL"]\n  "/uL": ["K/uL"]', '"K/uL" is a unit already', '"/uL"'),
    (C, "value: bcp_all", "value: ball", "indication is never ball"),
    (C, "fact: indication", "fact: diagnosis", '"diagnosis" is not a fact of the vocabulary'),
    (C, "unreadable: in remission", "unreadable: in remission\n    value: no", ONE, SECOND),
    (C, "    unreadable: in remission\n", "", ONE, SECOND),
    (
        C,
        "{C91.01: ALL in remission}}",
        "{C: x}, children: yes}",
        "C says something of active_malignancy already",
    ),
    (C, "children: yes, codes: {C:", "children: true, codes: {C:", "write yes or no"),
    (P, "fact: ecg_on", "fact: hsct_history", "hsct_history is no date", "date: yes"),
    (P, "while: ever", "while: always", "Must be one of"),
    (M, "{J05AF: NRTI}", "{J05: NRTI}", "J05 is a code of antiviral already"),
    (M, "lists: {antiretrovirals: {}}", "lists: {hbsag: {}}", "hbsag is no list"),
    (M, "lists: {antiretrovirals: {}}", "lists: {antiretroviral: {}}", "is not a fact of the vocabulary"),
    (M, "{class: corticosteroid}", "{class: steroid}", "class is never steroid"),
    (M, "{class: corticosteroid}", "{group: corticosteroid}", "premedications has no field group"),
    (M, "[immune_globulin_on]", "[igg]", "igg is no date"),
    (M, "    names: [prednisone]\n", "", "give codes or names", "name: prednisone"),
    (M, "    lists: {antiretrovirals: {}}\n", "", "lists or dates", "name: antiretroviral"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[3])
def test_a_mistake_is_refused_with_its_file_and_line(mistake):
    file, old, new, said, named = (*mistake, mistake[1])[:5]
    was = FILES[file]
    assert was.count(old) == 1
    with pytest.raises(KnowledgeError) as refused:
        maps_of({**FILES, file: was.replace(old, new)})
    (problem,) = refused.value.problems
    assert said in problem.message
    text = was if named in was else was.replace(old, new)
    line = text[: text.index(named)].count("\n") + 1
    assert (problem.file, problem.line) == (f"rules/{file}", line)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((("atc", "L04AG10"), ("ndx", "75987-150")), '"ndx" is not in rules/codes/systems.yaml'),
        ((("atc", "L01FB01"),), "L01FB01 is a code of one already"),
    ],
)
def test_a_mistake_in_the_codes_of_a_pack_is_named_with_its_line(codes, said):
    packs = [
        SimpleNamespace(id="one", codes=(("atc", "L01FB01"),)),
        SimpleNamespace(id="two", codes=codes),
    ]
    code = codes[-1][1]
    text = f"drug: two\ncodes:\n  - {{system: x, code: A}}\n  - {{system: {codes[-1][0]}, code: {code}}}\n"
    with pytest.raises(KnowledgeError) as refused:
        maps_of({**FILES, "drugs/two.yaml": text}, packs)
    (problem,) = refused.value.problems
    assert (problem.file, problem.line, problem.message) == ("rules/drugs/two.yaml", 4, said)

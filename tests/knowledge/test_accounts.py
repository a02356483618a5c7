"""A pack accounts for every ledger row, names what it rests on, and shares no name with another.

Each case changes one shipped file, in memory, by one edit.
"""

import pytest

from service.knowledge.library import library_from, load_library
from service.knowledge.problems import KnowledgeError
from tests.builders import ROOT, shipped
from tests.knowledge.edits import (
    AGE,
    AGE_RULE,
    CITE,
    HBSAG,
    PML_SIGNS,
    assert_refused,
    problems_of,
    texts_with,
)

# What is edited, the passage on whose line the mistake is, the place, and what is said.
EDITS = {
    "an unknown ledger row": (
        [(CITE, CITE.replace("ineb.age.adult", "ineb.age.adults"))],
        "      under-18:",
        "under-18",
        'the ledger has no row "ineb.age.adults" for this drug. Did you mean "ineb.age.adult"',
    ),
    "the ledger row of another drug": (
        [(CITE, CITE.replace("ineb.age.adult", "ino.bbw"))],
        "      under-18:",
        "under-18",
        'the ledger has no row "ino.bbw" for this drug.',
    ),
    "a ledger row left out": (
        [('  ineb.dilution: {reason: "Preparation; diluent and volume are not facts here."}\n', "")],
        "checks:",
        "ineb.dilution",
        "the ledger row ineb.dilution is used by no rule: use it, or list it under not_checked",
    ),
    "a row both checked and not checked": (
        [("not_checked:\n", 'not_checked:\n  ineb.age.adult: {reason: "Twice."}\n')],
        "  ineb.age.adult: {reason",
        "ineb.age.adult",
        "a rule uses this row: it is checked",
    ),
    "a row not checked that does not exist": (
        [("not_checked:\n", 'not_checked:\n  ineb.rates: {reason: "None."}\n')],
        "  ineb.rates: {reason",
        "ineb.rates",
        'the ledger has no such row of this drug. Did you mean "ineb.rate"',
    ),
    "a row that nobody has verified, without saying so": (
        [("        unverified: yes\n", "")],
        "      dose-missed:",
        "dose-missed",
        "ineb.missed is not verified: the rule may only warn, and says unverified: yes",
    ),
    "a row that nobody has verified, as a block": (
        [(CITE, CITE.replace("ineb.age.adult", "ineb.missed"))],
        "      under-18:",
        "under-18",
        "ineb.missed is not verified: the rule may only warn, and says unverified: yes",
    ),
    "an unknown source": (
        [(CITE, CITE.replace("monograph", "monografh"))],
        CITE.replace("monograph", "monografh"),
        "under-18",
        'there is no source "monografh". Did you mean "monograph"?',
    ),
    "no source at all": (
        [
            (f"          {CITE}\n", ""),
            ('          - {source: leaflet-2023, at: "2", ledger: [ineb.age.adult]}\n', ""),
        ],
        "        cites:",
        "under-18",
        "",
    ),
    "a key misspelt": (
        [("        kind: contraindication\n", "        kinds: contraindication\n")],
        "        kinds: contraindication",
        "under-18",
        '"kinds" is not a key that belongs here. Did you mean "kind"?',
    ),
    "a kind that a rule cannot have": (
        [("        kind: contraindication\n", "        kind: engine\n")],
        "        kind: engine",
        "under-18",
        "Must be one of",
    ),
    "a key twice": (
        [(AGE_RULE, f"{AGE_RULE}        kind: caution\n")],
        "        kind: caution",
        "under-18",
        'the key "kind" stands here twice',
    ),
    "two rules of one name": (
        [("      pml-signs:\n", "      under-18:\n")],
        "      under-18:\n        block_if: {pml_signs",
        "under-18",
        "age has a rule of this name already",
    ),
    "two rules that say the same": (
        [(PML_SIGNS, AGE)],
        "      pml-signs:",
        "pml-signs",
        "under-18 has the very same condition",
    ),
    "a quantity that no rule uses": (
        [
            (
                "quantities:\n",
                "quantities:\n  idle:\n    label: idle\n    is: {days: {from: birth_date, to: infusion}}\n",
            )
        ],
        "  idle:",
        "quantities.idle",
        "no rule uses this quantity",
    ),
    "a check that may not apply and does not say why": (
        [("    not_applicable: Breastfeeding does not apply to this patient.\n", "")],
        "  lactation:",
        "lactation",
        "a check with applies_if or regions says not_applicable",
    ),
    "a region of nowhere": (
        [
            (
                "        regions: [EU]\n        block_if: {pml_history",
                "        regions: [UK]\n        block_if: {pml_history",
            )
        ],
        "        regions: [UK]",
        "pml-history-eu",
        "Must be one of: US, EU.",
    ),
    "a word where true is meant": (
        [("        unverified: yes\n", "        unverified: true\n")],
        "        unverified: true",
        "unverified",
        "write yes or no (or quote it): true is not a value here",
    ),
    "a conflict about a source that is none of its own": (
        [
            (
                "    chosen: uspi-first\n    why: The label is exact.",
                "    chosen: rmp\n    why: The label is exact.",
            )
        ],
        "conflicts:",
        "conflicts",
        "which is not among its sources",
    ),
    "a file named after another drug": (
        [("drug: inebilizumab\n", "drug: inebilizumap\n")],
        "drug: inebilizumap",
        "drug",
        "the file of inebilizumap is called inebilizumap.yaml",
    ),
    "a version that is none": (
        [("version: 1.0.0", "version: newest")],
        "version: newest",
        "version",
        "String does not match expected pattern.",
    ),
}


@pytest.mark.parametrize(("edits", "passage", "place", "said"), EDITS.values(), ids=EDITS)
def test_a_mistake_in_a_pack_is_refused_with_file_line_and_message(edits, passage, place, said):
    assert_refused(texts_with(*edits), passage, place, said)


FACTS = [
    # As written, as it becomes, and what is said.
    (
        "      first_dose_on: the day of the first infusion",
        "      first_dose: the day of the first infusion",
        'the fact "first_dose" is not in this file. Did you mean "first_dose_on"',
    ),
    ("    type: date\n", "    type: day\n", "Must be one of"),
    ("    answered_by: record\n", "    asked_of: record\n", "is not a key that belongs here"),
    ('      m: {times: "100"}', "      m: {times: hundred}", '"hundred" is not a number'),
]


@pytest.mark.parametrize(("old", "new", "said"), FACTS)
def test_a_mistake_in_the_vocabulary_is_refused(old, new, said):
    texts = texts_with((old, new), file="facts.yaml")
    assert_refused(texts, new, "", said, file="facts.yaml")


POLICIES = [
    ("value: 365", "value: 0", "0 is outside 1 to 3650"),
    ("value: 365", "value: 3651", "3651 is outside 1 to 3650"),
    ("value: 365", 'value: "365"', '"365" is not a whole number'),
    ("value: 365", "value: 365.5", '"365.5" is not a whole number'),
    ("value: US", "value: UK", '"UK" is not one of US, EU'),
    ("value: mosteller", "value: mosteler", '"mosteler" is not one of mosteller, dubois'),
]


@pytest.mark.parametrize(("old", "new", "said"), POLICIES)
def test_a_policy_outside_what_a_site_may_choose_is_refused(old, new, said):
    texts = texts_with((old, new), file="policy.yaml")
    assert_refused(texts, new, "", said, file="policy.yaml")


def test_a_policy_parameter_may_be_left_unset():
    library = library_from(texts_with(("value: 365", "value: null"), file="policy.yaml"))
    assert library.policy.values["hbv_screen_max_age_days"] is None


def test_a_name_that_two_packs_claim_is_refused():
    texts = {**shipped().texts, **texts_with(("aliases: [inebilizumab-cdon]", "aliases: [TROGARZO]"))}
    (problem,) = problems_of(texts)
    assert problem.message == 'the name "trogarzo" belongs to ibalizumab already'
    assert problem.file == "rules/drugs/inebilizumab.yaml"


def test_every_mistake_of_every_pack_is_named_at_once():
    texts = {**shipped().texts, **texts_with((HBSAG, HBSAG.replace("hbsag", "hbsaag")))}
    texts["drugs/ibalizumab.yaml"] = texts["drugs/ibalizumab.yaml"].replace(
        "version: 1.0.0", "version: newest", 1
    )
    files = [problem.file for problem in problems_of(texts)]
    assert files == ["rules/drugs/ibalizumab.yaml", "rules/drugs/inebilizumab.yaml"]


def test_a_rule_that_the_engine_cannot_hold_is_refused_with_the_way_out():
    every = ", ".join(f"{{dose_number: {{is_not: {number}}}}}" for number in range(1, 40))
    (problem,) = problems_of(texts_with((HBSAG, f"block_if: {{all: [{every}]}}")))
    assert problem.message.startswith("hbv-active has 39 conditions in a row")
    assert problem.message.endswith("split it")


def test_the_shipped_files_load_and_account_for_every_row():
    library = load_library(ROOT / "rules")
    assert set(library.packs) == {path.stem for path in (ROOT / "rules" / "drugs").glob("*.yaml")}
    for pack in library.packs.values():
        cited = {row for rule in pack.rules for each in rule.citations for row in each.ledger}
        cited |= {row for plan in pack.observations for each in plan.citations for row in each.ledger}
        own = {row.row for row in library.ledger.values() if pack.id in row.drugs}
        assert own == {row for row in cited if row in own} | {each.row for each in pack.not_checked}


def test_a_folder_that_is_no_library_is_refused(tmp_path):
    with pytest.raises(KnowledgeError, match=r"facts.yaml.*cannot be read"):
        load_library(tmp_path)


@pytest.mark.parametrize("name", ["inebilizumab", "INEBILIZUMAB", " Uplizna ", "inebilizumab-cdon"])
def test_a_drug_is_found_by_every_name_in_any_case(name):
    assert shipped().find(name).id == "inebilizumab"

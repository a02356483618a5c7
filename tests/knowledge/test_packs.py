"""A rule with a mistake in it does not load, and says where the mistake is and what to do about it.

Each case changes the shipped file of inebilizumab, in memory, by one edit.
"""

import pytest

from tests.knowledge.edits import (
    AGE,
    DOSE,
    HBSAG,
    LIVE,
    NO_UNKNOWN,
    PML_SIGNS,
    RESOLVED,
    assert_refused,
    texts_with,
)

# What is edited, the passage on whose line the mistake is, the place, and what is said.
EDITS = {
    "a misspelt fact": (
        [(HBSAG, "block_if: {hbsaag: {is: positive}}")],
        "block_if: {hbsaag",
        "hbv-active",
        'the fact "hbsaag" is not in rules/facts.yaml. Did you mean "hbsag"?',
    ),
    "a value that the fact does not have": (
        [(HBSAG, "block_if: {hbsag: {is: positve}}")],
        "block_if: {hbsag: {is: positve}}",
        "hbv-active",
        '"positve" is not a value of hbsag (positive, negative, indeterminate). Did you mean "positive"?',
    ),
    "an unknown operator": (
        [(AGE, "block_if: {age: {less_than: 18}}")],
        "block_if: {age: {less_than",
        "under-18",
        'there is no operator "less_than".',
    ),
    "a number compared with a code": (
        [(HBSAG, "block_if: {hbsag: {above: 3}}")],
        "block_if: {hbsag: {above",
        "hbv-active",
        "hbsag is a code: above compares numbers",
    ),
    "a code compared with a number": (
        [(AGE, "block_if: {age: {is_one_of: [17, 18]}}")],
        "block_if: {age: {is_one_of",
        "under-18",
        "age is a number: is_one_of compares codes",
    ),
    "a list where one code belongs": (
        [(PML_SIGNS, "block_if: {pml_signs: {is: [yes]}}")],
        "block_if: {pml_signs: {is: [yes]}}",
        "pml-signs",
        "is takes one code",
    ),
    "a unit of another dimension": (
        [(DOSE, "block_if: {ordered_dose: {above: 300 mg/m2}}")],
        "above: 300 mg/m2",
        "dose-above-300-mg",
        "ordered_dose is compared in mg, not in mg/m2",
    ),
    "a unit that the fact does not know": (
        [(DOSE, "block_if: {ordered_dose: {above: 300 mcg}}")],
        "above: 300 mcg",
        "dose-above-300-mg",
        "ordered_dose is compared in mg, not in mcg",
    ),
    "a quantity without its unit": (
        [(DOSE, "block_if: {ordered_dose: {above: 300}}")],
        "above: 300}",
        "dose-above-300-mg",
        "ordered_dose is compared in mg, not in plain numbers",
    ),
    "half a year of age": (
        [(AGE, "block_if: {age: {below: 17.5}}")],
        "below: 17.5",
        "under-18",
        "age is a whole number: 17.5 is not",
    ),
    "an unknown policy parameter": (
        [
            (
                "no_older_than: {policy: neutrophils_max_age_days}",
                "no_older_than: {policy: neutrophils_max_days}",
            )
        ],
        "no_older_than: {policy: neutrophils_max_days}",
        "neutrophils-low",
        'the parameter "neutrophils_max_days" is not in rules/policy.yaml. '
        'Did you mean "neutrophils_max_age_days"',
    ),
    "an unknown definition": (
        [(LIVE, LIVE.replace("vaccine_planned", "vaccine_planed"))],
        "warn_if: {use: vaccine_planed",
        "live-vaccine-planned",
        'there is no definition "vaccine_planed". Did you mean "vaccine_planned"',
    ),
    "a definition without its argument": (
        [(LIVE, "warn_if: {use: vaccine_planned}")],
        "warn_if: {use: vaccine_planned}",
        "live-vaccine-planned",
        "vaccine_planned takes kinds",
    ),
    "an argument of a definition misspelt": (
        [(LIVE, "warn_if: {use: vaccine_planned, with: {kind: [live]}}")],
        "warn_if: {use: vaccine_planned, with: {kind:",
        "live-vaccine-planned",
        "vaccine_planned takes kinds",
    ),
    "a definition beside another condition": (
        [(LIVE, LIVE.replace("{use:", "{pregnant: {is: yes}, use:", 1))],
        "warn_if: {pregnant",
        "live-vaccine-planned",
        "use stands alone",
    ),
    "two verbs": (
        [(AGE, f"{AGE}\n        warn_if: {{age: {{above: 90}}}}")],
        "      under-18:",
        "under-18",
        "give exactly one of block_if, warn_if, block_unless, warn_unless",
    ),
    "no verb": (
        [(f"        {AGE}\n", "")],
        "      under-18:",
        "under-18",
        "give exactly one of block_if, warn_if, block_unless, warn_unless",
    ),
    "an empty condition": (
        [(AGE, "block_if: {}")],
        "block_if: {}",
        "under-18",
        "this must be a condition such as {hbsag: {is: positive}}",
    ),
    "a condition that is a word": (
        [(AGE, "block_if: always")],
        "block_if: always",
        "under-18",
        "this must be a condition such as {hbsag: {is: positive}}",
    ),
    "a pass where it is not known": (
        [(NO_UNKNOWN, 'if_unknown: {pass: "Go on."}')],
        'if_unknown: {pass: "Go on."}',
        "under-18",
        '"pass" is no answer to the unknown: say block or warn, and what to do; never pass',
    ),
    "two answers where it is not known": (
        [(NO_UNKNOWN, 'if_unknown: {block: "Ask.", warn: "Ask."}')],
        "if_unknown: {block",
        "under-18",
        "give exactly one of block and warn, with what to do",
    ),
    "no answer where it is not known": (
        [(f"        {NO_UNKNOWN}\n", "")],
        "      under-18:",
        "under-18",
        "if_unknown is missing: say block or warn, and what to do",
    ),
    "an answer where it is always known": (
        [(RESOLVED, f'{RESOLVED}\n        if_unknown: {{warn: "Ask."}}')],
        'if_unknown: {warn: "Ask."}',
        "infection-resolved",
        "this rule can always be decided: leave if_unknown out",
    ),
    "an unknown stricter than the rule": (
        [('if_unknown: {warn: "Ask whether the patient is breastfeeding."}', 'if_unknown: {block: "Ask."}')],
        'if_unknown: {block: "Ask."}',
        "breastfeeding",
        "an unknown is never stricter than the rule itself",
    ),
    "a quantity defined by itself": (
        [("is: {days: {from: scheduled_on, to: infusion}}", "is: {sum: [days_after_slot, 1]}")],
        "is: {sum: [days_after_slot, 1]}",
        "",
        "the quantity days_after_slot is defined by itself",
    ),
    "a part that a fact does not have": (
        [("to: anti_hbc_total.collected", "to: birth_date.previous")],
        "to: birth_date.previous",
        "",
        "birth_date has no part previous",
    ),
    "a list asked like a value": (
        [(HBSAG, "block_if: {reactions: {is: severe}}")],
        "block_if: {reactions",
        "hbv-active",
        "reactions is a list",
    ),
    "a field that the list does not have": (
        [("warn_if: {breastfeeding: {is: yes}}", "warn_if: {reactions: {any: {severty: {is: mild}}}}")],
        "severty",
        "breastfeeding",
        'reactions has no field "severty". Did you mean "severity"?',
    ),
    "a set that does not exist": (
        [
            (
                "warn_if: {breastfeeding: {is: yes}}",
                "warn_if: {reactions: {any: {substance: {in: this_drugs}}}}",
            )
        ],
        "this_drugs",
        "breastfeeding",
        'there is no set "this_drugs". Did you mean "this_drug"?',
    ),
    "a placeholder without its argument": (
        [("because: No $class is charted", "because: No $clas is charted")],
        "because: No $clas is charted",
        "premedication-missing",
        '$clas is not given here. Did you mean "class"?',
    ),
}


@pytest.mark.parametrize(("edits", "passage", "place", "said"), EDITS.values(), ids=EDITS)
def test_a_mistake_in_a_rule_is_refused_with_file_line_and_message(edits, passage, place, said):
    assert_refused(texts_with(*edits), passage, place, said)

"""The shipped files with one edit, in memory, and what is said of the mistake in them."""

import pytest

from service.knowledge.library import library_from
from service.knowledge.problems import KnowledgeError
from tests.builders import shipped

DRUG = "drugs/inebilizumab.yaml"


def texts_with(*edits, file=DRUG):
    """The files around inebilizumab alone, of which one is edited: each first passage becomes the second."""
    texts = {
        name: text for name, text in shipped().texts.items() if name in (DRUG, file) or "drugs/" not in name
    }
    text = texts[file]
    for old, new in edits:
        assert old in text, f"not in {file}: {old}"
        text = text.replace(old, new, 1)
    return {**texts, file: text}


def problems_of(texts):
    """Every mistake that is named where these files are loaded."""
    with pytest.raises(KnowledgeError) as refused:
        library_from(texts)
    return refused.value.problems


def assert_refused(texts, passage, place, said, file=DRUG):
    """The files are refused, with the line on which the passage stands, the place and the words."""
    problems = problems_of(texts)
    assert {problem.file for problem in problems} == {f"rules/{file}"}
    problem = next((each for each in problems if said in each.message), None)
    assert problem is not None, "\n".join(map(str, problems))
    line = texts[file][: texts[file].index(passage)].count("\n") + 1
    assert problem.line == line, str(problem)
    assert place in problem.place, str(problem)


AGE_RULE = """      under-18:
        block_if: {age: {below: 18}}
        kind: contraindication
"""
AGE = "block_if: {age: {below: 18}}"
NO_UNKNOWN = 'if_unknown: {block: "Record the date of birth."}'
HBSAG = "block_if: {hbsag: {is: positive}}"
PML_SIGNS = "block_if: {pml_signs: {is: yes}}"
RESOLVED = "warn_if: {recorded: {active_infection: {is: resolved}}}"
LIVE = "warn_if: {use: vaccine_planned, with: {kinds: [live, unspecified]}}"
DOSE = "block_if: {ordered_dose: {above: 300 mg}}"
CITE = "- {source: monograph, at: paediatric dosage, ledger: [ineb.age.adult]}"

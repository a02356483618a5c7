"""The shipped rules of inebilizumab, where they ask for an independent double check; no shipped pack does."""

import functools

from service.knowledge.library import library_from
from tests.builders import shipped
from tests.knowledge.edits import texts_with

ROW = "ineb.dose.initial"


def texts_that_ask(facts="[ordered_dose, anc]", row=ROW):
    """The files, with a double check of these facts."""
    source = next(iter(shipped().packs["inebilizumab"].sources))
    asked = (
        "independent_double_check:\n"
        f"  facts: {facts}\n"
        "  because: Two people read the dose.\n"
        f'  cites: [{{source: {source}, at: "2", ledger: [{row}]}}]\n'
    )
    return texts_with(("observation:\n", f"{asked}\nobservation:\n"))


@functools.cache
def asking():
    """The library that asks for the dose and the neutrophils."""
    return library_from(texts_that_ask())

"""How a drug is named on a page: always with what tells it apart from those whose names look like its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.knowledge.library import Library


@dataclass(frozen=True)
class DrugName:
    """A drug with what tells it apart from names that look like it: its brands and its class."""

    id: str
    title: str
    brands: str
    drug_class: str


def drug_name(drug: str, library: Library) -> DrugName:
    """The drug as it is named; one whose rules are gone by its id alone."""
    pack = library.packs.get(drug)
    if pack is None:
        return DrugName(drug, drug, "", "")
    return DrugName(pack.id, pack.title, ", ".join(pack.brands), pack.drug_class)


def alike_names(drugs: Iterable[str], library: Library) -> tuple[DrugName, ...]:
    """Those of these drugs that have a look-alike among them, each once."""
    known = {drug: library.packs[drug] for drug in drugs if drug in library.packs}
    return tuple(drug_name(drug, library) for drug, pack in known.items() if {*pack.look_alikes} & {*known})

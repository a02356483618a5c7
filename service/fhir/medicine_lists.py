"""What a recorded medicine is: the drug of the infusion itself, one of a list, or of no list that is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from service.fhir.chart import Chart
from service.fhir.drugs import Product, medication, named, names_in
from service.fhir.reads import ReadingContext
from service.fhir.resources import Resource, keys, objects, quoted, type_of, words
from service.knowledge.code_maps import CodeMaps, Medicine

IMMUNOSUPPRESSANTS, ANTI_INFECTIVES = "immunosuppressants", "anti_infectives"
PREMEDICATIONS, PURPOSE = "premedications", "purpose"
# The lists of what a patient takes. A medicine that is not known here may belong to any of them.
TAKEN = frozenset({IMMUNOSUPPRESSANTS, ANTI_INFECTIVES, "antiretrovirals", "qt_prolonging_drugs"})

# Words of a form that works where it is put. What weakens the immune system works in the whole body.
_LOCAL = frozenset(
    "cream ointment lotion gel shampoo foam topical ophthalmic otic nasal inhaler inhalant inhalation".split()
)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A medicine of a record.

    `own` is whether it is the drug of this infusion, `unclear` why that cannot be told. `medicines` are what
    the code maps know of it, the nearest first.
    """

    name: str
    product: Product
    own: bool
    unclear: str | None
    medicines: tuple[Medicine, ...]

    @property
    def said(self) -> str:
        """What it is called in the record, else in the code maps."""
        known = (*self.product.names, *(each.name for each in self.medicines), self.product.said)
        return next((quoted(each) for each in known if each), "a medicine without a name")

    @cached_property
    def lists(self) -> dict[str, dict[str, str]]:
        """The lists that it belongs to, each with the fields of its entry."""
        nearest: dict[str, dict[str, str]] = {}
        for medicine in self.medicines:
            for fact, fields in medicine.lists.items():
                if not (self.is_local and fact in (IMMUNOSUPPRESSANTS, PREMEDICATIONS)):
                    nearest.setdefault(fact, {"drug": self.said, **fields})
        return nearest

    @property
    def is_local(self) -> bool:
        """Whether it is named as a form for local use."""
        return any(names_in(name, _LOCAL) for name in self.product.names)

    @cached_property
    def dates(self) -> frozenset[str]:
        """The facts that are the date on which it was last given."""
        return frozenset(fact for medicine in self.medicines for fact in medicine.dates)


def recorded(resource: Resource, chart: Chart, context: ReadingContext) -> Recorded:
    """The medicine of an order, an administration or a statement."""
    product = medication(resource, chart.resolve, context.maps)
    is_one = named(product, (context.pack,), context.maps)
    unclear = is_one.problem
    if is_one.look_alikes:
        unclear = f'"{product.said}" looks like {context.pack.title}'
    medicines = () if is_one.drug is not None else tuple(_medicines(product, context.maps))
    if is_one.drug is None and unclear is None and not medicines:
        unclear = _why_not_told(resource, product, chart)
    return Recorded(chart.name(resource), product, is_one.drug is not None, unclear, medicines)


def _why_not_told(resource: Resource, product: Product, chart: Chart) -> str | None:
    """Why it cannot be told which medicine it is; what is only called by a name of no list is told."""
    if not product.codes and not product.names:
        return "which medicine it is is not said"
    referred = (chart.resolve(each, resource) for each in objects(resource.get("medicationReference")))
    if any(each is None or type_of(each) != "Medication" for each in referred):
        return f'"{product.said}" refers to a medication that is not in the record'
    return None


def purpose(resource: Resource, chart: Chart, maps: CodeMaps) -> dict[str, str]:
    """What a medicine against infection is taken for, where the reason of its order is known here."""
    concepts = objects(resource.get("reasonCode"))
    for pointer in objects(resource.get("reasonReference")):
        condition = chart.resolve(pointer, resource)
        concepts.extend(objects(condition.get("code")) if condition is not None else [])
    meant = {maps.meaning(PURPOSE, key) for each in concepts for key in keys(each, maps)}
    meant |= {maps.meaning(PURPOSE, text=said) for each in concepts for said in words(each)}
    known = [each for each in meant if each is not None]
    return {PURPOSE: known[0]} if len(known) == 1 else {}


def _medicines(product: Product, maps: CodeMaps) -> Iterator[Medicine]:
    for key in product.codes:
        yield from maps.medicines.of(key)
    every = frozenset(maps.medicine_names)
    for name in product.names:
        for each in names_in(name, every):
            yield from maps.medicine_names[each]

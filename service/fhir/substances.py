"""To what a patient reacted, how and when, as an entry of the earlier reactions has it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.checklist.evidence import day_of, is_after
from service.fhir.chart import Chart
from service.fhir.drugs import Product, named, names_in
from service.fhir.lifetimes import in_life
from service.fhir.reads import ReadingContext
from service.fhir.resources import keys, moment, quoted, words
from service.knowledge.code_maps import CodeMaps, folded

REACTIONS = "reactions"
ANAPHYLAXIS, INFUSION_REACTION, HYPERSENSITIVITY = "anaphylaxis", "infusion_reaction", "hypersensitivity"
LIFE_THREATENING = "life_threatening"
_KINDS = (ANAPHYLAXIS, INFUSION_REACTION, HYPERSENSITIVITY)
_AROUND = re.compile(
    r"\([^)]*\)|\b(?:allergy|allergic|adverse|reaction|hypersensitivity|intolerance|to|caused|by|disposition)\b"
)
_NEGATED = re.compile(r"(?:no|not|non|denies|denied|without|never)\b")


@dataclass(frozen=True)
class Substance:
    """A substance as an entry names it: a pack's own drug or excipient by its name there, else as recorded.

    `own` is whether it is of the medicine that is to be infused; `unclear` says why that cannot be told.
    """

    name: str | None
    own: bool = False
    unclear: str | None = None


def substance(recorded: Product, context: ReadingContext) -> Substance:
    """The substance that a product is. Of one without a readable name, or denied, `name` is None."""
    pack = context.pack
    said = quoted(recorded.names[0]) if recorded.names else None
    if any(_NEGATED.match(folded(name)) for name in recorded.names):
        return Substance(None)
    is_one = named(recorded, (pack,), context.maps)
    if is_one.drug is not None:
        return Substance(pack.id, own=True)
    if is_one.problem is not None:
        return Substance(said, unclear=is_one.problem)
    if is_one.look_alikes:
        return Substance(said, unclear=f"looks like {pack.title}")
    excipients = {folded(each): each for each in pack.excipients}
    for name in recorded.names:
        bare = " ".join(_AROUND.sub(" ", folded(name)).split())
        if bare in excipients:
            return Substance(excipients[bare], own=True)
    within = {each for name in recorded.names for each in names_in(name, frozenset(excipients))}
    if within:
        return Substance(said, unclear=f"names {', '.join(sorted(within))} among other words")
    return Substance(said)


def kind_of(concepts: Any, maps: CodeMaps) -> str | None:
    """The kind of a reaction by its codes and words; of several the gravest."""
    meant = {maps.meaning("reaction_kind", key) for key in keys(concepts, maps)}
    meant |= {maps.meaning("reaction_kind", text=said) for said in words(concepts)}
    return next((kind for kind in _KINDS if kind in meant), None)


def severity_of(concepts: Any, maps: CodeMaps) -> str | None:
    """The severity that codes and words mean; none where they disagree. Severe alone means none."""
    meant = {maps.meaning("reaction_severity", key) for key in keys(concepts, maps)}
    meant |= {maps.meaning("reaction_severity", text=said) for said in words(concepts)}
    known = [each for each in meant if each is not None]
    return known[0] if len(known) == 1 else None


def occurred(times: Iterable[Any], chart: Chart, context: ReadingContext) -> str | None:
    """The first of these times that is a day on which something can have happened before the infusion."""
    for each in times:
        at = in_life(moment(each), chart, context.infusion_at)
        if at is not None and at.at is not None and not is_after(at.at, context.infusion_at):
            return day_of(at.at, context.infusion_at.tzinfo).isoformat()
    return None

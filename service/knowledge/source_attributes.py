"""The thirteen source attributes of each rule, as US rules on decision support ask (45 CFR 170.315(b)(11)).

What a rule rests on is read from its citations. Which kinds of personal data it uses is computed from the
facts that it reads, and never typed: the vocabulary says of each fact under which kind it is reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from service.checklist.facts import Vocabulary
from service.checklist.rules import Citation, Pack, Rule

NOT_STATED = "not stated"
NOT_USED = "not used"


class Kind(StrEnum):
    """The kinds of personal data whose use is reported, by the attribute's name."""

    RACE = "race"
    ETHNICITY = "ethnicity"
    LANGUAGE = "language"
    SEXUAL_ORIENTATION = "sexual_orientation"
    GENDER_IDENTITY = "gender_identity"
    SEX = "sex"
    DATE_OF_BIRTH = "date_of_birth"
    SOCIAL_DETERMINANTS = "social_determinants"
    HEALTH_STATUS = "health_status"


KINDS = tuple(kind.value for kind in Kind)
LABELS = {
    "citation": "Bibliographic citation",
    "developer": "Developer of the intervention",
    "funding": "Funding source of the technical implementation",
    "dates": "Release and revision dates",
    Kind.RACE.value: "Use of race",
    Kind.ETHNICITY.value: "Use of ethnicity",
    Kind.LANGUAGE.value: "Use of language",
    Kind.SEXUAL_ORIENTATION.value: "Use of sexual orientation",
    Kind.GENDER_IDENTITY.value: "Use of gender identity",
    Kind.SEX.value: "Use of sex",
    Kind.DATE_OF_BIRTH.value: "Use of date of birth",
    Kind.SOCIAL_DETERMINANTS.value: "Use of social determinants of health",
    Kind.HEALTH_STATUS.value: "Use of health status assessments",
}


@dataclass(frozen=True)
class Attribute:
    """One of the thirteen: its number, name and value in words, never blank; of a use, the facts read."""

    number: int
    name: str
    value: str
    facts: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What it is called."""
        return LABELS[self.name]


@dataclass(frozen=True)
class Attributed:
    """A rule, and its thirteen attributes in their order."""

    rule: Rule
    attributes: tuple[Attribute, ...]

    def uses(self, kind: str) -> bool:
        """Whether it reads a fact of this kind."""
        return any(each.name == kind and each.facts for each in self.attributes)


def facts_read(rule: Rule) -> tuple[str, ...]:
    """Every fact that a rule reads, for its verdict or for what its message says, each once."""
    conditions = (rule.concern, *(note.when for note in rule.notes))
    return tuple(dict.fromkeys(name for condition in conditions for name in condition.facts()))


def source_attributes(pack: Pack) -> tuple[Attributed, ...]:
    """Every rule of a pack with its attributes."""
    return tuple(Attributed(rule, tuple(_attributes(pack, rule))) for rule in pack.rules)


def _attributes(pack: Pack, rule: Rule) -> Iterator[Attribute]:
    yield Attribute(1, "citation", "; ".join(map(_citation, rule.citations)))
    yield Attribute(2, "developer", pack.developer or NOT_STATED)
    yield Attribute(3, "funding", pack.funding or NOT_STATED)
    yield Attribute(4, "dates", "; ".join(_dates(pack, rule)))
    read = facts_read(rule)
    for number, kind in enumerate(KINDS, start=5):
        used = tuple(name for name in read if kind in pack.vocabulary[name].reported_as)
        yield Attribute(number, kind, _used(used, pack.vocabulary), used)


def _used(facts: tuple[str, ...], vocabulary: Vocabulary) -> str:
    if not facts:
        return NOT_USED
    return f"used: {', '.join(vocabulary[name].label for name in facts)}"


def _citation(citation: Citation) -> str:
    place = f"section {citation.at}" if citation.at[:1].isdigit() else citation.at
    return f"{citation.source.title}, {place} [{', '.join(citation.ledger)}]"


def _dates(pack: Pack, rule: Rule) -> Iterator[str]:
    yield f"rules {pack.version} released {pack.released or f'on a day that is {NOT_STATED}'}"
    for source in dict.fromkeys(citation.source for citation in rule.citations):
        revised = source.revised if source.revised == "undated" else f"revised {source.revised}"
        yield f"{source.title} {revised}"

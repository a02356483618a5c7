"""A rule's condition as one English sentence, from the same words that its trace is made of."""

from collections.abc import Iterator

from service.checklist.conditions import AllOf, AnyOf, Condition, Criterion, Defined, Not, Recorded
from service.checklist.measures import AgeLimit
from service.checklist.terms import Constant, Policy
from service.checklist.truth import FALSE, TRUE, Truth
from service.knowledge.vocabulary import SitePolicy


def in_words(condition: Condition, policy: SitePolicy) -> str:
    """What has to be so, with the site's own numbers."""
    match condition:
        case Criterion():
            return _criterion(condition, policy)
        case Not(part=Criterion() as part) if part.measure.age is None:
            return _criterion(part, policy, FALSE)
        case Not(part=Recorded(part=part)):
            return f"it is not on record that {_grouped(part, policy)}"
        case Not(part=part):
            return f"not ({in_words(part, policy)})"
        case Recorded(part=part):
            return f"it is on record that {_grouped(part, policy)}"
        case Defined(label=label, part=part):
            return f"{label} ({in_words(part, policy)})"
        case AllOf():
            return " and ".join(_grouped(part, policy) for part in _joined(condition))
        case AnyOf():
            return " or ".join(_grouped(part, policy) for part in _joined(condition))
    raise TypeError(f"{type(condition).__name__} has no words")


def _joined(condition: AllOf | AnyOf) -> Iterator[Condition]:
    """The parts, those of a part that is joined in the same way among them."""
    for part in condition.parts:
        if isinstance(part, AllOf | AnyOf) and type(part) is type(condition):
            yield from _joined(part)
        else:
            yield part


def _grouped(condition: Condition, policy: SitePolicy) -> str:
    said = in_words(condition, policy)
    return f"({said})" if isinstance(condition, AllOf | AnyOf) and len(condition.parts) > 1 else said


def _criterion(criterion: Criterion, policy: SitePolicy, truth: Truth = TRUE) -> str:
    said = criterion.says(truth)
    return f"{said}{_age(criterion.measure.age, policy)}" if criterion.measure.age else said


def _age(age: AgeLimit, policy: SitePolicy) -> str:
    unit = "hours" if age.hours else "days"
    match age.limit:
        case Policy(name=name):
            value = policy.values[name]
            return f", no older than {'(not set)' if value is None else value} {unit} (site policy {name})"
        case Constant(amount=amount):
            return f", no older than {amount} {unit}"
    return ", no older than a computed age"

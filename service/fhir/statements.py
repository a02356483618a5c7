"""What a condition, a procedure or a planned one says of a fact, once it is known to hold."""

from service.fhir.reads import Read, ReadingContext, found, noted, unreadable
from service.fhir.resources import Moment, Resource, objects
from service.knowledge.code_maps import Statement


def said(name: str, what: str, statement: Statement, at: Moment | None, context: ReadingContext) -> Read:
    """The reading of a statement that holds. `what` is what the resource is about; `at` is its time."""
    day = at.written[:10] if at is not None and at.at is not None else None
    if at is not None and at.first > context.infusion_at.date():
        return noted(name, f"{what}, after the infusion", statement.fact)
    if statement.unreadable is not None:
        return unreadable(name, statement.fact, f"{what}: {statement.unreadable}", at=day)
    if statement.date:
        if day is None:
            dated = f", dated only {at.written}" if at is not None else ", without a date"
            latest = min(at.last, context.infusion_at.date()).isoformat() if at is not None else None
            return unreadable(name, statement.fact, what + dated, at=latest)
        return found(name, statement.fact, f"{what} on {day}", value=day)
    # A result does not outweigh it by being newer than its beginning: the two contradict each other.
    since = None if context.vocabulary[statement.fact].result else day
    return found(name, statement.fact, f"{what}: {statement.value}", value=statement.value, at=since)


def is_changed(resource: Resource) -> bool:
    """Whether an extension that is not known here may turn what the resource says into something else."""
    return bool(objects(resource.get("modifierExtension")))


CHANGED = "changed by an extension that is not known here"

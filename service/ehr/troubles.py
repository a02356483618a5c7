"""Cards for orders that no checklist could be made for, and the error where not even the orders are known."""

from collections.abc import Sequence

from service.ehr.cards import Card, without_checklist
from service.ehr.gathering import Gap
from service.ehr.markdown import cut, escaped, line
from service.fhir.orders import Ordered

_MOST_NAMED, _MOST_REASONS, _MOST_LISTED = 60, 5, 20


class CannotKnow(Exception):
    """It cannot be known for which drug a call is: what is missing, and where it should have been."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self.gaps = tuple(gaps)
        super().__init__()


def not_checked(ordered: Ordered, reasons: Sequence[tuple[str, str]]) -> Card:
    """For an order of ours whose chart could not be read, or where the service failed."""
    title = ordered.drug.title if ordered.drug is not None else "An order"
    why = [f"- {line(path)}: {escaped(said)}" for path, said in reasons[:_MOST_REASONS]]
    because = ["**Because**", "\n".join(why)] if why else []
    detail = [
        "Nothing was checked, so nothing is known to be in order.",
        *because,
        "**What to do:** Hold. Work through the checklist of this medicine by hand, and report it.",
    ]
    said = "could not be checked: hold, and work through its checklist by hand"
    return without_checklist(title, said, detail, status="block", topic="fault", order=ordered.reference)


def disagreeing(ordered: Ordered) -> Card:
    """For an order whose codes and names are of different drugs."""
    problem = ordered.problem or ""
    detail = [
        f"The order {_quoted(ordered.named)} cannot be told: {escaped(problem)}.",
        "**What to do:** Hold. Ask the prescriber which medicine is meant; the order has to say one.",
    ]
    said = f"which medicine it is cannot be told: {problem}"
    return _about(ordered, said, detail, "block")


def look_alike(ordered: Ordered) -> Card:
    """For an order of a drug without rules here, whose name is almost that of one with rules."""
    packs = ordered.look_alikes
    names = " or ".join(f"{pack.title} ({', '.join(pack.brands)})" for pack in packs)
    listed = [f"{pack.title} ({', '.join(pack.brands)}): {pack.drug_class}" for pack in packs]
    detail = [
        f"{_quoted(ordered.named)} is not a drug with rules here, and is never corrected. It looks like:",
        "\n".join(f"- {line(each)}" for each in listed),
        "**What to do:** Check the order. If one of these is meant, correct it; it is checked then.",
    ]
    said = f"is not a drug with rules here; it looks like {names}: check the order"
    return _about(ordered, said, detail, "warn")


def too_many(left_out: Sequence[Ordered]) -> Card:
    """For orders of ours beyond those that one call may have checked."""
    named = [escaped(each.reference) for each in left_out[:_MOST_LISTED]]
    more = len(left_out) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    detail = [
        "There are too many infusion orders in one call: each needs a checklist of its own.",
        f"**Not checked:** {listed}.",
        "**What to do:** Hold these. Send them in further calls, or work through their checklists by hand.",
    ]
    said = f"too many orders in one call: {len(left_out)} not checked, hold these"
    return without_checklist("Not all orders are checked", said, detail, status="block", topic="order")


def not_known(gaps: Sequence[Gap]) -> Card:
    """For orders of which nothing is known, beside others that were checked."""
    listed = "\n".join(f"- {line(gap.path)}: {escaped(gap.says)}" for gap in gaps)
    detail = [
        "There may be infusion orders that were not checked.",
        listed,
        "**What to do:** Look at the patient's other orders by hand.",
    ]
    said = "there may be infusion orders that were not checked"
    return without_checklist("Not all orders are known", said, detail, status="warn", topic="order")


def _about(ordered: Ordered, said: str, detail: Sequence[str], status: str) -> Card:
    return without_checklist(
        _name(ordered), said, detail, status=status, topic="order", order=ordered.reference
    )


def _name(ordered: Ordered) -> str:
    """An order as it names itself; what stands in an order may be of any length."""
    named = cut(ordered.named, _MOST_NAMED)
    return f"“{named}”" if named else "An order"


def _quoted(named: str) -> str:
    return f"“{escaped(named)}”" if named else "without a name"

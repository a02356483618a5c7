"""What would have to be ordered so that a missing fact is known, as drafts that an EHR can create."""

from collections.abc import Iterable, Sequence
from typing import Any

from service.fhir.resources import Resource, code, id_of, keys
from service.knowledge.code_maps import CodeMaps

TYPE = "ServiceRequest"
_LABORATORY = {
    "system": "http://snomed.info/sct",
    "code": "108252007",
    "display": "Laboratory procedure",
}
# The tests that no laboratory makes.
_NO_LABORATORY = frozenset({"qtc"})
_NO_ORDER = frozenset({"proposal", "option"})


def missing_orders(
    facts: Iterable[str], patient: str, maps: CodeMaps, chart_orders: Sequence[Resource]
) -> dict[str, dict[str, Any]]:
    """A draft ServiceRequest for each of these facts that a test gives, by the fact and in their order.

    What `chart_orders` has on order already is left out. `patient` is the id of the patient's resource.
    """
    missing = list(dict.fromkeys(facts))
    on_its_way = on_order(missing, maps, chart_orders)
    drafts: dict[str, dict[str, Any]] = {}
    for fact in missing:
        test = maps.tests.get(fact)
        if test is not None and fact not in on_its_way:
            drafts[fact] = {
                "resourceType": TYPE,
                "status": "draft",
                "intent": "order",
                **({} if fact in _NO_LABORATORY else {"category": [{"coding": [_LABORATORY]}]}),
                "code": {
                    "coding": [{"system": test.uri, "code": test.code, "display": test.display}],
                    "text": test.display,
                },
                "subject": {"reference": f"Patient/{patient}"},
            }
    return drafts


def on_order(facts: Iterable[str], maps: CodeMaps, chart_orders: Sequence[Resource]) -> dict[str, str]:
    """Those of these facts for which a test is on order, each with the reference of its order.

    Any test that gives the fact will do; it need not be the one that is suggested.
    """
    wanted = set(facts)
    found: dict[str, str] = {}
    for order in chart_orders:
        for key in keys(order.get("code"), maps) if _is_active(order) else ():
            result = maps.results.get(key)
            if result is not None and result.fact in wanted:
                found.setdefault(result.fact, f"{TYPE}/{id_of(order) or ''}".rstrip("/"))
    return found


def _is_active(order: Resource) -> bool:
    return (
        code(order.get("status")) == "active"
        and code(order.get("intent")) not in _NO_ORDER
        and order.get("doNotPerform") is not True
    )

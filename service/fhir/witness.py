"""Who did what about a checklist, and what it rests on: Provenance and AuditEvents."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.fhir.resources import Resource
from service.fhir.told import OURS, Told, actor, concept, evidence

_SYSTEMS = "http://terminology.hl7.org/CodeSystem/"
_ACTIONS = {"made": "C", "viewed": "R", "searched": "R", "replayed": "E", "exported": "R"}


def provenance(told: Told, issues: Iterable[Resource]) -> Resource:
    """What the answer rests on, and who asked for it."""
    result = told.result
    pack = result["pack"]
    seen = [each for finding in result["findings"] for each in evidence(finding["because"])]
    sources = {each["reference"]: each for each in seen if "reference" in each}
    return {
        "resourceType": "Provenance",
        "id": told.id_of("Provenance", "checklist"),
        "target": [told.response, *({"reference": f"urn:uuid:{issue['id']}"} for issue in issues)],
        "recorded": result["evaluated_at"],
        "activity": concept(f"{_SYSTEMS}v3-DataOperation", "CREATE"),
        "agent": [
            {"type": _participant("assembler"), "who": told.service},
            {"type": _participant("enterer"), "who": actor(told.record["actor"])},
            *(
                {"type": _participant("enterer"), "who": each}
                for each in map(told.asked_by, told.entries)
                if each
            ),
        ],
        "entity": [
            *({"role": "source", "what": each} for each in sources.values()),
            {
                "role": "derivation",
                "what": {
                    "identifier": {"system": f"{OURS}pack", "value": pack["digest"]},
                    "display": f"{pack['id']} {pack['version']}",
                },
            },
        ],
    }


def audit_event(told: Told, entry: Mapping[str, Any]) -> Resource:
    """One entry of the journal; its digest says which one, and that it is unchanged."""
    done = str(entry["event"]).rpartition(".")[2]
    user = told.asked_by(entry)
    return {
        "resourceType": "AuditEvent",
        "id": told.id_of("AuditEvent", entry["sequence"]),
        "type": {"system": f"{_SYSTEMS}audit-event-type", "code": "rest"},
        "subtype": [{"system": f"{OURS}event", "code": entry["event"]}],
        "action": _ACTIONS.get(done, "U"),
        "recorded": entry["at"],
        "outcome": "0",
        "agent": [
            {
                "role": [concept(f"{OURS}role", entry["role"])],
                "who": actor(entry["actor"]),
                "requestor": user is None,  # only one may be who began it
            },
            *([{"who": user, "requestor": True}] if user is not None else []),
        ],
        "source": {"site": entry["site"], "observer": told.service},
        "entity": [
            {"what": told.patient, "type": _entity_type("1")},
            {
                "what": told.response,
                "type": _entity_type("2"),
                "detail": [
                    {"type": "journal-sequence", "valueString": str(entry["sequence"])},
                    {"type": "journal-digest", "valueString": entry["digest"]},
                ],
            },
        ],
    }


def _participant(code: str) -> Resource:
    return concept(f"{_SYSTEMS}provenance-participant-type", code)


def _entity_type(code: str) -> Resource:
    return {"system": f"{_SYSTEMS}audit-entity-type", "code": code}

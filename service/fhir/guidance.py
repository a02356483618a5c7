"""A checklist and what was done about it as FHIR R4: a Bundle that an EHR can keep.

One GuidanceResponse is the evaluation, and a DetectedIssue stands for each warn and block, with what was
answered to it; `witness` adds what it rests on and who did what about it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from service.fhir.resources import Resource
from service.fhir.told import OURS, REASON_SYSTEM, Told, actor, evidence
from service.fhir.witness import audit_event, provenance
from service.knowledge.code_maps import CodeMaps

MEDIA_TYPE = "application/fhir+json"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SEVERITY = {"block": "high", "warn": "moderate"}

# What kind of issue a check is about, by v3-ActCode; one that is none of these has its title alone.
_ISSUES = {
    "ALGY": ("hypersensitivity",),
    "COND": (
        "hepatitis_b",
        "hepatitis_c",
        "tuberculosis",
        "infection",
        "pml",
        "malignancy",
        "liver",
        "veno_occlusive_disease",
        "indication",
        "age",
    ),
    "DOSE": ("dose",),
    "DRG": ("immunosuppression", "qt", "antiretroviral_regimen", "vaccination"),
    "LAB": ("immunoglobulins", "blood_counts", "cytoreduction"),
    "LACT": ("lactation",),
    "PREG": ("pregnancy", "contraception"),
    "REACT": ("infusion_reaction", "toxicity"),
    "TIME": ("schedule",),
}
_ISSUE_OF = {check: code for code, checks in _ISSUES.items() for check in checks}


def guidance(told: Told, maps: CodeMaps, version: str) -> Resource:
    """The Bundle. `version` is the one of this service."""
    answered = [*told.record["overrides"], *told.record["acknowledgements"]]
    answers = {(each["check"], each["rule"]): each for each in answered}
    issues = [
        _issue(told, finding, answers.get((finding["check"], finding["rule"])))
        for finding in told.result["findings"]
        if finding["status"] != "pass"
    ]
    resources = [
        _response(told, maps),
        *issues,
        provenance(told, issues),
        *(audit_event(told, entry) for entry in told.entries),
        _device(told, version),
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": told.result["evaluated_at"],
        "entry": [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in resources],
    }


def _response(told: Told, maps: CodeMaps) -> Resource:
    result = told.result
    needs, faulty = result["needs"], any(each["kind"] == "engine" for each in result["findings"])
    response: Resource = {
        "resourceType": "GuidanceResponse",
        "id": told.id,
        "identifier": [{"system": f"{OURS}checklist", "value": told.id}],
        "moduleUri": f"{OURS}pack:{result['pack']['id']}:{result['pack']['version']}",
        "status": "failure" if faulty else "data-required" if needs else "success",
        "subject": told.patient,
        "occurrenceDateTime": result["evaluated_at"],
        "performer": told.service,
        "note": [{"text": _counted(result["findings"])}],
        "outputParameters": {"reference": "#output"},
        "contained": [{"resourceType": "Parameters", "id": "output", "parameter": _parameters(result)}],
    }
    if needs:
        response["dataRequirement"] = [_requirement(fact, maps) for fact in needs]
    return response


def _counted(findings: Sequence[Mapping[str, Any]]) -> str:
    statuses = [finding["status"] for finding in findings]
    return ", ".join(f"{statuses.count(status)} {status}" for status in ("block", "warn", "pass"))


def _parameters(result: Mapping[str, Any]) -> list[Resource]:
    texts = {
        "drug": result["drug"],
        "region": result["region"],
        "pack-digest": result["pack"]["digest"],
        "policy-digest": result["policy"]["digest"],
    }
    return [
        {"name": "status", "valueCode": result["status"]},
        {"name": "infusion-at", "valueDateTime": result["infusion_at"]},
        *({"name": name, "valueString": text} for name, text in texts.items()),
        *({"name": "finding", "part": _parts(finding)} for finding in result["findings"]),
    ]


def _parts(finding: Mapping[str, Any]) -> list[Resource]:
    coded = {name: finding[name] for name in ("check", "rule", "status", "kind")}
    parts = [{"name": name, "valueCode": code} for name, code in coded.items() if code is not None]
    parts.append({"name": "message", "valueString": finding["message"]})
    if finding["eligible_from"]:
        parts.append({"name": "eligible-from", "valueDate": finding["eligible_from"]})
    return [*parts, *({"name": "evidence", "valueReference": each} for each in evidence(finding["because"]))]


def _requirement(fact: str, maps: CodeMaps) -> Resource:
    codes = [{"system": f"{OURS}fact", "code": fact}]
    if test := maps.tests.get(fact):
        codes.insert(0, {"system": test.uri, "code": test.code, "display": test.display})
    return {"type": "Observation", "codeFilter": [{"path": "code", "code": codes}]}


def _issue(told: Told, finding: Mapping[str, Any], answer: Mapping[str, Any] | None) -> Resource:
    name = f"{finding['check']}/{finding['rule']}"
    code: Resource = {"text": finding["title"]}
    if coded := _ISSUE_OF.get(finding["check"]):
        code["coding"] = [{"system": _ACT_CODE, "code": coded}]
    drug: Resource = {"display": told.result["title"]}
    if told.order:
        drug["reference"] = told.order
    issue: Resource = {
        "resourceType": "DetectedIssue",
        "id": told.id_of("DetectedIssue", name),
        "identifier": [{"system": f"{OURS}finding", "value": f"{told.id}/{name}"}],
        "status": "final",
        "code": code,
        "severity": _SEVERITY[finding["status"]],
        "patient": told.patient,
        "identifiedDateTime": told.result["evaluated_at"],
        "author": told.service,
        "implicated": [drug],
        "detail": " ".join(each for each in (finding["message"], finding["action"]) if each),
    }
    if finding["because"]:
        issue["evidence"] = [_seen(each) for each in finding["because"]]
    if told.link:
        issue["reference"] = told.link
    if answer:
        issue["mitigation"] = [_mitigation(answer)]
    return issue


def _seen(because: Mapping[str, Any]) -> Resource:
    value = because["value"]
    shown = f"{len(value)} recorded" if isinstance(value, list) else value
    parts = (because["fact"], shown, because.get("unit"), because.get("at"))
    seen: Resource = {"code": [{"text": " ".join(str(each) for each in parts if each is not None)}]}
    if detail := evidence([because]):
        seen["detail"] = detail
    return seen


def _mitigation(answer: Mapping[str, Any]) -> Resource:
    """How a finding was answered: acknowledged or overridden, with the reason, by whom and when."""
    reason = {"system": REASON_SYSTEM, "code": answer["reason"]}
    return {
        "action": {"coding": [reason], "text": answer["reason_text"]},
        "date": answer["at"],
        "author": {**actor(answer["actor"]), "display": answer["name"]},
    }


def _device(told: Told, version: str) -> Resource:
    return {
        "resourceType": "Device",
        "id": told.id_of("Device", "dosegate"),
        "status": "active",
        "deviceName": [{"name": "Dosegate", "type": "user-friendly-name"}],
        "version": [{"value": version}],
    }

"""The FHIR searches that feed the facts: what an EHR is asked to send along, and what is fetched from it."""

from dataclasses import dataclass

from service.knowledge.code_maps import CodeMaps

# What is known of a search that was made.
COMPLETE, INCOMPLETE, FAILED = "complete", "incomplete", "failed"
STATES = (COMPLETE, INCOMPLETE, FAILED)
_OF_PATIENT = "patient={{context.patientId}}"
_LOINC = "http://loinc.org"
_MOST = 500


@dataclass(frozen=True)
class Search:
    """One search, or the reading of one resource, by a template of CDS Hooks 2.0."""

    name: str
    resource_type: str
    template: str


_TABLE = (
    Search("patient", "Patient", "Patient/{{context.patientId}}"),
    Search("orders", "MedicationRequest", f"MedicationRequest?{_OF_PATIENT}&status=active,on-hold"),
    Search("results", "Observation", f"Observation?{_OF_PATIENT}&code={{codes}}"),
    Search("reports", "DiagnosticReport", f"DiagnosticReport?{_OF_PATIENT}&code={{codes}}"),
    Search("conditions", "Condition", f"Condition?{_OF_PATIENT}"),
    Search("allergies", "AllergyIntolerance", f"AllergyIntolerance?{_OF_PATIENT}"),
    # AdverseEvent is the one type here that R4 does not find by `patient`.
    Search("adverse_events", "AdverseEvent", "AdverseEvent?subject=Patient/{{context.patientId}}"),
    Search("immunizations", "Immunization", f"Immunization?{_OF_PATIENT}"),
    Search("administrations", "MedicationAdministration", f"MedicationAdministration?{_OF_PATIENT}"),
    Search("statements", "MedicationStatement", f"MedicationStatement?{_OF_PATIENT}"),
    Search("procedures", "Procedure", f"Procedure?{_OF_PATIENT}"),
    Search("service_requests", "ServiceRequest", f"ServiceRequest?{_OF_PATIENT}&status=active"),
)

NAMES = tuple(search.name for search in _TABLE)
OF_MEDICINES = ("orders", "administrations", "statements")


def searches(maps: CodeMaps) -> tuple[Search, ...]:
    """Every search. Results are searched for by LOINC code; the system is looked at when they are read."""
    codes = ",".join(sorted({each.code for each in maps.result_codes if each.uri == _LOINC}))
    return tuple(
        Search(each.name, each.resource_type, _whole(each.template.replace("{codes}", codes)))
        for each in _TABLE
    )


def _whole(template: str) -> str:
    """The template, asking for all on one page: the pages that follow may be out of reach."""
    return f"{template}&_count={_MOST}" if "?" in template else template

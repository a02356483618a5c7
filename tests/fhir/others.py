"""FHIR R4 as others read it: two validators that share nothing with the service, or with each other."""

import fhirkit
from fhir.resources.R4B import get_fhir_model_class


def problems_of(resource):
    """What either validator finds wrong with a resource, also inside a Bundle or contained."""
    found = [f"{issue.path}: {issue.message}" for issue in fhirkit.validate(resource)]
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValueError as error:
        found.append(str(error))
    return found

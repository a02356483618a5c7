"""FHIR R4: the one place that knows it. Resources to facts, and a checklist to resources."""

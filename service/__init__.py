"""Dosegate: the pre-infusion checklist service."""

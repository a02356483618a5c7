"""Pages for people: the nurse, the prescriber, the pharmacist, the auditor, the administrator."""

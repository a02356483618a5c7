"""Takes one request for a checklist from the outside: its schema, its typed facts, its answer as a document."""

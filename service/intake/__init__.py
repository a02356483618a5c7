"""Takes one request for a checklist from outside: its schema, its typed facts, its answer as a document."""

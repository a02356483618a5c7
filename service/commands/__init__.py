"""The commands that work on the records: the database, the journal, checklists, people and keys."""

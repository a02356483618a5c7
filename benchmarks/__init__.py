"""How fast a checklist is made, beside hand-written Python and two other engines with the same rules."""

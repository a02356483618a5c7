"""Who may do what: roles, people, machine clients, and how each shows who they are."""

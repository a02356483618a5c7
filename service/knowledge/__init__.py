"""Reads `rules/` into the core's types, strictly; refuses what it does not understand."""

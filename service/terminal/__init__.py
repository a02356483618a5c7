"""Answers as a person reads them at a terminal or in a pipe, and as JSON lines."""

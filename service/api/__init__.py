"""The HTTP API: JSON for every program that is not this one."""

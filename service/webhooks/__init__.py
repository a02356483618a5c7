"""Webhooks: events that go out, infusions that come in."""

"""The migrations, run by `service.records.migrate`."""

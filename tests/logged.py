"""What the service logged while a test watched."""


def logged(caplog, name):
    """Each event of this name: its fields."""
    events = [record.msg for record in caplog.records if record.name == "dosegate"]
    return [event for event in events if event["event"] == name]

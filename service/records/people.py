"""What the journal says of the accounts and API keys of a site, against what is kept of them. Pure.

Secrets are in no entry and cannot be compared: what a password, a PIN or a key is kept as.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.records.journal import Event

ACCOUNT, KEY = "account", "key"
# What is compared, and its words in a fault.
FIELDS: Mapping[str, Mapping[str, str]] = {
    ACCOUNT: {
        "full_name": "full name",
        "role": "role",
        "issuer": "issuer",
        "external": "name at the issuer",
        "state": "state",
    },
    KEY: {"prefix": "prefix", "name": "name", "scopes": "scope", "state": "state"},
}


class People:
    """How far the entries have been read; memory grows with the accounts and keys, not with the entries."""

    def __init__(self) -> None:
        # By what it is of and its name or id; the number of the last entry about it stands beside its fields.
        self._told: dict[tuple[str, str], dict[str, Any]] = {}

    def take(self, entry: Mapping[str, Any]) -> None:
        """Read the next entry; what was tampered with may have any shape, and is at fault by its digest."""
        event, details = entry["event"], entry["details"]
        if not isinstance(details, Mapping):
            return
        name = str(entry["subject"]).removeprefix("user:")
        if event == Event.ACCOUNT_ADDED:
            self._tell(ACCOUNT, name, entry, {"state": "enabled", **details})
        elif event == Event.ACCOUNT_CHANGED:
            changes = {field: _to(each) for field, each in details.items()}
            if "disabled" in details:
                changes["state"] = "disabled" if details["disabled"] else "enabled"
            self._tell(ACCOUNT, name, entry, changes)
        elif event == Event.KEY_MADE:
            self._tell(KEY, name, entry, {"state": "valid", **details})
        elif event == Event.KEY_REVOKED:
            self._tell(KEY, name, entry, {"state": "revoked"})

    def _tell(self, what: str, id: str, entry: Mapping[str, Any], says: Mapping[str, Any]) -> None:
        told = self._told.setdefault((what, id), dict.fromkeys(FIELDS[what]))
        told |= {field: says[field] for field in FIELDS[what] if field in says}
        told["entry"] = entry["sequence"]

    def faults(
        self, kept: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> Iterator[tuple[str, str, int | None]]:
        """Where the rows that are kept differ: the kind, a sentence, and the last entry about it if any."""
        unkept = dict(self._told)
        for what, rows in kept.items():
            for row in rows:
                told = unkept.pop((what, row["id"]), None)
                if told is None:
                    yield "orphan", f"the {what} {row['id']} has no entry", None
                    continue
                for field, words in FIELDS[what].items():
                    if row[field] != told[field]:
                        is_, says = _words(row[field]), _words(told[field])
                        found = f"the {words} of {what} {row['id']} is {is_}, and the journal says {says}"
                        yield "edited", found, told["entry"]
        for (what, id), told in unkept.items():
            yield "deleted", f"the {what} {id} of entry {told['entry']} is gone", told["entry"]


def _to(change: Any) -> Any:
    """What a field is after a change; without `to` it is nothing."""
    return change.get("to") if isinstance(change, Mapping) else change


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)

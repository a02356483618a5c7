"""What the journal says of all who are let in, believed or told, against what is kept of them. Pure.

Entries hold no secret, but the digest of one that was made here; of an address only its origin, and a digest
under the secret, for what stands behind the host may be a secret too. What a password, a PIN or an API key is
kept as is in no entry and cannot be compared, nor can what moves without one, as when a key was used.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from service.records.journal import Event, commitment

ACCOUNT, KEY, EHR_CLIENT, ENDPOINT, SENDER = "account", "key", "EHR client", "endpoint", "sender"
_SECRETS = {
    "secret_digest": "secret",
    "older_digest": "older secret",
    "older_until": "end of the older secret",
}
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
    EHR_CLIENT: {
        "name": "name",
        "issuer": "issuer",
        "jwks_url": "jwks_url",
        "jwks": "jwks",
        "tenants": "tenants",
        "fhir_servers": "fhir_servers",
        "origins": "origins",
        "state": "state",
    },
    ENDPOINT: {
        "origin": "origin",
        "url_digest": "address",
        "events": "events",
        "full": "setting full",
        **_SECRETS,
        "state": "state",
        "because": "reason of the pause",
    },
    SENDER: {"name": "name", **_SECRETS, "state": "state"},
}
_UNSHOWN = {"jwks", "url_digest", "secret_digest", "older_digest"}
_NAMED = {EHR_CLIENT, SENDER}  # the others are called by their ids

Fields = Mapping[str, Any]


def secret_digest(secret: str) -> str:
    """What an entry holds of a secret. Nobody guesses 256 random bits by it."""
    return f"sha256:{hashlib.sha256(secret.encode(errors='surrogatepass')).hexdigest()}"


def url_digest(secret: str, url: str) -> str:
    """What an entry holds of an address: who lacks the secret cannot guess by it."""
    key, content = (text.encode(errors="surrogatepass") for text in (secret, url))
    return commitment(key, "url", content)


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; none where it cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "none"
    return f"{parts.scheme}://{parts.netloc}"


class Registered:
    """How far the entries have been read; memory grows with what is registered, not with the entries."""

    def __init__(self) -> None:
        # By what it is of and its name or id; the number of the last entry about it stands beside its fields.
        self._told: dict[tuple[str, str], dict[str, Any]] = {}

    def take(self, entry: Fields) -> None:
        """Read the next entry; what was tampered with may have any shape, and is at fault by its digest."""
        found = _CHANGES.get(str(entry["event"]))
        if found is None or not isinstance(entry["details"], Mapping):
            return
        what, changes = found
        id = str(entry["subject"]).removeprefix("user:")
        told = self._told.setdefault((what, id), dict.fromkeys(FIELDS[what]))
        changed = changes(told, entry["details"])
        told |= {field: changed[field] for field in FIELDS[what] if field in changed}
        told["entry"] = entry["sequence"]

    def faults(self, kept: Mapping[str, Sequence[Fields]]) -> Iterator[tuple[str, str, int | None]]:
        """Where the rows that are kept differ: the kind, a sentence, and the last entry about it if any."""
        unkept = dict(self._told)
        for what, rows in kept.items():
            for row in rows:
                told = unkept.pop((what, row["id"]), None)
                if told is None:
                    yield "orphan", f"the {_title(what, row['id'], row)} has no entry", None
                    continue
                for says in _differences(what, _title(what, row["id"], told), row, told):
                    yield "edited", says, told["entry"]
        for (what, id), told in unkept.items():
            title = _title(what, id, told)
            yield "deleted", f"the {title} of entry {told['entry']} is gone", told["entry"]


def _title(what: str, id: str, fields: Fields) -> str:
    return f"{what} {fields['name'] if what in _NAMED and fields['name'] else id}"


def _differences(what: str, title: str, row: Fields, told: Fields) -> Iterator[str]:
    """Each field that differs, in a sentence; under another secret an address cannot be compared."""
    for field, words in FIELDS[what].items():
        if row[field] == told[field]:
            continue
        if field == "url_digest" and any(row[each] != told[each] for each in ("origin", "secret_digest")):
            continue
        if field in _UNSHOWN:
            yield f"the {words} of {title} is another one than the journal says"
        else:
            is_, says = _words(row[field]), _words(told[field])
            yield f"the {words} of {title} is {is_}, and the journal says {says}"


# ---------------------------------------------------------------- what an entry changes

_Change = Callable[[Fields, Fields], Fields]


def _says(state: str) -> _Change:
    """This state, and what the entry says."""
    return lambda _, says: {"state": state, **says}


def _only(state: str, *gone: str) -> _Change:
    """This state, and nothing more in the fields that are gone."""
    return lambda _, __: {**dict.fromkeys(gone), "state": state}


def _account_changed(_told: Fields, says: Fields) -> Fields:
    changes = {field: _to(each) for field, each in says.items()}
    if "disabled" in says:
        changes["state"] = "disabled" if says["disabled"] else "enabled"
    return changes


def _changed(told: Fields, says: Fields) -> Fields:
    """What an entry says of an endpoint or a sender.

    With another secret, the one before is the older one while it is good, and else gone.
    """
    changes = {field: says[field] for field in ("events", "full", "older_until") if field in says}
    if "secret_digest" in says:
        older = told["secret_digest"] if says.get("older_until") else None
        changes |= {"secret_digest": says["secret_digest"], "older_digest": older}
        address = says.get("url_digest")
        # An address that had been exchanged by then does not become the right one.
        if isinstance(address, Mapping) and address.get("from") == told.get("url_digest"):
            changes["url_digest"] = _to(address)
    return changes


def _to(change: Any) -> Any:
    """What a field is after a change; without `to` it is nothing."""
    return change.get("to") if isinstance(change, Mapping) else change


_CHANGES: Mapping[str, tuple[str, _Change]] = {
    Event.ACCOUNT_ADDED: (ACCOUNT, _says("enabled")),
    Event.ACCOUNT_CHANGED: (ACCOUNT, _account_changed),
    Event.KEY_MADE: (KEY, _says("valid")),
    Event.KEY_REVOKED: (KEY, _only("revoked")),
    Event.EHR_CLIENT_ADDED: (EHR_CLIENT, _says("valid")),
    Event.EHR_CLIENT_REVOKED: (EHR_CLIENT, _only("revoked")),
    Event.ENDPOINT_ADDED: (ENDPOINT, _says("active")),
    Event.ENDPOINT_CHANGED: (ENDPOINT, _changed),
    Event.ENDPOINT_PAUSED: (ENDPOINT, _says("paused")),
    Event.ENDPOINT_RESUMED: (ENDPOINT, _only("active", "because")),
    Event.ENDPOINT_REMOVED: (ENDPOINT, _only("removed", *_SECRETS, "url_digest")),
    Event.SENDER_ADDED: (SENDER, _says("valid")),
    Event.SENDER_CHANGED: (SENDER, _changed),
    Event.SENDER_REVOKED: (SENDER, _only("revoked", *_SECRETS)),
}


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)

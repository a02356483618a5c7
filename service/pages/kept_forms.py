"""What somebody typed into a form that could not be taken, because the session was locked or over.

It waits in the page that is shown instead, sealed: nobody who finds the page reads it, and it comes back to
nobody but the person who typed it. Passwords, PINs and files are not kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from service.access.sealing import NotSealed, Sealer
from service.access.sessions import LIFETIME
from service.records.site import SiteRecords
from service.web.guard import FORM_KEY, FORMS
from service.web.parts import parts

# Who a form was made for, in each form beside the key; and what is kept of one, in the page shown instead.
FORM_OWNER, KEPT = "form_owner", "kept"
# A half-typed form, as the browser hands it over when it locks: where it would go, and its fields.
TYPED_FOR, TYPED = "typed_for", "typed."
_OURS = {FORM_KEY, FORM_OWNER, KEPT}
# Fields that say nothing to whoever filled in the form: where on the page, which fact, what was seen of it.
_UNSAID, _SEEN, _MOST_SHOWN = {"place", "fact", "form"}, "seen", 500
_THE_ANSWER = {"", "say", "value"}
_SECRET = re.compile(r"(^|[._-])(secret|password|present|pin)($|[._-])")
_NO_PATH = re.compile(r"[^!-~]|^//|\\")


@dataclass(frozen=True)
class KeptForm:
    """A form: the account of whoever filled it in, where it goes, the page it was on, the fields in order.

    `secrets` are the names of fields with passwords and PINs, and `had_files` says that files were with it:
    neither is kept. `half_typed` says that it had not been sent yet.
    """

    owner: str
    to: str
    page: str
    fields: Sequence[tuple[str, str]]
    secrets: Sequence[str] = ()
    half_typed: bool = False
    had_files: bool = False

    @property
    def said(self) -> Sequence[tuple[str, str]]:
        """What is sent again, to be seen before: whoever filled it in may be another person than it says."""
        shown = ((_called(name), " ".join(value.split())) for name, value in self.fields)
        return [(name, value[:_MOST_SHOWN]) for name, value in shown if name and value]

    def sealed(self, now: datetime) -> str:
        """As a browser keeps it."""
        return _sealer(parts().store.records).seal([now.timestamp(), vars(self)])


def of_request(owner: str | None) -> KeptForm | None:
    """The form that is sent in this request, where it is one of ours that was made for `owner`.

    Where no session says who asks, None, it is whoever the form was made for. A browser has to say that it
    comes from a page of ours: what another site sends is never kept, to be sent again by one of ours.
    """
    if request.method != "POST" or not _is_from_own_page() or not leads_to_a_form(request.path):
        return None
    try:
        made_for = request.form.get(FORM_OWNER, "")
    except HTTPException:  # too large to be read
        return None
    if not made_for or owner not in (None, made_for):
        return None
    fields, secrets = _kept_of(request.form)
    files = bool(request.files)
    return KeptForm(made_for, request.path, page_of_request(), fields, secrets, had_files=files)


def half_typed(owner: str, page: str) -> KeptForm | None:
    """The form that a browser hands over when it locks, or None."""
    to = request.form.get(TYPED_FOR, "")
    if not leads_to_a_form(to):
        return None
    typed: MultiDict[str, str] = MultiDict(
        (name.removeprefix(TYPED), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(TYPED)
    )
    fields, secrets = _kept_of(typed)
    return KeptForm(owner, to, page, fields, secrets, half_typed=True) if fields else None


def _called(name: str) -> str:
    """What a field is called where it is shown again: an answer by its fact; empty where it says nothing."""
    fact, _, field = name.partition(".")
    vocabulary = parts().library.vocabulary
    if name in _UNSAID or field == _SEEN:
        return ""
    if fact not in vocabulary:
        return name
    label = vocabulary[fact].label
    return label if field in _THE_ANSWER else f"{label}, {field.replace('_', ' ')}"


def sent_back(now: datetime) -> KeptForm | None:
    """What was kept in the page whose form is sent now."""
    try:
        at, kept = _sealer(parts().store.records).open(request.form.get(KEPT, ""))
    except NotSealed:
        return None
    if abs(now.timestamp() - at) >= LIFETIME.total_seconds():
        return None
    return KeptForm(**{**kept, "fields": tuple(map(tuple, kept["fields"]))})


def page_of_request() -> str:
    """The page that sends this request, to go back to; the start, where it is not known."""
    said = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    return own_page(f"{said.path}?{said.query}" if said.query else said.path)


def own_page(address: str | None) -> str:
    """An address if it is that of a page of ours, without a host, else the start."""
    return address if address and _leads_to(address, "GET") else "/"


def leads_to_a_form(address: str) -> bool:
    """Whether a form of ours goes there, which needs a session that is not locked."""
    return _leads_to(address, "POST")


# What belongs to signing in and out: nobody is led back to it.
_NO_WAY_BACK = {
    f"{FORMS}.{view}"
    for view in ("start", "sign_in", "enter", "sign_out", "lock", "locked", "unlock", "awake", "asset")
} | {f"{FORMS}.choose_language"}


def _leads_to(address: str, method: str) -> bool:
    if not address.startswith("/") or _NO_PATH.search(address):
        return False
    try:
        endpoint, _ = current_app.url_map.bind("localhost").match(address.partition("?")[0], method=method)
    except (HTTPException, RequestRedirect):
        return False
    return str(endpoint).startswith(f"{FORMS}.") and endpoint not in _NO_WAY_BACK


def _is_from_own_page() -> bool:
    """Whether a browser says so; where it says otherwise, the door has refused the request before."""
    return "Sec-Fetch-Site" in request.headers or "Origin" in request.headers


def _kept_of(form: MultiDict[str, str]) -> tuple[Sequence[tuple[str, str]], Sequence[str]]:
    """The fields that are kept, and the names of those that hold what is not."""
    fields = tuple((name, value) for name, value in form.items(multi=True) if name not in _OURS)
    kept = tuple(field for field in fields if not is_secret(field[0]))
    return kept, tuple(name for name, _ in fields if is_secret(name))


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a password or a PIN."""
    return _SECRET.search(name) is not None


def _sealer(records: SiteRecords) -> Sealer:
    return Sealer(records, "forms")

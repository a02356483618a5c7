"""A little FHIR server on this machine, with each way to go wrong as a mode.

    with FhirServer([patient, *observations], modes={"Observation": "slow"}, page_size=2) as server:
        fetch_missing(searches, {"patientId": "7"}, {}, server.granted(), server.outbound(), 0.35)

It gives resources of the type that is asked for, of the patient that is asked for, to who brings its token.
A mode is of a resource type (`Observation`), or of one page of it and those after it (`Observation/2`).
"""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from service.ehr import fetching
from service.outbound.http import Outbound
from tests.outbound.servers import HEAD_ENDS, Server, ok

TOKEN = "granted-for-this-call"
JSON = "Content-Type: application/fhir+json; charset=utf-8"
STATUSES = "301 302 400 401 403 404 406 410 422 429 500 502 503".split()


def outcome(severities: str) -> dict[str, Any]:
    """One issue for each severity, as `information+warning`."""
    said = {"code": "processing", "diagnostics": "Nothing that a log should hold"}
    issues = [said | {"severity": each} for each in severities.split("+") if each]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _dripping(first: bytes, drop: bytes):
    def answer(connection, server):
        connection.sendall(first)
        while not server.ended.wait(0.02):
            connection.sendall(drop)

    return answer


def _endless(connection, server):
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + JSON.encode() + HEAD_ENDS + b'{"a": "')
    while not server.ended.is_set():
        connection.sendall(b"a" * 65536)


def _silent(_connection, server):
    server.ended.wait()


def _closing(connection, _server):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n" + JSON.encode() + HEAD_ENDS + b'{"res')


# What takes a connection for itself, and what is said in place of the right page.
HANGING = {
    "slow": _dripping(b"HTTP/1.1 200 OK\r\n" + JSON.encode() + HEAD_ENDS + b"{", b" "),
    "slow_head": _dripping(b"HTTP/1.1 200 OK\r\n", b"X"),
    "silent": _silent,
    "endless": _endless,
    "closing": _closing,
}


class FhirServer(Server):
    """Serves `resources` below `/fhir`; `page_size` None means all on one page. `asked` are the paths."""

    def __init__(
        self,
        resources: Iterable[Mapping[str, Any]],
        *,
        modes: Mapping[str, str] | None = None,
        page_size: int | None = None,
        tls: Any = None,
    ) -> None:
        super().__init__(self._serve_one, tls)
        self.resources = [dict(each) for each in resources]
        self.modes = dict(modes or {})
        self.page_size = page_size
        self._scheme = "http" if tls is None else "https"

    @property
    def base(self) -> str:
        return self.url(path="/fhir", scheme=self._scheme)

    def granted(self, base: str | None = None, token: str = TOKEN) -> fetching.FhirServer:
        """What a call says of this server."""
        return fetching.FhirServer(base or self.base, token)

    def outbound(self) -> Outbound:
        """What may call this server, and no other on this machine."""
        return Outbound(frozenset({f"127.0.0.1:{self.port}"}))

    @property
    def asked(self) -> list[str]:
        return [request.split(b" ")[1].decode() for request in self.requests]

    def _serve_one(self, connection, request: bytes, _server) -> None:
        target = urlsplit(request.split(b" ")[1].decode())
        query = parse_qs(target.query)
        type_, _, id_ = target.path.removeprefix("/fhir/").partition("/")
        page = int(query.get("_page", ["1"])[0])
        mode = self._mode(type_, page)
        if mode in HANGING:
            HANGING[mode](connection, self)
        elif f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() not in request:
            connection.sendall(ok(_text(outcome("error")), JSON, status="401 Unauthorized"))
        elif id_:
            connection.sendall(self._one(type_, id_, mode))
        else:
            connection.sendall(self._page(type_, target.query, query, page, mode))

    def _mode(self, type_: str, page: int) -> str | None:
        found = self.modes.get(type_)
        for number in range(1, page + 1):
            found = self.modes.get(f"{type_}/{number}", found)
        return found

    def _one(self, type_: str, id_: str, mode: str | None) -> bytes:
        for resource in self.resources:
            if (resource["resourceType"], resource["id"]) == (type_, id_):
                return _said(resource, mode, self.base)
        return ok(_text(outcome("error")), JSON, status="404 Not Found")

    def _page(self, type_: str, query: str, asked: dict, page: int, mode: str | None) -> bytes:
        patient = (asked.get("patient") or asked.get("subject") or [None])[0]
        found = [
            each
            for each in self.resources
            if each["resourceType"] == type_
            and patient in (None, _patient_of(each), f"Patient/{_patient_of(each)}")
        ]
        size = self.page_size or len(found) or 1
        entries = [
            {"fullUrl": f"{self.base}/{type_}/{each['id']}", "resource": each, "search": {"mode": "match"}}
            for each in found[(page - 1) * size : page * size]
        ]
        links = [{"relation": "self", "url": f"{self.base}/{type_}?{query}"}]
        if page * size < len(found):
            rest = "&".join(part for part in query.split("&") if not part.startswith("_page="))
            links.append({"relation": "next", "url": f"{self.base}/{type_}?{rest}&_page={page + 1}"})
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
        return _said(bundle | ({"entry": entries} if entries else {}), mode, self.base)


def _patient_of(resource: Mapping[str, Any]) -> str | None:
    reference = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    return reference.rpartition("/")[2] or None


def _text(document: Any) -> bytes:
    return json.dumps(document).encode()


def _with_entry(document: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    return document | {"entry": [*document.get("entry", []), entry]}


def _with_next(document: dict[str, Any], link: dict[str, Any]) -> dict[str, Any]:
    others = [each for each in document.get("link", []) if each["relation"] != "next"]
    return document | {"link": [*others, {"relation": "next"} | link]}


_INCLUDED = {"resource": {"resourceType": "Medication", "id": "m"}, "search": {"mode": "include"}}
# What is said in place of the right document, as it should be said.
_OTHERWISE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "list": lambda right: [right],
    "no_resource": lambda right: {"entry": []},
    "outcome": lambda right: outcome("error"),
    "history": lambda right: right | {"type": "history"},
    "odd_entry": lambda right: right | {"entry": "odd"},
    "empty_entry": lambda right: _with_entry(right, {"fullUrl": "x"}),
    "fewer": lambda right: right | {"entry": right["entry"][:-1]},
    "fewer_included": lambda right: _with_entry(right | {"entry": right["entry"][:-1]}, _INCLUDED),
    "included": lambda right: _with_entry(right, _INCLUDED),
    "next_nowhere": lambda right: _with_next(right, {}),
}
# The right document, said in another way.
_SAID: dict[str, Callable[[bytes], bytes]] = {
    "plain_json": lambda whole: ok(whole, "Content-Type: application/json"),
    "html": lambda whole: ok(b"<html>Please sign in</html>", "Content-Type: text/html"),
    "wrong_type": lambda whole: ok(whole, "Content-Type: application/fhir+xml"),
    "no_type": ok,
    "broken": lambda whole: ok(whole[:-2], JSON),
    "twice": lambda whole: ok(whole[:-1] + b', "resourceType": "Bundle"}', JSON),
    "deep": lambda whole: ok(b"[" * 100_000 + b"]" * 100_000, JSON),
    "empty": lambda whole: ok(b"", JSON),
    "compressed": lambda whole: ok(gzip.compress(whole), JSON, "Content-Encoding: gzip"),
}


def _said(right: dict[str, Any], mode: str | None, base: str) -> bytes:
    """The right answer, or what the mode says instead."""
    if mode is None:
        return ok(_text(right), JSON)
    if mode in STATUSES:
        return ok(_text(outcome("error")), JSON, f"Location: {base}/elsewhere", status=f"{mode} So")
    if mode in _SAID:
        return _SAID[mode](_text(right))
    kind, _, rest = mode.partition(":")
    if kind == "next":
        return ok(_text(_with_next(right, {"url": rest.replace("{base}", base)})), JSON)
    if kind == "note":
        return ok(_text(_with_entry(right, {"resource": outcome(rest), "search": {"mode": "outcome"}})), JSON)
    return ok(_text(_OTHERWISE[mode](right)), JSON)

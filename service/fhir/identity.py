"""Whether a resource is about the patient asked about, by what it refers to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from service.fhir.resources import Resource, id_of, objects, reference, target, text, type_of

SAME, OTHER, NOBODY, UNTOLD = "same", "other", "nobody", "untold"
_ASKED_BY_IDENTIFIER = "Patient?identifier="

Identifier = tuple[str, str]


@dataclass(frozen=True)
class Whose:
    """The patient of a chart: id, address, identifiers and server, as far as they are known.

    `asked` is the id that was asked for, or an identifier, but where `by_id` says that it is the id.
    """

    id: str | None
    url: str | None
    identifiers: frozenset[Identifier]
    server: str
    asked: str | None
    by_id: bool

    @classmethod
    def of(
        cls, patient: Resource | None, url: str | None, asked: str | None, *, server: str | None, by_id: bool
    ) -> "Whose":
        """The patient of a Patient resource; without one, the one that was asked for.

        `server` is the address of the server that the chart is from, where the Patient does not tell.
        """
        of_server = _server(url or "") or _server(f"{(server or '').rstrip('/')}/Patient/id")
        if patient is None:
            return cls(asked, None, frozenset(), of_server, None, by_id)
        identifiers = frozenset(_identifiers(patient.get("identifier")))
        return cls(id_of(patient), url, identifiers, of_server, asked, by_id)

    @property
    def is_asked_for(self) -> bool:
        """Whether this is the patient that was asked for, if any was."""
        if self.asked is None or self.asked == self.id:
            return True
        return not self.by_id and self.asked in (value for _, value in self.identifiers)

    def verdict(self, referred: Any, contained: Mapping[str, Resource]) -> str:
        """Whose a Reference says that its resource is; one that is not there is the same.

        `contained` are the resources beside it, by their ids. Nobody's is what is about a group, a device or
        another thing.
        """
        if referred is None:
            return SAME
        written = reference(referred)
        if written is None:
            given = [each for one in objects(referred) for each in _identifiers(one.get("identifier"))]
            return self._by_identifiers(given)
        if written.startswith("#"):
            found = contained.get(written[1:], {})
            if type_of(found) != "Patient":
                return NOBODY if found else UNTOLD
            return self._by_identifiers(list(_identifiers(found.get("identifier"))))
        if written.startswith(_ASKED_BY_IDENTIFIER):
            system, _, value = unquote(written.removeprefix(_ASKED_BY_IDENTIFIER)).rpartition("|")
            return self._by_identifiers([(system, value)])
        return self._by_address(written.split("/_history/", maxsplit=1)[0])

    def _by_identifiers(self, given: list[Identifier]) -> str:
        if not given:
            return UNTOLD
        return SAME if self.identifiers.intersection(given) else OTHER

    def _by_address(self, written: str) -> str:
        if written == self.url:
            return SAME
        if written.startswith("urn:"):
            same = self.url is None and self.id is not None and written.rsplit(":", maxsplit=1)[-1] == self.id
            return SAME if same else OTHER
        found = target(written)
        if found is None:
            return UNTOLD
        if found[0] != "Patient":
            return NOBODY
        if found[1] != self.id:
            return OTHER
        theirs = _server(written)
        return SAME if not self.server or not theirs or self.server == theirs else OTHER


def identifier_of(patient: Resource | None, system: str) -> str | None:
    """The identifier of a Patient in a system, where it has exactly one of it."""
    given = objects(patient.get("identifier")) if patient is not None else []
    of_system = [each for each in given if text(each.get("system")) == system]
    return text(of_system[0].get("value")) if len(of_system) == 1 else None


def _identifiers(value: Any) -> Iterator[Identifier]:
    for each in objects(value):
        said = text(each.get("value"))
        if said is not None:
            yield text(each.get("system")) or "", said


def _server(url: str) -> str:
    """The server of an absolute address, whichever way it is reached."""
    scheme, found, rest = url.partition("://")
    return rest.rsplit("/", maxsplit=2)[0] if found and scheme in ("http", "https") else ""

"""Versions of a drug's rules: which were used, and where two of them differ."""

from datetime import datetime

from flask import Response, request

from service.access.roles import Permission
from service.checklist.rules import Pack
from service.knowledge.library import Library
from service.knowledge.problems import KnowledgeError
from service.pages.drugs import pack_of
from service.pages.moments import minute
from service.pages.presenters.comparison import comparison
from service.pages.presenters.drugs import drug_line
from service.pages.presenters.versions import VersionLine, version_lines
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext
from service.records.stored import Basis
from service.records.versions import NoSuchVersion, Version, basis_of, library_of, versions_of
from service.web.parts import parts, principal, today

section = Section()


@section.page("/drugs/<drug>/versions", needs=Permission.KNOWLEDGE_READ)
def drug_versions(drug: str) -> Response:
    """List the versions that this site has used; how much each was used, to who may read such counts."""
    pack = pack_of(drug)
    lines = _lines(pack, _versions(pack))
    line = drug_line(pack, parts().library, today())
    return page("drugs/versions.html", drug=line, versions=lines, chosen=_chosen(lines), error=None)


@section.page("/drugs/<drug>/compare", needs=Permission.KNOWLEDGE_READ)
def compare_versions(drug: str) -> Response:
    """Show where one version differs from another, in words."""
    pack = pack_of(drug)
    day = today()
    line, versions = drug_line(pack, parts().library, day), _versions(pack)
    lines = _lines(pack, versions)
    chosen = (request.args.get("from", ""), request.args.get("to", ""))
    try:
        before, after = (_read(pack, versions, each) for each in chosen)
    except NoSuchVersion:
        error = gettext("Choose two versions whose files are kept here.")
        return page("drugs/versions.html", code=404, drug=line, versions=lines, chosen=chosen, error=error)
    except KnowledgeError:
        error = gettext("The files of one of these are in a form that this version of Dosegate cannot read.")
        return page("drugs/versions.html", code=409, drug=line, versions=lines, chosen=chosen, error=error)
    shown = {each.id: each for each in lines}
    return page(
        "drugs/compare.html",
        drug=line,
        before=shown[chosen[0]],
        after=shown[chosen[1]],
        view=comparison(before, after, day),
    )


def basis_now(pack: Pack) -> Basis:
    """The files of a pack that are in force, and the policy."""
    return Basis.of(parts().library, pack)


def _versions(pack: Pack) -> list[Version]:
    return versions_of(parts().store.records, pack.id, basis_now(pack))


def _lines(pack: Pack, versions: list[Version]) -> list[VersionLine]:
    counts = principal().may(Permission.QUALITY_READ)
    return version_lines(versions, basis_now(pack), _moment, counts=counts)


def _chosen(lines: list[VersionLine]) -> tuple[str, str]:
    """What is compared unless somebody chooses: the version before this one, with this one."""
    kept = [each.id for each in lines if each.kept]
    return (kept[1] if len(kept) > 1 else kept[0], kept[0])


def _read(pack: Pack, versions: list[Version], id: str) -> tuple[Pack, Library]:
    """The pack as it was in a version. Raises NoSuchVersion, KnowledgeError."""
    version = next((each for each in versions if each.id == id), None)
    if version is None:
        raise NoSuchVersion
    library = library_of(basis_of(parts().store.records, version, basis_now(pack)))
    return library.packs[pack.id], library


def _moment(at: datetime) -> str:
    return minute(at.astimezone(parts().time_zone))

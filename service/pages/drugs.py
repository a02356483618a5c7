"""Drugs: what each pack says, as a document."""

from flask import Response

from service.access.roles import Permission
from service.checklist.rules import Pack
from service.pages.presenters.drugs import drug_line, pack_view
from service.pages.rendering import page
from service.pages.section import Section
from service.web.errors import NoSuchDrug
from service.web.parts import parts, today

section = Section()


@section.page("/drugs", needs=Permission.KNOWLEDGE_READ)
def drugs() -> Response:
    """List the drugs that have rules here."""
    library, day = parts().library, today()
    lines = [drug_line(pack, library, day) for pack in library.packs.values()]
    return page("drugs/list.html", drugs=lines)


@section.page("/drugs/<drug>", needs=Permission.KNOWLEDGE_READ)
def drug(drug: str) -> Response:
    """The whole pack of one drug."""
    view = pack_view(pack_of(drug), parts().library, today())
    return page("drugs/drug.html", view=view, drug=view.line)


def pack_of(drug: str) -> Pack:
    """The pack with this id. Raises NoSuchDrug."""
    pack = parts().library.packs.get(drug)
    if pack is None:
        raise NoSuchDrug
    return pack

"""Pages that belong together, each with what it needs of whoever asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask
from flask.typing import ResponseReturnValue

from service.web.guard import FORMS, Needs

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True)
class Page:
    """One page: its address, the function that answers, its method, and what it needs."""

    rule: str
    view: Callable[..., ResponseReturnValue]
    method: str
    needs: Needs

    @property
    def endpoint(self) -> str:
        """How `url_for` knows it: `pages.` and the name of the function."""
        return f"{FORMS}.{self.view.__name__}"


class Section:
    """Pages that belong together."""

    def __init__(self) -> None:
        self.pages: list[Page] = []

    def page(self, rule: str, *, needs: Needs, method: str = "GET") -> Callable[[View], View]:
        """Route a page, saying what whoever asks must be allowed."""

        def routed(view: View) -> View:
            self.pages.append(Page(rule, view, method, needs))
            return view

        return routed


def route(app: Flask, sections: Sequence[Section]) -> dict[str, Needs]:
    """Route all pages; what each of them needs, by endpoint."""
    needs: dict[str, Needs] = {}
    for page in (page for section in sections for page in section.pages):
        app.add_url_rule(page.rule, page.endpoint, page.view, methods=[page.method])
        needs[page.endpoint] = page.needs
    return needs

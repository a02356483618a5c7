"""What tests are about: by their codes, else by their names; and the codes that are not known here."""

import re
from collections.abc import Iterable, Iterator

from service.checklist.facts import FactDefinition
from service.fhir.reads import Read, ReadingContext, noted
from service.fhir.resources import Resource, called, codings, keys, plain_codes, words
from service.knowledge.code_maps import folded

_LABORATORY = "laboratory"
_ANTIBODY = r"(?<!\w)(?:ab|antibody|antibodies)(?!\w)"

Facts = frozenset[str]


class About:
    """The facts that observations and reports are about."""

    def __init__(self, context: ReadingContext) -> None:
        self._maps = context.maps
        results = (each for each in context.vocabulary.facts.values() if each.result)
        self._names = {each.name: _pattern(each) for each in results}
        self._seen: dict[str, Facts] = {}

    def facts(self, resource: Resource) -> Facts:
        """Those of its codes; where none of them is known here, those that it is named like."""
        known = keys(resource.get("code"), self._maps)
        coded = frozenset(self._maps.results[key].fact for key in known if key in self._maps.results)
        return coded or self.by_name(resource)

    def by_name(self, resource: Resource) -> Facts:
        """Those that it is named like, where its code is not known here."""
        if self.is_known(resource):
            return frozenset()
        return frozenset().union(*(self._named(folded(each)) for each in words(resource.get("code"))))

    def is_known(self, resource: Resource) -> bool:
        """Whether a code of it is read here, or known never to be read."""
        known = keys(resource.get("code"), self._maps)
        return any(key in self._maps.results or key in self._maps.never_read for key in known)

    def _named(self, said: str) -> Facts:
        if said not in self._seen:
            self._seen[said] = frozenset(fact for fact, name in self._names.items() if name.search(said))
        return self._seen[said]


def _pattern(definition: FactDefinition) -> re.Pattern[str]:
    """What a result is called, as whole words.

    A name of one word, such as weight, must be all that is said: there is an ideal weight too. An amount of
    IgG is not one of MOG-IgG, nor of an IgG antibody to something.
    """
    label = folded(definition.label)
    short = re.findall(r"\(([^)]+)\)", label)
    names = sorted({label, re.sub(r"\s*\([^)]+\)", "", label), *short}, key=len, reverse=True)
    several = "|".join(map(re.escape, names))
    if names == [label] and " " not in label:
        return re.compile(rf"\A(?:body )?{several}\Z")
    if definition.type == "quantity" and not re.search(_ANTIBODY, label):
        return re.compile(rf"\A(?!.*{_ANTIBODY}).*?(?<!\w)(?<!\w\w-)(?:{several})(?!\w)")
    return re.compile(rf"(?<!\w)(?:{several})(?!\w)")


def unknown_codes(observed: Iterable[tuple[str, Resource]], about: About) -> Iterator[Read]:
    """A line for each code of a laboratory test that is not known here, and not named like a fact either."""
    seen: dict[tuple[object, ...], list[tuple[str, Resource]]] = {}
    for name, body in observed:
        if about.is_known(body) or about.by_name(body):
            continue
        concept = body.get("code")
        which = tuple(sorted((each.uri or "", each.code or "") for each in codings(concept)))
        seen.setdefault(which or tuple(words(concept)), []).append((name, body))
    for several in seen.values():
        name, body = min(several, key=lambda each: each[0])
        if any(_LABORATORY in plain_codes(each.get("category")) for _, each in several):
            count = f", {len(several)} results" if len(several) > 1 else ""
            yield noted(name, not_known(body) + count, understood=False)


def not_known(body: Resource) -> str:
    """That the code of a test is not known, and what it is called."""
    return f"code not known here: {called(body.get('code')) or 'none'}"

"""Observations whose codes are not known here, where they may matter: each code once, with its count."""

import re
from collections.abc import Iterable, Iterator, Mapping

from service.checklist.facts import FactDefinition, Vocabulary
from service.fhir.reads import Read, ReadingContext, noted
from service.fhir.resources import Resource, called, codings, keys, plain_codes, words
from service.knowledge.code_maps import folded

_LABORATORY = "laboratory"


def unknown_codes(observed: Iterable[tuple[str, Resource]], context: ReadingContext) -> Iterator[Read]:
    """A line for each code of a laboratory test, or of something named like a result, that is not known."""
    labels = _labels(context.vocabulary)
    seen: dict[tuple[object, ...], list[tuple[str, Resource]]] = {}
    for name, body in observed:
        concept = body.get("code")
        known = keys(concept, context.maps)
        if any(key in context.maps.results or key in context.maps.never_read for key in known):
            continue
        which = tuple(sorted((each.uri or "", each.code or "") for each in codings(concept)))
        seen.setdefault(which or tuple(words(concept)), []).append((name, body))
    for several in seen.values():
        name, body = min(several, key=lambda each: each[0])
        fact = _named(words(body.get("code")), labels)
        laboratory = any(_LABORATORY in plain_codes(each.get("category")) for _, each in several)
        if fact is not None or laboratory:
            count = f", {len(several)} results" if len(several) > 1 else ""
            says = f"code not known here: {called(body.get('code')) or 'none'}{count}"
            yield noted(name, says, fact, understood=False)


def _labels(vocabulary: Vocabulary) -> Mapping[str, re.Pattern[str]]:
    """What the results of the vocabulary are called, as whole words."""
    return {each.name: _pattern(each) for each in vocabulary.facts.values() if each.result}


def _pattern(definition: FactDefinition) -> re.Pattern[str]:
    label = folded(definition.label)
    short = re.findall(r"\(([^)]+)\)", label)
    names = {label, re.sub(r"\s*\([^)]+\)", "", label), *short}
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})(?!\w)")


def _named(texts: Iterable[str], labels: Mapping[str, re.Pattern[str]]) -> str | None:
    for text in map(folded, texts):
        for fact, pattern in labels.items():
            if pattern.search(text):
                return fact
    return None

"""What a status is on a page: a shape, a word and a colour; never a colour alone. One table for all pages."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.checklist.rules import Kind
from service.pages.texts import Later, lazy_gettext


@dataclass(frozen=True)
class Mark:
    """How something is marked: a shape, the sign in it, the word beside it, and the class of its colour."""

    shape: str
    sign: str
    word: Later
    tone: str


MISSING, NOT_CHECKED = "missing", "not_checked"
# The kinds of finding that say that something is not known, rather than that something is found.
UNKNOWN_KINDS = frozenset({Kind.MISSING, Kind.STALE, Kind.CONFLICT})

MARKS: Mapping[str, Mark] = {
    "block": Mark("octagon", "✕", lazy_gettext("Block"), "block"),
    "warn": Mark("triangle", "!", lazy_gettext("Warn"), "warn"),
    "pass": Mark("circle", "✓", lazy_gettext("Pass"), "pass"),
    NOT_CHECKED: Mark("square", "?", lazy_gettext("Not checked"), "unknown"),
}

# What stands on the decision strip. Nothing here says that it is safe.
DECISIONS: Mapping[str, Later] = {
    "block": lazy_gettext("Hold"),
    "warn": lazy_gettext("Look before you start"),
    "pass": lazy_gettext("Nothing was found that stops this infusion"),
}

KIND_WORDS: Mapping[str, Later] = {
    "ok": lazy_gettext("Nothing found"),
    "not_applicable": lazy_gettext("Does not apply"),
    "contraindication": lazy_gettext("Contraindication"),
    "caution": lazy_gettext("Caution"),
    "defer": lazy_gettext("Delay"),
    "missing": lazy_gettext("Missing"),
    "stale": lazy_gettext("Too old"),
    "conflict": lazy_gettext("Contradiction"),
    "premedication": lazy_gettext("Premedication"),
    "dose": lazy_gettext("Dose"),
    "schedule": lazy_gettext("Schedule"),
    "policy": lazy_gettext("Site policy not set"),
    "engine": lazy_gettext("Fault of the service"),
}

# Who may go on in spite of a finding, by the rule behind it.
OVERRIDES: Mapping[str, Later] = {
    "never": lazy_gettext("Can never be overridden"),
    "prescriber": lazy_gettext("Only a prescriber can override this"),
    "acknowledge": lazy_gettext("Can be acknowledged"),
}

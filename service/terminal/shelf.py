"""The shelf of drug packs: which there are, and whether everything the ledger states is accounted for."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from service.checklist.rules import Pack
from service.knowledge.ledger import SITE
from service.knowledge.library import LEDGER, Library
from service.knowledge.problems import Problem
from service.knowledge.review import coverage, unused_site_rows
from service.terminal.words import counted


def shelf_document(library: Library) -> list[dict[str, Any]]:
    """Every pack in a few words, as JSON."""
    return [
        {
            "id": pack.id,
            "title": pack.title,
            "brands": list(pack.brands),
            "aliases": list(pack.aliases),
            "class": pack.drug_class,
            "regions": list(pack.regions),
            "version": pack.version,
            "status": pack.status,
            "digest": pack.digest,
            "checks": len(pack.checks),
            "rules": len(pack.rules),
            "owner": pack.owner,
            "review_by": pack.review_by,
        }
        for pack in library.packs.values()
    ]


def overdue(pack: Pack, today: date) -> bool:
    """Whether the pack is past the day by which somebody was to read it again."""
    return date.fromisoformat(pack.review_by) < today


def unused(library: Library) -> list[Problem]:
    """The rows of the site's own that no pack uses, at their lines in the ledger."""
    lines = library.texts[LEDGER].splitlines()
    message = "no pack uses this row of the site: cite it in a rule, or take it out"
    return [
        Problem(
            f"rules/{LEDGER}",
            next(at for at, line in enumerate(lines, 1) if line.startswith(f"{row},")),
            row,
            message,
        )
        for row in unused_site_rows(library.packs, library.ledger)
    ]


def report(library: Library, today: date) -> Iterator[str]:
    """What a sound shelf holds, line by line."""
    rows: set[str] = set()
    accounted: set[str] = set()
    for pack in library.packs.values():
        account = coverage(pack, library.ledger)
        rows |= account.rows
        accounted |= account.accounted
        observed = account.rows & account.in_observation - account.in_rules
        yield (
            f"{pack.id}: {len(account.accounted)} of {len(account.rows)} ledger rows accounted for"
            f" ({len(account.rows & account.in_rules)} in rules, {len(observed)} in the observation plan,"
            f" {len(account.rows & account.not_checked - observed)} not checked with a reason)"
        )
    site = [row for row in library.ledger.values() if SITE in row.drugs]
    read = {fact for pack in library.packs.values() for fact in pack.facts_read}
    yield f"{len(accounted)} of {len(rows)} ledger rows accounted for"
    yield f"site: {len(site)} of {len(site)} rows used"
    yield (
        f"{counted(len(library.vocabulary.facts), 'fact')} declared, {len(read)} read by a rule,"
        f" {len(read - set(library.vocabulary.facts))} undeclared"
    )
    yield f"{counted(len(library.code_maps.known), 'code')} of EHRs mapped"
    for pack in library.packs.values():
        if overdue(pack, today):
            yield f"warning: {pack.id} was to be read again by {pack.review_by}; its owner is {pack.owner}"

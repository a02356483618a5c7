"""Which versions of a drug's rules this site has used, as they are listed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.pages.texts import gettext, ngettext
from service.records.stored import Basis
from service.records.versions import Version, version_id

Moment = Callable[[datetime], str]


@dataclass(frozen=True)
class VersionLine:
    """A version in the list. `choice` tells it from the others in a few words, `names` are its digests."""

    id: str
    number: str
    choice: str
    names: tuple[tuple[str, str], ...]
    since: tuple[str, ...]
    made: str | None
    between: str | None
    in_force: bool
    kept: bool


def version_lines(
    versions: Sequence[Version], now: Basis, moment: Moment, *, counts: bool
) -> list[VersionLine]:
    """The versions, the newest first; how many checklists were made with each where `counts` may be shown."""
    return [_line(each, version_id(now.knowledge, now.policy), moment, counts) for each in versions]


def _line(version: Version, in_force: str, moment: Moment, counts: bool) -> VersionLine:
    made = between = None
    if counts:
        made = ngettext("%(num)s checklist", "%(num)s checklists", version.made)
        if version.first is not None and version.last is not None:
            between = gettext(
                "from %(first)s to %(last)s", first=moment(version.first), last=moment(version.last)
            )
    number = version.number or gettext("Version not in the journal")
    names = [(gettext("Pack"), version.pack)] if version.pack else []
    return VersionLine(
        id=version.id,
        number=number,
        choice=_choice(version, number, moment, in_force=version.id == in_force),
        names=(*names, (gettext("Files"), version.knowledge), (gettext("Site policy"), version.policy)),
        since=tuple(map(moment, version.since)),
        made=made,
        between=between,
        in_force=version.id == in_force,
        kept=version.kept,
    )


def _choice(version: Version, number: str, moment: Moment, *, in_force: bool) -> str:
    parts = [number]
    if version.since:
        parts.append(gettext("from %(day)s", day=moment(version.since[-1])))
    if in_force:
        parts.append(gettext("in force"))
    return f"{', '.join(parts)} ({version.id})"

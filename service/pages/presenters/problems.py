"""What a page says of a problem: what happened, what to do, and what has not been lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.pages.texts import Later, gettext, lazy_gettext, ngettext, own_words
from service.web import problems

_KEPT = lazy_gettext("Answers that were given before are kept.")


@dataclass(frozen=True)
class Words:
    """The words of one sort of problem; `own` says that what the service itself says of it is shown too."""

    title: Later
    happened: Later
    to_do: Later
    own: bool = False


@dataclass(frozen=True)
class ProblemView:
    """A problem as a page shows it. `reason` and `errors` are the service's own words."""

    title: str
    happened: str
    to_do: str
    reason: str | None
    errors: list[tuple[str, str]]
    wait: str | None


_GONE = Words(
    lazy_gettext("Not found"),
    lazy_gettext("There is nothing at this address, or it is no longer kept here."),
    lazy_gettext("Go to the start, and find it from there."),
)
_FAILED = Words(
    lazy_gettext("The service failed"),
    lazy_gettext("Something went wrong on our side. What you just sent may not have been recorded."),
    lazy_gettext("Look whether it is there, and try again. If it fails again, work by the paper procedure."),
)
_NOT_NOW = Words(
    lazy_gettext("Not available now"),
    lazy_gettext("The service cannot read or write its records now, so nothing was recorded."),
    lazy_gettext("Try again in a moment. If you cannot wait, work by the paper procedure."),
)
_MAY_NOT = Words(
    lazy_gettext("Not yours to do"),
    lazy_gettext("Your role does not allow this. Nothing was done; the refusal is recorded."),
    lazy_gettext("Ask somebody who may do it. The page about roles says who."),
)
_CANNOT = Words(
    lazy_gettext("This cannot be done now"),
    lazy_gettext("Something has changed, or something else has to come first. Nothing was recorded."),
    lazy_gettext("Go back, look at the page as it is now, and decide again."),
    own=True,
)
_REFUSED = Words(
    lazy_gettext("Something needs to be put right"),
    lazy_gettext("What was sent cannot be taken as it is. Nothing was recorded."),
    lazy_gettext("Go back, put it right, and send it again."),
    own=True,
)

_BY_STATUS: Mapping[int, Words] = {
    400: Words(
        lazy_gettext("Not understood"),
        lazy_gettext("The browser sent something that is not complete. Nothing was recorded."),
        lazy_gettext("Go back, load the page again, and try once more."),
    ),
    401: Words(
        lazy_gettext("Not signed in"),
        lazy_gettext("The sign-in did not succeed. Nobody is signed in."),
        lazy_gettext("Go to the start and sign in again. If it fails again, ask an administrator."),
    ),
    403: _MAY_NOT,
    404: _GONE,
    405: Words(
        lazy_gettext("Not opened this way"),
        lazy_gettext("This address takes what a form sends; it is no page to open."),
        lazy_gettext("Go to the start, and open the page from there."),
    ),
    409: _CANNOT,
    410: Words(
        lazy_gettext("Erased"),
        lazy_gettext("What was kept of this patient has been erased, as the law allows."),
        lazy_gettext("The journal says when and by whom. Nothing can be brought back."),
    ),
    413: Words(
        lazy_gettext("Too large"),
        lazy_gettext("What was sent is larger than is taken here. Nothing was recorded."),
        lazy_gettext("Send a smaller file, or a shorter text."),
    ),
    422: _REFUSED,
    429: Words(
        lazy_gettext("Too many wrong tries"),
        lazy_gettext("After several wrong tries there is a pause, so that nobody can guess."),
        lazy_gettext("Wait, then try again. If this was not you, tell an administrator."),
    ),
    500: _FAILED,
    503: _NOT_NOW,
}
_BY_TYPE: Mapping[str, Words] = {
    problems.FOREIGN_SITE.type: Words(
        lazy_gettext("Not from a page of this service"),
        lazy_gettext("Another site, or an old page, tried to change something here. Nothing was done."),
        lazy_gettext("Open the page anew from the start, and do it there if you meant to."),
    ),
    problems.PROVIDER_UNAVAILABLE.type: Words(
        lazy_gettext("Sign-in is not available now"),
        lazy_gettext("The identity provider of your organisation does not answer. Nobody is signed in."),
        lazy_gettext("Try again in a moment, or sign in with a name and a password, if you have them."),
    ),
    problems.NO_PDF.type: Words(
        lazy_gettext("No PDF can be made here"),
        lazy_gettext("This server lacks the library that draws a PDF. Nothing is lost."),
        lazy_gettext(
            "Open the print page of this checklist, and print it or save it as a PDF from the browser."
        ),
    ),
    problems.TOO_MANY_REQUESTS.type: Words(
        lazy_gettext("Too much at once"),
        lazy_gettext("More was asked of the service within a minute than it answers. Nothing was recorded."),
        lazy_gettext("Wait, then try again. If it comes back, tell an administrator."),
    ),
    problems.WRONG_SECRET.type: Words(
        lazy_gettext("Wrong PIN or password"),
        lazy_gettext("This PIN or password is not right. Nothing was recorded but the failure."),
        lazy_gettext("Go back and enter it again. After 5 wrong tries there is a pause."),
    ),
}


def problem_view(problem: Mapping[str, Any], retry_after: int | None) -> ProblemView:
    """What to show of a problem; `retry_after` is in seconds, where it is known."""
    status = problem["status"]
    found = _BY_STATUS.get(status, _BY_STATUS[500] if status >= 500 else _BY_STATUS[400])
    words = _BY_TYPE.get(problem["type"], found)
    return ProblemView(
        title=str(words.title),
        happened=str(words.happened),
        to_do=str(words.to_do),
        reason=own_words(problem["detail"]) if words.own else None,
        errors=[(each["path"], own_words(each["message"])) for each in problem.get("errors", ())],
        wait=_wait(retry_after) if retry_after else None,
    )


def what_is_kept() -> str:
    """What somebody who was stopped need not fear for."""
    return str(_KEPT)


def stale_view() -> ProblemView:
    """What to show of a form that was filled in before somebody signed in anew."""
    return ProblemView(
        title=gettext("This page was open from before"),
        happened=gettext("Somebody has signed in since this page was opened. Nothing was recorded."),
        to_do=gettext("Look at the page as it is now, and decide again."),
        reason=None,
        errors=[],
        wait=None,
    )


def _wait(seconds: int) -> str:
    if seconds < 60:
        return ngettext("Try again in one second.", "Try again in %(num)s seconds.", seconds)
    return ngettext("Try again in one minute.", "Try again in %(num)s minutes.", -(-seconds // 60))

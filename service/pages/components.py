"""The macros of nhsuk-frontend-jinja that pages use, each behind a function whose arguments are checked.

The library's macros take one mapping and ignore what they do not know; a misspelt key would drop a text
in silence. Here an unknown argument is an error. Texts are escaped by the library; `Markup` is not.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup

from service.pages.texts import gettext

_LIBRARY = Environment(
    loader=PackageLoader("nhsuk_frontend_jinja"),
    undefined=ChainableUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)

Text = str | Markup
Choice = tuple[str, Text]  # the value that is sent, and the label


@functools.cache
def _macro(component: str, macro: str) -> Callable[[Mapping[str, Any]], Markup]:
    module = _LIBRARY.get_template(f"nhsuk/components/{component}/macro.jinja").module
    found: Callable[[Mapping[str, Any]], Markup] = getattr(module, macro)
    return found


def _rendered(component: str, macro: str, /, **params: Any) -> Markup:
    given = {key: value for key, value in params.items() if value is not None}
    return Markup(str(_macro(component, macro)(given)).strip())


def _said(text: Text | None) -> dict[str, Any] | None:
    """A text as the library takes it: as HTML where it is Markup."""
    if text is None:
        return None
    return {"html": str(text)} if isinstance(text, Markup) else {"text": str(text)}


def button(
    text: Text,
    *,
    href: str | None = None,
    name: str | None = None,
    value: str | None = None,
    variant: Literal["secondary", "warning", "reverse"] | None = None,
    classes: str = "",
    attributes: Mapping[str, str] | None = None,
) -> Markup:
    """A button that sends its form, or a link that looks like one."""
    return _rendered(
        "button",
        "button",
        **(_said(text) or {}),
        href=href,
        name=name,
        value=value,
        variant=variant,
        classes=classes or None,
        attributes=dict(attributes or {}),
        preventDoubleClick=href is None or None,
    )


def text_input(
    name: str,
    label: Text,
    *,
    id: str | None = None,
    value: str = "",
    hint: Text | None = None,
    error: Text | None = None,
    type: Literal["text", "date", "time", "datetime-local", "search", "number"] = "text",
    inputmode: Literal["numeric", "decimal", "text"] | None = None,
    autocomplete: str = "off",
    width: Literal["2", "3", "4", "5", "10", "20", "30"] | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Markup:
    """A field of one line."""
    return _rendered(
        "input",
        "input",
        id=id or name,
        name=name,
        type=type,
        label=_said(label),
        value=value or None,
        hint=_said(hint),
        errorMessage=_said(error),
        inputmode=inputmode,
        autocomplete=autocomplete,
        width=width,
        attributes=dict(attributes or {}),
    )


def password_input(
    name: str,
    label: Text,
    *,
    id: str | None = None,
    hint: Text | None = None,
    error: Text | None = None,
    autocomplete: Literal["current-password", "new-password", "off"] = "current-password",
    inputmode: Literal["numeric", "text"] | None = None,
) -> Markup:
    """A field for a password or a PIN, which is not shown."""
    return _rendered(
        "input",
        "input",
        id=id or name,
        name=name,
        type="password",
        label=_said(label),
        hint=_said(hint),
        errorMessage=_said(error),
        autocomplete=autocomplete,
        inputmode=inputmode,
        width="20",
        spellcheck=False,
    )


def textarea(
    name: str,
    label: Text,
    *,
    id: str | None = None,
    value: str = "",
    rows: int = 3,
    hint: Text | None = None,
    error: Text | None = None,
) -> Markup:
    """A field of several lines."""
    return _rendered(
        "textarea",
        "textarea",
        id=id or name,
        name=name,
        label=_said(label),
        value=value or None,
        rows=str(rows),
        hint=_said(hint),
        errorMessage=_said(error),
        autocomplete="off",
    )


def select(
    name: str,
    label: Text,
    choices: Sequence[Choice],
    *,
    id: str | None = None,
    value: str | None = None,
    hint: Text | None = None,
    error: Text | None = None,
) -> Markup:
    """One of a list."""
    items = [{"value": each, "selected": each == value or None, **_option(said)} for each, said in choices]
    return _rendered(
        "select",
        "select",
        id=id or name,
        name=name,
        label=_said(label),
        items=items,
        hint=_said(hint),
        errorMessage=_said(error),
    )


def _option(said: Text) -> dict[str, Any]:
    """A choice in a list, which holds text alone: a text that is marked as English is so as a whole."""
    if isinstance(said, Markup):
        return {"text": said.striptags(), "attributes": {"lang": "en"}}
    return {"text": said}


def radios(
    name: str,
    legend: Text,
    choices: Sequence[Choice],
    *,
    id: str | None = None,
    value: str | None = None,
    hint: Text | None = None,
    error: Text | None = None,
    inline: bool = False,
) -> Markup:
    """One of a few, all of them seen."""
    return _rendered(
        "radios",
        "radios",
        idPrefix=id or name,
        name=name,
        fieldset={"legend": _said(legend)},
        items=[{"value": each, **(_said(said) or {})} for each, said in choices],
        value=value,
        hint=_said(hint),
        errorMessage=_said(error),
        classes="nhsuk-radios--inline" if inline else None,
    )


def checkboxes(
    name: str,
    legend: Text,
    choices: Sequence[Choice],
    *,
    id: str | None = None,
    values: Sequence[str] = (),
    hint: Text | None = None,
    error: Text | None = None,
) -> Markup:
    """Any of a few."""
    return _rendered(
        "checkboxes",
        "checkboxes",
        idPrefix=id or name,
        name=name,
        fieldset={"legend": _said(legend)},
        items=[{"value": each, **(_said(said) or {})} for each, said in choices],
        values=list(values),
        hint=_said(hint),
        errorMessage=_said(error),
    )


def file_upload(name: str, label: Text, *, hint: Text | None = None, error: Text | None = None) -> Markup:
    """A file to send."""
    return _rendered(
        "file-upload",
        "fileUpload",
        id=name,
        name=name,
        chooseFilesButtonText=gettext("Choose file"),
        noFileChosenText=gettext("No file chosen"),
        dropInstructionText=gettext("or drop file"),
        enteredDropZoneText=gettext("Entered drop zone"),
        leftDropZoneText=gettext("Left drop zone"),
        label=_said(label),
        hint=_said(hint),
        errorMessage=_said(error),
    )


def error_summary(title: Text, errors: Sequence[tuple[str | None, Text]]) -> Markup:
    """What is to be mended, at the top of a page; each with the id of its field, where it has one."""
    listed = [{"href": f"#{id}" if id else None, **(_said(says) or {})} for id, says in errors]
    listed = [{key: value for key, value in each.items() if value is not None} for each in listed]
    return _rendered("error-summary", "errorSummary", heading=_said(title), errorList=listed)


def summary_list(rows: Sequence[tuple[Text, Text]]) -> Markup:
    """Names and what they are."""
    return _rendered(
        "summary-list",
        "summaryList",
        rows=[{"key": _said(key), "value": _said(value)} for key, value in rows],
    )


def inset(text: Text) -> Markup:
    """A remark that stands out."""
    return _rendered("inset-text", "insetText", **(_said(text) or {}))


def back_link(text: Text, href: str) -> Markup:
    """The way back."""
    return _rendered("back-link", "backLink", href=href, **(_said(text) or {}))


ALL: Mapping[str, Callable[..., Markup]] = {
    each.__name__: each
    for each in (
        button,
        text_input,
        password_input,
        textarea,
        select,
        radios,
        checkboxes,
        file_upload,
        error_summary,
        summary_list,
        inset,
        back_link,
    )
}

"""Columns as they are stored: what was tampered with may not be what it should be."""

import json
from typing import Any

from sqlalchemy import JSON, ColumnElement, String, Text, cast, type_coerce

from service.records.tables import Moment


def raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A time or a JSON document as the text that is stored; any other column as it is."""
    if isinstance(column.type, Moment):
        return type_coerce(column, String).label(column.name)
    return cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column


def parsed(text: Any) -> Any:
    """The document that a text is; the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return text

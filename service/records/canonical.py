"""Canonical JSON: one document, one sequence of bytes, so that two answers can be compared byte for byte."""

import json
from typing import Any


def canonical(document: Any) -> bytes:
    """The document as UTF-8 JSON with sorted keys and no spaces. Raises ValueError for NaN and infinities."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")

"""The documents of what the service knows, as they are documented: drugs and facts."""

from marshmallow import Schema, fields, validate

from service.api.schemas import CitationSchema, LookAlikeSchema, _each, _flag, _map, _maybe, _number, _said, _status, _text, _texts

"""Applications made quicker, as tests make thousands: what all of them compile alike is compiled once."""

import flask
import sqlalchemy
from jinja2 import BytecodeCache
from werkzeug.routing import Rule

from service.records import database

# ---- addresses

_compile, _compiled = Rule.compile, {}
_BUILDERS = ("_build", "_build_unknown")


def _compile_once(rule):
    key = (rule.rule, repr(rule.defaults), rule.subdomain, rule.merge_slashes)
    if key not in _compiled:
        _compile(rule)
        names = ("_parts", "_trace", "_converters", "arguments")
        found = {name: getattr(rule, name) for name in names}
        _compiled[key] = found, {name: getattr(rule, name).__func__ for name in _BUILDERS}
        return
    found, builders = _compiled[key]
    vars(rule).update(found, arguments=set(found["arguments"]))
    vars(rule).update({name: builder.__get__(rule) for name, builder in builders.items()})


Rule.compile = _compile_once

# ---- templates


class _Templates(BytecodeCache):
    """The code of templates, in this process."""

    def __init__(self):
        self._code = {}

    def load_bytecode(self, bucket):
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket):
        self._code[bucket.key, bucket.checksum] = bucket.code


_environment, _templates = flask.Flask.create_jinja_environment, _Templates()


def _with_templates(app):
    made = _environment(app)
    made.bytecode_cache = _templates
    return made


flask.Flask.create_jinja_environment = _with_templates

# ---- statements

_first = {}


def _create_engine(*given, **options):
    """An engine that knows the statements of those before it: they are compiled for a kind, not a server."""
    engine = sqlalchemy.create_engine(*given, **options)
    first = _first.setdefault(engine.dialect.name, engine)
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
    return engine


database.create_engine = _create_engine

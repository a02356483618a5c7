"""Applications made quicker, as tests make thousands: an address is compiled once, not in each of them."""

from werkzeug.routing import Rule

_compile, _compiled = Rule._compile_builder, {}


def _once(rule, append_unknown=True):
    key = (rule.rule, repr(rule.defaults), append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


Rule._compile_builder = _once

"""Operands of the rule language in words."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.knowledge.language import Scope


def say_amount(tree: Any, scope: "Scope") -> str:
    """An operand in words; a number that the site's policy adjusts is said as the sum."""
    match tree:
        case {"value": int(base), "plus": {"policy": name}}:
            sign = 1
        case {"value": int(base), "minus": {"policy": name}}:
            sign = -1
        case _:
            return say_operand(tree)
    value = scope.policy.values.get(name)
    return str(base + sign * value) if isinstance(value, int) else say_operand(tree)


def say_operand(tree: Any) -> str:
    """An operand in words."""
    if not isinstance(tree, dict):
        return str(tree).replace("_", " ")
    match tree:
        case {"times_upper_limit": times}:
            return f"{times} times its upper limit" if times != 1 else "its upper limit"
        case {"times_lower_limit": times}:
            return f"{times} times its lower limit" if times != 1 else "its lower limit"
        case {"policy": name}:
            return f"the site's {str(name).replace('_', ' ')}"
        case {"value": base}:
            for key, words in (("plus", "plus"), ("minus", "minus")):
                if key in tree:
                    return f"{say_operand(base)} {words} {say_operand(tree[key])}"
            for key, sign in (("plus_percent", "+"), ("minus_percent", "-")):
                if key in tree:
                    by = say_operand(tree[key])
                    return f"{say_operand(base)} {sign} {by if isinstance(tree[key], dict) else by + ' %'}"
            return say_operand(base)
        case {"product": parts}:
            return " x ".join(say_operand(each) for each in parts)
        case {"fact": name}:
            return str(name).replace("_", " ")
    return "the computed amount"

"""Conditions in plain words: for the builder, explanations, terms and the documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.conditions.operators import Operator
from members.conditions.tree import ALWAYS, AllOf, AnyOf, Lines, Node, Not, Question, measured
from members.conditions.values import ValueType
from members.formatting import format_list, format_number, without_gaps

MOST_NAMED = 5
# Of a list with a single value nobody says "is one of".
ALONE = {
    "one_of": gettext_lazy("is"),
    "none_of": gettext_lazy("is not"),
    "has_any": gettext_lazy("include"),
    "has_all": gettext_lazy("include"),
    "has_none": gettext_lazy("do not include"),
}
# Other words for a part of a condition; None: its own.
Instead = Callable[[Node], str | None]


def sentence(node: Node, *, instead: Instead | None = None) -> str:
    """The whole condition as one sentence without its full stop; empty if it always holds."""
    return capfirst(without_gaps(_words(node, instead, outermost=True)))


def _words(node: Node, instead: Instead | None = None, *, outermost: bool = False) -> str:
    other = instead(node) if instead else None
    if other is not None:
        return other
    match node:
        case AllOf(parts):
            return _joined(parts, _(" and "), instead, outermost)
        case AnyOf(parts):
            return _joined(parts, _(" or "), instead, outermost)
        case Not(part):
            return _("not: %(condition)s") % {"condition": _words(part, instead)}
        case Lines():
            return _lines(node)
    return _question(node)


def _joined(parts: Sequence[Node], word: str, instead: Instead | None, outermost: bool) -> str:
    if len(parts) == 1:
        return _words(parts[0], instead, outermost=outermost)
    # Parts that read the same are said once.
    words = list(dict.fromkeys(_words(part, instead) for part in parts))
    text = word.join(words)
    return text if outermost or len(words) < 2 else f"({text})"


def _question(question: Question) -> str:
    field, operator, operand = question.field, question.operator, question.operand
    own = field.said(operator, operand) if field.said else ""
    return own or _asked(str(field.label), operator, operand, field.word)


def _asked(what: str, operator: Operator, operand: Any, word: Any) -> str:
    if operator.code in ALONE and len(operand) == 1:
        return f"{what} {ALONE[operator.code]} {word(next(iter(operand)))}"
    said = f"{what} {operator.label}"
    match operator.takes:
        case "nothing":
            return said
        case "days":
            return f"{what} {str(operator.label) % format_number(operand)}"
        case "many":
            named = [word(value) for value in sorted(operand)]
            more = len(named) - MOST_NAMED
            if more > 1:
                named = [*named[:MOST_NAMED], _("%(count)s more") % {"count": format_number(more)}]
            return f"{said} {format_list(named)}"
        case "range":
            return _("%(said)s %(first)s and %(last)s") % {
                "said": said, "first": word(operand[0]), "last": word(operand[1]),
            }  # fmt: skip
    return f"{said} {word(operand)}"


def _lines(node: Lines) -> str:
    which = _words(node.where) if node.where != ALWAYS else ""
    match node.measure:
        case "any":
            return _("there is an item whose %(which)s") % {"which": which}
        case "all":
            return _("every item's %(which)s") % {"which": which}
        case "none":
            return _("there is no item whose %(which)s") % {"which": which}
    what = {
        "count": _("number of items"), "quantity": _("quantity"), "total": _("sum of prices"),
    }[node.measure]  # fmt: skip
    if which:
        what = _("%(what)s where %(which)s") % {"what": what, "which": which}
    kind: ValueType = measured(node.measure)
    assert node.operator is not None
    return _asked(what, node.operator, node.operand, kind.words)

"""Conditions answered by the database: which customers they hold for."""

from __future__ import annotations

from django.db.models import Q

from members.conditions.moments import Moment
from members.conditions.operators import unknown_query
from members.conditions.tree import AllOf, AnyOf, Lines, Node, Not, Question

# Holds for nobody, and for everybody.
NOBODY = Q(pk__in=())
EVERYBODY = ~NOBODY


def query_of(node: Node, moment: Moment) -> Q:
    """A filter for customers. The tree was read with `in_database`."""
    match node:
        case AllOf(parts):
            found = EVERYBODY
            for part in parts:
                found &= query_of(part, moment)
            return found
        case AnyOf(parts):
            found = NOBODY
            for part in parts:
                found |= query_of(part, moment)
            return found
        case Not(part):
            return ~query_of(part, moment)
        case Question():
            return _query_of_question(node, moment)
        case Lines():
            raise AssertionError("customers have no lines")


def _query_of_question(question: Question, moment: Moment) -> Q:
    """Never NULL, so that `not` turns it round as it does in Python."""
    field, operator = question.field, question.operator
    if field.query is not None:
        return field.query(operator, question.operand, moment)
    unknown = unknown_query(field.kind, field.column)
    asked = operator.query(field.column, question.operand, moment)
    return unknown | asked if operator.unknown else ~unknown & asked

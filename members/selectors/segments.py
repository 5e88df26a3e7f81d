"""Which segments there are, who is in them, and what their conditions say."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from members.conditions.moments import Moment
from members.conditions.query import query_of
from members.conditions.scopes import OF_CUSTOMERS, SEGMENTS
from members.conditions.tree import ConditionError, Node, parse, questions_of
from members.errors import NotFoundError
from members.models import Customer, Segment, SegmentMember, SegmentSize
from members.selectors.merchants import get_merchant


def read_condition(said: Mapping[str, Any], *, choices_known: bool = True) -> Node:
    """A segment's condition. Raises ConditionError."""
    return parse(said, scopes=OF_CUSTOMERS, in_database=True, choices_known=choices_known)


def merchant_moment(now: dt.datetime) -> Moment:
    """Segments belong to no program: their days are the merchant's."""
    return Moment(now, zoneinfo.ZoneInfo(get_merchant().time_zone))


def customers_matching(node: Node, moment: Moment) -> QuerySet[Customer]:
    """Who a condition holds for; who was merged into somebody else is nobody any more."""
    return Customer.objects.filter(query_of(node, moment), merged_into=None)


def segments_of(customer_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The codes of the segments that each customer is in, in one query."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    rows = SegmentMember.objects.filter(customer__in=list(customer_ids)).values_list(
        "customer_id", "segment__code"
    )
    for customer_id, code in rows:
        found[customer_id].add(code)
    return {customer_id: frozenset(codes) for customer_id, codes in found.items()}


def segment_choices() -> list[tuple[str, str]]:
    """Codes and names of those that are in use."""
    return list(Segment.objects.filter(archived_at=None).values_list("code", "name"))


def list_segments(*, archived: bool = False) -> QuerySet[Segment]:
    """Those in use, or those put away, by name."""
    return Segment.objects.filter(archived_at__isnull=not archived).select_related("created_by")


def get_segment(code: str) -> Segment:
    found = Segment.objects.select_related("created_by").filter(code=code).first()
    if found is None:
        raise NotFoundError(f"There is no segment {code!r}.")
    return found


def segments_of_customer(customer: Customer) -> list[SegmentMember]:
    """Where a customer is in, by name of the segment; what is put away is left out."""
    rows = SegmentMember.objects.filter(customer=customer, segment__archived_at=None)
    return list(rows.select_related("segment").order_by("segment__name"))


def members_of(segment: Segment) -> QuerySet[SegmentMember]:
    """Who is in it, the newest first."""
    rows = SegmentMember.objects.filter(segment=segment).select_related("customer")
    return rows.order_by("-since", "-pk")


def sizes_since(segment: Segment, day: dt.date) -> list[SegmentSize]:
    """Its size at the end of each day that it changed or was worked out on, the oldest first."""
    return list(SegmentSize.objects.filter(segment=segment, day__gte=day).order_by("day"))


def named_by(segment: Segment) -> set[str]:
    """The codes of the segments that its condition names."""
    try:
        node = read_condition(segment.condition, choices_known=False)
    except ConditionError:
        return set()
    return set(codes_in(node))


def codes_in(node: Node) -> Iterator[str]:
    """The segments that a condition names."""
    for question in questions_of(node):
        if question.field.scope == SEGMENTS and question.operator.takes == "many":
            yield from question.operand


def in_order() -> list[Segment]:
    """Those by a condition that are in use, each after those that it names."""
    waiting = {
        segment.code: segment
        for segment in Segment.objects.filter(archived_at=None, kind=Segment.Kind.DYNAMIC)
    }
    found: list[Segment] = []
    while waiting:
        ready = [code for code, one in waiting.items() if not named_by(one) & waiting.keys()]
        # A circle cannot be written; were there one, its segments would still be worked out.
        for code in ready or list(waiting):
            found.append(waiting.pop(code))
    return found


def asking_for(scope: str) -> list[Segment]:
    """Those in use whose condition asks for facts of this scope, or names one that does; each after
    those that it names."""
    found: dict[str, Segment] = {}
    for segment in in_order():
        try:
            node = read_condition(segment.condition, choices_known=False)
        except ConditionError:
            continue
        asks = any(question.field.scope == scope for question in questions_of(node))
        if asks or found.keys() & set(codes_in(node)):
            found[segment.code] = segment
    return list(found.values())

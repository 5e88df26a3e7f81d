"""What conditions can ask of what a member looked at in the shop: products, categories, words, the
cart that they left. The database answers as `browsed_by` does for rules, from the sums of days."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

from django.db.models import (
    Exists,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from campaigns.models import BrowsingDay, CartLine
from campaigns.selectors.browsing import LOOKS, Browsed
from loyalty.selectors.order_values import of_lines, products
from members.conditions import values
from members.conditions.fields import BROWSING, Field, FieldFamily
from members.conditions.moments import Moment
from members.conditions.operators import Operator
from members.folding import fold
from members.models import Customer, CustomerFacts

What = BrowsingDay.What
# Words are kept folded, so they are asked for folded.
_WORDS = replace(values.LIST, parse=lambda raw: fold(values.LIST.parse(raw)))


def _rows(**wanted: Any) -> QuerySet[BrowsingDay]:
    return BrowsingDay.objects.filter(customer=OuterRef("pk"), **wanted)


def _latest(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.order_by().values("customer").annotate(at=Max(column)).values("at"))


def _instant_query(
    rows: QuerySet[Any], column: str, operator: Operator, operand: Any, moment: Moment
) -> Q:
    """Of the last of these rows. Who has one is found by its index, and only of them the last is
    looked up."""
    if operator.unknown:
        return ~Q(Exists(rows))
    known = Customer.objects.filter(pk=OuterRef("pk")).annotate(found_at=_latest(rows, column))
    return Q(Exists(rows)) & Q(Exists(known.filter(operator.query("found_at", operand, moment))))


def _list_query(rows: QuerySet[Any], column: str, operator: Operator, operand: Any) -> Q:
    def among(subjects: Iterable[str]) -> Q:
        return Q(Exists(rows.filter(**{f"{column}__in": sorted(subjects)})))

    match operator.code:
        case "has_any":
            return among(operand)
        case "has_all":
            found = Q()
            for one in sorted(operand):
                found &= among([one])
            return found
        case "has_none":
            return ~among(operand)
    return ~Q(Exists(rows)) if operator.code == "empty" else Q(Exists(rows))


def _days(moment: Moment, number: int) -> Any:
    return moment.day(-number), moment.today


def _times_query(
    what: str, subject: str, number: int, operator: Operator, operand: Any, moment: Moment
) -> Q:
    """Nothing that was told is known to be no times."""
    rows = _rows(what=what, subject=subject, day__range=_days(moment, number))
    summed = rows.order_by().values("customer").annotate(sum=Sum("times")).values("sum")
    counted = Customer.objects.filter(pk=OuterRef("pk")).annotate(
        views=Coalesce(Subquery(summed), Value(0), output_field=IntegerField())
    )
    asked = Q(Exists(counted.filter(operator.query("views", operand, moment))))
    # Where none would not do, only those are counted who have some.
    return asked if operator.test(0, operand, moment) else Q(Exists(rows)) & asked


def _left_lines() -> QuerySet[CartLine]:
    """What lies in a cart and was not followed by an order."""
    ordered = CustomerFacts.objects.filter(
        pk=OuterRef("customer"), last_order_at__gte=OuterRef("changed_at")
    )
    return CartLine.objects.filter(~Exists(ordered), customer=OuterRef("pk"), quantity__gt=0)


def _unbought() -> QuerySet[BrowsingDay]:
    """Looks after which nothing was ordered."""
    ordered = CustomerFacts.objects.filter(
        pk=OuterRef("customer"), last_order_at__gte=OuterRef("last_at")
    )
    return _rows(what__in=LOOKS).filter(~Exists(ordered))


def _instant(
    name: str, label: Any, rows: Callable[[], QuerySet[Any]], column: str, help: Any
) -> Field:
    return Field(
        f"browsing.{name}", label, values.INSTANT, BROWSING, attrgetter(name), help=help,
        query=lambda operator, operand, moment: _instant_query(
            rows(), column, operator, operand, moment
        ),
    )  # fmt: skip


def _subjects(
    name: str, label: Any, what: str, help: Any, kind: values.ValueType = values.LIST,
    suggest: Any = None,
) -> Field:  # fmt: skip
    return Field(
        f"browsing.{name}", label, kind, BROWSING, lambda browsed: browsed.subjects(what),
        help=help, suggest=suggest,
        query=lambda operator, operand, _moment: _list_query(
            _rows(what=what), "subject", operator, operand
        ),
    )  # fmt: skip


@lru_cache(maxsize=1024)  # the same name is the same field
def _viewed_at(prefix: str, what: str, label: Any, name: str) -> Field:
    subject = fold(name) if what == What.WORD else name
    return Field(
        f"{prefix}{name}", label % {"name": name}, values.INSTANT, BROWSING,
        lambda browsed: browsed.last_at(what, subject),
        query=lambda operator, operand, moment: _instant_query(
            _rows(what=what, subject=subject), "last_at", operator, operand, moment
        ),
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _times(prefix: str, what: str, number: int, label: Any, name: str) -> Field:
    def read(browsed: Browsed, moment: Moment) -> int:
        return browsed.times(what, name, *_days(moment, number))

    return Field(
        f"{prefix}{name}", label % {"name": name}, values.NUMBER, BROWSING, repr,
        read_at=read, query=partial(_times_query, what, name, number),
    )  # fmt: skip


def _last_family(what: str, prefix: str, label: Any, named: Any, help: Any = "") -> FieldFamily:
    return FieldFamily(prefix, label, BROWSING, partial(_viewed_at, prefix, what, named), help=help)


def _times_family(what: str, number: int, label: Any, named: Any, help: Any) -> FieldFamily:
    prefix = f"browsing.{what}_views_{number}_days."
    return FieldFamily(
        prefix, label, BROWSING,
        partial(_times, prefix, what, number, named), help=help,
    )  # fmt: skip


_KEPT = _("As long as it is kept, of members who agreed to that.")
_OF_CATEGORIES = _("By its own page, or by one of its products.")
FIELDS = (
    _instant("last_seen_at", _("last seen in the shop"), _rows, "last_at",
             _("When they last looked at something, searched or changed their cart.")),
    _subjects("products", _("products looked at"), What.PRODUCT, _KEPT, suggest=products),
    _subjects("categories", _("categories looked at"), What.CATEGORY, _OF_CATEGORIES,
              suggest=of_lines("category")),
    _subjects("searched", _("words searched for"), What.WORD,
              _("Single words; capitals and accents make no difference."), kind=_WORDS),
    _instant("viewed_unbought_at", _("looked and ordered nothing since"), _unbought, "last_at",
             _("When they last looked at a product or a category, unless an order followed.")),
    _instant("cart_left_at", _("left a cart"), _left_lines, "changed_at",
             _("When they last put something into the cart that is still in there, unless an order"
               " followed.")),
    Field("browsing.cart", _("products in the cart left"), values.LIST, BROWSING,
          lambda browsed: frozenset(browsed.cart), suggest=products,
          help=_("What they put into the cart and did not take out, unless an order followed."),
          query=lambda operator, operand, _moment: _list_query(
              _left_lines(), "sku", operator, operand)),
    _last_family(What.PRODUCT.value, "browsing.product_viewed_at.",
                 _("last look at a product"), _("last look at product %(name)s"),
                 _("Named by its SKU.")),
    _last_family(What.CATEGORY.value, "browsing.category_viewed_at.",
                 _("last look at a category"), _("last look at category %(name)s"),
                 _OF_CATEGORIES),
    _last_family(What.WORD.value, "browsing.searched_at.",
                 _("last search for a word"), _("last search for %(name)s")),
    _times_family(What.PRODUCT.value, 7, _("looks at a product in the last 7 days"),
                  _("looks at product %(name)s in the last 7 days"), _("Named by its SKU.")),
    _times_family(What.PRODUCT.value, 30, _("looks at a product in the last 30 days"),
                  _("looks at product %(name)s in the last 30 days"), _("Named by its SKU.")),
    _times_family(What.CATEGORY.value, 7, _("looks at a category in the last 7 days"),
                  _("looks at category %(name)s in the last 7 days"), _OF_CATEGORIES),
    _times_family(What.CATEGORY.value, 30, _("looks at a category in the last 30 days"),
                  _("looks at category %(name)s in the last 30 days"), _OF_CATEGORIES),
)  # fmt: skip

"""What conditions can ask of an order, its lines, the buyer's behavior and their membership."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty.models import ActivityType, Tender
from loyalty.rules.facts import Deed, Occasion
from loyalty.rules.grants import number_in
from members.conditions import values
from members.conditions.fields import (
    ACTIVITY,
    BEHAVIOR,
    LINE,
    MEMBER,
    ORDER,
    Field,
    FieldFamily,
    register_fields,
)


def register() -> None:
    register_fields("order", _("Order"), _ORDER)
    register_fields("line", _("Item"), _LINE)
    register_fields("activity", _("Activity"), (*_ACTIVITY, *_TOLD))
    register_fields("behavior", _("Behavior"), (*_BEHAVIOR, _ACTIVITIES))
    register_fields("member", _("Membership"), _MEMBER)


def _order(
    name: str, label: Any, kind: values.ValueType, read: Callable[[Occasion], Any], help: Any = "",
    choices: Callable[[], Sequence[tuple[str, str]]] | None = None,
) -> Field:  # fmt: skip
    return Field(
        f"order.{name}", label, kind, ORDER, read, help=help, choices=choices,
        closed=choices is not None,
    )  # fmt: skip


def _line(name: str, label: Any, kind: values.ValueType, attribute: str, help: Any = "") -> Field:
    return Field(f"line.{name}", label, kind, LINE, attrgetter(attribute), help=help)


def _behavior(name: str, label: Any, kind: values.ValueType, help: Any = "") -> Field:
    return Field(
        f"behavior.{name}", label, kind, BEHAVIOR, attrgetter(name), help=help,
        column=f"facts__{name}",
    )  # fmt: skip


@lru_cache(maxsize=1024)  # the same name is the same field
def _activity(code: str) -> Field:
    return Field(
        f"behavior.activities.{code}",
        _("activities of type %(code)s") % {"code": code},
        values.NUMBER,
        BEHAVIOR,
        lambda behavior: behavior.activities.get(code, 0),
    )


@lru_cache(maxsize=1024)
def _told(name: str) -> Field:
    """A text of an activity's data; yes and no are texts too, true and false."""

    def read(deed: Deed) -> str | None:
        value = deed.told(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else None

    label = _("%(name)s that was told") % {"name": name}
    return Field(f"activity.data.{name}", label, values.TEXT, ACTIVITY, read)


@lru_cache(maxsize=1024)
def _told_number(name: str) -> Field:
    return Field(
        f"activity.number.{name}", _("%(name)s that was told") % {"name": name}, values.NUMBER,
        ACTIVITY, lambda deed: number_in(deed.told(name)),
    )  # fmt: skip


def _activity_types() -> Sequence[tuple[str, str]]:
    return list(ActivityType.objects.values_list("code", "name"))


def _local(occasion: Occasion) -> Any:
    return occasion.moment.now.astimezone(occasion.moment.zone)


def _tenders() -> Sequence[tuple[str, str]]:
    return [(code, str(label)) for code, label in Tender.Kind.choices]


_ORDER = (
    _order("total", _("order total"), values.MONEY, lambda order: order.basket.total,
           _("What the customer pays in all, after returns.")),
    _order("goods", _("goods of the order"), values.MONEY,
           lambda order: sum(line.total for line in order.basket.lines),
           _("The items alone, after their discounts, without shipping.")),
    _order("items", _("number of items"), values.NUMBER, lambda order: len(order.lines)),
    _order("channel", _("channel"), values.TEXT, attrgetter("channel"), _("As web or till.")),
    _order("store", _("store"), values.TEXT, attrgetter("store")),
    _order("currency", _("currency"), values.TEXT, attrgetter("currency"), _("As EUR.")),
    _order("payment_method", _("payment method"), values.TEXT, attrgetter("payment_method"),
           _("As your shop names it: card, cash.")),
    _order("paid_with", _("paid with"), values.LIST, attrgetter("paid_with"), choices=_tenders),
    _order("coupons", _("coupons"), values.LIST, attrgetter("coupons"), _("Codes used.")),
    _order("weekday", _("weekday"), values.WEEKDAY, lambda order: _local(order).weekday(),
           _("In the program's time zone.")),
    _order("time", _("time of day"), values.CLOCK,
           lambda order: _local(order).time().replace(second=0, microsecond=0),
           _("In the program's time zone; from 22:00 to 02:00 goes over midnight.")),
    _order("day", _("day of the order"), values.DAY, lambda order: order.moment.today),
)  # fmt: skip

_LINE = (
    _line("category", _("category"), values.TEXT, "category"),
    _line("sku", _("SKU"), values.TEXT, "sku"),
    _line("tags", _("tags"), values.LIST, "tags"),
    _line("brand", _("brand"), values.TEXT, "brand"),
    _line("price", _("price"), values.MONEY, "price", _("Of one, after the item's discount.")),
    _line("quantity", _("quantity"), values.NUMBER, "quantity"),
    _line("total", _("total of the item"), values.MONEY, "total"),
)

_BEHAVIOR = (
    _behavior("orders", _("number of orders"), values.NUMBER, _("Before this one.")),
    _behavior("spend", _("spend"), values.MONEY, _("What they bought and kept.")),
    _behavior("average_order", _("average order"), values.MONEY),
    _behavior("first_order_at", _("first order"), values.INSTANT),
    _behavior("last_order_at", _("last order"), values.INSTANT),
    _behavior("purchase_cycle", _("purchase cycle"), values.NUMBER,
              _("Days from one order to the next, on average.")),
    _behavior("categories", _("categories bought"), values.LIST),
    _behavior("discount_share", _("discount share"), values.SHARE,
              _("Percent of their prices that discounts took off.")),
    _behavior("returns_share", _("returns share"), values.SHARE,
              _("Percent of what they ordered that came back.")),
)  # fmt: skip

_ACTIVITIES = FieldFamily(
    "behavior.activities.", _("number of activities of a type"), BEHAVIOR, _activity,
    names=_activity_types,
    help=_("Before this one; those that wait or were rejected do not count."),
)  # fmt: skip

_ACTIVITY = (
    Field("activity.type", _("type of the activity"), values.TEXT, ACTIVITY,
          attrgetter("activity"), choices=_activity_types),
    Field("activity.subject", _("subject of the activity"), values.TEXT, ACTIVITY,
          attrgetter("subject"), help=_("What it was about, as a product's SKU.")),
    Field("activity.weekday", _("weekday of the activity"), values.WEEKDAY, ACTIVITY,
          lambda deed: _local(deed).weekday(), help=_("In the program's time zone.")),
    Field("activity.day", _("day of the activity"), values.DAY, ACTIVITY,
          lambda deed: deed.moment.today),
)  # fmt: skip

_TOLD = (
    FieldFamily("activity.data.", _("a text of its data"), ACTIVITY, _told,
                help=_("A dot leads into what is nested; yes and no are true and false.")),
    FieldFamily("activity.number.", _("a number of its data"), ACTIVITY, _told_number,
                help=_("A dot leads into what is nested.")),
)  # fmt: skip

_MEMBER = (
    Field("member.enrolled_at", _("member since"), values.INSTANT, MEMBER,
          attrgetter("enrolled_at")),
    Field("member.balance", _("balance"), values.NUMBER, MEMBER, attrgetter("balance"),
          help=_("Units of the rule's kind that can be spent, before the order.")),
)  # fmt: skip

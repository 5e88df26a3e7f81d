"""What journeys tell of what a member looked at: the cart that they left, what they looked at and
did not buy. Who has ordered meanwhile is told nothing."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.journey_news import Asked, register_journey_message
from campaigns.models import BrowsingDay, BrowsingEvent, CartLine
from campaigns.news import News
from campaigns.occasions import Occasion, Variable, register_occasion
from campaigns.selectors.browsing import LOOKS
from campaigns.services.member_words import MEMBER_VARIABLES, member_values
from campaigns.services.messages import home_of
from loyalty.selectors.behavior import last_orders_before
from members.formatting import format_list
from members.models import Customer
from members.selectors.merges import current

MOST_NAMED = 3
_PRODUCTS = Variable("products", _("What it is about, by name"), "text", "Blue Mug, House Espresso")


def _occasion(code: str, label: object, description: object, icon: str) -> Occasion:
    return Occasion(
        code=code, label=label, description=description, icon=icon, topic="offers",  # type: ignore[arg-type]
        priority=50, variables=(_PRODUCTS, *MEMBER_VARIABLES), only_in_journeys=True,
    )  # fmt: skip


OCCASIONS = (
    _occasion("cart_left", _("Left a cart"), _("What is still in their cart, and what waits."),
              "shopping-cart"),
    _occasion("looked_at", _("Looked and did not buy"),
              _("What they looked at, and what waits."), "eye"),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    for occasion in OCCASIONS:
        register_occasion(occasion)
    register_journey_message("cart_left", _cart)
    register_journey_message("looked_at", _looked)


def _cart(asked: Asked) -> News | None:
    customer = current(asked.member.customer)
    ordered = _last_order(customer, asked.now)
    lines = CartLine.objects.filter(customer=customer, quantity__gt=0)
    if ordered is not None:
        lines = lines.filter(changed_at__gt=ordered)
    return _news(asked, customer, [line.name or line.sku for line in lines.order_by("-changed_at")])


def _looked(asked: Asked) -> News | None:
    """Products by their names, else the categories."""
    customer = current(asked.member.customer)
    ordered = _last_order(customer, asked.now)
    looks = BrowsingDay.objects.filter(customer=customer, what__in=LOOKS)
    if ordered is not None:
        looks = looks.filter(last_at__gt=ordered)
    newest = looks.order_by("-last_at", "pk")
    skus = _subjects(newest.filter(what=BrowsingDay.What.PRODUCT))
    named = BrowsingEvent.objects.filter(
        customer=customer, kind=BrowsingEvent.Kind.PRODUCT, subject__in=skus
    ).exclude(name="").order_by("occurred_at")  # fmt: skip
    names = dict(named.values_list("subject", "name"))
    categories = newest.filter(what=BrowsingDay.What.CATEGORY)
    return _news(asked, customer, [names.get(sku, sku) for sku in skus] or _subjects(categories))


def _subjects(newest: QuerySet[BrowsingDay]) -> list[str]:
    """Each once; a thing that was looked at on several days has several rows."""
    rows = newest.values_list("subject", flat=True)[: MOST_NAMED * 10]
    return list(dict.fromkeys(rows))[:MOST_NAMED]


def _last_order(customer: Customer, now: dt.datetime) -> dt.datetime | None:
    return last_orders_before([(customer.pk, now)])[0]


def _news(asked: Asked, customer: Customer, names: list[str]) -> News | None:
    """None where nothing is left of it."""
    if not names:
        return None
    member = asked.member
    return News(
        customer=customer, membership=member, occurrence=asked.name,
        values=lambda: {**member_values(member, asked.now), **asked.given,
                        "products": format_list(names[:MOST_NAMED])},
        link=home_of(member),
    )  # fmt: skip

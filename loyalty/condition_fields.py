"""What conditions can ask of an order, its lines, the buyer's behavior and their membership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db.models import (
    Case,
    DecimalField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Extract, Greatest, Power, Round
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.activity_subjects import known_subjects
from loyalty.asked_elsewhere import register_keeper
from loyalty.company_fields import FIELDS as COMPANY_FIELDS
from loyalty.deed_fields import FIELDS as DEED_FIELDS
from loyalty.deed_fields import deeds_of
from loyalty.models import ActivityType, Membership, MemberTier, Subscription, Tender, Tier
from loyalty.rules.facts import Deed, Occasion
from loyalty.rules.grants import number_in
from loyalty.selectors.order_values import of_lines, of_orders, products
from loyalty.selectors.partners import partners_named
from loyalty.selectors.plans import known_plans
from loyalty.selectors.subscriptions import in_force
from loyalty.selectors.tier_sets import known_tiers
from members.conditions import values
from members.conditions.fields import (
    ACTIVITY,
    BEHAVIOR,
    DEEDS,
    JOINED,
    LINE,
    MEMBER,
    ORDER,
    PLAN,
    TIER,
    Field,
    FieldFamily,
    register_fields,
)
from members.conditions.moments import Moment, ProgramMoment
from members.conditions.operators import Operator

# What can be picked from, as the shop's own orders have it.
_OF_ORDERS = {name: of_orders(name) for name in ("channel", "store", "currency", "payment_method")}
_OF_ORDERS["coupons"] = of_orders("unnest(coupons)")
_OF_ORDERS["partner"] = partners_named
_OF_LINES = {name: of_lines(name) for name in ("category", "brand")} | {"sku": products}
_OF_LINES["tags"] = of_lines("unnest(tags)")


TAKING_PART = (Membership.Status.ACTIVE, Membership.Status.SUSPENDED)


def register() -> None:
    register_fields("order", _("Order"), _ORDER)
    register_fields("line", _("Item"), _LINE)
    register_fields("activity", _("Activity"), (*_ACTIVITY, *_TOLD))
    register_fields("behavior", _("Behavior"), (*_BEHAVIOR, _ACTIVITIES))
    register_fields("activities", _("Activities by time"), DEED_FIELDS)
    register_keeper(DEEDS, deeds_of)
    register_fields("member", _("Membership"), _MEMBER)
    register_fields("membership", _("Tier and plan"), (*_TIER, *_PLAN))
    register_fields("company", _("Company"), COMPANY_FIELDS)


def _order(
    name: str, label: Any, kind: values.ValueType, read: Callable[[Occasion], Any], help: Any = "",
    choices: Callable[[], Sequence[tuple[str, str]]] | None = None,
) -> Field:  # fmt: skip
    return Field(
        f"order.{name}", label, kind, ORDER, read, help=help, choices=choices,
        closed=choices is not None, suggest=_OF_ORDERS.get(name),
    )  # fmt: skip


def _line(name: str, label: Any, kind: values.ValueType, attribute: str, help: Any = "") -> Field:
    return Field(
        f"line.{name}", label, kind, LINE, attrgetter(attribute), help=help,
        suggest=_OF_LINES.get(name),
    )  # fmt: skip


def _behavior(name: str, label: Any, kind: values.ValueType, help: Any = "") -> Field:
    return Field(
        f"behavior.{name}", label, kind, BEHAVIOR, attrgetter(name), help=help,
        column=f"facts__{name}", suggest=_OF_LINES["category"] if name == "categories" else None,
    )  # fmt: skip


def _overdue_query(operator: Operator, operand: Any, moment: Moment) -> Q:
    """With so many digits that rounding agrees with `Behavior.overdue`."""
    from members.models import CustomerFacts

    digits = DecimalField(max_digits=40, decimal_places=24)
    elapsed = Extract(
        ExpressionWrapper(Value(moment.now) - F("last_order_at"), output_field=DurationField()),
        "epoch",
    )
    days = Cast(elapsed, digits) / Value(Decimal(86400)) / F("purchase_cycle")
    cycles = Case(
        When(purchase_cycle__gt=0, then=Round(ExpressionWrapper(days, output_field=digits), 2)),
        output_field=digits,
    )
    facts = CustomerFacts.objects.filter(pk=OuterRef("pk")).annotate(overdue=cycles)
    asked = operator.query("overdue", operand, moment)
    if operator.unknown:
        return ~Q(Exists(facts.exclude(asked | Q(overdue=None))))
    return Q(Exists(facts.filter(asked & ~Q(overdue=None))))


@lru_cache(maxsize=1024)  # the same name is the same field
def _activity(code: str) -> Field:
    return Field(
        f"behavior.activities.{code}",
        _("activities of type %(code)s") % {"code": code},
        values.NUMBER,
        BEHAVIOR,
        lambda behavior: behavior.activities.get(code, 0),
        query=lambda operator, operand, moment: _activity_query(code, operator, operand, moment),
    )


def _activity_query(code: str, operator: Operator, operand: Any, moment: Moment) -> Q:
    """A type that somebody has no activity of is known to be there no times."""
    from members.models import Customer

    found = KeyTextTransform(code, "facts__activities")
    number = Coalesce(Cast(found, IntegerField()), Value(0))
    counted = Customer.objects.annotate(activity_count=number)
    asked = operator.query("activity_count", operand, moment)
    return Q(Exists(counted.filter(asked, pk=OuterRef("pk"))))


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


def _tier_query(operator: Operator, operand: Any, moment: Moment) -> Q:
    """Of one of their programs, or of the moment's, as it was last written down."""
    rows = MemberTier.objects.filter(_of(moment), membership__customer=OuterRef("pk"))
    match operator.code:
        case "is" | "is_not":
            rows = rows.filter(tier__code=operand)
        case "one_of" | "none_of":
            rows = rows.filter(tier__code__in=operand)
        case "at_least":
            step = Tier.objects.filter(
                tier_set=OuterRef("tier__tier_set"), code=operand,
                position__lte=OuterRef("tier__position"),
            )  # fmt: skip
            rows = rows.filter(Exists(step))
    return ~Q(Exists(rows)) if operator.unknown else Q(Exists(rows))


def _of(moment: Moment) -> Q:
    """What belongs to a membership in the program of the moment, if that is in one."""
    return Q(membership__program=moment.program) if isinstance(moment, ProgramMoment) else Q()


def _plan_query(operator: Operator, operand: Any, moment: Moment) -> Q:
    """Of one of their programs, or of the moment's, at this moment; also under a name that was
    merged into theirs."""
    own = Q(membership__customer=OuterRef("pk"))
    merged = Q(membership__merged_into__customer=OuterRef("pk"))
    rows = Subscription.objects.filter(own | merged, _of(moment), in_force(moment.now))
    match operator.code:
        case "is" | "is_not":
            rows = rows.filter(plan__code=operand)
        case "one_of" | "none_of":
            rows = rows.filter(plan__code__in=operand)
        case "starts_with":
            rows = rows.filter(plan__code__startswith=operand)
        case "contains":
            rows = rows.filter(plan__code__contains=operand)
    return ~Q(Exists(rows)) if operator.unknown else Q(Exists(rows))


def _enrolled_query(operator: Operator, operand: Any, moment: Moment) -> Q:
    """Of one of the programs that they take part in, or of the moment's."""
    rows = Membership.objects.filter(customer=OuterRef("pk"), status__in=TAKING_PART)
    if isinstance(moment, ProgramMoment):
        rows = rows.filter(program=moment.program)
    if operator.unknown:
        return ~Q(Exists(rows))
    return Q(Exists(rows.filter(operator.query("enrolled_at", operand, moment))))


def _balance_query(operator: Operator, operand: Any, moment: Moment) -> Q:
    """What can be spent of one of the kinds of units of a program that they take part in, or of the
    moment's; in units, not at their scale."""
    rows = Membership.objects.filter(customer=OuterRef("pk"), status__in=TAKING_PART)
    if isinstance(moment, ProgramMoment):
        rows = rows.filter(program=moment.program)
    digits = DecimalField(max_digits=30, decimal_places=6)
    free = Case(
        When(account__wallets__debt_blocks=True, account__wallets__owed__gt=0, then=Value(0)),
        default=Greatest(F("account__wallets__balance") - F("account__wallets__owed"), Value(0)),
    )
    scale = Power(Value(Decimal(10)), F("account__wallets__wallet_type__scale"))
    rows = rows.annotate(
        spendable=ExpressionWrapper(Cast(free, digits) / Cast(scale, digits), output_field=digits)
    )
    asked = operator.query("spendable", operand, moment)
    return ~Q(Exists(rows.exclude(asked))) if operator.unknown else Q(Exists(rows.filter(asked)))


def _nothing_bought(operator: Operator, operand: Any) -> str:
    """Of what is asked of the first purchase as a member; it is true of activities before, too."""
    none = ("is", 0), ("at_most", 0), ("less_than", 1)
    asked = (operator.code, operand) in none
    return gettext("nothing was bought as a member before") if asked else ""


def _about(operator: Operator, operand: Any) -> str:
    """Of what has a name; a SKU is asked for as other texts are."""
    name = dict(known_subjects()).get(operand) if operator.code == "is" else None
    return gettext("it is about “%s”") % name if name else ""


def _activity_types() -> Sequence[tuple[str, str]]:
    return list(ActivityType.objects.values_list("code", "name"))


def _tenders() -> Sequence[tuple[str, str]]:
    return [(code, str(label)) for code, label in Tender.Kind.choices]


_ORDER = (
    _order("total", _("order total"), values.MONEY, attrgetter("basket.total"),
           _("What the customer pays in all, after returns.")),
    _order("goods", _("goods of the order"), values.MONEY,
           lambda order: sum(line.total for line in order.basket.lines),
           _("The items alone, after their discounts, without shipping.")),
    _order("items", _("number of items"), values.NUMBER, lambda order: len(order.lines)),
    _order("quantity", _("number of pieces"), values.NUMBER,
           lambda order: sum(line.quantity for line in order.lines),
           _("Of all items together, after returns.")),
    _order("channel", _("channel"), values.TEXT, attrgetter("channel"), _("As web or till.")),
    _order("store", _("store"), values.TEXT, attrgetter("store")),
    _order("partner", _("partner"), values.TEXT, attrgetter("partner"),
           _("Short name of the partner at whose it was bought; empty: at none.")),
    _order("currency", _("currency"), values.TEXT, attrgetter("currency"), _("As EUR.")),
    _order("payment_method", _("payment method"), values.TEXT, attrgetter("payment_method"),
           _("As your shop names it: card, cash.")),
    _order("paid_with", _("ways of payment"), values.LIST, attrgetter("paid_with"),
           choices=_tenders),
    _order("coupons", _("coupons"), values.LIST, attrgetter("coupons"), _("Codes used.")),
    _order("weekday", _("weekday"), values.WEEKDAY, lambda order: order.moment.local.weekday(),
           _("In the program's time zone.")),
    _order("time", _("time of day"), values.CLOCK,
           lambda order: dt.time(order.moment.local.hour, order.moment.local.minute),
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
    _line(
        "margin",
        _("margin"),
        values.SHARE,
        "margin",
        _(
            "Percent of the item’s price, without tax and after its discount, that is left of it "
            "without what it cost. Only where orders say what items cost. Members do not read it."
        ),
    ),
)

_BEHAVIOR = (
    _behavior("orders", _("number of orders"), values.NUMBER, _("Before this one.")),
    _behavior("spend", _("spend"), values.MONEY, _("What they bought and kept.")),
    _behavior("average_order", _("average order"), values.MONEY),
    _behavior("first_order_at", _("first order"), values.INSTANT),
    _behavior("last_order_at", _("last order"), values.INSTANT),
    _behavior("purchase_cycle", _("purchase cycle"), values.NUMBER,
              _("Days from one order to the next, on average.")),
    Field("behavior.overdue", _("cycles since the last order"), values.NUMBER, BEHAVIOR, repr,
          help=_("Time since the last order in their own purchase cycles: 2 is twice as long as "
                 "they usually take."),
          query=_overdue_query, read_at=lambda behavior, moment: behavior.overdue(moment.now)),
    _behavior("spend_percentile", _("rank by spend"), values.SHARE,
              _("How many percent of all who ordered spend less: 80 and more is the top fifth. "
                "As of last night.")),
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
          attrgetter("subject"), help=_("What it was about, as a product's SKU."),
          choices=known_subjects, said=_about),
    Field("activity.weekday", _("weekday of the activity"), values.WEEKDAY, ACTIVITY,
          lambda deed: deed.moment.local.weekday(), help=_("In the program's time zone.")),
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
          attrgetter("enrolled_at"), query=_enrolled_query),
    Field("member.balance", _("balance"), values.NUMBER, MEMBER, attrgetter("balance"),
          query=_balance_query,
          help=_("Units of the rule's kind that can be spent, before the order. A segment asks "
                 "whether it is so of one kind of units in one of their programs.")),
    Field("member.orders", _("orders since joining"), values.NUMBER, JOINED, lambda orders: orders,
          help=_("Before this one: 0 at the first purchase as a member. Not known for what was "
                 "before they joined."), said=_nothing_bought),
)  # fmt: skip

_TIER = (
    Field("membership.tier", _("tier"), values.TIER, TIER, lambda held: held, choices=known_tiers,
          query=_tier_query,
          help=_("Before the order, unless the program says otherwise. A segment asks whether it "
                 "is so in one of their programs.")),
)  # fmt: skip

_PLAN = (
    Field("membership.has_plan", _("has a paid plan"), values.YES_NO, PLAN, bool,
          query=_plan_query,
          help=_("At the moment of the order. A segment asks whether it is so in one of their "
                 "programs.")),
    Field("membership.plan", _("paid plan"), values.TEXT, PLAN, lambda held: held,
          choices=known_plans, query=_plan_query,
          help=_("The one whose benefits they have, at the moment of the order.")),
)  # fmt: skip

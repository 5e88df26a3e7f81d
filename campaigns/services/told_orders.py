"""What members are told about an order: what it earned, from when on, and what they have now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.models import Message, OccasionSetting
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.services.messages import watched, write_messages
from loyalty.instants import NEVER
from loyalty.lot_words import matures_words
from loyalty.models import Lot, Membership, Order, Transfer, WalletType
from loyalty.selectors.balances import Balance, balances_of, worth_of
from members.formatting import format_day, format_money, format_units
from members.models import OutboxEvent
from members.selectors.merges import current

EARNED = Occasion(
    code="order_earned",
    label=_l("Order receipt"),
    description=_l("An order has earned something."),
    icon="receipt",
    topic="orders",
    priority=10,
    variables=(
        Variable("order", _l("Order number"), "text", "1042"),
        Variable("order_day", _l("Day of the order"), "day", "Nov 27, 2026"),
        Variable("earned", _l("What it earned"), "units", "120 points"),
        Variable("pending", _l("From when on it can be used, as a sentence"), "text",
                 "You can use 120 points from Dec 11, 2026 on.", may_be_empty=True),
        Variable("balance", _l("What can be used now"), "units", "860 points"),
        Variable("worth", _l("What that is worth"), "money", "$8.60", may_be_empty=True),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Earned:
    """What an order brought a member, of one kind of units."""

    order: Order
    member: Membership
    unit: WalletType
    transfers: tuple[Transfer, ...]

    @property
    def units(self) -> int:
        return sum(transfer.amount for transfer in self.transfers)

    @property
    def occurrence(self) -> str:
        return f"order:{self.order.pk}:{self.member.pk}"


def follow_orders(events: Sequence[OutboxEvent]) -> None:
    """Tell the buyers of orders that were just recorded, each once; what becomes of an order later
    is not told again."""
    setting = watched(EARNED)
    if setting is None:
        return
    now = timezone.now()
    customers = {pk for event in events for pk in event.payload["customers"]}
    earned = _untold(_earned(_orders(customers, setting, now)))
    news = _receipts(earned, now)
    write_messages(occasion=EARNED, setting=setting, news=news, now=now)


def order_news(orders: Sequence[Order], now: dt.datetime) -> list[News]:
    """What each of these orders brought to whom."""
    return _receipts(_earned(orders), now)


def _receipts(earned: Sequence[Earned], now: dt.datetime) -> list[News]:
    if not earned:
        return []
    members = {item.member.pk: item.member for item in earned}
    balances = balances_of(members.values(), now)
    lots = _lots(earned)
    return [_news(item, balances[item.member.pk], lots) for item in earned]


def _orders(
    customers: Iterable[int], setting: OccasionSetting, now: dt.datetime
) -> list[Order]:  # fmt: skip
    """Those that were recorded since the occasion is on."""
    found = Order.objects.filter(
        customer__in=list(customers), placed_at__gt=now - FRESH, recorded_at__gte=setting.since
    )
    return list(found.exclude(status__in=Order.VOID).order_by("pk"))


def _earned(orders: Sequence[Order]) -> list[Earned]:
    """Of each order and member the kind of units that is worth the most."""
    groups: defaultdict[tuple[int, int, int], list[Transfer]] = defaultdict(list)
    rows = Transfer.objects.filter(
        order__in=orders, kind=Transfer.Kind.ACCRUAL, refund=None,
        wallet__account__membership__status=Membership.Status.ACTIVE,
    ).select_related(
        "wallet_type", "wallet__account__membership__program",
        "wallet__account__membership__customer__merged_into",
    )  # fmt: skip
    for row in rows.order_by("pk"):
        member = row.wallet.account.membership
        groups[row.order_id or 0, member.pk, row.wallet_type_id].append(row)
    best: dict[tuple[int, int], list[Transfer]] = {}
    for (order_id, member_id, _unit), found in groups.items():
        known = best.get((order_id, member_id))
        if known is None or _worth(found) > _worth(known):
            best[order_id, member_id] = found
    named = {order.pk: order for order in orders}
    return [
        Earned(
            named[order_id], found[0].wallet.account.membership, found[0].wallet_type, tuple(found)
        )
        for (order_id, _member), found in best.items()
    ]  # fmt: skip


def _untold(earned: Sequence[Earned]) -> list[Earned]:
    """Without those of which it was told before, which all come again with each further order."""
    known = set(
        Message.objects.filter(
            occasion=EARNED.code, occurrence__in=[item.occurrence for item in earned]
        ).values_list("occurrence", flat=True)
    )
    return [item for item in earned if item.occurrence not in known]


def _worth(transfers: Sequence[Transfer]) -> tuple[Decimal, int]:
    unit = transfers[0].wallet_type
    units = sum(transfer.amount for transfer in transfers)
    return worth_of(units, unit), units


def _lots(earned: Sequence[Earned]) -> dict[int, list[Lot]]:
    """By the transfer that they came with."""
    ids = [transfer.pk for item in earned for transfer in item.transfers]
    found: defaultdict[int, list[Lot]] = defaultdict(list)
    for lot in Lot.objects.filter(transfer__in=ids).select_related("policy"):
        found[lot.transfer_id].append(lot)
    return found


def _news(item: Earned, balances: Sequence[Balance], lots: dict[int, list[Lot]]) -> News:
    member, order = item.member, item.order
    zone = member.program.zone
    own = [lot for transfer in item.transfers for lot in lots.get(transfer.pk, ())]
    balance = next(found for found in balances if found.wallet_type.pk == item.unit.pk)

    def values() -> dict[str, str]:
        worth = balance.worth
        return {
            "order": order.external_id,
            "order_day": format_day(order.placed_at, zone),
            "earned": format_units(item.units, item.unit),
            "pending": _pending(item, own, order),
            "balance": format_units(balance.spendable, item.unit),
            "worth": format_money(worth, member.program.currency) if worth else "",
        }

    return News(
        customer=current(member.customer), membership=member,
        occurrence=item.occurrence, values=values,
        link=reverse("rewards_account:shelf_of", args=[member.public_id]),
    )  # fmt: skip


def _pending(item: Earned, lots: Sequence[Lot], order: Order) -> str:
    """From when on all of it can be used; empty: it can already."""
    waiting = [lot for lot in lots if lot.spendable_at > order.recorded_at]
    if not waiting:
        return ""
    last = max(waiting, key=lambda lot: lot.spendable_at)
    words = {
        "units": format_units(sum(lot.granted for lot in waiting), item.unit),
        "day": matures_words(
            last, held=order.held_at is not None, zone=item.member.program.zone
        ),
    }  # fmt: skip
    if last.spendable_at < NEVER:
        return _("You can use %(units)s from %(day)s on.") % words
    return _("You can use %(units)s %(day)s.") % words

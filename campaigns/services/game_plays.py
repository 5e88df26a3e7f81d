"""How members come to plays: earned by what they do, or bought with units; and how they go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.game_definitions import Earning, earnings_of
from campaigns.models import Game, GamePlay
from campaigns.news import FRESH
from campaigns.selectors.games import earning_games, is_for, lasts_until, unit_of
from campaigns.services.game_turns import GameClosedError, hold_member, playable
from campaigns.services.told_members import rises
from loyalty.models import Activity, Membership, Order, Refund, TierChange, Transfer
from loyalty.selectors.memberships import memberships, wallet_of_kind
from loyalty.selectors.selves import selves
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.models import OutboxEvent
from members.services.audit import SYSTEM, Actor
from members.services.transactions import run_atomically

Source = GamePlay.Source


def grant_plays(
    *, game: Game, member: Membership, source: str, occasion: str, count: int, now: dt.datetime,
    order: Order | None = None,
) -> int:  # fmt: skip
    """So many plays for an occasion, once; returns how many are new. Whoever was merged has had
    what the one they are now would get for the same."""
    wanted = [f"{occasion}:{number}" for number in range(1, count + 1)]
    had = set(
        GamePlay.objects.filter(
            game=game, membership__in=selves([member]), occasion__in=wanted
        ).values_list("occasion", flat=True)
    )
    ends = lasts_until(game, now)
    plays = [
        GamePlay(game=game, membership=member, source=source, occasion=item, order=order,
                 granted_at=now, expires_at=ends)
        for item in wanted if item not in had
    ]  # fmt: skip
    GamePlay.objects.bulk_create(plays, ignore_conflicts=True)
    return len(plays)


def buy_play(
    *, game: Game, membership: Membership, key: str, source: str, actor: Actor, now: dt.datetime
) -> tuple[GamePlay, bool]:
    """A play for units. Returns it, and whether it had been bought before by this key. It lasts as
    long as the game; what was not used by then is given back. Raises InsufficientBalanceError,
    GameClosedError."""

    def buy() -> tuple[GamePlay, bool]:
        member = hold_member(membership)
        occasion = f"bought:{key}"
        known = GamePlay.objects.filter(
            game=game, membership__in=selves([member]), occasion=occasion
        ).first()
        if known is not None:
            return known, True
        found = playable(game, now)
        if found.price is None:
            raise GameClosedError(_("Plays of this game are not sold."), code="not_sold")
        if member.status != Membership.Status.ACTIVE or not is_for(found, member, now):
            raise GameClosedError(_("This game is not for this member."), code="not_for_member")
        unit = unit_of(found.program)
        wallet = wallet_of_kind(member.account_id, unit.pk)
        spent, _replayed = redeem_units(
            wallet=wallet, units=int(found.price * Decimal(10) ** unit.scale),
            key=f"game:{found.pk}:{member.pk}:{key}", source=source, actor=actor, now=now,
            reward=found.title,
        )  # fmt: skip
        play = GamePlay.objects.create(
            game=found, membership=member, source=Source.BOUGHT, occasion=occasion,
            granted_at=now, spent=spent,
        )  # fmt: skip
        return play, False

    return run_atomically(buy)


def return_bought(game: Game, now: dt.datetime) -> bool:
    """Give back what the next play cost that nobody used before the game was over; False: there is
    none any more."""

    def give_back() -> bool:
        waiting = GamePlay.objects.filter(
            game=game, source=Source.BOUGHT, used_at=None, withdrawn_at=None
        ).select_related("spent", "membership")
        first = waiting.order_by("pk").first()
        if first is None:
            return False
        hold_member(first.membership)
        play = (
            GamePlay.objects.select_for_update(of=("self",))
            .select_related("spent")
            .get(pk=first.pk)
        )
        if play.used_at is None and play.withdrawn_at is None:
            assert play.spent is not None
            play.returned, _replayed = reverse_redemption(
                transfer=play.spent, key=f"game:back:{play.pk}", source=Transfer.Source.JOB,
                actor=SYSTEM, now=now, note=game.title, with_reward=True,
            )  # fmt: skip
            play.withdrawn_at = now
            play.save(update_fields=["returned", "withdrawn_at"])
        return True

    return run_atomically(give_back)


def follow_joined(events: Sequence[OutboxEvent]) -> None:
    """Whoever has just joined by themselves; nobody who came with a file of the past."""
    named = {pk for event in events for pk in event.payload.get("memberships") or ()}
    now = timezone.now()
    for game, earning in _earned_by("joined", earning_games(now)):
        rows = memberships().filter(
            pk__in=named, program=game.program_id, enrolled_at__gt=now - FRESH,
            enrolled_at__gte=game.live_at,
        ).exclude(source=Membership.Source.IMPORT)  # fmt: skip
        for member in rows:
            _earn(game, earning, member, "joined", now)


def follow_tiers(events: Sequence[OutboxEvent]) -> None:
    """Who has reached a higher tier that is still theirs; each tier counts once in a game."""
    named = {event.payload["change"] for event in events}
    now = timezone.now()
    for game, earning in _earned_by("tier_up", earning_games(now)):
        rows = TierChange.objects.filter(
            pk__in=named, recorded_at__gte=game.live_at, membership__program=game.program_id
        )
        for change in rises(rows, now):
            _earn(game, earning, change.membership, f"tier:{change.became}", now)


def follow_customers(events: Sequence[OutboxEvent]) -> None:
    """The orders and activities of customers of whom something is new; and orders that are gone."""
    customers = {pk for event in events for pk in event.payload["customers"]}
    now = timezone.now()
    games = earning_games(now)
    for game, earning in _earned_by("order", games):
        _earn_by_orders(game, earning, customers, now)
    for game, earning in _earned_by("activity", games):
        _earn_by_activities(game, earning, customers, now)


def _earn_by_orders(game: Game, earning: Earning, customers: set[int], now: dt.datetime) -> None:
    orders = Order.objects.filter(
        customer__in=customers, placed_at__gt=now - FRESH, placed_at__gte=game.live_at,
        currency=game.program.currency,
    ).exclude(status__in=Order.VOID)  # fmt: skip
    found = list(orders.order_by("pk"))
    back = _refunded(found)
    owners = _owners(game, {order.customer_id for order in found})
    for order in found:
        member = owners.get(order.customer_id or 0)
        worth = order.total - back.get(order.pk, Decimal(0))
        if member is not None and (earning.least is None or worth >= earning.least):
            _earn(game, earning, member, f"order:{order.pk}", now, order)
    _withdraw(game, customers, now)


def _withdraw(game: Game, customers: set[int], now: dt.datetime) -> None:
    """Plays that nobody used yet, for orders that would not earn them any more."""
    plays = list(
        GamePlay.objects.filter(
            game=game, order__customer__in=customers, used_at=None, withdrawn_at=None
        ).select_related("order")
    )
    back = _refunded([play.order for play in plays if play.order])
    for play in plays:
        order = play.order
        assert order is not None
        left = order.total - back.get(order.pk, Decimal(0))
        if order.status in Order.VOID or _number(play) > _earned_with(game, left):
            GamePlay.objects.filter(pk=play.pk, used_at=None).update(withdrawn_at=now)


def _number(play: GamePlay) -> int:
    """The how-many-th of its occasion it is."""
    return int(play.occasion.rpartition(":")[2])


def _earned_with(game: Game, worth: Decimal) -> int:
    """How many plays an order of so much earns: the most that one way to earn them says."""
    ways = earnings_of(game, "order")
    return max((way.plays for way in ways if way.least is None or worth >= way.least), default=0)


def _earn_by_activities(
    game: Game, earning: Earning, customers: set[int], now: dt.datetime
) -> None:
    found = list(
        Activity.objects.filter(
            customer__in=customers, type__code=earning.activity, state=Activity.State.APPROVED,
            occurred_at__gt=now - FRESH, occurred_at__gte=game.live_at,
        ).order_by("pk")
    )  # fmt: skip
    owners = _owners(game, {item.customer_id for item in found})
    for item in found:
        if item.customer_id in owners:
            _earn(game, earning, owners[item.customer_id], f"activity:{item.pk}", now)


def _earned_by(on: str, games: Sequence[Game]) -> Iterable[tuple[Game, Earning]]:
    return [(game, earning) for game in games for earning in earnings_of(game, on)]


def _earn(
    game: Game, earning: Earning, member: Membership, occasion: str, now: dt.datetime,
    order: Order | None = None,
) -> None:  # fmt: skip
    if member.status == Membership.Status.ACTIVE and is_for(game, member, now):
        grant_plays(
            game=game, member=member, source=earning.on, occasion=occasion, count=earning.plays,
            now=now, order=order,
        )  # fmt: skip


def _owners(game: Game, customers: Iterable[int | None]) -> dict[int, Membership]:
    rows = memberships().filter(program=game.program_id, customer__in=[*customers])
    return {row.customer_id: row for row in rows}


def _refunded(orders: Sequence[Order]) -> dict[int, Decimal]:
    rows = Refund.objects.filter(order__in=orders).values_list("order").annotate(Sum("total"))
    return dict(rows)

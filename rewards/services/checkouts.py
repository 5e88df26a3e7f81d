"""A cart's way: reserved, committed with the number of its order, canceled, or run out.

What is reserved is spent at once, so nobody can spend it twice; it comes back to where it came
from.
Locks: the checkout, then its member's wallets, then what it keeps.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import orjson
from django.utils.translation import gettext as _

from loyalty.codes_asked import answers_as_json, cart_holder
from loyalty.errors import OrderConflictError
from loyalty.instants import NEVER
from loyalty.ledger.posting import lock_wallets_of_accounts
from loyalty.models import Membership, Transfer, WalletType
from loyalty.rules.facts import Basket, Occasion
from loyalty.selectors.memberships import membership_now
from loyalty.services.discount_budgets import BudgetGoneError
from loyalty.services.order_inputs import OrderInput
from loyalty.services.order_payments import open_order, pay_order
from members.errors import DomainError, FieldError
from members.prepared import insert_row, update_row
from members.selectors.erased import refuse_erased
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically
from rewards.errors import CheckoutRefusedError, CheckoutStateError
from rewards.models import Checkout, Reward, Voucher
from rewards.selectors.checkouts import locked_checkout
from rewards.services.checkout_budgets import (
    discounts_to_order,
    hold_discounts,
    let_discounts_go,
    priced_while_it_lasts,
)
from rewards.services.checkout_cards import (
    CardPayment,
    accounts_of,
    hold_cards,
    refuse_cards,
)
from rewards.services.checkout_codes import codes_to_order, hold_codes
from rewards.services.checkout_holds import (
    give_all_back,
    hold_rewards,
    hold_units,
    keep_vouchers,
    purse_of,
    use_all,
)
from rewards.services.checkout_totals import Priced, priced, totals, without
from rewards.services.stacking import parts_in_turn, refuse_together
from rewards.services.vouchers import hold_voucher, refuse_of_another
from rewards.voucher_terms import Taken, taken_off

Status = Checkout.Status
# How long a cart is kept, where nothing else is said, and at most.
HOLD = dt.timedelta(minutes=30)
LONGEST_HOLD = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Cart:
    """What a shop asks to be kept. `units` at the scale of their kinds; vouchers and rewards take
    off one after the other, by their turns, else in this order, vouchers first. Units pay first,
    then the gift cards in this order."""

    membership: Membership
    source: str
    name: str
    order: OrderInput
    units: Mapping[WalletType, int] = field(default_factory=dict)
    rewards: Sequence[Reward] = ()
    vouchers: Sequence[Voucher] = ()
    with_discounts: bool = True
    gift_cards: Sequence[CardPayment] = ()

    def request_hash(self) -> bytes:
        """The same for the same request, whenever it comes."""
        asked = [
            self.membership.pk,
            replace(self.order, placed_at=NEVER).content().body_hash().hex(),
            sorted((kind.pk, units) for kind, units in self.units.items()),
            [reward.pk for reward in self.rewards],
            [voucher.pk for voucher in self.vouchers],
            self.with_discounts,
        ]
        if self.gift_cards:
            asked.append([item.asked() for item in self.gift_cards])
        return hashlib.blake2b(orjson.dumps(asked), digest_size=16).digest()


def reserve_checkout(
    *, cart: Cart, source: str, actor: Actor, now: dt.datetime, hold: dt.timedelta = HOLD
) -> Checkout:
    """Keep all that a cart asks for, or nothing. The same cart again is answered as before; one
    that changed, ran out or was given up is reserved anew, and what it kept comes back first.

    Raises CheckoutStateError where it was paid, CheckoutRefusedError, ConflictError where the
    member was erased, and what spending, taking a reward and holding a voucher raise.
    """
    _check(cart, hold)
    return priced_while_it_lasts(
        lambda: run_atomically(lambda: _reserve(cart, source, actor, now, now + hold))
    )


def commit_checkout(
    *, checkout: Checkout, order_external_id: str, source: str, actor: Actor, now: dt.datetime
) -> tuple[Checkout, bool]:
    """It was paid, and became this order of its source: all that it keeps is used. Returns it, and
    whether that was so before. Raises CheckoutStateError where it ran out or was given up,
    OrderConflictError where the order is another one's."""

    def commit() -> tuple[Checkout, bool]:
        found = _locked(checkout)
        if found.status == Status.COMMITTED:
            if found.order_external_id != order_external_id:
                raise OrderConflictError(_("It became order %s.") % found.order_external_id)
            return found, True
        if found.status != Status.RESERVED or found.reserved_until <= now:
            raise _ended(found)
        _refuse_taken(found, order_external_id)
        order = open_order(
            source=found.source, external_id=order_external_id,
            customer_id=found.membership.customer_id, now=now,
        )  # fmt: skip
        spends = use_all(found, actor=actor, now=now)
        found.status, found.committed_at = Status.COMMITTED, now
        found.order_external_id = order_external_id
        update_row(found, "status", "committed_at", "order_external_id")
        codes_to_order(found, now)
        pay_order(
            order, spends, now=now, transfer_source=source, with_cards=bool(found.paid_gift_cards)
        )
        try:
            discounts_to_order(found, now)
        except BudgetGoneError as gone:
            raise _ran_out() from gone
        return found, False

    return run_atomically(commit)


def cancel_checkout(
    *, checkout: Checkout, reason: str, source: str, actor: Actor, now: dt.datetime
) -> Checkout:
    """Give all of it back. Doing it again changes nothing. One that was paid is given back where
    its order never came, or was canceled; else it raises OrderConflictError."""

    def cancel() -> Checkout:
        found = _locked(checkout)
        if found.status in (Status.CANCELED, Status.EXPIRED):
            return found
        lock_wallets_of_carts([found])
        _end(found, Status.CANCELED, reason, source, actor, now)
        return found

    return run_atomically(cancel)


def expire_checkout(*, checkout: Checkout, now: dt.datetime, actor: Actor) -> bool:
    """Give back what nobody paid for in time; whether there was something to give back."""

    def expire() -> bool:
        found = _locked(checkout)
        if found.status != Status.RESERVED or found.reserved_until > now:
            return False
        lock_wallets_of_carts([found])
        _end(found, Status.EXPIRED, "", Transfer.Source.JOB.value, actor, now)
        return True

    return run_atomically(expire)


def _check(cart: Cart, hold: dt.timedelta) -> None:
    if not dt.timedelta(0) < hold <= LONGEST_HOLD:
        wrong = FieldError("hold_minutes", _("Between a minute and seven days."))
        raise DomainError(_("This cannot be kept for so long."), errors=[wrong])
    if any(units <= 0 for units in cart.units.values()):
        wrong = FieldError("units", _("Give a number above zero."))
        raise DomainError(_("A payment takes more than nothing."), errors=[wrong])
    if len({voucher.pk for voucher in cart.vouchers}) < len(cart.vouchers):
        wrong = FieldError("vouchers", _("It is there twice."), "duplicate")
        raise DomainError(_("A voucher is used once."), errors=[wrong])
    if len({item.card.pk for item in cart.gift_cards}) < len(cart.gift_cards):
        wrong = FieldError("gift_cards", _("It is there twice."), "duplicate")
        raise DomainError(_("A gift card pays once."), errors=[wrong])
    refuse_cards(cart.gift_cards, cart.membership)


def _reserve(
    cart: Cart, source: str, actor: Actor, now: dt.datetime, until: dt.datetime
) -> Checkout:
    asked = cart.request_hash()
    rows = Checkout.objects.select_for_update()
    known = rows.filter(source=cart.source, cart=cart.name).first()
    if known is not None:
        if known.status == Status.COMMITTED:
            raise _ended(known)
        held = known.status == Status.RESERVED and known.reserved_until > now
        if held and bytes(known.request_hash) == asked:
            return known
    cards = [item.card.account_id for item in cart.gift_cards]
    lock_wallets_of_carts([known] if known else [], [cart.membership.account_id, *cards])
    if known is not None and known.status == Status.RESERVED:
        give_all_back(known, reason="", source=source, actor=actor, now=now)
    member = _member_now(cart.membership)
    refuse_erased(member.customer)
    held_before = known is not None and bool(known.discount)
    found = priced(
        cart.order, member, now=now, with_discounts=cart.with_discounts,
        holders=[cart_holder(f"{cart.source}/{cart.name}")],
    )  # fmt: skip
    checkout = _begun(cart, member, known, asked, now, until)
    vouchers, rewards, left = _hold_vouchers(cart, checkout, found, now)
    for name, value in totals(cart.order, found, left).items():
        setattr(checkout, name, value)
    checkout.paid_units = checkout.paid_gift_cards = 0
    if known is None:
        insert_row(checkout)
    else:
        checkout.save()
    keep_vouchers(checkout, vouchers)
    purse = purse_of(member, found.program)
    hold_rewards(checkout, rewards, purse, source=source, actor=actor, now=now)
    checkout.paid_units = hold_units(
        checkout, cart.units, purse, source=source, actor=actor, now=now
    )
    checkout.paid_gift_cards = hold_cards(
        checkout, cart.gift_cards, source=source, actor=actor, now=now, coin=found.coin
    )
    checkout.codes = answers_as_json(hold_codes(checkout, found.quote, now))
    update_row(checkout, "paid_units", "paid_gift_cards", "codes")
    hold_discounts(checkout, found.quote.discounted, held_before=held_before, now=now)
    return checkout


def _member_now(asked: Membership) -> Membership:
    """Whose cart it is, read since their wallets were locked; of one who was merged into another
    meanwhile that one, locked too."""
    found = membership_now(asked.merged_into_id or asked.pk)
    if found.merged_into_id is not None:
        found = membership_now(found.merged_into_id)
    if found.pk != asked.pk:
        lock_wallets_of_accounts([found.account_id])
    return found


def _begun(
    cart: Cart, member: Membership, known: Checkout | None, asked: bytes, now: dt.datetime,
    until: dt.datetime,
) -> Checkout:  # fmt: skip
    """A new row, or the cart's own, without what it kept before."""
    checkout = known or Checkout(source=cart.source, cart=cart.name, round=0)
    if known is not None:
        for parts in (known.units, known.rewards, known.vouchers, known.gift_cards):
            parts.all().delete()
    checkout.membership, checkout.status, checkout.reserved_until = member, Status.RESERVED, until
    checkout.round, checkout.request_hash, checkout.created_at = checkout.round + 1, asked, now
    checkout.closed_at, checkout.reason, checkout.staff = None, "", None
    checkout.committed_at, checkout.order_external_id = None, ""
    return checkout


def _hold_vouchers(
    cart: Cart, checkout: Checkout, found: Priced, now: dt.datetime
) -> tuple[list[tuple[Voucher, Taken]], list[tuple[Reward, Taken]], Basket]:
    """Hold the vouchers, and say what each of them and of the rewards takes off what those before
    it left, and what is left then."""
    parts = parts_in_turn(cart.vouchers, cart.rewards)
    refuse_together([part.terms for part in parts])
    occasion, vouchers, rewards = found.occasion, [], []
    for part in parts:
        if part.voucher is not None:
            taken = _hold_voucher(part.voucher, checkout, occasion, now)
            vouchers.append((part.voucher, taken))
        if part.reward is not None:
            taken = _promised(part.reward, part.terms, occasion, found.coin)
            rewards.append((part.reward, taken))
        occasion = without(occasion, taken)
    return vouchers, rewards, occasion.basket


def _hold_voucher(
    voucher: Voucher, checkout: Checkout, occasion: Occasion, now: dt.datetime
) -> Taken:
    refuse_of_another(voucher, checkout.membership)
    _use, taken = hold_voucher(
        voucher=voucher, checkout=checkout.name, occasion=occasion, now=now,
        hold=checkout.reserved_until - now, member=checkout.membership,
    )  # fmt: skip
    if not voucher.terms.get("discount"):
        return replace(taken, basket=occasion.basket)
    return taken


def _promised(reward: Reward, terms: dict[str, Any], occasion: Occasion, coin: Decimal) -> Taken:
    """What a reward takes off that is taken with the cart."""
    taken = taken_off(terms, occasion, coin)
    if reward.takes_off and not taken.amount:
        raise CheckoutRefusedError(
            _("%s takes nothing off this cart.") % reward.name, code="reward_not_applicable"
        )
    return taken


def _end(
    checkout: Checkout, status: str, reason: str, source: str, actor: Actor, now: dt.datetime
) -> None:
    give_all_back(checkout, reason=reason, source=source, actor=actor, now=now)
    let_discounts_go(checkout, now)
    checkout.status, checkout.closed_at, checkout.reason = status, now, reason
    checkout.staff = actor.user
    checkout.save(update_fields=["status", "closed_at", "reason", "staff"])
    if actor.user is not None:
        record_audit(
            actor=actor, action="checkout.cancelled", target=checkout.membership.customer,
            about=checkout.membership,
            after={"cart": checkout.cart}, reason=reason,
        )  # fmt: skip


def _locked(checkout: Checkout) -> Checkout:
    return locked_checkout(checkout.pk)


def lock_wallets_of_carts(checkouts: Sequence[Checkout], accounts: Sequence[int] = ()) -> None:
    """All wallets that something of them may come from or go back to, also of those who their
    members were merged into. `accounts`: of the member and the gift cards of a cart that is new."""
    members = [item.membership.account_id for item in checkouts]
    cards = accounts_of(checkouts) if checkouts else []
    lock_wallets_of_accounts([*members, *accounts, *cards])


def _ended(checkout: Checkout) -> CheckoutStateError:
    match checkout.status:
        case Status.COMMITTED:
            return CheckoutStateError(
                _("It was paid with order %s.") % checkout.order_external_id,
                code="checkout_committed",
            )
        case Status.CANCELED:
            return CheckoutStateError(_("It was given up."), code="checkout_cancelled")
    return _ran_out()


def _ran_out() -> CheckoutStateError:
    return CheckoutStateError(
        _("Nobody paid for it in time. Reserve the cart again."), code="checkout_expired"
    )


def _refuse_taken(checkout: Checkout, order_external_id: str) -> None:
    same = Checkout.objects.filter(
        source=checkout.source, order_external_id=order_external_id, status=Status.COMMITTED
    )
    if same.exists():
        raise OrderConflictError(_("Order %s was another cart.") % order_external_id)

"""Before a cart is paid: what could pay for it, which rewards fit, and what is the best use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import Membership, WalletType
from loyalty.rules.facts import ZERO
from loyalty.services.order_inputs import OrderInput
from loyalty.services.quotes import Quote
from loyalty.services.unit_tenders import pays
from loyalty.services.usable_units import spendable_units
from members.formatting import format_money, format_units
from rewards.models import GiftCard, Reward, Voucher
from rewards.selectors.checkouts import holders_of
from rewards.selectors.rewards import offered
from rewards.services.checkout_cards import CardFit, fits_of
from rewards.services.checkout_totals import Priced, priced
from rewards.services.chosen_together import Together, look_together
from rewards.services.eligibility import Offer, Refusal, offers_for
from rewards.voucher_terms import taken_off, terms_of


@dataclass(frozen=True, slots=True)
class Fit:
    """A reward as one cart of a member finds it. `amount`: what it would take off; `missing`: how
    many units they lack."""

    reward: Reward
    price: int
    amount: Decimal
    missing: int
    refusals: tuple[Refusal, ...]

    @property
    def fits(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, slots=True)
class Use:
    """A way to use units of one kind for a cart; without a reward they pay."""

    wallet_type: WalletType
    units: int
    amount: Decimal
    reward: Reward | None = None

    def words(self, currency: str) -> str:
        said = {
            "units": format_units(self.units, self.wallet_type),
            "money": format_money(self.amount, currency),
        }
        if self.reward is None:
            return _("Pay %(money)s with %(units)s.") % said
        said["reward"] = self.reward.name
        return _("Take “%(reward)s” for %(units)s: %(money)s off.") % said


@dataclass(frozen=True, slots=True)
class CartQuote:
    """`best`: of each kind of units the use that saves the most money for each unit; `together`:
    what is chosen, looked at as a whole."""

    quote: Quote
    fits: tuple[Fit, ...]
    best: tuple[Use, ...]
    cards: tuple[CardFit, ...] = ()
    together: Together | None = None


def quote_cart(
    order: OrderInput, membership: Membership, *, now: dt.datetime, with_discounts: bool = True,
    cards: Sequence[GiftCard] = (), vouchers: Sequence[Voucher] = (),
    rewards: Sequence[Reward] = (), cart: tuple[str, str] | None = None,
) -> CartQuote:  # fmt: skip
    """Nothing is kept by it. `cards`: gift cards that may pay, those before others; `vouchers` and
    `rewards`: what is chosen for it; `cart`: the source and the name of the reserved one that it is
    for, by default any of the member's. Raises what `priced` raises."""
    found = priced(
        order, membership, now=now, with_discounts=with_discounts,
        holders=holders_of(membership, cart),
    )  # fmt: skip
    spendable = spendable_units([membership.pk], now).get(membership.pk, {})
    offers = offers_for(list(offered(membership.program)), membership, now)
    fits = tuple(
        _fit(offer, found, spendable.get(offer.reward.wallet_type_id, 0)) for offer in offers
    )
    chosen = None
    if vouchers or rewards:
        chosen = look_together(
            found, membership, vouchers=vouchers, rewards=rewards, now=now,
            offers={offer.reward.pk: offer for offer in offers_for(rewards, membership, now)},
        )  # fmt: skip
    left = chosen.total if chosen else found.occasion.basket.total
    return CartQuote(
        found.quote,
        fits,
        tuple(_best(found, fits, membership)),
        tuple(fits_of(cards, membership, left, found.coin, now)),
        chosen,
    )


def _fit(offer: Offer, found: Priced, spendable: int) -> Fit:
    reward = offer.reward
    amount = taken_off(terms_of(reward), found.occasion, found.coin).amount
    missing = max(offer.price - spendable, 0)
    refusals = list(offer.refusals)
    if reward.takes_off and not amount:
        words = _("It takes nothing off this cart.")
        refusals.append(Refusal("reward_not_applicable", words))
    if missing:
        words = _("%s are missing.") % format_units(missing, reward.wallet_type)
        refusals.append(Refusal("insufficient_balance", words))
    return Fit(reward, offer.price, amount, missing, tuple(refusals))


def _best(found: Priced, fits: Sequence[Fit], membership: Membership) -> Iterator[Use]:
    """The most money for each unit; of two that are alike the one that saves more."""
    uses = list(_uses(found, fits, membership))
    for kind in sorted({use.wallet_type for use in uses}, key=lambda kind: kind.pk):
        own = [use for use in uses if use.wallet_type == kind]
        yield max(own, key=lambda use: (use.amount / use.units, use.amount))


def _uses(found: Priced, fits: Sequence[Fit], membership: Membership) -> Iterator[Use]:
    kinds = {kind.pk: kind for kind in membership.program.wallet_types.all()}
    for usable in found.quote.usable:
        amount = pays(usable.terms, usable.most, found.occasion.currency)
        if usable.most and amount > ZERO:
            yield Use(kinds[usable.wallet_type_id], usable.most, amount)
    for fit in fits:
        if fit.fits and fit.amount:
            yield Use(fit.reward.wallet_type, fit.price, fit.amount, fit.reward)

"""The shelf: what the member can take now, what is near, and what is not for them yet."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.account.charities import charity_cards
from loyalty.account.chosen import choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership, Transfer
from loyalty.services.usable_units import spendable_units
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_money, format_units
from members.forms import posted
from members.languages import locale_of
from members.services.audit import Actor
from rewards.account.parcels import parcels_of
from rewards.account.places import reward_place
from rewards.account.wishes import wishes_about
from rewards.address_forms import AddressForm, first_guess
from rewards.addresses import Address
from rewards.models import Reward
from rewards.selectors.access_windows import shown_to
from rewards.selectors.content import library
from rewards.selectors.events import coming
from rewards.selectors.fulfillment import last_address
from rewards.selectors.redemptions import open_vouchers
from rewards.selectors.rewards import offered
from rewards.services.eligibility import Offer, offers_for
from rewards.services.redemptions import take_reward
from rewards.texts import Told, told
from rewards.words import conditions_of, gives, icon_of


@dataclass(frozen=True, slots=True)
class ShelfItem:
    """A reward as its member finds it. `missing`: what they lack, in words, or nothing; `share`:
    how far they have come, in percent; `reasons`: why it is not for them, if it is not."""

    reward: Reward
    told: Told
    url: str
    icon: str
    gives: str
    worth: str
    price: str
    missing: str
    share: int
    reasons: tuple[str, ...]
    after: str

    @property
    def can_take(self) -> bool:
        return not self.missing and not self.reasons


@require_safe
@customer_view
def shelf(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """Rewards that can be taken now, those that are near, and the others."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    spendable = spendable_of(member, now)
    units = list(member.program.wallet_types.order_by("pk"))
    items = [
        item_of(offer, spendable, member, locale_of(request.customer))
        for offer in offers_for(list(offered(member.program)), member, now)
    ]
    near = [item for item in items if item.missing and not item.reasons]
    context = {
        "title": _("Rewards"),
        "tabs": chosen.tabs("rewards_account:shelf_of"),
        "balances": [
            format_units(spendable.get(unit.pk, 0), unit)
            for unit in units
            if spendable.get(unit.pk) or not unit.stored_value
        ],
        "ready": [item for item in items if item.can_take],
        "near": sorted(near, key=lambda item: -item.share),
        "locked": [item for item in items if item.reasons],
        "vouchers": open_vouchers(member, now).count(),
        "has_credit": any(unit.stored_value for unit in units),
        "charities": charity_cards(member),
        "parcels": parcels_of(member, now),
        "windows": [(own, own.is_open(now)) for own in shown_to(member, now)],
        "has_events": coming(member.program, now).exists(),
        "has_library": library(member.program).exists(),
    }
    return render_page(request, "rewards/account/shelf.html", chosen, context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def reward(request: CustomerRequest, public_id: uuid.UUID, reward_id: uuid.UUID) -> HttpResponse:
    """One reward with what applies to it; taken with a second tap, once for each look at it."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    found = offered(member.program).filter(public_id=reward_id).first()
    if found is None:
        raise Http404("The program offers no such reward.")
    place = reward_place(found, member)
    if request.method != "POST" and place != request.path:
        return HttpResponseRedirect(place)
    problem = ""
    form = _address_form(request, member) if found.sent else None
    if request.method == "POST" and (form is None or form.address()):
        try:
            return _take(request, member, found, form.address() if form else None)
        except DomainError as error:
            problem = str(error.message)
    [offer] = offers_for([found], member, now)
    item = item_of(offer, spendable_of(member, now), member, locale_of(request.customer))
    context = {
        "title": item.told.name,
        "item": item,
        "sentences": list(conditions_of(found, for_members=True)),
        "problem": problem,
        "wishes": wishes_about(member, found),
        # Whoever comes back to this page should not take another by mistake.
        "owned": open_vouchers(member, now).filter(reward=found).order_by("-pk").first(),
        "form": form,
        "key": _key_again(request),
        "breadcrumbs": [(_("Rewards"), reverse("rewards_account:shelf_of", args=[public_id]))],
    }
    status = 409 if problem else 422 if form and form.errors else 200
    return render_page(request, "rewards/account/reward.html", chosen, context, status=status)


def _address_form(request: CustomerRequest, member: Membership) -> AddressForm:
    guess = first_guess(request.customer, last_address(member))
    return AddressForm(posted(request), initial=guess)


def _key_again(request: CustomerRequest) -> uuid.UUID:
    """A form that comes back with a mistake takes the same reward when it is sent again."""
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return uuid.uuid4()


def _take(
    request: CustomerRequest, member: Membership, found: Reward, address: Address | None
) -> HttpResponse:
    try:
        key = uuid.UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Http404("The form has no key.") from error
    taken, _replayed = take_reward(
        membership=member, reward=found, key=f"account:{member.pk}:{key}",
        source=Transfer.Source.ACCOUNT.value, actor=Actor.of_user(request.user),
        now=timezone.now(), address=address,
    )  # fmt: skip
    if found.charity is not None:
        messages.success(request, _("Thank you! It was given to %s.") % found.charity.told_name)
        place = [member.public_id, found.charity.code]
        return HttpResponseRedirect(reverse("mypage:charity", args=place))
    messages.success(request, _("%s is yours.") % told(taken.got, locale_of(request.customer)).name)
    if taken.voucher is None:
        return HttpResponseRedirect(reverse("rewards_account:credit_of", args=[member.public_id]))
    return HttpResponseRedirect(reverse("rewards_account:voucher", args=[taken.voucher.public_id]))


def spendable_of(member: Membership, now: dt.datetime) -> dict[int, int]:
    """By wallet type."""
    return spendable_units([member.pk], now).get(member.pk, {})


def item_of(offer: Offer, spendable: dict[int, int], member: Membership, locale: str) -> ShelfItem:
    found, unit = offer.reward, offer.reward.wallet_type
    held = spendable.get(found.wallet_type_id, 0)
    missing = max(offer.price - held, 0)
    return ShelfItem(
        reward=found,
        told=told(found, locale),
        url=reward_place(found, member),
        icon=icon_of(found),
        gives=gives(found),
        worth=format_money(found.worth, found.program.currency) if found.worth else "",
        price=format_units(offer.price, unit) if offer.price else _("Free"),
        missing=format_units(missing, unit) if missing else "",
        share=min(int(100 * held / offer.price), 100) if offer.price else 100,
        reasons=tuple(item.words for item in offer.refusals),
        after=format_units(max(held - offer.price, 0), unit),
    )

"""Giving to charities from the member's own pages: two taps, with the balance after."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.ledger.balances import holdings
from loyalty.models import Charity, Membership, Transfer, Wallet, WalletType
from loyalty.pledge_words import pledge_words
from loyalty.selectors.charities import (
    charities_in,
    running_pledges,
    worth_of_units,
)
from loyalty.selectors.gifts import givable_wallets
from loyalty.selectors.impact import impact_of_causes, impact_of_member, rate_words, worth_words
from loyalty.services.gifts import donate_units, most_to_give
from loyalty.services.standing_gifts import (
    SHARES,
    end_standing_gift,
    set_standing_gift,
    standing_gifts_of,
)
from loyalty.unit_input import read_amount
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_percent, format_units
from members.navigation import Tab
from members.services.audit import Actor

# Suggested are these parts of what can be given, and a round number.
HALF = 2


@dataclass(frozen=True, slots=True)
class Offer:
    """An amount to tap: what it gives there, and what is left afterwards. `takes_all`: asked
    about first, since nothing brings it back."""

    value: int
    units: str
    gives: str
    after: str
    takes_all: bool


@dataclass(frozen=True, slots=True)
class CharityCard:
    """A charity where members see it among others."""

    charity: Charity
    url: str
    given: str


def charity_cards(membership: Membership) -> list[CharityCard]:
    """The charities that a member can give to, with what went there through them."""
    if not _wallets(membership):
        return []
    given = {item.charity.pk: item.words for item in impact_of_member(membership)}
    return [
        CharityCard(item, _charity_url(membership, item), given.get(item.pk, ""))
        for item in charities_in(membership.program)
    ]


def impact_card(membership: Membership) -> dict[str, object] | None:
    """What the home page says of giving; None where there is nobody to give to."""
    causes = membership.causes  # type: ignore[attr-defined]
    impacts = impact_of_causes(membership, causes)
    if not impacts and not any(cause["status"] == Charity.Status.LIVE for cause in causes):
        return None
    return {
        "url": reverse("mypage:giving_of", args=[membership.public_id]),
        "impacts": impacts[:2],
        "icon": impacts[0].charity.icon if impacts else "heart",
    }


@require_safe
@customer_view
def giving(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What went to charities through the member, whom they can give to, and what they give by
    themselves."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member = chosen.membership
    impacts = impact_of_member(member)
    cards = charity_cards(member)
    if not cards and not impacts:
        raise Http404("The program gives to nobody.")
    context = {
        "title": _("Giving"),
        "tabs": chosen.tabs("mypage:giving_of") if cards else [],
        "impacts": impacts,
        "cards": cards,
        "standing": _standing(member) if cards else [],
        "shares": [(f"{share:f}", format_percent(share / 100, digits=0)) for share in SHARES],
        "pledges": [
            (pledge.name, pledge_words(pledge), pledge.charity)
            for pledge in running_pledges(member.program, timezone.now())
        ],
    }
    return render_page(request, "giving/account/giving.html", chosen, context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def charity(request: CustomerRequest, public_id: uuid.UUID, code: str) -> HttpResponse:
    """One charity and amounts to tap; given with the second tap, once for each look at it."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member = chosen.membership
    found = next((item for item in charities_in(member.program) if item.code == code), None)
    wallets = _wallets(member)
    if found is None or not wallets:
        raise Http404("Nothing can be given there.")
    wallet = next(
        (item for item in wallets if item.wallet_type.code == request.GET.get("units")), wallets[0]
    )
    problem = ""
    if request.method == "POST":
        try:
            return _give(request, chosen, found, wallet)
        except (DomainError, forms.ValidationError) as error:
            problem = str(error.message)
    context = _page(member, found, wallet, wallets) | {"problem": problem}
    status = 422 if problem else 200
    return render_page(request, "giving/account/charity.html", chosen, context, status=status)


@require_POST
@customer_view
def standing_gift(request: CustomerRequest, public_id: uuid.UUID, wallet_type: str) -> HttpResponse:
    """Give a share of what is earned from now on, or none any more."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member = chosen.membership
    unit = get_object_or_404(WalletType, program=member.program_id, code=wallet_type)
    how = {"membership": member, "actor": Actor.of_user(request.user), "now": timezone.now()}
    if request.POST.get("percent") == "0":
        end_standing_gift(wallet_type=unit, **how)  # type: ignore[arg-type]
        messages.success(request, _("Nothing is given by itself any more."))
    else:
        _begin(request, member, unit, how)
    return HttpResponseRedirect(reverse("mypage:giving_of", args=[member.public_id]))


def _begin(
    request: CustomerRequest, member: Membership, unit: WalletType, how: dict[str, object]
) -> None:
    code = request.POST.get("charity", "")
    found = next((item for item in charities_in(member.program) if item.code == code), None)
    if found is None:
        raise Http404("The program has no such charity.")
    try:
        percent = Decimal(request.POST.get("percent", ""))
    except InvalidOperation as error:
        raise Http404("This is no share.") from error
    if percent not in SHARES:
        raise Http404("This is no share.")
    try:
        set_standing_gift(wallet_type=unit, charity=found, percent=percent, **how)  # type: ignore[arg-type]
    except DomainError as error:
        messages.error(request, str(error.message))
        return
    words = {
        "share": format_percent(percent / 100, digits=0), "units": unit.plural,
        "charity": found.told_name,
    }  # fmt: skip
    told = _("%(share)s of the %(units)s that you earn from now on go to %(charity)s.")
    messages.success(request, told % words)


def _page(
    member: Membership, found: Charity, wallet: Wallet, wallets: list[Wallet]
) -> dict[str, object]:
    now, unit = timezone.now(), wallet.wallet_type
    spendable = holdings([wallet], now)[wallet.pk].spendable
    given = [item for item in impact_of_member(member) if item.charity.pk == found.pk]
    url = _charity_url(member, found)
    return {
        "title": found.told_name,
        "charity": found,
        "rates": rate_words(found),
        "impact": given[0] if given else None,
        "wallet_type": unit,
        "spendable": format_units(spendable, unit),
        "offers": [
            Offer(
                units,
                format_units(units, unit),
                worth_words(found, worth_of_units(found, unit, units)),
                format_units(spendable - units, unit),
                takes_all=units >= spendable,
            )
            for units in _suggested(wallet, spendable, most_to_give(wallet, now))
        ],
        "least": format_units(unit.gift_least, unit),
        "key": uuid.uuid4(),
        "kinds": [
            Tab(item.wallet_type.plural, f"{url}?units={item.wallet_type.code}", item == wallet)
            for item in wallets
        ]
        if len(wallets) > 1
        else [],
        "breadcrumbs": [(_("Giving"), reverse("mypage:giving_of", args=[member.public_id]))],
    }


def _suggested(wallet: Wallet, spendable: int, most: int) -> list[int]:
    """A round number, half, and all; each a whole step and no less than the least."""
    unit = wallet.wallet_type
    step, least = unit.gift_step or 1, unit.gift_least
    if most < least:
        return []
    one = 10**unit.scale
    tidy = next((size for size in (100, 50, 10, 1) if size * one <= most), 0) * one
    wanted = {tidy - tidy % step, (most // HALF) - (most // HALF) % step, most}
    return sorted(units for units in wanted if least <= units <= spendable)


def _give(request: CustomerRequest, chosen: Chosen, found: Charity, wallet: Wallet) -> HttpResponse:
    try:
        key = uuid.UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Http404("The form has no key.") from error
    tapped = request.POST.get("units", "")
    if tapped == "other":
        units = read_amount(request.POST.get("other", ""), wallet.wallet_type)
    elif tapped.isascii() and tapped.isdigit() and len(tapped) < 16:
        units = int(tapped)
    else:
        raise forms.ValidationError(_("Choose how many."))
    gift, _replayed = donate_units(
        wallet=wallet, charity=found.account, units=units, actor=Actor.of_user(request.user),
        key=f"account:{chosen.membership.pk}:{key}", source=Transfer.Source.ACCOUNT.value,
        now=timezone.now(),
    )  # fmt: skip
    entry = gift.charity_entry
    words = {
        "units": format_units(units, wallet.wallet_type), "charity": found.told_name,
        "worth": worth_words(found, worth_of_units(found, wallet.wallet_type, entry.units)),
    }  # fmt: skip
    messages.success(request, _("You gave %(units)s to %(charity)s: %(worth)s.") % words)
    return HttpResponseRedirect(_charity_url(chosen.membership, found))


def _standing(member: Membership) -> list[tuple[WalletType, object]]:
    """Each kind of unit that may be given, with what of it is given by itself."""
    running = standing_gifts_of(member)
    return [(wallet.wallet_type, running.get(wallet.wallet_type_id)) for wallet in _wallets(member)]


def _wallets(member: Membership) -> list[Wallet]:
    """Those of which something may be given to charities."""
    found = givable_wallets(member, timezone.now())
    return [wallet for wallet in found if wallet.wallet_type.gifts_to_charities]


def _charity_url(member: Membership, found: Charity) -> str:
    return reverse("mypage:charity", args=[member.public_id, found.code])

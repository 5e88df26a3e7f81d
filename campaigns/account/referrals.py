"""Bringing friends, on the member's own pages: the link to send, and what became of it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns.models import ReferralLink
from campaigns.referral_definitions import ReferralDefinition, definition_of
from campaigns.referral_traces import note_traces, place_of
from campaigns.referral_words import (
    ToldReferrals,
    got_words,
    member_sentences,
    member_status,
    told_referrals,
)
from campaigns.selectors.open_kinds import open_kinds
from campaigns.selectors.referrals import brought_by, live_terms, own_figures
from campaigns.services.referral_links import address_of, link_of
from loyalty.account.chosen import choose_membership
from loyalty.account.earn_cards import EarnCard
from loyalty.account.home_cards import HomeCard
from loyalty.account.pages import no_membership, render_page
from loyalty.card_numbers import qr_code
from loyalty.models import Membership
from members.account.access import CustomerRequest, customer_view
from members.selectors.merges import current

MOST = 50
CARD = "referrals/account/home_card.html"


def referral_card(membership: Membership, now: dt.datetime) -> HomeCard | None:
    """For the home page: bring a friend."""
    card = _card(membership, now)
    return HomeCard(CARD, card) if card else None


def referral_earn_card(membership: Membership, now: dt.datetime) -> EarnCard | None:
    """For the page of ways to earn: the same."""
    card = _card(membership, now)
    return EarnCard(CARD, card) if card else None


def _card(membership: Membership, now: dt.datetime) -> dict[str, Any] | None:
    if membership.status != Membership.Status.ACTIVE or not open_kinds(membership, now).referrals:
        return None
    terms = live_terms(membership.program)
    if terms is None:
        return None
    told = told_referrals(definition_of(terms), membership.program)
    return {"told": told, "member": membership}


@never_cache
@require_safe
@customer_view
def invite(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """The link, the code and its picture; whom they brought below it."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    terms = live_terms(member.program)
    link = link_of(member, now) if terms else None
    context: dict[str, Any] = {
        "title": _("Invite a friend"), "tabs": chosen.tabs("referrals_account:invite_of"),
        "brought": [_brought(item, member) for item in brought_by(member)[:MOST]],
        "figures": own_figures(member),
    }  # fmt: skip
    if terms is not None and link is not None:
        # Whoever comes from the same device later may be the same person.
        place = place_of(request)
        note_traces(
            current(member.customer), {"device": place.device, "network": place.network}, now
        )
        context |= _offer(member, definition_of(terms), link)
    return render_page(request, "referrals/account/invite.html", chosen, context)


def _offer(
    member: Membership, definition: ReferralDefinition, link: ReferralLink
) -> dict[str, Any]:
    told = told_referrals(definition, member.program)
    address = address_of(link)
    return {
        "told": told, "link": link, "address": address, "qr": qr_code(address),
        "sentences": member_sentences(definition, member.program),
        "ways": _ways(told, address), "code": f"{link.code[:4]} {link.code[4:]}",
        "message": f"{told.share} {address}",
    }  # fmt: skip


def _ways(told: ToldReferrals, address: str) -> list[tuple[str, str, str]]:
    """Links that open what people write with; each with its icon."""
    text = quote(f"{told.share} {address}")
    subject = quote(told.friend_title)
    return [
        (_("By WhatsApp"), "brand-whatsapp", f"https://wa.me/?text={text}"),
        (_("By mail"), "mail", f"mailto:?subject={subject}&body={text}"),
        (_("By text message"), "message-2", f"sms:?&body={text}"),
    ]


def _brought(item: Any, member: Membership) -> dict[str, Any]:
    own = [payment for payment in item.payments.all() if payment.side == "advocate"]
    words = got_words(own, member.program.currency) if item.status == "paid" else ""
    return {
        "name": current(item.friend).given_name or _("A friend"), "at": item.came_at,
        "status": member_status(item), "got": words, "paid": item.status == "paid",
        "due": item.due_at if item.status == "pending" else None,
    }  # fmt: skip

"""Challenges on the member's own pages: how far they are, what they can join, their badges."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.challenge_cards import challenge_card
from campaigns.models import Challenge
from campaigns.selectors.challenge_levels import level_of
from campaigns.selectors.challenges import badges_of, challenges, entries, open_to
from campaigns.services.challenges import join_challenge, leave_challenge
from loyalty.account.chosen import choose_membership
from loyalty.account.earn_cards import EarnCard
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError


def challenge_cards(membership: Membership, now: dt.datetime) -> EarnCard | None:
    """For the page of ways to earn."""
    found = [challenge_card(item, now) for item in open_to(membership, now)]
    badges = badges_of(membership)
    if not found and not badges:
        return None
    return EarnCard(
        "challenges/account/earn_card.html",
        {"cards": found, "badges": badges, "member": membership},
    )


@require_safe
@customer_view
def challenge_list(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """Everything that is on for them, as of their last order."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    now, member = timezone.now(), chosen.membership
    context = {
        "title": _("Challenges"),
        "tabs": chosen.tabs("challenges_account:challenges_of"),
        "cards": [challenge_card(item, now) for item in open_to(member, now)],
        "badges": badges_of(member),
        "level": level_of(member),
        "member": member,
    }
    return render_page(request, "challenges/account/challenge_list.html", chosen, context)


@require_POST
@customer_view
def challenge_join(
    request: CustomerRequest, public_id: uuid.UUID, challenge_id: uuid.UUID
) -> HttpResponse:
    """Take part from now on; in a team, with its code or a name for a new one."""
    member, challenge = _found(request, public_id, challenge_id)
    try:
        join_challenge(
            challenge=challenge, membership=member, now=timezone.now(),
            team_code=request.POST.get("team_code", ""),
            team_name=request.POST.get("team_name", ""),
        )  # fmt: skip
        messages.success(request, _("You take part. What you buy from now on counts."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("challenges_account:challenges_of", member.public_id)


@require_POST
@customer_view
def challenge_leave(
    request: CustomerRequest, public_id: uuid.UUID, challenge_id: uuid.UUID
) -> HttpResponse:
    """Take part no more; what was done so far counts no more."""
    member, challenge = _found(request, public_id, challenge_id)
    entry = entries().filter(challenge=challenge, membership=member).order_by("-pk").first()
    if entry is None:
        raise Http404("This member does not take part.")
    try:
        leave_challenge(entry=entry, now=timezone.now())
        messages.success(request, _("You take part no more."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("challenges_account:challenges_of", member.public_id)


def _found(
    request: CustomerRequest, public_id: uuid.UUID, challenge_id: uuid.UUID
) -> tuple[Membership, Challenge]:
    """Of the program that the member is in; or 404."""
    chosen = choose_membership(request, public_id)
    assert chosen is not None  # somebody else's, or none, is 404 already
    rows = challenges().filter(campaign__program=chosen.membership.program_id)
    found = rows.exclude(campaign__status="draft").filter(campaign__public_id=challenge_id).first()
    if found is None:
        raise Http404("There is no such challenge.")
    return chosen.membership, found

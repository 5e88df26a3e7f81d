"""Who takes part in a challenge; and a customer's challenges, with what counted."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns.backoffice.challenges import crumbs, find_challenge
from campaigns.challenge_cards import challenge_card
from campaigns.models import ChallengeEntry, ChallengeWin
from campaigns.selectors.challenges import entries, standing_in, wins_of
from loyalty.backoffice.links import customer_crumbs
from members.models import Customer
from members.paging import paginate
from members.policy import staff_view

ORDERINGS = {"": ("-pk",)}
PER_PANEL = 5


@require_safe
@staff_view("customers.view")
def challenge_members(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Who takes part, the newest first; or only who is so far."""
    found = find_challenge(public_id)
    state = request.GET.get("state", "")
    rows = entries().filter(challenge=found)
    if state in ChallengeEntry.State.values:
        rows = rows.filter(state=state)
    page = paginate(rows, request=request, orderings=ORDERINGS, default="")
    won = wins_of(page.items)
    context = {
        "title": _("Who takes part"), "breadcrumbs": crumbs(found), "challenge": found,
        "page": page, "state": state, "states": ChallengeEntry.State.choices,
        "rows": [{"entry": entry, "wins": won.get(entry.pk, [])} for entry in page.items],
        "program": found.campaign.program,
    }  # fmt: skip
    return render(request, "challenges/backoffice/challenge_members.html", context)


@require_safe
@staff_view("customers.view")
def customer_challenges(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What a customer takes part in, how far each step is, and what became of what was won."""
    customer = get_object_or_404(Customer, public_id=public_id)
    page = paginate(
        entries().filter(membership__customer=customer), request=request, orderings=ORDERINGS,
        default="", per_page=PER_PANEL,
    )  # fmt: skip
    won = wins_of(page.items)
    context = {
        "customer": customer,
        "title": _("Challenges"),
        "panel_id": "challenges",
        "panel_icon": "target-arrow",
        "panel_flush": True,
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": [_row(entry, won.get(entry.pk, [])) for entry in page.items],
    }
    return render(request, "challenges/backoffice/customer_challenges.html", context)


def _row(entry: ChallengeEntry, wins: list[ChallengeWin]) -> dict[str, Any]:
    now = timezone.now()
    return {"entry": entry, "wins": wins, "card": challenge_card(standing_in(entry, now), now)}

"""Leaderboards on the member's own pages: where they are, and by which name others see them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from campaigns.campaign_words import told_campaign
from campaigns.models import Challenge
from campaigns.selectors.challenges import running
from campaigns.selectors.leaderboards import COUNTED, board_of, month_of, name_of
from campaigns.services.leaderboards import LONGEST, join_leaderboards, leave_leaderboards
from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.navigation import Tab


class BoardNameForm(forms.Form):
    """How others see them."""

    name = forms.CharField(
        label=gettext_lazy("Your name on leaderboards"), max_length=LONGEST, required=False,
        help_text=gettext_lazy("Not your own. Leave it empty, and you are given one."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def board(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """Of this month, of ever, or of one challenge; joining and leaving lead back here."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    if request.method == "POST":
        return _act(request, chosen.membership)
    return render_page(
        request, "challenges/account/board.html", chosen,
        _context(request, chosen, timezone.now()),
    )  # fmt: skip


def _context(request: CustomerRequest, chosen: Chosen, now: dt.datetime) -> dict[str, Any]:
    member, asked = chosen.membership, request.GET.get("of", "month")
    theirs = list(running(now).filter(campaign__program=member.program_id))
    challenge = next((item for item in theirs if str(item.campaign.public_id) == asked), None)
    month = month_of(member.program, now) if asked == "month" else ""
    row = name_of(member)
    return {
        "title": _("Leaderboard"),
        "tabs": _tabs(member, theirs, asked),
        "board": board_of(member.program, challenge=challenge, month=month, member=member),
        "of_challenge": challenge is not None,
        "name": row,
        "seen": row is not None and row.since is not None,
        "form": BoardNameForm(initial={"name": row.name if row else ""}),
        "counted": COUNTED,
        "breadcrumbs": [
            (_("Challenges"), reverse("challenges_account:challenges_of", args=[member.public_id]))
        ],
    }


def _act(request: CustomerRequest, member: Membership) -> HttpResponse:
    try:
        if request.POST.get("act") == "leave":
            leave_leaderboards(membership=member)
            messages.success(request, _("Others do not see you any more."))
        else:
            name = request.POST.get("name", "").replace("\x00", "")
            row = join_leaderboards(membership=member, name=name, now=timezone.now())
            messages.success(request, _("Others see you as %s.") % row.name)
    except DomainError as error:
        messages.error(request, " ".join(str(item.message) for item in error.errors))
    return redirect("challenges_account:board_of", member.public_id)


def _tabs(member: Membership, theirs: list[Challenge], asked: str) -> list[Tab]:
    here = reverse("challenges_account:board_of", args=[member.public_id])
    named = [("month", _("This month")), ("ever", _("Ever"))]
    named += [(str(item.campaign.public_id), told_campaign(item.campaign).title)
              for item in theirs]  # fmt: skip
    return [Tab(label, f"{here}?of={key}", current=key == asked) for key, label in named]

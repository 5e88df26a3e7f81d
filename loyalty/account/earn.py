"""Everything that earns something for a member: the rules that count now, and what higher
applications have on for them."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.account.chosen import choose_membership
from loyalty.account.earn_cards import earn_cards
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership, Program
from loyalty.selectors.program_terms import terms_of
from members.account.access import CustomerRequest, customer_view


@require_safe
@customer_view
def earn(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What is on first, then what always counts."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    now, member = timezone.now(), chosen.membership
    live = member.program.status == Program.Status.LIVE
    active = live and member.status == Membership.Status.ACTIVE
    context = {
        "title": _("Ways to earn"),
        "tabs": chosen.tabs("mypage:earn_of"),
        "cards": earn_cards(member, now) if active else [],
        "rules": [rule for rule in terms_of(member.program, now).rules if not rule.of_campaign]
        if active
        else [],
    }
    return render_page(request, "mypage/earn.html", chosen, context)

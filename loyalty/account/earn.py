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
from loyalty.selectors.partners import partners_in
from loyalty.selectors.ways_to_earn import can_earn, standing_rules
from members.account.access import CustomerRequest, customer_view


@require_safe
@customer_view
def earn(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What is on first, then what always counts."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    now, member = timezone.now(), chosen.membership
    context = {
        "title": _("Ways to earn"),
        "tabs": chosen.tabs("mypage:earn_of"),
        "cards": earn_cards(member, now) if can_earn(member) else [],
        "rules": standing_rules(member, now),
        "partners": partners_in(member.program, live=True),
    }
    return render_page(request, "mypage/earn.html", chosen, context)

"""A customer's tiers: the panel on their page, and a tier that is given or ended by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import customer_crumbs, customer_url
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.backoffice.tier_forms import GiveTierForm
from loyalty.models import ManualTier, Membership
from loyalty.selectors.member_tiers import MemberStanding, member_standing, member_standings
from loyalty.selectors.memberships import list_memberships, memberships
from loyalty.services.manual_tiers import end_tier, give_tier
from loyalty.tier_words import why_words
from members.forms import errors_on, posted
from members.models import Customer
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.selectors.erased import is_known


@require_safe
@staff_view("customers.view")
def tier_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where the customer stands in each program that has tiers."""
    customer = get_object_or_404(Customer, public_id=public_id)
    found, now = list_memberships(customer), timezone.now()
    shown = member_standings(found, now)
    may_give = is_known(customer) and is_allowed(request.user, "tiers.give")
    context = {
        "customer": customer,
        "title": _("Tier"),
        "panel_id": "tier",
        "panel_icon": "trophy",
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "places": [_place(shown[item.pk]) for item in found if item.pk in shown],
        "several": len(shown) > 1,
        "may_give": may_give,
    }
    return render(request, "loyalty/backoffice/tier_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("tiers.give")
def tier_give(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that gives a member a tier, at least and perhaps for a while."""
    membership = get_object_or_404(
        memberships().exclude(status=Membership.Status.MERGED), public_id=public_id
    )
    shown = member_standing(membership, timezone.now())
    if shown is None:
        raise Http404("The program has no tiers.")
    form = GiveTierForm(posted(request), shown=shown)
    back = customer_url(membership.customer)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            given = give_tier(
                membership=membership,
                tier=form.cleaned_data["tier"],
                reason=form.cleaned_data["reason"],
                until=form.cleaned_data["until"],
                actor=acting(request),
                now=timezone.now(),
            )
            message = _("%(customer)s has the tier %(tier)s.") % {
                "customer": membership.customer, "tier": shown.voice.name(given.tier_code),
            }  # fmt: skip
            return dialog_done(request, url=back, changed="wallet", message=message)
    context = {
        "title": _("Give a tier"), "form": form, "membership": membership, "shown": shown,
        "back": back,
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "loyalty/backoffice/tier_give.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("tiers.give")
def tier_end(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that ends a tier which was given by hand."""
    rows = ManualTier.objects.select_related(
        "membership__merged_into", "membership__customer", "membership__program"
    )
    given = get_object_or_404(rows.filter(ended_at=None), public_id=public_id)
    shown = member_standing(given.membership, timezone.now())
    form = ReasonForm(posted(request))
    back = customer_url(given.membership.customer)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            reason = form.cleaned_data["reason"]
            end_tier(given=given, reason=reason, actor=acting(request), now=timezone.now())
            message = _("The tier by hand has ended.")
            return dialog_done(request, url=back, changed="wallet", message=message)
    context = {
        "title": _("End the tier by hand?"), "form": form, "given": given, "back": back,
        "name": shown.voice.name(given.tier_code) if shown else given.tier_code,
        "earned": shown.voice.name(shown.stands.earned) if shown else "",
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "loyalty/backoffice/tier_end.html", context, status=status)


def _place(shown: MemberStanding) -> dict[str, Any]:
    now = shown.stands.at
    by_hand = [
        item
        for item in shown.membership.manual_tiers.select_related("given_by")
        if item.lasts_until is None or item.lasts_until > now
    ]
    return {
        "shown": shown,
        "given": [(item, shown.voice.name(item.tier_code)) for item in by_hand],
        "history": [
            (shown.voice.name(span.tier), span, why_words(span.why))
            for span in reversed(shown.stands.history)
        ],
    }

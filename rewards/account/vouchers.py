"""A member's vouchers: what can be used, with its code, and what was."""

from __future__ import annotations

import datetime as dt
import uuid

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.card_numbers import qr_code
from loyalty.selectors.memberships import list_memberships
from members.account.access import CustomerRequest, customer_view
from members.formatting import format_day
from rewards.models import Redemption, Voucher
from rewards.selectors.redemptions import open_vouchers, taken_by
from rewards.words import conditions_of, icon_of

Status = Redemption.Status


@require_safe
@customer_view
def vouchers(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What can be used comes first, then what was used or ran out."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    usable = list(open_vouchers(member, now).order_by("voucher__expires_at", "-pk"))
    ids = {item.pk for item in usable}
    others = taken_by([member]).exclude(pk__in=ids).order_by("-created_at", "-pk")[:30]
    context = {
        "title": _("My vouchers"),
        "tabs": chosen.tabs("rewards_account:vouchers_of"),
        "usable": [(item, icon_of(item.reward), _until(item)) for item in usable],
        "others": [(item, icon_of(item.reward), _state(item, now)) for item in others],
        "breadcrumbs": [
            (_("Rewards"), reverse("rewards_account:shelf_of", args=[member.public_id]))
        ],
    }
    return render_page(request, "rewards/account/vouchers.html", chosen, context)


@require_safe
@customer_view
def voucher(request: CustomerRequest, voucher_id: uuid.UUID) -> HttpResponse:
    """One code, large enough to be scanned."""
    members = list_memberships(request.customer)
    found = taken_by(members).filter(voucher__public_id=voucher_id).first()
    if found is None or found.voucher is None:
        raise Http404("This customer has no such voucher.")
    owner = next(item for item in members if item.program_id == found.reward.program_id)
    chosen, now = Chosen(owner, members), timezone.now()
    usable = _is_usable(found, now)
    context = {
        "title": found.reward.name,
        "redemption": found,
        "voucher": found.voucher,
        "usable": usable,
        "state": _state(found, now),
        "until": _until(found),
        "qr_code": qr_code(found.voucher.written) if usable else "",
        "sentences": list(conditions_of(found.reward, for_members=True)) if usable else [],
        "breadcrumbs": [
            (_("My vouchers"), reverse("rewards_account:vouchers_of", args=[owner.public_id]))
        ],
    }
    return render_page(request, "rewards/account/voucher.html", chosen, context)


def _is_usable(found: Redemption, now: dt.datetime) -> bool:
    voucher = found.voucher
    if voucher is None or voucher.status != Voucher.Status.ISSUED:
        return False
    return voucher.expires_at is None or voucher.expires_at > now


def _until(found: Redemption) -> str:
    """The last day on which it can be used."""
    last = found.voucher.last_moment if found.voucher else None
    if last is None:
        return ""
    return _("Can be used to %s.") % format_day(last, found.membership.program.zone)


def _state(found: Redemption, now: dt.datetime) -> str:
    """The state that it is in by the clock, whether or not that was written down."""
    ran_out = found.status == Status.ISSUED and not _is_usable(found, now)
    return Status.EXPIRED.value if ran_out else found.status

"""A member's vouchers: what can be used, with its code, and what was."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.http import Http404, HttpResponse, HttpResponseRedirect
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
from members.languages import locale_of
from rewards.account.places import place_of
from rewards.barcodes import barcode
from rewards.calendar_entries import whole_day
from rewards.models import Redemption
from rewards.selectors.redemptions import WITHOUT_CODE, open_vouchers, taken_by
from rewards.texts import told
from rewards.words import conditions_of, icon_of

Status = Redemption.Status


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """Something that the member took, as a list shows it."""

    item: Redemption
    name: str
    icon: str
    until: str
    state: str


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
    others = taken_by([member]).exclude(pk__in=ids).exclude(WITHOUT_CODE, status=Status.ISSUED)
    others = others.order_by("-created_at", "-pk")[:30]
    context = {
        "title": _("My vouchers"),
        "tabs": chosen.tabs("rewards_account:vouchers_of"),
        "usable": [_row(item, request, now) for item in usable],
        "others": [_row(item, request, now) for item in others],
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
    if place := place_of(found):
        return HttpResponseRedirect(place)
    owner = next(item for item in members if item.program_id == found.reward.program_id)
    chosen, now = Chosen(owner, members), timezone.now()
    usable = _is_usable(found, now)
    context = {
        "title": told(found.got, locale_of(request.customer)).name,
        "gift": told(found.reward, locale_of(request.customer)).name if found.drawn else "",
        "redemption": found,
        "voucher": found.voucher,
        "usable": usable,
        "state": _state(found, now),
        "until": _until(found),
        "qr_code": qr_code(found.voucher.written) if usable else "",
        "barcode": barcode(found.voucher.code, _("Bar code of the voucher")) if usable else "",
        "sentences": list(conditions_of(found.got, for_members=True)) if usable else [],
        "breadcrumbs": [
            (_("My vouchers"), reverse("rewards_account:vouchers_of", args=[owner.public_id]))
        ],
    }
    return render_page(request, "rewards/account/voucher.html", chosen, context)


@require_safe
@customer_view
def voucher_expiry(request: CustomerRequest, voucher_id: uuid.UUID) -> HttpResponse:
    """Its last day as an entry for the calendar."""
    members = list_memberships(request.customer)
    found = taken_by(members).filter(voucher__public_id=voucher_id).first()
    if found is None or found.voucher is None or not _is_usable(found, timezone.now()):
        raise Http404("This customer has no such voucher that can be used.")
    last, made = found.voucher.last_moment, found.voucher.issued_at
    if last is None or made is None:
        raise Http404("It never runs out.")
    name = told(found.got, locale_of(request.customer)).name
    page = reverse("rewards_account:voucher", args=[voucher_id])
    words = {"name": name, "program": found.membership.program.name}
    entry = whole_day(
        uid=f"{voucher_id}@{request.get_host()}",
        day=last.astimezone(found.membership.program.zone).date(),
        title=_("Last day: %s") % name,
        text=_("%(name)s of %(program)s can be used to the end of this day.") % words,
        url=request.build_absolute_uri(page), made_at=made, days_before=3,
    )  # fmt: skip
    response = HttpResponse(entry, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="voucher-{last:%Y-%m-%d}.ics"'
    return response


def _row(item: Redemption, request: CustomerRequest, now: dt.datetime) -> VoucherRow:
    name = told(item.got, locale_of(request.customer)).name
    return VoucherRow(item, name, icon_of(item.got), _until(item), _state(item, now))


def _is_usable(found: Redemption, now: dt.datetime) -> bool:
    return found.voucher is not None and found.voucher.is_usable(now)


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

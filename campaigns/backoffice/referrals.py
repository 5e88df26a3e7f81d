"""Who came by whom: all of them, one with its story, those that somebody looks at, and what a
customer's page shows."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.referral_menu import NAMESPACE
from campaigns.backoffice.referral_settings import crumbs
from campaigns.backoffice.referral_standing import standing_words
from campaigns.models import Referral, ReferralProgram
from campaigns.referral_words import (
    payment_words,
    promise_sentences,
    reason_words,
    refusal_words,
)
from campaigns.selectors.referrals import (
    advocate_of,
    brought_by,
    links_of,
    own_figures,
    people_of,
    referrals,
    terms_said,
    waiting_for_review,
)
from campaigns.services.referral_links import link_named
from campaigns.services.referral_reviews import approve_referral, refuse_referral
from campaigns.services.referrals import bring_friend
from loyalty.backoffice.links import customer_crumbs, customer_url
from loyalty.models import Membership, Program
from members.errors import DomainError
from members.list_files import ListFile, hand_out
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.selectors.merges import current

ORDERINGS = {"-came": ("-pk",), "came": ("pk",)}


def _brought_by(item: Referral) -> str:
    advocate = advocate_of(item.link)
    return advocate.customer.email if advocate else str(item.link.affiliate)


FILE: ListFile[Referral] = ListFile(
    "referrals",
    {
        "id": lambda row: row.public_id,
        "program": lambda row: row.program.code,
        "friend": lambda row: current(row.friend).external_id,
        "friend_email": lambda row: current(row.friend).email,
        "brought_by": _brought_by,
        "via": lambda row: row.via,
        "state": lambda row: row.status,
        "came_at": lambda row: row.came_at,
        "joined_at": lambda row: row.joined_at,
        "bought_at": lambda row: row.bought_at,
    },
    personal=True,
)
# Of those whom a customer brought, on their page.
BROUGHT_SHOWN = 6
Status = Referral.Status


def referral_url(referral: Referral) -> str:
    return reverse(f"{NAMESPACE}:referral", args=[referral.public_id])


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def referral_list(request: HttpRequest) -> HttpResponse:
    """Newest first; by program and by how far they are."""
    status = request.GET.get("status", "")
    code = request.GET.get("program", "").replace("\x00", "")
    rows = referrals()
    if status in Status.values:
        rows = rows.filter(status=status)
    if code:
        rows = rows.filter(program__code=code)
    by = _member(request.GET.get("by", ""))
    if by is not None:
        rows = rows.filter(pk__in=brought_by(by).order_by().values("pk"))
    if request.method == "POST":
        return hand_out(
            request, FILE, rows.prefetch_related(None), orderings=ORDERINGS, default="-came"
        )
    page = paginate(rows, request=request, orderings=ORDERINGS, default="-came")
    context = {
        "title": _("Referrals"), "page": page, "rows": [_row(item) for item in page.items],
        "programs": _programs(), "statuses": Status.choices, "status": status, "code": code,
        "by": by, "file": FILE.offered(request),
        "waiting": waiting_for_review(), "may_review": is_allowed(request.user, "points.approve"),
    }  # fmt: skip
    return render(request, "referrals/backoffice/referral_list.html", context)


@require_safe
@staff_view("points.approve")
def referral_review(request: HttpRequest) -> HttpResponse:
    """Those that something speaks against, the oldest first."""
    rows = referrals().filter(status=Status.IN_REVIEW)
    page = paginate(rows, request=request, orderings={"oldest": ("pk",)}, default="oldest")
    context = {
        "title": _("Referrals in review"), "page": page, "breadcrumbs": crumbs(),
        "rows": [_row(item) for item in page.items],
    }  # fmt: skip
    return render(request, "referrals/backoffice/referral_review.html", context)


@require_safe
@staff_view("programs.view")
def referral(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What happened, in order, and what can be done."""
    found = get_object_or_404(referrals(), public_id=public_id)
    row = _row(found)
    context = {
        "title": _("%(friend)s, brought by %(who)s") % {"friend": row["friend"], "who": row["who"]},
        "breadcrumbs": crumbs(), "referral": found, "row": row, "program": found.program,
        "story": _story(found), "refusal": refusal_words(found),
        "sentences": promise_sentences(terms_said(found), found.program),
        "cleared": reason_words(found.cleared),
        "may_review": is_allowed(request.user, "points.approve"),
        "is_open": found.status
        in (Status.INVITED, Status.JOINED, Status.PENDING, Status.IN_REVIEW),
    }  # fmt: skip
    return render(request, "referrals/backoffice/referral.html", context)


@require_POST
@staff_view("points.approve")
def referral_decide(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Let it pass, or refuse it, with a reason."""
    found = get_object_or_404(referrals(), public_id=public_id)
    note = request.POST.get("note", "")
    how: dict[str, Any] = {
        "referral": found, "note": note, "actor": acting(request), "now": timezone.now(),
    }  # fmt: skip
    try:
        match request.POST.get("do"):
            case "approve":
                done = approve_referral(**how)
                if done.status == Status.IN_REVIEW:
                    why = ", ".join(reason_words(done.reasons))
                    messages.warning(request, _("It stays in review: %s.") % why)
                else:
                    messages.success(request, _("It goes on."))
            case "refuse":
                refuse_referral(**how)
                messages.success(request, _("It was refused."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(referral_url(found))


@require_safe
@staff_view("customers.view")
def referral_panel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """By whom a customer came, whom they brought, and a code that they give afterwards."""
    customer = get_object_or_404(Customer, public_id=public_id)
    came = referrals().filter(friend__in=people_of(customer))
    members = Membership.objects.filter(
        customer=customer, status=Membership.Status.ACTIVE,
        program__referral_program__status=ReferralProgram.Status.LIVE,
    ).select_related("program")  # fmt: skip
    known = {item.program_id for item in came}
    context = {
        "customer": customer, "title": _("Referrals"), "panel_id": "referrals",
        "panel_icon": "user-heart", "breadcrumbs": customer_crumbs(customer),
        "came": [_row(item) for item in came], "places": [_place(member) for member in members],
        "open": [member for member in members if member.program_id not in known],
        "may_edit": is_allowed(request.user, "customers.edit"),
    }  # fmt: skip
    return render(request, "referrals/backoffice/referral_panel.html", context)


@require_POST
@staff_view("customers.edit")
def referral_code(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The code of a friend that a customer gives after they have joined."""
    customer = get_object_or_404(Customer, public_id=public_id)
    member = get_object_or_404(
        Membership.objects.select_related("program"), customer=customer,
        public_id=_uuid(request.POST.get("membership", "")),
    )  # fmt: skip
    try:
        found, known = bring_friend(
            link=link_named(request.POST.get("code", "").replace("\x00", ""), member.program),
            friend=customer, via=Referral.Via.STAFF, now=timezone.now(), actor=acting(request),
        )  # fmt: skip
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(customer_url(customer))
    if found.status == Status.REFUSED:
        messages.warning(request, refusal_words(found))
    else:
        messages.success(request, _("Known already.") if known else _("It was noted."))
    return redirect(customer_url(customer))


def _member(public_id: str) -> Membership | None:
    """Whose friends alone are wanted."""
    if not public_id:
        return None
    rows = Membership.objects.select_related("customer", "program")
    return get_object_or_404(rows, public_id=_uuid(public_id))


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404("There is no such membership.") from error


def _programs() -> list[Program]:
    return list(Program.objects.filter(status=Program.Status.LIVE).order_by("name"))


def _row(item: Referral) -> dict[str, Any]:
    advocate = advocate_of(item.link)
    friend = current(item.friend)
    return {
        "referral": item, "friend": friend, "friend_url": customer_url(friend),
        "who": advocate.customer if advocate else item.link.affiliate,
        "who_url": customer_url(advocate.customer) if advocate else "",
        "reasons": reason_words(item.reasons), "refusal": refusal_words(item),
    }  # fmt: skip


def _place(member: Membership) -> dict[str, Any]:
    link = links_of(member.pk).first()
    brought = brought_by(member)
    return {
        "member": member, "figures": own_figures(member), "code": link.code if link else "",
        "brought": [
            {**_row(item), "standing": standing_words(item)} for item in brought[:BROUGHT_SHOWN]
        ],
        "more": max(brought.count() - BROUGHT_SHOWN, 0),
    }  # fmt: skip


def _story(item: Referral) -> list[tuple[Any, str]]:
    """What happened, with its moments, in order."""
    found = [(item.came_at, _("Came: %s") % item.get_via_display())]
    if item.joined_at and item.joined_at != item.came_at:
        found.append((item.joined_at, _("Joined")))
    if item.bought_at and item.order:
        found.append((item.bought_at, _("Bought: order %s") % item.order.external_id))
    if item.decided_at:
        found.append((item.decided_at, _("%(who)s decided: %(note)s") % {
            "who": item.decided_by or _("The API"), "note": item.note}))  # fmt: skip
    for payment in item.payments.all():
        words = payment_words(payment, item.program.currency)
        said = f"{payment.get_side_display()}: {words}"
        if payment.order is not None:
            said += " · " + _("Order %s") % payment.order.external_id
        found.append((payment.paid_at, said))
    if item.closed_at and item.status != Status.PAID:
        found.append((item.closed_at, refusal_words(item) or str(item.get_status_display())))
    return sorted(found, key=lambda step: step[0])

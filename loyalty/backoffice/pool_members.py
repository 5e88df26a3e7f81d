"""Who is in a pool: adding, changing and removing members, and moving units for them."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.pool_editing import SOURCE, open_pool_or_404
from loyalty.backoffice.pool_forms import AddMemberForm, MemberForm
from loyalty.backoffice.pools import pool_url
from loyalty.models import Pool, PoolMember
from loyalty.pool_forms import PoolMoveForm
from loyalty.selectors.pools import current_members
from loyalty.services.adjustments import Preview
from loyalty.services.pool_leaving import leave_pool, returns_of_leaving, summed
from loyalty.services.pools import add_pool_member, change_pool_member
from members.errors import DomainError
from members.formatting import format_units
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def pool_member_add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Somebody joins."""
    pool = open_pool_or_404(public_id)
    form = AddMemberForm(posted(request), pool=pool)
    if form.is_valid() and form.found is not None:
        data = form.cleaned_data
        with errors_on(form):
            add_pool_member(
                pool=pool,
                membership=form.found,
                role=data["role"],
                may_spend=data.get("may_spend", False),
                bring=data.get("bring", False),
                actor=acting(request),
                source=SOURCE,
                now=timezone.now(),
            )
            words = {"customer": form.found.customer, "pool": pool.name}
            return _done(request, pool, _("%(customer)s is now in %(pool)s.") % words)
    context = {
        "title": _("Add to %s") % pool.name,
        "form": form,
        "submit": _("Add"),
        "back": pool_url(pool),
    }
    status = 422 if form.errors else 200
    return render(request, "loyalty/backoffice/pool_member_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def pool_member_edit(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """What somebody is in the pool, and whether what they earn is shared."""
    member = _member(public_id, pk)
    form = MemberForm(posted(request), member=member)
    if form.is_valid():
        with errors_on(form):
            change_pool_member(member=member, changes=form.cleaned_data, actor=acting(request))
            return _done(request, member.pool, _("Saved."))
    context = {
        "title": str(member.membership.customer),
        "form": form,
        "submit": _("Save"),
        "back": pool_url(member.pool),
    }
    status = 422 if form.errors else 200
    return render(request, "loyalty/backoffice/pool_member_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def pool_member_remove(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """What the member gets back is shown first."""
    member = _member(public_id, pk)
    now = timezone.now()
    customer = member.membership.customer
    if request.method == "POST":
        leave_pool(member=member, actor=acting(request), source=SOURCE, now=now)
        words = {"customer": customer, "pool": member.pool.name}
        return _done(request, member.pool, _("%(customer)s has left %(pool)s.") % words)
    context = {
        "title": _("Remove %s from the pool?") % customer,
        "returns": summed(returns_of_leaving(member, now)),
        "last": len(current_members(member.pool)) == 1,
        "submit": _("Remove"),
        "back": pool_url(member.pool),
    }
    return render(request, "loyalty/backoffice/pool_returns.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def pool_move(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """Put something in for a member, or take something out."""
    member = _member(public_id, pk)
    form = _move_form(posted(request), member)
    effect: tuple[Preview, Preview] | None = None
    if form.is_valid():
        try:
            if "preview" not in request.POST:
                return _move(request, form, member)
            effect = form.preview(member, timezone.now())
        except DomainError as error:
            form.refuse(error)
    context = {
        "title": _("Put in or take out for %s") % member.membership.customer,
        "form": form,
        "member": member,
        "effect": effect,
        "wallet_type": form.chosen_type if effect else None,
        "back": pool_url(member.pool),
    }
    status = 422 if form.errors else 200
    return render(request, "loyalty/backoffice/pool_move.html", context, status=status)


@require_safe
@staff_view("pools.edit")
def pool_move_preview(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """What moving the units typed so far would do."""
    member = _member(public_id, pk)
    typed = request.GET.copy()
    typed["key"] = str(uuid.uuid4())
    form = _move_form(typed, member)
    effect, problem = None, ""
    if form.is_valid():
        try:
            effect = form.preview(member, timezone.now())
        except DomainError as error:
            form.refuse(error)
    if form.errors and typed.get("units", "").strip():
        problem = str(next(iter(form.errors.values()))[0])
    context = {
        "member": member,
        "effect": effect,
        "problem": problem,
        "wallet_type": form.chosen_type if effect else None,
    }
    return render(request, "loyalty/backoffice/pool_move_effect.html", context)


def _move_form(data: QueryDict | None, member: PoolMember) -> PoolMoveForm:
    return PoolMoveForm(
        data,
        wallet_types=list(
            member.pool.program.wallet_types.filter(stored_value=False).order_by("pk")
        ),
    )


def _move(request: HttpRequest, form: PoolMoveForm, member: PoolMember) -> HttpResponse:
    transfer = form.move(member, actor=acting(request), source=SOURCE, now=timezone.now())
    units = format_units(transfer.amount, transfer.wallet_type)
    text = _("%s went into the pool.") if form.into else _("%s were taken from the pool.")
    return _done(request, member.pool, text % units)


def _member(public_id: UUID, pk: int) -> PoolMember:
    for member in current_members(open_pool_or_404(public_id)):
        if member.pk == pk:
            return member
    raise Http404("Nobody in this pool is that.")


def _done(request: HttpRequest, pool: Pool, message: str) -> HttpResponse:
    return dialog_done(request, url=pool_url(pool), changed="wallet", message=message)

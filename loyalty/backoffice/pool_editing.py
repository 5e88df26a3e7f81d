"""Founding, changing and closing pools, each in a dialog."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import customer_url
from loyalty.backoffice.pool_forms import NewPoolForm, PoolForm
from loyalty.backoffice.pools import pool_crumbs, pool_url
from loyalty.models import Membership, Pool, Program, Transfer
from loyalty.services.pool_leaving import close_pool, returns_of_closing, summed
from loyalty.services.pools import CHANGEABLE, change_pool, create_pool
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done, htmx_redirect

SOURCE = Transfer.Source.BACKOFFICE.value


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def pool_create(request: HttpRequest) -> HttpResponse:
    """A new pool; `?owner=` names the membership whose customer's page the dialog came from."""
    member = owner_named(request.GET.get("owner", ""))
    programs = Program.objects.filter(status=Program.Status.LIVE)
    form = NewPoolForm(posted(request), programs=programs, member=member)
    if form.is_valid() and form.member is not None:
        with errors_on(form):
            pool = create_pool(
                owner=form.member,
                terms=form.terms(),
                bring=form.cleaned_data["bring"],
                actor=acting(request),
                source=SOURCE,
                now=timezone.now(),
            )
            return htmx_redirect(request, pool_url(pool))
    context = {
        "title": _("New pool"),
        "form": form,
        "submit": _("Create pool"),
        "member": member,
        "any_program": member is not None or programs.exists(),
        "back": customer_url(member.customer) if member else pool_crumbs()[0][1],
    }
    return _dialog(request, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def pool_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Another name, other rules, from now on."""
    pool = open_pool_or_404(public_id)
    if pool.kind == Pool.Kind.COMPANY:
        return redirect("loyalty_backoffice:company_edit", public_id)
    form = PoolForm.of(pool, posted(request))
    if form.is_valid():
        terms = form.terms()
        with errors_on(form):
            change_pool(
                pool=pool,
                changes={name: getattr(terms, name) for name in CHANGEABLE},
                actor=acting(request),
            )
            return dialog_done(
                request, url=pool_url(pool), changed="wallet", message=_("The pool was changed.")
            )
    context = {
        "title": _("Change %s") % pool.name,
        "form": form,
        "submit": _("Save"),
        "any_program": True,
        "back": pool_url(pool),
    }
    return _dialog(request, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def pool_close(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What everybody gets back is shown first."""
    pool = open_pool_or_404(public_id)
    now = timezone.now()
    if request.method == "POST":
        close_pool(pool=pool, actor=acting(request), source=SOURCE, now=now)
        return dialog_done(
            request,
            url=pool_url(pool),
            changed="wallet",
            message=_("The pool is closed, and everything went back."),
        )
    context = {
        "title": _("Close %s?") % pool.name,
        "returns": summed(returns_of_closing(pool, now)),
        "submit": _("Close the pool"),
        "back": pool_url(pool),
    }
    return render(request, "loyalty/backoffice/pool_returns.html", context)


def open_pool_or_404(public_id: UUID) -> Pool:
    pools = Pool.objects.select_related("program").filter(status=Pool.Status.OPEN)
    return get_object_or_404(pools, public_id=public_id)


def owner_named(text: str) -> Membership | None:
    try:
        public_id = UUID(text)
    except ValueError:
        return None
    members = Membership.objects.select_related("customer", "program")
    return members.filter(public_id=public_id).first()


def _dialog(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    form = context["form"]
    status = 422 if isinstance(form, PoolForm) and form.errors else 200
    return render(request, "loyalty/backoffice/pool_form.html", context, status=status)

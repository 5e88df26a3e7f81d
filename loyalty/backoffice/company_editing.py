"""Founding and changing companies."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.companies import company_crumbs, open_company_or_404
from loyalty.backoffice.company_forms import CompanyForm, NewCompanyForm
from loyalty.backoffice.pool_editing import SOURCE, owner_named
from loyalty.backoffice.pools import pool_url
from loyalty.models import Program
from loyalty.services.companies import change_company, create_company
from members.forms import errors_on, posted
from members.policy import acting, staff_view


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def company_create(request: HttpRequest) -> HttpResponse:
    """A new company; `?owner=` names the membership whose customer's page led here."""
    member = owner_named(request.GET.get("owner", ""))
    programs = Program.objects.filter(status=Program.Status.LIVE)
    form = NewCompanyForm(posted(request), programs=programs, member=member)
    if form.is_valid() and form.member is not None:
        with errors_on(form):
            company = create_company(
                owner=form.member,
                terms=form.terms(),
                details=form.details(),
                bring=form.cleaned_data["bring"],
                actor=acting(request),
                source=SOURCE,
                now=timezone.now(),
            )
            return redirect(pool_url(company.pool))
    context = {
        "title": _("New company"),
        "form": form,
        "member": member,
        "any_program": member is not None or programs.exists(),
        "submit": _("Create company"),
        "breadcrumbs": company_crumbs(),
        "back": reverse("loyalty_backoffice:company_list"),
    }
    return _page(request, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("pools.edit")
def company_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Other details, limits and rules, from now on."""
    company = open_company_or_404(public_id)
    form = CompanyForm.of_company(company, posted(request))
    if form.is_valid():
        with errors_on(form):
            changed = change_company(
                company=company, changes=form.details(), terms=form.pool_changes(),
                actor=acting(request),
            )  # fmt: skip
            return redirect(pool_url(changed.pool))
    context = {
        "title": _("Change %s") % company.pool.name,
        "form": form,
        "any_program": True,
        "submit": _("Save"),
        "breadcrumbs": company_crumbs(company),
        "back": pool_url(company.pool),
    }
    return _page(request, form, context)


def _page(request: HttpRequest, form: CompanyForm, context: dict[str, object]) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "loyalty/backoffice/company_form.html", context, status=status)

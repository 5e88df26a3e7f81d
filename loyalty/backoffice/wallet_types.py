"""The kinds of units of a program: all of them, a new one, one changed, one taken away."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import ValidationError

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.backoffice.program_confirming import save_definition
from loyalty.backoffice.wallet_type_forms import EARNED, STORED, WalletTypeForm, with_units
from loyalty.definitions import ProgramDefinition
from loyalty.descriptions import describe_units
from loyalty.models import Program, Transfer, WalletType
from loyalty.selectors.charities import charity_names
from loyalty.selectors.liability import Liability, liability_now
from loyalty.selectors.programs import (
    definition_of,
    definition_without_parts,
    wallet_type_definition,
)
from loyalty.selectors.tier_sets import tiers_of
from loyalty.services.program_changes import change_program, mark_of
from loyalty.services.unused_wallet_types import why_used
from members.errors import DomainError
from members.forms import posted
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect


@dataclass(frozen=True, slots=True)
class KindShown:
    """A kind of units with its terms in sentences, and what there is of it."""

    wallet_type: WalletType
    sentences: list[str]
    used: bool
    held: Liability


@require_safe
@staff_view("programs.view")
def wallet_type_list(request: HttpRequest, code: str) -> HttpResponse:
    """Every kind of units with its terms."""
    program = get_object_or_404(Program, code=code)
    kinds = _shown(program, timezone.now())
    context = {
        "program": program,
        "title": _("Kinds of units"),
        "breadcrumbs": program_crumbs(program),
        "kinds": kinds,
        "has_stored_value": any(kind.wallet_type.stored_value for kind in kinds),
        "debts": program.get_debt_policy_display(),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "loyalty/backoffice/wallet_type_list.html", context)


def _shown(program: Program, now: dt.datetime) -> list[KindShown]:
    tiers, charities = tiers_of(program, now), charity_names(program)
    rows = program.wallet_types.prefetch_related("lot_policies").order_by("pk")
    return [
        KindShown(
            row,
            describe_units(wallet_type_definition(row, tiers), program.currency, charities, tiers),
            Transfer.objects.filter(wallet_type=row).exists(),
            liability_now(row, now),
        )
        for row in rows
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def wallet_type_create(request: HttpRequest, code: str) -> HttpResponse:
    """A further kind of units."""
    return _edit(request, get_object_or_404(Program, code=code), None)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def wallet_type_edit(request: HttpRequest, code: str, wallet_type: str) -> HttpResponse:
    """Change a kind of units; of a program that has been live, what would change is shown first."""
    found = get_object_or_404(WalletType, program__code=code, code=wallet_type)
    return _edit(request, found.program, found)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def wallet_type_remove(request: HttpRequest, code: str, wallet_type: str) -> HttpResponse:
    """Take away a kind that was never used, after saying so."""
    found = get_object_or_404(WalletType, program__code=code, code=wallet_type)
    program, now = found.program, timezone.now()
    base, why_not = definition_of(program, now), ""
    units = [item for item in base.wallet_types if item.code != found.code]
    try:
        wanted = ProgramDefinition.model_validate(with_units(base, units))
        why_not = why_used(found, wanted)
        if request.method == "POST" and not why_not:
            change_program(wanted, seen=mark_of(base), actor=acting(request), now=now)
            messages.success(request, _("%s are not collected any more.") % capfirst(found.plural))
            return htmx_redirect(request, _url(program))
    except ValidationError as error:
        why_not = " ".join(
            item["msg"].removeprefix("Value error, ") for item in error.errors(include_url=False)
        )
    except DomainError as error:
        why_not = str(error.message)
    context = {
        "title": _("Remove %s?") % found.plural,
        "program": program,
        "wallet_type": found,
        "why_not": why_not,
        "back": _url(program),
    }
    template = "loyalty/backoffice/wallet_type_remove.html"
    return render(request, template, context, status=422 if request.method == "POST" else 200)


def _edit(request: HttpRequest, program: Program, found: WalletType | None) -> HttpResponse:
    read = definition_of if request.method == "POST" else definition_without_parts
    base = read(program, timezone.now())
    sort = STORED if request.GET.get("sort") == STORED else EARNED
    fresh = {"sort": sort, "code": "", "singular": "", "plural": ""}
    initial = {"revision": program.revision} | ({} if found else fresh)
    form = WalletTypeForm(
        posted(request), program=base, code=found.code if found else "", initial=initial,
        counted=found is not None and Transfer.objects.filter(wallet_type=found).exists(),
    )  # fmt: skip
    sent = request.method == "POST" and "edit" not in request.POST
    if sent and form.is_valid():
        answer = save_definition(request, form, program, base, breadcrumbs=_crumbs(program))
        if answer is not None:
            return answer
    context = {
        "title": _("Change %s") % found.plural if found else _("New kind of units"),
        "breadcrumbs": _crumbs(program),
        "program": program,
        "wallet_type": found,
        "form": form,
        "show_errors": sent,
        "back": _url(program),
    }
    template = "loyalty/backoffice/wallet_type_form.html"
    return render(request, template, context, status=422 if sent and form.errors else 200)


def _url(program: Program) -> str:
    return reverse("loyalty_backoffice:wallet_type_list", args=[program.code])


def _crumbs(program: Program) -> Crumbs:
    return [*program_crumbs(program), (_("Kinds of units"), _url(program))]

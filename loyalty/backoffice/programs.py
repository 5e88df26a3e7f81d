"""Programs: the list of them, one as a page, as a file, and going live or out of service."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.first_steps import ways_to_members
from loyalty.backoffice.links import program_crumbs, program_url
from loyalty.descriptions import (
    describe_definition,
    describe_expiry,
    describe_pending,
    describe_terms,
    describe_units,
)
from loyalty.models import (
    EarningRule,
    EarningRuleVersion,
    LotPolicy,
    Order,
    Program,
    WalletType,
)
from loyalty.program_files import dump_program
from loyalty.program_parts import parts_in_words
from loyalty.program_words import notices
from loyalty.selectors.charities import charity_names
from loyalty.selectors.liability import liability_now
from loyalty.selectors.lot_policies import expiry_of, pending_of
from loyalty.selectors.member_tallies import members_in
from loyalty.selectors.program_times import program_state, program_states
from loyalty.selectors.programs import (
    current_version,
    definition_of,
    list_programs,
    wallet_type_definition,
)
from loyalty.selectors.rule_sentences import version_sentences
from loyalty.selectors.tier_sets import tiers_of
from loyalty.services.programs import apply_definition
from members.audit import action_label
from members.errors import DomainError
from members.models import Customer
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect
from members.selectors.audit import entries_of

# Counting goes no further: beyond it "more than" is as good an answer.
COUNTED = 100_000


@require_safe
@staff_view("programs.view")
def program_list(request: HttpRequest) -> HttpResponse:
    """Every program there is, live ones first."""
    order = {Program.Status.LIVE: 0, Program.Status.DRAFT: 1, Program.Status.ARCHIVED: 2}
    programs = sorted(
        list_programs(), key=lambda item: (order[Program.Status(item.status)], item.name)
    )
    states = program_states(programs, timezone.now())
    rows = [(program, states[program.pk].state) for program in programs]
    context = {"programs": rows, "may_edit": is_allowed(request.user, "programs.create")}
    return render(request, "loyalty/backoffice/program_list.html", context)


@require_safe
@staff_view("programs.view")
def program_page(request: HttpRequest, code: str) -> HttpResponse:
    """What a program says now, what it said before, and how it is doing."""
    program = get_object_or_404(Program, code=code)
    own = program.earning_rules.filter(source="").select_related("wallet_type")
    rules = own.prefetch_related(
        Prefetch(
            "versions",
            EarningRuleVersion.objects.select_related("published_by").order_by("-number"),
        )
    )
    state = program_state(program, timezone.now())
    context = {
        "program": program,
        "state": state,
        "notices": notices(state, for_staff=True),
        "pauses": program.pauses.select_related("decided_by").order_by("-starts_at"),
        "title": program.name,
        "breadcrumbs": program_crumbs(),
        "may_edit": is_allowed(request.user, "programs.edit"),
        "terms": describe_terms(program),
        "units": _units(program, timezone.now()),
        "rules": [_described(rule, program) for rule in rules],
        "entries": [(entry, action_label(entry.action)) for entry in entries_of(program, limit=10)],
        "ways": ways_to_members(request.user, program),
    }
    return render(request, "loyalty/backoffice/program_page.html", context)


def _units(
    program: Program, now: dt.datetime
) -> list[tuple[WalletType, list[str], list[tuple[str, LotPolicy]]]]:
    """Each kind with its terms now, and those that it had before."""
    tiers, charities = tiers_of(program, now), charity_names(program)
    rows = program.wallet_types.prefetch_related("lot_policies").order_by("pk")
    return [
        (
            item,
            describe_units(wallet_type_definition(item, tiers), program.currency, charities, tiers),
            _earlier_policies(item),
        )
        for item in rows
    ]


def _earlier_policies(wallet_type: WalletType) -> list[tuple[str, LotPolicy]]:
    """The terms that are no longer those for new units, newest first, in a sentence each."""
    policies = [item for item in wallet_type.lot_policies.all() if item.rule_id is None]
    return [
        (f"{describe_pending(pending_of(item))} {describe_expiry(expiry_of(item))}", item)
        for item in policies[1:]
    ]


@require_safe
@staff_view("programs.view")
def program_by_id(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where the audit log's links lead: the page under the program's own name."""
    return redirect(program_url(get_object_or_404(Program, public_id=public_id)))


@require_safe
@staff_view("programs.view")
def program_export(request: HttpRequest, code: str) -> HttpResponse:
    """The program as a file that `apply_program` takes."""
    program = get_object_or_404(Program, code=code)
    response = HttpResponse(
        dump_program(program, timezone.now()), content_type="application/yaml; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{program.code}.yaml"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_publish(request: HttpRequest, code: str) -> HttpResponse:
    """Take a draft live, or an archived program back into service, after saying what happens."""
    program = get_object_or_404(Program.objects.exclude(status=Program.Status.LIVE), code=code)
    if request.method == "POST":
        message = _("%s is live: orders that come in from now on earn.") % program.name
        return _change_status(request, program, Program.Status.LIVE, message)
    definition = definition_of(program, timezone.now())
    units = {item.code: item for item in program.wallet_types.all()}
    orders = _counted(Order.objects.filter(currency=program.currency))
    context = {
        "title": _("Take %s live?") % program.name,
        "program": program,
        "again": program.live_since is not None,
        "rules": [
            describe_definition(rule, units[rule.wallet_type], program.currency)
            for rule in definition.earning_rules
        ],
        "further": [] if program.live_since else parts_in_words(definition),
        "orders": orders,
        "more_orders": orders > COUNTED,
        "customers": _counted(Customer.objects.filter(merged_into=None)),
        "counted": COUNTED,
        "back": program_url(program),
    }
    return render(request, "loyalty/backoffice/program_publish.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_archive(request: HttpRequest, code: str) -> HttpResponse:
    """Take a program out of service, after saying what stays."""
    program = get_object_or_404(Program.objects.exclude(status=Program.Status.ARCHIVED), code=code)
    if request.method == "POST":
        message = _("%s is archived: new orders earn nothing in it.") % program.name
        return _change_status(request, program, Program.Status.ARCHIVED, message)
    context = {
        "title": _("Archive %s?") % program.name,
        "program": program,
        "members": members_in(program),
        "held": [
            (liability_now(item, timezone.now()), item)
            for item in program.wallet_types.order_by("pk")
        ],
        "back": program_url(program),
    }
    return render(request, "loyalty/backoffice/program_archive.html", context)


def _change_status(
    request: HttpRequest, program: Program, status: Program.Status, message: str
) -> HttpResponse:
    definition = definition_of(program, timezone.now()).model_copy(update={"status": status.value})
    try:
        apply_definition(definition, actor=acting(request), now=timezone.now())
        messages.success(request, message)
    except DomainError as error:
        messages.error(request, str(error.message))
    # The whole page changes with the status, so the dialog ends in a fresh one.
    return htmx_redirect(request, program_url(program))


def _described(rule: EarningRule, program: Program) -> dict[str, object]:
    """A rule with the wording that counts now in sentences, and every wording it has had."""
    current = current_version(rule, timezone.now())
    versions = [
        (version, version_sentences(version, rule.wallet_type, program.currency))
        for version in rule.versions.all()
    ]
    sentences = next((text for version, text in versions if version == current), [])
    return {"rule": rule, "current": current, "sentences": sentences, "versions": versions}


def _counted(rows: object) -> int:
    return rows.order_by()[: COUNTED + 1].count()  # type: ignore[attr-defined, no-any-return]

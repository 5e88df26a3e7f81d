"""The same change for several rewards of a catalog: said, shown, then made."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.program_fields import switch
from loyalty.models import Program, WalletType
from loyalty.rules.calendar import localize
from loyalty.selectors.tier_sets import tier_set_at
from members.errors import DomainError
from members.formatting import format_moment, format_number, format_units
from members.forms import add_domain_errors, errors_on, posted
from members.navigation import Tab
from members.policy import acting, staff_view
from rewards.backoffice.links import catalog_crumbs, catalog_url, preview_url
from rewards.backoffice.reward_forms import moment_field
from rewards.models import Reward
from rewards.numbers import smallest
from rewards.selectors.rewards import rewards
from rewards.services.bulk_changes import BulkChange, Planned, change_rewards, plan_changes
from rewards.services.previews import preview_shelf
from rewards.words import icon_of

MOST = 200


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A reward with what becomes of it, in words: each before and after."""

    reward: Reward
    changes: tuple[tuple[Any, str, str], ...]


class BulkForm(forms.Form):
    """What is to become of all that are chosen; what is left empty stays."""

    rewards = forms.ModelMultipleChoiceField(
        Reward.objects.none(), to_field_name="public_id", widget=forms.MultipleHiddenInput,
        error_messages={"required": _l("Choose at least one reward.")},
    )  # fmt: skip
    status = forms.ChoiceField(
        label=_l("State"), required=False,
        choices=[("", _l("As it is")), *Reward.Status.choices],
    )  # fmt: skip
    prices = forms.DecimalField(
        label=_l("Prices by"), required=False, min_value=-99, max_value=1000, max_digits=6,
        decimal_places=2, help_text=_l("10 makes all of them dearer, −10 cheaper. Rounded."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    dated = switch(_l("Other dates"), _l("Empty: from now on, and without an end."))
    starts_at = moment_field(_l("Can be taken from"))
    ends_at = moment_field(_l("Can be taken until"))

    def __init__(self, data: Any, *, program: Program) -> None:
        super().__init__(data)
        self.zone: zoneinfo.ZoneInfo = program.zone
        chosen = self.fields["rewards"]
        assert isinstance(chosen, forms.ModelMultipleChoiceField)
        chosen.queryset = rewards().filter(program=program).order_by("position", "pk")

    def change(self) -> BulkChange:
        data = self.cleaned_data
        starts, ends = (
            None if data[name] is None else localize(data[name].replace(tzinfo=None), self.zone)
            for name in ("starts_at", "ends_at")
        )
        return BulkChange(data["status"] or None, data["dated"], starts, ends, data["prices"])


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def reward_bulk(request: HttpRequest, code: str) -> HttpResponse:
    """Which they are comes along from the catalog; the change is shown before it is made."""
    program = get_object_or_404(Program, code=code)
    sent = posted(request)
    form = BulkForm(sent if sent is not None else {}, program=program)
    chosen = _chosen(request, program)
    rows: list[PlannedRow] = []
    if sent is not None and form.is_valid():
        try:
            rows = [_row(item) for item in plan_changes(chosen, form.change())]
        except DomainError as error:
            add_domain_errors(form, error)
    if rows and "make" in request.POST:
        with errors_on(form):
            changed = change_rewards(
                program=program, rewards=chosen, change=form.change(), actor=acting(request)
            )
            words = ngettext("%s reward was changed.", "%s rewards were changed.", changed)
            messages.success(request, words % format_number(changed))
            return redirect(catalog_url(program))
    if sent is None:
        form = BulkForm(None, program=program)
    context = {
        "title": _("Change several rewards"), "program": program, "form": form, "chosen": chosen,
        "rows": rows, "back": catalog_url(program), "breadcrumbs": catalog_crumbs(program),
        "differ": any(row.changes for row in rows),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/reward_bulk.html", context, status=status)


@require_safe
@staff_view("programs.view")
def reward_preview(request: HttpRequest, code: str) -> HttpResponse:
    """The shelf as a new member with a tier finds it."""
    program, now = get_object_or_404(Program, code=code), timezone.now()
    tier_set = tier_set_at(program, now)
    tiers = [(tier.code, tier.name) for tier in tier_set.tiers.all()] if tier_set else []
    wanted = request.GET.get("tier", "")
    wanted = wanted if wanted in dict(tiers) else ""
    path, first = preview_url(program), tiers[0][0] if tiers else ""
    context = {
        "title": _("The shelf as members see it"), "program": program,
        "breadcrumbs": catalog_crumbs(program),
        "tabs": [
            Tab(name, f"{path}?tier={tier}" if at else path, current=tier == (wanted or first))
            for at, (tier, name) in enumerate(tiers)
        ],
        "offers": [
            {
                "reward": offer.reward, "icon": icon_of(offer.reward),
                "price": format_units(offer.price, offer.reward.wallet_type),
                "own_price": offer.price != offer.reward.price,
                "reasons": [item.words for item in offer.refusals],
            }
            for offer in preview_shelf(program=program, tier=wanted, now=now)
        ],
    }  # fmt: skip
    return render(request, "rewards/backoffice/reward_preview.html", context)


def _chosen(request: HttpRequest, program: Program) -> Sequence[Reward]:
    named = request.POST if request.method == "POST" else request.GET
    field = BulkForm(None, program=program).fields["rewards"]
    try:
        return list(field.clean(named.getlist("rewards")[:MOST]))
    except forms.ValidationError:
        return []


def _row(planned: Planned) -> PlannedRow:
    before, after, reward = planned.before, planned.after, planned.reward
    unit, zone, changes = reward.wallet_type, reward.program.zone, list[tuple[Any, str, str]]()
    if before.status != after.status:
        states = dict(Reward.Status.choices)
        changes.append((_("State"), str(states[before.status]), str(states[after.status])))
    prices = [(_("Price"), before.price, after.price)]
    for tier, price in before.tier_prices.items():
        prices.append((_("Price for %s") % tier, price, after.tier_prices[tier]))
    changes += [
        (name, _units(old, unit), _units(new, unit)) for name, old, new in prices if old != new
    ]
    for name, old, new in (
        (_("From"), before.starts_at, after.starts_at), (_("Until"), before.ends_at, after.ends_at)
    ):  # fmt: skip
        if old != new:
            changes.append((name, _time(old, zone), _time(new, zone)))
    return PlannedRow(reward, tuple(changes))


def _units(value: Decimal, unit: WalletType) -> str:
    return format_units(smallest(value, unit.scale), unit)


def _time(at: dt.datetime | None, zone: zoneinfo.ZoneInfo) -> str:
    return format_moment(at, zone) if at else "–"

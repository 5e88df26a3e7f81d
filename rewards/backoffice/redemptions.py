"""What members took: the list of it, a customer's own, and what staff do about it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import customer_crumbs, customer_url
from loyalty.backoffice.reason_forms import ReasonForm, UntilForm
from loyalty.models import Membership, Transfer
from loyalty.plain_numbers import units_text
from loyalty.selectors.memberships import list_memberships
from loyalty.services.usable_units import spendable_units
from members.formatting import format_money, format_number, format_units
from members.forms import errors_on, posted
from members.list_files import ListFile, hand_out
from members.models import Customer, StaffMember
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.selectors.erased import is_known
from rewards.backoffice.links import NAMESPACE
from rewards.codes import plain
from rewards.models import Redemption, Reward
from rewards.selectors.overrides import let_pass_today, override_terms_of, with_overrides
from rewards.selectors.redemptions import redemptions, taken_by
from rewards.selectors.rewards import offered
from rewards.services.asked_back import cancel_when_asked
from rewards.services.eligibility import OVERRIDABLE, Offer, offers_for
from rewards.services.overrides import Override
from rewards.services.redemptions import take_reward, use_redemption
from rewards.services.second_chances import reopen_redemption, waive_minimum
from rewards.voucher_terms import least_of

Status = Redemption.Status
SOURCE = Transfer.Source.BACKOFFICE.value
SHOWN = ("", *Status.values)


class TakeForm(forms.Form):
    """Which reward; and why, where its terms are let pass. Sent twice, it takes one."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    reward = forms.ModelChoiceField(
        Reward.objects.none(), label=_l("Reward"), widget=forms.RadioSelect, empty_label=None,
        to_field_name="public_id",
    )  # fmt: skip
    reason = forms.CharField(
        label=_l("Why its terms are let pass"), max_length=500, required=False,
        help_text=_l("Only where it could not be taken otherwise."),
    )  # fmt: skip


ORDERINGS = {"-when": ("-created_at", "-pk"), "when": ("created_at", "pk")}
# Codes open something: they are not in it.
FILE: ListFile[Redemption] = ListFile(
    "redemptions",
    {
        "id": lambda row: row.public_id,
        "program": lambda row: row.reward.program.code,
        "reward": lambda row: row.reward.code,
        "name": lambda row: row.reward.name,
        "customer": lambda row: row.membership.customer.external_id,
        "email": lambda row: row.membership.customer.email,
        "state": lambda row: row.status,
        "units": lambda row: units_text(row.units, row.reward.wallet_type.scale),
        "unit": lambda row: row.reward.wallet_type.code,
        "taken_at": lambda row: row.created_at,
        "issued_at": lambda row: row.issued_at,
    },
    personal=True,
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def redemption_list(request: HttpRequest) -> HttpResponse:
    """All that was taken, newest first; found by its code, too."""
    shown = request.GET.get("status", "")
    shown = shown if shown in SHOWN else ""
    text = request.GET.get("q", "").replace("\x00", "").strip()
    found = with_overrides(redemptions())
    if shown:
        found = found.filter(status=shown)
    may_act = is_allowed(request.user, "rewards.give")
    if text:
        # Whoever may not see codes cannot find them sign by sign either.
        how = "startswith" if may_act else "exact"
        found = found.filter(**{f"voucher__code__{how}": plain(text) or " "})
    if request.method == "POST":
        return hand_out(request, FILE, found, orderings=ORDERINGS, default="-when")
    page = paginate(found, request=request, orderings=ORDERINGS, default="-when")
    path = reverse(f"{NAMESPACE}:redemption_list")
    labels = dict(Status.choices)
    context = {
        "title": _("Redemptions"),
        "page": page,
        "query": text,
        "shown": shown,
        "tabs": [
            Tab(
                str(labels[name]) if name else _("All"),
                f"{path}?status={name}" if name else path,
                current=name == shown,
            )
            for name in SHOWN
        ],
        "may_act": may_act,
        "sorts": True,
        "file": FILE.offered(request),
        "may_see_codes": may_act,
    }
    return render(request, "rewards/backoffice/redemption_list.html", context)


@require_safe
@staff_view("customers.view")
def redemption_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What a customer took, newest first."""
    customer = get_object_or_404(Customer, public_id=public_id)
    members = list_memberships(customer)
    found = with_overrides(taken_by(members))
    page = paginate(
        found, request=request, orderings={"": ("-created_at", "-pk")}, default="", per_page=6
    )
    may_see_codes = is_allowed(request.user, "rewards.give")
    may_act = may_see_codes and is_known(customer)
    context = {
        "customer": customer,
        "title": _("Rewards"),
        "panel_id": "rewards",
        "panel_icon": "gift",
        "panel_flush": True,
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "may_act": may_act,
        "may_see_codes": may_see_codes,
        "takers": [item for item in members if item.status == "active"] if may_act else [],
    }
    return render(request, "rewards/backoffice/redemption_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def reward_take(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a reward for a member; where its terms are against it, with a reason."""
    members = Membership.objects.select_related("program", "customer")
    member = get_object_or_404(members, public_id=public_id)
    now = timezone.now()
    rewards = list(offered(member.program))
    form = TakeForm(posted(request))
    choice = form.fields["reward"]
    assert isinstance(choice, forms.ModelChoiceField)
    choice.queryset = offered(member.program)
    if form.is_valid():
        with errors_on(form):
            reason = form.cleaned_data["reason"].strip()
            taken, _replayed = take_reward(
                membership=member, reward=form.cleaned_data["reward"],
                key=f"backoffice:{form.cleaned_data['key']}", source=SOURCE,
                actor=acting(request), now=now,
                override=Override(OVERRIDABLE, reason) if reason else None,
            )  # fmt: skip
            return dialog_done(
                request, url=customer_url(member.customer), changed="wallet",
                message=_taken_words(taken),
            )  # fmt: skip
    context = {
        "title": _("Take a reward"),
        "member": member,
        "form": form,
        "offers": [_shown(offer, form) for offer in offers_for(rewards, member, now)],
        "balances": _balances(member, now),
        "room": _room(request, member, now),
        "back": customer_url(member.customer),
    }
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/reward_take.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def redemption_cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Give it up for the member; what comes back is said first."""
    found = _redemption(public_id)
    form = ReasonForm(posted(request))

    def act(data: dict[str, Any]) -> str:
        cancel_when_asked(
            redemption=found, reason=data["reason"], source=SOURCE, actor=acting(request),
            now=timezone.now(), used=True,
        )  # fmt: skip
        return (
            _("It was canceled.") if found.gift else _("It was canceled, and its units came back.")
        )

    units = format_units(found.units, found.reward.wallet_type)
    comes_back = _("%s go back to where they came from, and its code cannot be used any more.")
    context = {
        "title": _("Cancel %s?") % found.reward.name,
        "effect": _("It was given. Its code cannot be used any more.")
        if found.gift
        else comes_back % units,
        "submit": _("Cancel it"),
    }
    return _dialog(request, found, form, act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def redemption_reopen(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let something that ran out be used until another day."""
    found = _redemption(public_id)
    now, zone = timezone.now(), found.membership.program.zone
    form = UntilForm(posted(request), zone=zone, today=now.astimezone(zone).date(), most=None)

    def act(data: dict[str, Any]) -> str:
        reopen_redemption(
            redemption=found, until=data["until"], reason=data["reason"], actor=acting(request),
            now=now,
        )  # fmt: skip
        return _("It can be used again.")

    context = {
        "title": _("Bring %s back?") % found.reward.name,
        "effect": _("Its code can be used again, to the end of the day that you choose."),
        "submit": _("Bring it back"),
    }
    return _dialog(request, found, form, act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def redemption_use(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Note that it was used where no till said so."""
    found = _redemption(public_id)
    form = forms.Form(posted(request))

    def act(_data: dict[str, Any]) -> str:
        use_redemption(redemption=found, actor=acting(request), now=timezone.now())
        return _("It is noted as used.")

    context = {
        "title": _("Was %s used?") % found.reward.name,
        "effect": _("Its code cannot be used again after that."),
        "submit": _("It was used"),
    }
    return _dialog(request, found, form, act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def redemption_minimum(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let its code be used for orders of any size."""
    found = _redemption(public_id)
    form = ReasonForm(posted(request))
    least = (least_of(found.voucher.terms) if found.voucher else None) or 0

    def act(data: dict[str, Any]) -> str:
        waive_minimum(
            redemption=found, reason=data["reason"], actor=acting(request), now=timezone.now()
        )
        return _("Its code can be used for orders of any size.")

    context = {
        "title": _("Let smaller orders pass for %s?") % found.reward.name,
        "effect": _("It is for orders of %s and more now. Its code can then be used for any.")
        % format_money(least, found.reward.program.currency),
        "submit": _("Let them pass"),
    }
    return _dialog(request, found, form, act, context)


def _taken_words(taken: Redemption) -> str:
    words = {"reward": taken.reward.name, "code": taken.voucher.written if taken.voucher else ""}
    if taken.voucher is None:
        return _("%(reward)s was taken.") % words
    return _("%(reward)s was taken. Its code: %(code)s") % words


def _room(request: HttpRequest, member: Membership, now: dt.datetime) -> str:
    """What whoever looks may still let pass today; nothing where that has no limit."""
    user = acting(request).user
    role = StaffMember.objects.filter(user=user).values_list("role", flat=True).first()
    terms = override_terms_of(role or "")
    if user is None or terms.most_in_a_day is None:
        return ""
    done = let_pass_today(user, member.program.zone, now).count
    words = {
        "left": format_number(max(terms.most_in_a_day - done, 0)),
        "most": format_number(terms.most_in_a_day),
    }
    return _("You may let pass %(left)s of %(most)s more today.") % words


def _dialog(
    request: HttpRequest, found: Redemption, form: forms.Form, act: Any, context: dict[str, Any]
) -> HttpResponse:
    back = customer_url(found.membership.customer)
    if form.is_valid():
        with errors_on(form):
            return dialog_done(request, url=back, changed="wallet", message=act(form.cleaned_data))
    context = {"form": form, "redemption": found, "back": back, **context}
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/redemption_act.html", context, status=status)


def _redemption(public_id: UUID) -> Redemption:
    return get_object_or_404(redemptions(), public_id=public_id)


def _balances(member: Membership, now: dt.datetime) -> list[str]:
    held = spendable_units([member.pk], now).get(member.pk, {})
    return [format_units(held.get(unit.pk, 0), unit) for unit in member.program.wallet_types.all()]


def _shown(offer: Offer, form: TakeForm) -> dict[str, Any]:
    """A row of the choice."""
    reward = offer.reward
    final = [item for item in offer.refusals if item.code not in OVERRIDABLE]
    return {
        "value": str(reward.public_id),
        "name": reward.name,
        "price": format_units(offer.price, reward.wallet_type),
        "refusals": [item.words for item in offer.refusals],
        "disabled": bool(final),
        "checked": form["reward"].value() == str(reward.public_id),
    }

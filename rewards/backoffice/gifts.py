"""Giving rewards: to one member, to a segment, and by itself on a day of the year."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST

from loyalty.backoffice.links import customer_url
from loyalty.backoffice.reason_forms import KeyedForm
from loyalty.models import Membership
from loyalty.selectors.tier_sets import tier_set_at
from members.backoffice.jobs import hand_over
from members.formatting import format_money
from members.forms import errors_on, posted
from members.models import Segment
from members.policy import acting, staff_view
from members.responses import dialog_done, htmx_redirect
from members.selectors.segments import list_segments
from rewards.backoffice.links import reward_url
from rewards.models import GiftDay, Reward
from rewards.selectors.rewards import rewards
from rewards.services.gift_days import start_gift_day, stop_gift_day
from rewards.services.gifts import give_by_staff
from rewards.services.gifts_for_many import start_gift_for_many


def _message() -> forms.CharField:
    return forms.CharField(
        label=_l("What they read"), max_length=200, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("Beside it on their own pages, like: With thanks for your patience."),
    )  # fmt: skip


class GiveForm(KeyedForm):
    """Which reward, and why. Sent twice, it gives one."""

    reward = forms.ModelChoiceField(
        Reward.objects.none(), label=_l("Reward"), to_field_name="public_id"
    )
    message = _message()
    field_order = ("reward", "message", "reason")


class GiveManyForm(KeyedForm):
    segment = forms.ModelChoiceField(
        Segment.objects.none(), label=_l("Segment"), to_field_name="code",
        help_text=_l("Whoever is in it and an active member of the program is given one."),
    )  # fmt: skip
    message = _message()
    field_order = ("segment", "message", "reason")


class GiftDayForm(forms.Form):
    day = forms.ChoiceField(label=_l("On which day"), choices=GiftDay.Day.choices)
    days_before = forms.IntegerField(
        label=_l("So many days ahead"), min_value=0, max_value=60, initial=0,
        help_text=_l("So that it can be used on the day."),
    )  # fmt: skip
    tiers = forms.MultipleChoiceField(
        label=_l("For which tiers"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_l("None: for every member."),
    )  # fmt: skip
    message = _message()


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def reward_give(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Give a member a reward, for nothing."""
    members = Membership.objects.select_related("program", "customer")
    member = get_object_or_404(members, public_id=public_id)
    form = GiveForm(posted(request))
    live = rewards().filter(program=member.program, status=Reward.Status.LIVE)
    _offer(form, "reward", live.exclude(kind=Reward.Kind.CHARITY))
    back = customer_url(member.customer)
    if form.is_valid():
        data = form.cleaned_data
        with errors_on(form):
            given, _replayed = give_by_staff(
                membership=member, reward=data["reward"], message=data["message"],
                reason=data["reason"], key=f"backoffice:{data['key']}", actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            code = given.voucher.written if given.voucher else ""
            words = {"reward": given.reward.name, "code": code}
            return dialog_done(
                request, url=back, changed="wallet",
                message=_("%(reward)s was given. Its code: %(code)s") % words,
            )  # fmt: skip
    context = {
        "title": _("Give a reward"),
        "lead": f"{member.customer} · {member.program.name}",
        "effect": _("It costs the member nothing, and its conditions and limits do not count."),
        "submit": _("Give it"),
    }
    return _dialog(request, form, back, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("adjustments.bulk")
def reward_give_many(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """Give it to everybody in a segment, by a job."""
    reward = _reward(code, reward_code)
    form = GiveManyForm(posted(request))
    _offer(form, "segment", list_segments())
    if form.is_valid():
        data = form.cleaned_data
        with errors_on(form):
            job = start_gift_for_many(
                reward=reward, segment=data["segment"], message=data["message"],
                reason=data["reason"], key=data["key"], actor=acting(request),
            )  # fmt: skip
            hand_over(request, job)
            messages.success(request, _("It is being given."))
            return htmx_redirect(request, reverse("backoffice:job", args=[job.public_id]))
    context = {
        "title": _("Give %s to many") % reward.name,
        "lead": _("Each costs you %s.") % format_money(reward.cost, reward.program.currency),
        "effect": _("What was given can be taken back one by one, not all at once."),
        "submit": _("Give it"),
    }
    return _dialog(request, form, reward_url(reward), context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def gift_day_start(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """Have it given on a day of each member's year from now on."""
    reward = _reward(code, reward_code)
    now = timezone.now()
    form = GiftDayForm(posted(request))
    tier_set = tier_set_at(reward.program, now)
    tiers = [(tier.code, tier.name) for tier in tier_set.tiers.all()] if tier_set else []
    choice = form.fields["tiers"]
    assert isinstance(choice, forms.MultipleChoiceField)
    choice.choices = tiers
    if not tiers:
        del form.fields["tiers"]
    if form.is_valid():
        data = form.cleaned_data
        with errors_on(form):
            start_gift_day(
                reward=reward, day=data["day"], days_before=data["days_before"],
                tiers=data.get("tiers", []), message=data["message"], actor=acting(request),
                now=now,
            )  # fmt: skip
            messages.success(request, _("It is given by itself from now on."))
            return htmx_redirect(request, reward_url(reward))
    context = {
        "title": _("Give %s on a day of the year") % reward.name,
        "effect": _("Once a year to each member. Whose day was before today gets it next year."),
        "submit": _("Give it from now on"),
    }
    return _dialog(request, form, reward_url(reward), context)


@require_POST
@staff_view("programs.edit")
def gift_day_stop(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Not any more; what was given stays given."""
    found = get_object_or_404(
        GiftDay.objects.select_related("reward__program"), public_id=public_id
    )
    stop_gift_day(gift_day=found, actor=acting(request), now=timezone.now())
    messages.success(request, _("It is not given on this day any more."))
    return redirect(reward_url(found.reward))


def _offer(form: forms.Form, name: str, choices: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = choices


def _reward(code: str, reward_code: str) -> Reward:
    return get_object_or_404(rewards(), program__code=code, code=reward_code)


def _dialog(
    request: HttpRequest, form: forms.Form, back: str, context: dict[str, Any]
) -> HttpResponse:
    context = {"form": form, "back": back, **context}
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/gift.html", context, status=status)

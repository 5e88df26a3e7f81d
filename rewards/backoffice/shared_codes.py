"""Codes of a reward that many may use: made and stopped on the reward's page."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST

from loyalty.rules.calendar import end_of_day
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done
from rewards.backoffice.links import reward_url
from rewards.models import Reward, Voucher, VoucherUse
from rewards.selectors.rewards import rewards
from rewards.services.shared_codes import MOST, create_shared_code, stop_shared_code


class SharedCodeForm(forms.Form):
    written = forms.CharField(
        label=_l("Code"), max_length=48, required=False,
        help_text=_l("As SUMMER26. Empty: one that nobody can guess."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    most_uses = forms.IntegerField(
        label=_l("How many times"), min_value=1, max_value=MOST,
        help_text=_l("By all members together."),
    )  # fmt: skip
    per_member = forms.IntegerField(
        label=_l("How many times by each member"), min_value=1, max_value=MOST, initial=1,
        required=False, help_text=_l("Empty: once."),
    )  # fmt: skip
    until = forms.DateField(
        label=_l("Usable until"), required=False, help_text=_l("To the end of this day."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip


def shared_codes_of(reward: Reward) -> QuerySet[Voucher]:
    """The newest first, each with how often it was used."""
    shared = Voucher.objects.filter(reward=reward, most_uses__isnull=False)
    held = VoucherUse.objects.filter(voucher=OuterRef("pk"), state=VoucherUse.State.HELD)
    count = held.order_by().values("voucher").annotate(count=Count("pk")).values("count")
    used = F("uses_taken") - Coalesce(Subquery(count), 0)
    return shared.select_related("program").annotate(times=used).order_by("-pk")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def shared_code_create(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """Whoever has it gets what the reward gives, without giving units for it."""
    reward = get_object_or_404(rewards(), program__code=code, code=reward_code)
    form = SharedCodeForm(posted(request))
    if form.is_valid():
        data, zone = form.cleaned_data, reward.program.zone
        with errors_on(form):
            made = create_shared_code(
                reward=reward, written=data["written"], most_uses=data["most_uses"],
                expires_at=end_of_day(data["until"], zone) if data["until"] else None,
                per_member=data["per_member"] or 1, actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            return dialog_done(
                request, url=reward_url(reward), changed="reward",
                message=_("%s can be used now.") % made.written,
            )  # fmt: skip
    context = {
        "title": _("New shared code"), "form": form, "submit": _("Make it"),
        "back": reward_url(reward),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/voucher_pool_form.html", context, status=status)


@require_POST
@staff_view("programs.edit")
def shared_code_stop(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Nobody can use it any more."""
    shared = Voucher.objects.filter(most_uses__isnull=False).select_related("reward__program")
    found = get_object_or_404(shared, public_id=public_id)
    stop_shared_code(voucher=found, actor=acting(request), now=timezone.now())
    messages.success(request, _("%s cannot be used any more.") % found.written)
    assert found.reward is not None
    return HttpResponseRedirect(reward_url(found.reward))

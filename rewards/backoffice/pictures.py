"""The picture of a reward: another one, or none."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done
from rewards.backoffice.links import reward_url
from rewards.models import Reward
from rewards.selectors.rewards import rewards
from rewards.services.pictures import set_picture


class PictureForm(forms.Form):
    picture = forms.FileField(
        label=_l("File"), required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_l("PNG, JPEG or WebP, at most 512 kB, best twice as wide as high."),
    )  # fmt: skip
    remove = forms.BooleanField(label=_l("Go without a picture"), required=False)

    def __init__(self, data: Any = None, files: Any = None, *, reward: Reward) -> None:
        super().__init__(data, files)
        if not reward.picture:
            del self.fields["remove"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("picture") and not cleaned.get("remove") and not self.errors:
            self.add_error("picture", _("Choose a file."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def reward_picture(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """Members see it on the shelf, in the program's shop and with their vouchers."""
    reward = get_object_or_404(rewards(), program__code=code, code=reward_code)
    form = PictureForm(posted(request), request.FILES or None, reward=reward)
    if form.is_valid():
        with errors_on(form):
            upload = form.cleaned_data["picture"] or None
            set_picture(reward=reward, upload=upload, actor=acting(request))
            message = _("The picture was changed.") if upload else _("It goes without a picture.")
            return dialog_done(request, url=reward_url(reward), changed="reward", message=message)
    context = {
        "title": _("Picture of %s") % reward.name, "form": form, "reward": reward,
        "back": reward_url(reward),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/reward_picture.html", context, status=status)

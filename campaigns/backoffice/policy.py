"""When and how often members are written to."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from campaigns.backoffice.places import NAMESPACE, crumbs, tabs
from campaigns.models import BlockedAddress
from campaigns.selectors.policies import get_policy
from campaigns.services.policies import POLICY_FIELDS, set_policy
from campaigns.topics import choosable_topics
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, require, staff_view


def _clock() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PolicyForm(forms.Form):
    quiet_from = forms.TimeField(label=_l("Quiet from"), widget=_clock())
    quiet_until = forms.TimeField(
        label=_l("Quiet until"), widget=_clock(),
        help_text=_l("By the clock of each member. Both the same: at any time."),
    )  # fmt: skip
    cap = forms.IntegerField(
        label=_l("Messages at most"), min_value=0, max_value=1000,
        help_text=_l("To one member by each way. 0: as many as there are."),
    )  # fmt: skip
    cap_days = forms.IntegerField(label=_l("In so many days"), min_value=1, max_value=90)
    double_opt_in = forms.BooleanField(
        label=_l("Have a yes confirmed by a mail"), required=False,
        help_text=_l("So that nobody is signed up by somebody else. Required in some countries."),
    )  # fmt: skip
    assumed_topics = forms.MultipleChoiceField(
        label=_l("Told to everybody who has not said no"), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_l("The others are told only to who said yes."),
    )  # fmt: skip

    def __init__(self, data: object = None, *, initial: dict[str, object]) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        topics = self.fields["assumed_topics"]
        assert isinstance(topics, forms.MultipleChoiceField)
        topics.choices = [
            (topic.code, topic.label) for topic in choosable_topics() if not topic.opt_in_only
        ]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def policy(request: HttpRequest) -> HttpResponse:
    """Quiet hours, how often at most, and what a yes takes."""
    current = get_policy()
    may_edit = is_allowed(request.user, "messages.edit")
    if request.method == "POST":
        require(request.user, "messages.edit")
    initial = {name: getattr(current, name) for name in POLICY_FIELDS}
    form = PolicyForm(posted(request), initial=initial)
    if form.is_valid():
        with errors_on(form):
            set_policy(changes=form.cleaned_data, actor=acting(request))
            messages.success(request, _("Saved. It counts from now on, also for what waits."))
            return redirect(f"{NAMESPACE}:policy")
    context = {
        "title": _("When and how often"),
        "breadcrumbs": crumbs(),
        "tabs": tabs("policy"),
        "form": form,
        "policy": current,
        "topics": choosable_topics(),
        "may_edit": may_edit,
        "blocked": BlockedAddress.objects.count(),
    }
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/policy.html", context, status=status)

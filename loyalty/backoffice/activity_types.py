"""Settings: what people can do besides buying, how often it counts, and what it brings."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import ValidationError

from loyalty.activity_data import LONGEST_SCHEMA
from loyalty.definitions import ActivityTypeDefinition
from loyalty.models import ActivityType
from loyalty.rule_words import units_in_words
from loyalty.selectors.activities import definition_of_type, list_activity_types, rewards_by_type
from loyalty.services.activity_types import create_activity_type, save_activity_type
from members.formatting import format_number
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done


class ActivityTypeForm(forms.Form):
    """A type; its short name is asked for once."""

    name = forms.CharField(
        label=_l("What it is called"), max_length=120, help_text=_l("As Review, or Survey.")
    )
    code = forms.SlugField(
        label=_l("Short name"),
        max_length=64,
        help_text=_l(
            "Your shop sends activities with it, as review. Of sign-up, profile and email-opt-in"
            " Setia tells itself. It stays as it is."
        ),
    )
    told = forms.CharField(
        label=_l("What members read"),
        max_length=120,
        required=False,
        help_text=_l("As “Review of {subject}”, with {subject} for what it was about."),
    )
    most = forms.IntegerField(
        label=_l("At most"),
        min_value=1,
        max_value=1_000_000,
        required=False,
        help_text=_l("So many of one customer count. Empty: no limit."),
    )
    period = forms.ChoiceField(label=_l("In which time"), choices=ActivityType.Period.choices)
    once_per_subject = forms.BooleanField(
        label=_l("Once about the same subject, such as a product"), required=False
    )
    proof = forms.ChoiceField(
        label=_l("Proof: a link or a text"), choices=ActivityType.Proof.choices
    )
    approval = forms.BooleanField(
        label=_l("Somebody of the staff approves each one before it counts"), required=False
    )
    active = forms.BooleanField(label=_l("Activities of this type are taken"), required=False)
    data_schema = forms.CharField(
        label=_l("Details that have to come along"),
        required=False,
        max_length=LONGEST_SCHEMA,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
        help_text=_l(
            "For whoever connects your shop: a JSON schema. Empty: whatever the shop sends."
        ),
    )

    def __init__(self, data: Any = None, *, kind: ActivityType | None = None) -> None:
        initial: dict[str, Any] = {"active": True, "period": "ever", "proof": "none"}
        if kind is not None:
            initial = {name: getattr(kind, name) for name in ActivityTypeForm.base_fields}
            schema = kind.data_schema
            initial["data_schema"] = json.dumps(schema, indent=2) if schema else ""
        super().__init__(data, initial=initial, auto_id="activity_type_%s")
        self.known_code = kind.code if kind else ""
        if kind is not None:
            del self.fields["code"]

    def clean_data_schema(self) -> dict[str, Any]:
        text = self.cleaned_data["data_schema"].strip()
        if not text:
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("This is no JSON: %s") % error) from error
        if not isinstance(found, dict):
            raise forms.ValidationError(_("A schema begins with { and ends with }."))
        return found

    def definition(self) -> ActivityTypeDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data = {"code": self.known_code} | self.cleaned_data
        try:
            return ActivityTypeDefinition.model_validate(data)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                place = str(item["loc"][0]) if item["loc"] else None
                message = str(item["msg"]).removeprefix("Value error, ")
                self.add_error(place if place in self.fields else None, message)
            return None


@require_safe
@staff_view("activity_types.edit")
def activity_type_list(request: HttpRequest) -> HttpResponse:
    """Every type, with what it brings."""
    rewards = rewards_by_type(timezone.now())
    rows = [
        (
            kind,
            _limit_words(kind),
            [
                (version.rule.program, units_in_words(body.units, version.rule.wallet_type))
                for version, body in rewards.get(kind.code, ())
            ],
        )
        for kind in list_activity_types()
    ]
    context = {
        "title": _("Activities"),
        "summary": _(
            "What people can do besides buying: reviews, surveys, visits. Your shop tells of them;"
            " rules of your programs say what they bring."
        ),
        "create_url": reverse("loyalty_backoffice:activity_type_create"),
        "create_label": _("New type"),
        "changed": "activity-type",
        "rows": rows,
    }
    return render(request, "loyalty/backoffice/activity_type_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("activity_types.edit")
def activity_type_create(request: HttpRequest) -> HttpResponse:
    """A further type."""
    form = ActivityTypeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        definition = form.definition()
        if definition is not None:
            with errors_on(form):
                made = create_activity_type(definition, actor=acting(request))
                return _done(request, _("Activities of the type “%s” are taken now.") % made)
    return _dialog(request, form, _("New type of activity"), _("Add type"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("activity_types.edit")
def activity_type_edit(request: HttpRequest, code: str) -> HttpResponse:
    """What a type is called, and how often it counts."""
    kind = get_object_or_404(ActivityType, code=code)
    form = ActivityTypeForm(posted(request), kind=kind)
    if request.method == "POST" and form.is_valid():
        definition = form.definition()
        if definition is not None:
            with errors_on(form):
                saved, _changed = save_activity_type(definition, actor=acting(request))
                return _done(request, _("“%s” is saved.") % saved)
    return _dialog(request, form, definition_of_type(kind).name, _("Save type"))


def _limit_words(kind: ActivityType) -> list[str]:
    """How often it counts."""
    words = []
    if kind.most is not None:
        per = {
            "day": ngettext("%s time a day", "%s times a day", kind.most),
            "week": ngettext("%s time a week", "%s times a week", kind.most),
            "month": ngettext("%s time a month", "%s times a month", kind.most),
            "ever": ngettext("%s time, ever", "%s times, ever", kind.most),
        }
        words.append(per[kind.period] % format_number(kind.most))
    if kind.once_per_subject:
        words.append(_("once about the same subject"))
    if kind.approval:
        words.append(_("once it is approved"))
    return words


def _dialog(request: HttpRequest, form: ActivityTypeForm, title: str, submit: str) -> HttpResponse:
    context = {"title": title, "form": form, "submit": submit, "back": _url()}
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/activity_type_form.html", context, status=status)


def _done(request: HttpRequest, message: str) -> HttpResponse:
    return dialog_done(request, url=_url(), changed="activity-type", message=message)


def _url() -> str:
    return reverse("loyalty_backoffice:activity_type_list")

"""The levels of a program's challenges: looked at and written as a whole, a row for each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.backoffice.challenge_menu import NAMESPACE
from campaigns.backoffice.challenges import crumbs
from campaigns.level_definitions import MOST_DONE, MOST_LEVELS, LevelDefinition
from campaigns.models import Challenge
from campaigns.selectors.challenge_levels import levels_of, own_levels
from campaigns.services.challenge_levels import set_levels
from loyalty.models import Program
from members.errors import DomainError
from members.forms import posted
from members.policy import acting, is_allowed, staff_view
from rewards.texts import LANGUAGES


class LevelForm(forms.Form):
    """One level. Without a name and a number it is none."""

    name = forms.CharField(label=_l("Name"), max_length=40, required=False)
    needs = forms.IntegerField(
        label=_l("From so many challenges done"), min_value=1, max_value=MOST_DONE, required=False
    )
    icon = forms.ChoiceField(label=_l("Picture"), choices=Challenge.Icon.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, name in LANGUAGES.items():
            self.fields[f"name_{code}"] = forms.CharField(label=name, max_length=40, required=False)

    @property
    def translations(self) -> list[forms.BoundField]:
        return [self[f"name_{code}"] for code in LANGUAGES]

    @property
    def translated(self) -> int:
        """In so many languages."""
        return sum(bool(field.value()) for field in self.translations)

    @property
    def is_wrongly_translated(self) -> bool:
        return any(field.errors for field in self.translations)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        said = [name for name, value in data.items() if value and name != "icon"]
        for name, message in (
            ("name", _("Say what members are called.")),
            ("needs", _("Say from how many challenges on.")),
        ):
            if said and not data.get(name) and name not in self.errors:
                self.add_error(name, message)
        return data

    def level(self) -> LevelDefinition | None:
        data = self.cleaned_data
        if not data.get("name"):
            return None
        texts = {code: data[f"name_{code}"] for code in LANGUAGES if data[f"name_{code}"]}
        return LevelDefinition(
            name=data["name"], needs=data["needs"], icon=data["icon"], texts=texts
        )


LevelSheets = forms.formset_factory(
    LevelForm, extra=1, max_num=MOST_LEVELS, absolute_max=MOST_LEVELS, validate_max=True
)


@require_safe
@staff_view("programs.view")
def level_list(request: HttpRequest) -> HttpResponse:
    """What each program calls those who have done so many."""
    programs = Program.objects.exclude(status=Program.Status.ARCHIVED).order_by("name")
    context = {
        "title": _("Levels"), "breadcrumbs": crumbs(),
        "rows": [
            {"program": item, "levels": levels_of(item), "own": bool(own_levels(item))}
            for item in programs
        ],
        "may_edit": is_allowed(request.user, "programs.edit"),
    }  # fmt: skip
    return render(request, "challenges/backoffice/level_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def level_edit(request: HttpRequest, code: str) -> HttpResponse:
    """All of a program's at once; the standard ones to begin with."""
    program = get_object_or_404(Program, code=code)
    if request.POST.get("act") == "standard":
        set_levels(program=program, levels=[], actor=acting(request))
        messages.success(request, _("The standard levels count again."))
        return redirect(f"{NAMESPACE}:level_list")
    sheets = LevelSheets(posted(request), initial=_initial(program), prefix="levels")
    if request.method == "POST" and sheets.is_valid() and _save(request, sheets, program):
        messages.success(request, _("Saved. What members have done counts for them at once."))
        return redirect(f"{NAMESPACE}:level_list")
    own = own_levels(program)
    context = {
        "title": _("Levels of %s") % program.name, "sheets": sheets, "program": program,
        "breadcrumbs": crumbs(), "has_own": bool(own),
        "show_errors": request.method == "POST",
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "challenges/backoffice/level_form.html", context, status=status)


def _initial(program: Program) -> list[dict[str, Any]]:
    own = own_levels(program)
    if not own:
        return [
            {"name": str(level.name), "needs": level.needs, "icon": level.icon}
            for level in levels_of(program)
        ]
    return [
        {"name": level.name, "needs": level.needs, "icon": level.icon}
        | {f"name_{code}": name for code, name in level.texts.items()}
        for level in own
    ]


def _save(request: HttpRequest, sheets: Any, program: Program) -> bool:
    said = [(form, level) for form in sheets if (level := form.level()) is not None]
    if not said:
        sheets[0].add_error("name", _("Say at least one level, or take the standard ones."))
        return False
    try:
        set_levels(program=program, levels=[level for _form, level in said], actor=acting(request))
    except DomainError as error:
        for wrong in error.errors:
            place, _dot, field = wrong.field.partition(".")
            index = int(place.removeprefix("levels[").removesuffix("]")) if field else 0
            said[index][0].add_error(field or None, str(wrong.message))
    return all(form.is_valid() for form in sheets)

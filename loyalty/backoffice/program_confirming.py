"""Between what somebody filled in about a program and its being saved: what changes, read first;
and its being saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.backoffice.links import Crumbs
from loyalty.backoffice.program_changes import Change, changes_between
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.services.program_changes import change_program, mark_of, rehearse_definition
from members.errors import DomainError
from members.policy import acting


class DefinitionForm(Protocol):
    """A form that says what the whole program shall be; `definition()` None: it says what is wrong
    with it, as it does when it is shown an error."""

    def definition(self) -> ProgramDefinition | None: ...
    def show(self, error: DomainError) -> None: ...


def save_definition(
    request: HttpRequest, form: DefinitionForm, program: Program, base: ProgramDefinition, *,
    breadcrumbs: Crumbs,
) -> HttpResponse | None:  # fmt: skip
    """Apply the form, or show what it changes in a program that has been live; back to the last of
    the breadcrumbs. None when the form now says what is wrong."""
    assert isinstance(form, Form)
    actor, now = acting(request), timezone.now()
    if changed_meanwhile(form, program):
        return None
    definition = form.definition()
    if definition is None:
        return None
    back, changes = breadcrumbs[-1][1], changes_between(base, definition)
    if not changes:
        messages.info(request, _("Nothing was different, so nothing was changed."))
        return redirect(back)
    try:
        if program.status != Program.Status.DRAFT and "confirmed" not in request.POST:
            rehearse_definition(definition, actor=actor, now=now)
            return confirm_page(request, program, changes, breadcrumbs=breadcrumbs)
        change_program(definition, seen=mark_of(base), actor=actor, now=now)
    except DomainError as error:
        form.show(error)
        return None
    messages.success(request, _("%s was saved.") % definition.name)
    return redirect(back)


def changed_meanwhile(form: Form, program: Program) -> bool:
    """Whether the program is no longer the one that the form was shown for, by its hidden
    `revision`. The form says so, and can be sent again."""
    if form.cleaned_data["revision"] == program.revision:
        return False
    data = cast(QueryDict, form.data).copy()
    data["revision"] = str(program.revision)
    form.data = data
    form.add_error(
        None,
        _("Somebody else changed this program while you were writing. What you typed is still "
          "here; compare it with the program's page, then save again."),
    )  # fmt: skip
    return True


def confirm_page(
    request: HttpRequest, program: Program, changes: Sequence[Change], *, breadcrumbs: Crumbs
) -> HttpResponse:
    """What would be different, and the form once more, to be sent for good."""
    kept = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in {"csrfmiddlewaretoken", "confirmed"}
    ]
    context = {
        "title": _("Save these changes?"),
        "breadcrumbs": breadcrumbs,
        "program": program,
        "changes": changes,
        "kept": kept,
        "back": breadcrumbs[-1][1],
    }
    return render(request, "loyalty/backoffice/program_confirm.html", context)

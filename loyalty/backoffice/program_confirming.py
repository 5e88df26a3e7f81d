"""Between what somebody filled in about a program and its being saved: what changes, read first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

from loyalty.backoffice.links import Crumbs
from loyalty.backoffice.program_changes import Change
from loyalty.models import Program


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

"""A dialog that shows its effect before it has any: it is looked at, changed, and then done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from loyalty.backoffice.reason_forms import KeyedForm, ReasonForm
from loyalty.errors import KeyReusedError
from members.errors import DomainError
from members.forms import errors_on
from members.responses import is_htmx

LOOK = "preview"
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RehearsedDialog:
    """`look` says what values of the form would do, as context of the effect's template; `act` does
    it and ends the dialog. Both raise DomainError. `start`: the values of the form at first."""

    title: str
    verb: str
    template: str
    effect: str
    back: str
    start: Values
    look: Callable[[Values], Values]
    act: Callable[[Values], HttpResponse]
    # A look at everybody: the dialog is there before it, and asks for it by itself.
    looks_later: bool = False


def answer_dialog(
    request: HttpRequest, form: ReasonForm, dialog: RehearsedDialog, context: Values
) -> HttpResponse:
    """The dialog, the effect of what was typed so far, or the end of it."""
    looks = LOOK in request.POST
    if request.method == "POST" and not looks and form.is_valid():
        with errors_on(form):
            try:
                return dialog.act(form.cleaned_data)
            except KeyReusedError:
                _start_afresh(form)
    context = {
        **context,
        **({"looks_later": True} if dialog.looks_later and not looks else _effect(form, dialog)),
        "title": dialog.title,
        "verb": dialog.verb,
        "effect_template": dialog.effect,
        "form": form,
        "back": dialog.back,
    }
    if looks and is_htmx(request):
        return render(request, dialog.effect, context)
    refused = request.method == "POST" and not looks
    return render(request, dialog.template, context, status=422 if refused else 200)


def _effect(form: ReasonForm, dialog: RehearsedDialog) -> Values:
    values = dialog.start
    if form.is_bound:
        form.is_valid()
        wrong = [errors[0] for name, errors in form.errors.items() if name in dialog.start]
        if wrong:
            return {"problem": wrong[0]}
        values = form.cleaned_data
    try:
        return dialog.look(values)
    except DomainError as error:
        said = [item.message for item in error.errors] or [error.message]
        return {"problem": str(said[0])}


def _start_afresh(form: ReasonForm) -> None:
    if isinstance(form, KeyedForm):
        form.renew_key()
    form.add_error(
        None,
        _("This form was already sent once. Look at the figures below; if you want to do it again, "
          "confirm again."),
    )  # fmt: skip

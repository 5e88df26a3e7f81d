"""Closing a program's books, and opening the last closed ones again, in dialogs."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from loyalty.models import Program
from loyalty.selectors.closed_periods import closed_periods, first_open_day
from loyalty.services.closing import close_books, reopen_books
from members.errors import ConflictError
from members.formatting import format_day
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done


class CloseForm(forms.Form):
    """To which day."""

    until = forms.DateField(
        label=_l("To the end of"),
        help_text=_l(
            "Nothing is booked up to this day any more: what is told late is booked on the first"
            " open day. What has expired by now is written down first."
        ),
        widget=forms.DateInput(attrs={"type": "date"}),
    )


class ReopenForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=_l("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("books.close")
def books_close(request: HttpRequest, code: str) -> HttpResponse:
    """Close the books to the end of a day that is over."""
    program = get_object_or_404(Program, code=code)
    today = timezone.now().astimezone(program.zone).date()
    last_month = today.replace(day=1) - dt.timedelta(days=1)
    # The page below the dialog has a field of this name too.
    form = CloseForm(posted(request), initial={"until": last_month}, auto_id="close_%s")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            period = close_books(
                program=program, until=form.cleaned_data["until"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            return _done(request, _("The books are closed to %s.") % format_day(period.until))
    return _dialog(request, program, form, _("Close the books"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("books.close")
def books_reopen(request: HttpRequest, code: str) -> HttpResponse:
    """Open the last closed period again; the reason is kept."""
    program = get_object_or_404(Program, code=code)
    periods = closed_periods(program)
    form = ReopenForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            if not periods:
                raise ConflictError(_("All books are open."), code="books_open")
            reopen_books(
                period=periods[-1], actor=acting(request), reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )  # fmt: skip
            opened = first_open_day(program)
            message = (
                _("The books are open from %s on.") % format_day(opened)
                if opened
                else _("All books are open.")
            )
            return _done(request, message)
    return _dialog(request, program, form, _("Open the last closed books"))


def _done(request: HttpRequest, message: str) -> HttpResponse:
    url = reverse("loyalty_backoffice:journal")
    return dialog_done(request, url=url, changed="books", message=message)


def _dialog(request: HttpRequest, program: Program, form: forms.Form, title: str) -> HttpResponse:
    context = {
        "title": f"{title}: {program.name}",
        "form": form,
        "submit": title,
        "back": reverse("loyalty_backoffice:journal"),
    }
    return render(
        request, "loyalty/backoffice/settings_dialog.html", context,
        status=422 if form.errors else 200,
    )  # fmt: skip

"""What companies that are founded in a program begin with, in a dialog."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loyalty.definitions import CompanyTerms
from loyalty.models import Company, Program
from loyalty.selectors.programs import company_terms_of, definition_of
from loyalty.services.program_changes import change_program, mark_of
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done


def _units(label: Any, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, min_value=0, max_value=10**12, required=False
    )


class CompanyTermsForm(forms.Form):
    """Limits of buyers, and how long approvers have; a company may have others."""

    most_at_once = _units(
        gettext_lazy("A buyer spends at once without asking"),
        gettext_lazy("In whole units. Empty: as many as they like."),
    )
    most_in_period = _units(
        gettext_lazy("And altogether"), gettext_lazy("Empty: as many as they like.")
    )
    period = forms.ChoiceField(
        label=gettext_lazy("Counted"), choices=Company.Period.choices, widget=forms.RadioSelect
    )
    answer_days = forms.IntegerField(
        label=gettext_lazy("Days that approvers have to answer"), min_value=1, max_value=90
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def company_terms(request: HttpRequest, code: str) -> HttpResponse:
    """Read and change them; companies that there are keep theirs."""
    program = get_object_or_404(Program, code=code)
    form = CompanyTermsForm(posted(request), initial=company_terms_of(program).model_dump())
    back = reverse("loyalty_backoffice:company_list")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            now = timezone.now()
            terms = CompanyTerms.model_validate(form.cleaned_data)
            before = definition_of(program, now)
            changed = before.model_copy(update={"companies": terms})
            change_program(changed, seen=mark_of(before), actor=acting(request), now=now)
            message = _("Companies that are founded from now on begin with it.")
            return dialog_done(request, url=back, changed="company", message=message)
    context = {
        "title": _("New companies in %s") % program.name,
        "lead": _("What they begin with. Companies that there are keep theirs."),
        "form": form,
        "submit": _("Save limits"),
        "back": back,
    }
    return render(
        request, "loyalty/backoffice/settings_dialog.html", context,
        status=422 if form.errors else 200,
    )  # fmt: skip

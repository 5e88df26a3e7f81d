"""What a program's accounts are called in the merchant's own bookkeeping, in a dialog."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods
from pydantic import ValidationError

from loyalty.definitions import AccountCodes
from loyalty.discount_account_words import DISCOUNT_NAMES
from loyalty.giving_account_words import GIVING_NAMES
from loyalty.models import Program
from loyalty.selectors.programs import account_codes_of, definition_of
from loyalty.services.programs import apply_definition
from loyalty.stored_value_words import ACCOUNT_NAMES
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done

LABELS = {
    "members": _l("Owed to members"),
    "partners": _l("Partners"),
    "charities": _l("Charities"),
    "transit": _l("Between wallets"),
    "redeemed": _l("Redeemed"),
    "expired": _l("Expired"),
    "issued": _l("Issued"),
    "adjusted": _l("Adjusted"),
    "written_off": _l("Debts written off"),
    "revaluation": _l("New worth of units"),
    **ACCOUNT_NAMES,
    **DISCOUNT_NAMES,
    **GIVING_NAMES,
}


class AccountCodesForm(forms.Form):
    """A field for each account; the definition says what may be in it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in AccountCodes.model_fields:
            self.fields[name] = forms.CharField(label=LABELS[name], max_length=32)

    def codes(self) -> AccountCodes | None:
        """None, with errors added, where one cannot be a code."""
        try:
            return AccountCodes.model_validate(self.cleaned_data)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self.add_error(
                    str(item["loc"][0]),
                    _("Letters, digits, spaces and ./_- only; it begins with a letter or a digit."),
                )
            return None


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def account_codes(request: HttpRequest, code: str) -> HttpResponse:
    """Read and change all of them at once; the program file says the same."""
    program = get_object_or_404(Program, code=code)
    form = AccountCodesForm(posted(request), initial=account_codes_of(program).model_dump())
    back = reverse("loyalty_backoffice:journal")
    codes = form.codes() if request.method == "POST" and form.is_valid() else None
    if codes is not None:
        with errors_on(form):
            now = timezone.now()
            changed = definition_of(program, now).model_copy(update={"account_codes": codes})
            apply_definition(changed, actor=acting(request), now=now)
            return dialog_done(
                request, url=back, changed="books", message=_("The account codes are saved.")
            )
    context = {
        "title": _("Account codes of %s") % program.name,
        "form": form,
        "submit": _("Save account codes"),
        "back": back,
    }
    return render(
        request, "loyalty/backoffice/settings_dialog.html", context,
        status=422 if form.errors else 200,
    )  # fmt: skip

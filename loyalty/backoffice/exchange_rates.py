"""Settings: the table of exchange rates at which orders count in programs of other currencies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.arithmetic import format_rate
from loyalty.models import ExchangeRate
from loyalty.selectors.exchange_rates import RATE_LASTS, list_exchange_rates
from loyalty.services.exchange_rates import RateInput, delete_rate, put_rates
from members.choices import currencies
from members.errors import DomainError
from members.forms import posted
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.selectors.merchants import get_merchant

PAGE = 50
# What the service calls its values, and the form its fields.
FIELD_OF = {"from_currency": "given", "to_currency": "wanted"}


class RateForm(forms.Form):
    """A rate of a pair and a day."""

    given = forms.ChoiceField(label=gettext_lazy("One of"))
    rate = forms.DecimalField(
        label=gettext_lazy("is"), max_digits=20, decimal_places=10,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    wanted = forms.ChoiceField(label=gettext_lazy("of"))
    valid_from = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("A rate of the same pair and day is changed."),
    )  # fmt: skip
    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=80, required=False,
        help_text=gettext_lazy("Who published it, as your bank."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("given", "wanted"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = currencies("")

    def said(self) -> RateInput:
        return RateInput(**self.cleaned_data)

    def show(self, error: DomainError) -> None:
        """Put what the service refused at the fields."""
        for item in error.errors:
            name = item.field.rpartition(".")[2]
            self.add_error(FIELD_OF.get(name, name), str(item.message))


@require_safe
@staff_view("limits.view")
def exchange_rate_list(request: HttpRequest) -> HttpResponse:
    """Every rate, the latest days first."""
    page = paginate(
        list_exchange_rates(),
        request=request,
        orderings={"newest": ("-valid_from", "-pk")},
        default="newest",
        per_page=PAGE,
    )
    may = is_allowed(request.user, "limits.manage")
    context = {
        "title": _("Exchange rates"),
        "summary": _(
            "Orders in another currency than a program’s count at the rate of their day: the latest"
            " of the %s days up to it. What was counted stays as it is."
        )
        % RATE_LASTS,
        "create_url": reverse("loyalty_backoffice:exchange_rate_create") if may else "",
        "create_label": _("New rate"),
        "import_url": reverse("loyalty_backoffice:exchange_rate_import") if may else "",
        "changed": "rate",
        "page": page,
        "rows": [(rate, format_rate(rate.rate)) for rate in page.items],
    }
    return render(request, "loyalty/backoffice/exchange_rate_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("limits.manage")
def exchange_rate_create(request: HttpRequest) -> HttpResponse:
    """A rate, or another one for a pair and day that are there."""
    now = timezone.now()
    merchant = get_merchant()
    initial = {"wanted": merchant.currency, "valid_from": timezone.localdate(now)}
    form = RateForm(posted(request), initial=initial, auto_id="rate_%s")
    if request.method == "POST" and form.is_valid():
        try:
            put_rates([form.said()], actor=acting(request), now=now)
        except DomainError as error:
            form.show(error)
        else:
            return dialog_done(
                request, url=_url(), changed="rate", message=_("The rate is in the table.")
            )
    context = {"title": _("New rate"), "form": form, "submit": _("Save rate"), "back": _url()}
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/settings_dialog.html", context, status=status)


@require_POST
@staff_view("limits.manage")
def exchange_rate_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a rate out by which no order was converted."""
    rate = get_object_or_404(ExchangeRate, pk=pk)
    try:
        delete_rate(rate=rate, actor=acting(request))
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The rate is deleted."))
    return redirect(_url())


def _url() -> str:
    return reverse("loyalty_backoffice:exchange_rate_list")

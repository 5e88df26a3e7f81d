"""Settings, Storefront: what the shop's own pages show, the lines to copy, and how it looks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from loyalty.models import Program
from loyalty.selectors.program_times import taking_members
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.selectors.merchants import get_merchant
from rewards.backoffice.links import NAMESPACE
from rewards.models import Element, Storefront
from rewards.selectors.storefront import get_storefront
from rewards.services.storefront import update_storefront

# What to put where, for each element.
MARKUP = {
    Element.BALANCE: "<setia-balance></setia-balance>",
    Element.EARN: '<setia-earn sku="COFFEE-500" category="Coffee" price="12.50"'
    ' currency="{currency}"></setia-earn>',
    Element.BASKET: '<setia-basket basket=\'{{"currency": "{currency}", "lines":'
    ' [{{"sku": "COFFEE-500", "category": "Coffee", "quantity": "2", "total": "25.00"}}]}}\'>'
    "</setia-basket>",
    Element.JOIN: "<setia-join></setia-join>",
    Element.POPUP: "<setia-popup></setia-popup>",
    Element.TIER: '<setia-tier badge="badge_…"></setia-tier>',
}


class StorefrontForm(forms.Form):
    program = forms.ModelChoiceField(
        label=_l("Program"), queryset=Program.objects.none(), required=False,
        empty_label=_l("Show nothing"),
    )  # fmt: skip
    elements = forms.MultipleChoiceField(
        label=_l("What is shown"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=Element.choices,
        help_text=_l("Each also needs its place in the page: copy its line."),
    )  # fmt: skip
    shop_origins = forms.CharField(
        label=_l("Shop addresses"), required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_l(
            "One a line, like https://shop.example. Pages of these may show members what is theirs."
        ),
    )  # fmt: skip
    join_url = forms.CharField(
        label=_l("Sign-up page"), required=False, max_length=200,
        help_text=_l("Where “Join” leads: an address or a path of your shop. Empty: our page."),
    )  # fmt: skip
    account_url = forms.CharField(
        label=_l("Account page"), required=False, max_length=200,
        help_text=_l("Where the balance leads. Empty: the member's page here."),
    )  # fmt: skip
    popup_seconds = forms.IntegerField(
        label=_l("Seconds until the pop-up"), min_value=3, max_value=600
    )

    def __init__(self, data: Any = None, *, storefront: Storefront) -> None:
        names = ("elements", "join_url", "account_url", "popup_seconds", "program")
        initial = {name: getattr(storefront, name) for name in names}
        initial["shop_origins"] = "\n".join(get_merchant().shop_origins)
        super().__init__(data, initial=initial)
        programs = taking_members(timezone.now()).order_by("name")
        self.fields["program"].queryset = programs  # type: ignore[attr-defined]

    def origins(self) -> list[str]:
        """As written, one a line; what is there twice is there once."""
        lines = [line.strip().rstrip("/").lower() for line in self.said("shop_origins").split("\n")]
        return list(dict.fromkeys(line for line in lines if line))

    def said(self, name: str) -> str:
        return str(self.cleaned_data[name])

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "shop_origins"}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("merchant.edit")
def storefront(request: HttpRequest) -> HttpResponse:
    """The settings beside the lines to copy, and the elements as a visitor of the shop sees
    them."""
    current = get_storefront()
    form = StorefrontForm(posted(request), storefront=current)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            update_storefront(
                actor=acting(request), changes=form.changes(), shop_origins=form.origins()
            )
            messages.success(request, _("Settings saved. Shops follow within five minutes."))
            return redirect(f"{NAMESPACE}:storefront")
    currency = current.program.currency if current.program else get_merchant().currency
    script = request.build_absolute_uri(reverse("rewards:storefront_script"))
    context = {
        "form": form,
        "shown": current,
        "currency": currency,
        "script": f'<script async src="{script}" data-token-url="/loyalty-token"></script>',
        "markup": [
            (element.label, MARKUP[element].format(currency=currency))
            for element in Element
            if current.shows(element)
        ],
        # Our own markup, with a currency's three letters in it.
        "tried": mark_safe(MARKUP[Element.BASKET].format(currency=currency)),
        "origin": request.build_absolute_uri("/").rstrip("/"),
    }
    status = 422 if form.is_bound else 200
    return render(request, "rewards/backoffice/storefront.html", context, status=status)

"""Enrolling at a till: as few fields as there can be, and a card number to hand out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import customer_url
from loyalty.card_numbers import grouped
from loyalty.models import Program
from loyalty.services.joining import Joined
from loyalty.services.newcomers import enroll_at_till
from members.consent_forms import ConsentForm
from members.errors import DomainError
from members.forms import add_domain_errors, posted
from members.policy import acting, staff_view


class TillForm(ConsentForm):
    """What is typed while somebody waits: a phone number or an address suffices."""

    program = forms.ModelChoiceField(
        Program.objects.none(), label=gettext_lazy("Program"), empty_label=None,
        to_field_name="code",
    )  # fmt: skip
    phone = forms.CharField(
        label=gettext_lazy("Phone"), max_length=64, required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )  # fmt: skip
    email = forms.CharField(
        label=gettext_lazy("E-mail"), max_length=254, required=False,
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"}),
    )  # fmt: skip
    given_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=100, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    family_name = forms.CharField(
        label=gettext_lazy("Last name"), max_length=100, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    card_number = forms.RegexField(
        r"^[0-9A-Za-z-]*$", label=gettext_lazy("Printed card"), max_length=32, required=False,
        help_text=gettext_lazy("The number of a card that you hand out; without it there is a new"
                               " number."),
    )  # fmt: skip
    referral_code = forms.CharField(
        label=gettext_lazy("Code of a friend"), max_length=32, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Of whoever brought them, if somebody did."),
    )  # fmt: skip
    store = forms.CharField(
        label=gettext_lazy("Store"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Stays for the next customer; kept with how they joined."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        program = self.fields["program"]
        assert isinstance(program, forms.ModelChoiceField)
        program.queryset = Program.objects.filter(status=Program.Status.LIVE).order_by("name")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def till(request: HttpRequest) -> HttpResponse:
    """The form for the next customer, with the card of the one who has just joined above it."""
    form = TillForm(posted(request), initial={"program": request.GET.get("program", "")})
    joined = _enroll(request, form) if form.is_bound and form.is_valid() else None
    kept = {name: form[name].value() for name in ("program", "store")}
    context: dict[str, Any] = {
        "title": _("Enroll at the till"),
        "form": form if joined is None else TillForm(initial=kept),
        "joined": joined,
        "any_program": Program.objects.filter(status=Program.Status.LIVE).exists(),
    }
    if joined and joined.membership:
        member = joined.membership
        context |= {
            "customer": member.customer,
            "customer_url": customer_url(member.customer),
            "card_number": grouped(member.card_number),
        }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/till.html", context, status=status)


def _enroll(request: HttpRequest, form: TillForm) -> Joined | None:
    data = form.cleaned_data
    details = {name: data[name] for name in ("phone", "email", "given_name", "family_name")}
    try:
        return enroll_at_till(
            program=data["program"], details=details, card_number=data["card_number"],
            store=data["store"],
            referral_code=data["referral_code"], said=form.said(), actor=acting(request),
            at=timezone.now(),
        )  # fmt: skip
    except DomainError as error:
        add_domain_errors(form, error)
        return None

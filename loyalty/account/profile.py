"""What customers say about themselves, and may change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loyalty.card_numbers import grouped
from loyalty.selectors.memberships import list_memberships
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.genders import CHOICES
from members.languages import language_of, own_names
from members.models import Customer
from members.phones import format_phone
from members.profile_answers_form import PREFIX, add_questions, said_in
from members.services.audit import Actor
from members.services.customers import update_customer

AUTOMATIC = "auto"


def _language_choices() -> list[tuple[str, Any]]:
    return [(AUTOMATIC, gettext_lazy("As my device is set")), *own_names()]


class ProfileForm(forms.Form):
    """The checks of a customer's values are the service's; the form only carries them."""

    given_name = forms.CharField(
        label=gettext_lazy("Given name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family_name = forms.CharField(
        label=gettext_lazy("Family name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    birthday = forms.DateField(
        label=gettext_lazy("Birthday"), required=False,
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"),
    )  # fmt: skip
    gender = forms.ChoiceField(
        label=gettext_lazy("Gender"), required=False, choices=CHOICES,
        help_text=gettext_lazy("Only if you like: so that what we tell you suits you."),
    )  # fmt: skip
    locale = forms.ChoiceField(label=gettext_lazy("Language"), choices=_language_choices)

    @classmethod
    def of(cls, customer: Customer, data: Any = None) -> ProfileForm:
        initial = {
            "given_name": customer.given_name,
            "family_name": customer.family_name,
            "phone": format_phone(customer.phone) if customer.phone else "",
            "gender": customer.gender,
            "locale": language_of(customer) or AUTOMATIC,
        }
        form = cls(data, initial=initial)
        if customer.birthday is not None:
            # What is given for it is given once: whoever has told it asks us to correct it.
            del form.fields["birthday"]
        add_questions(form, customer)
        return form

    def changes(self, customer: Customer) -> dict[str, Any]:
        """Only what was touched, so that a locale like en-MY survives the saving of a name."""
        changes = {name: self.cleaned_data[name] for name in self.changed_data}
        answers = said_in(changes, self.changed_data)
        if answers:
            changes["answers"] = answers
        if "locale" in changes:
            changes["locale"] = self.chosen_language()
        if "phone" in changes and customer.country:
            # A number without country code is read as one of the customer's country.
            changes["country"] = customer.country
        return changes

    def chosen_language(self) -> str:
        """Empty: as the device is set."""
        chosen: str = self.cleaned_data["locale"]
        return "" if chosen == AUTOMATIC else chosen

    def refuse(self, error: DomainError) -> None:
        """Show the service's errors at the fields they are about."""
        for item in error.errors:
            taken = item.code == "taken"
            message = _("This number cannot be used here. Ask us if it is yours.")
            name = item.field.replace("answers.", PREFIX)
            field = name if name in self.fields else None
            self.add_error(field, message if taken else str(item.message))
        if not error.errors:
            self.add_error(None, str(error.message))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def profile(request: CustomerRequest) -> HttpResponse:
    """Name, phone, gender, language and answers to change, a birthday to tell once; the cards and
    the e-mail address to read."""
    form = ProfileForm.of(request.customer, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            update_customer(
                customer=request.customer,
                actor=Actor.of_user(request.user),
                changes=form.changes(request.customer),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return _saved(request, form.chosen_language())
    memberships = [
        (membership, grouped(membership.card_number))
        for membership in list_memberships(request.customer)
    ]
    context = {"form": form, "customer": request.customer, "memberships": memberships}
    return render(request, "mypage/profile.html", context, status=422 if form.errors else 200)


def _saved(request: CustomerRequest, language: str) -> HttpResponse:
    """Say so in the language just chosen, which the sign-in page is to speak as well."""
    response = HttpResponseRedirect(reverse("mypage:profile"))
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 24 * 60 * 60,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    with translation.override(language or translation.get_language()):
        messages.success(request, _("Saved."))
    return response

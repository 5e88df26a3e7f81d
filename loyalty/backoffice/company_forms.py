"""What staff fill in about companies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.pool_forms import NewPoolForm, PoolForm
from loyalty.company_numbers import clean_registration_number, clean_vat_number
from loyalty.models import Company, Membership, Pool
from loyalty.selectors.programs import company_terms_of
from loyalty.services.company_rows import DETAILS, LIMITS, MOST_LIMIT, CompanyDetails
from loyalty.services.pools import PoolTerms
from members.models import StaffMember

TERMS = ("name", "contribution", "share", "spending", "leaving")
IDENTITY = ("external_id", "legal_name", "registration_number", "vat_number", "billing_email",
            "address", "employees", "tags")  # fmt: skip


# What is asked about its wallet, as companies call it.
WORDS = (
    ("contribution", gettext_lazy("What goes into it"), [
        (Pool.Contribution.ALL, gettext_lazy("Everything that buyers earn")),
        (Pool.Contribution.SHARE, gettext_lazy("A share of what buyers earn")),
        (Pool.Contribution.BY_HAND, gettext_lazy("What buyers put in themselves")),
    ]),
    ("spending", gettext_lazy("Who may spend without asking"), [
        (Pool.Spending.EVERYONE, gettext_lazy("Every buyer, up to the limits")),
        (Pool.Spending.OWNERS, gettext_lazy("Owners and approvers only")),
        (Pool.Spending.NAMED, gettext_lazy("Owners, approvers, and buyers who were named")),
    ]),
    ("leaving", gettext_lazy("What buyers who leave get back"), [
        (Pool.Leaving.STAYS, gettext_lazy("Nothing: it stays in the company")),
        (Pool.Leaving.OWN, gettext_lazy("What is left of what they put in")),
        (Pool.Leaving.EQUAL_SHARE, gettext_lazy("An equal share of what is there")),
    ]),
)  # fmt: skip


class ManagerChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: StaffMember) -> str:
        return str(obj.user)


def _number(label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=0, max_value=MOST_LIMIT
    )


class DetailsForm(forms.Form):
    """How a business is registered, who looks after it, and what its buyers spend by themselves."""

    external_id = forms.CharField(
        label=gettext_lazy("Your number of the company"), max_length=64, required=False,
        help_text=gettext_lazy("As your own system calls it."),
    )  # fmt: skip
    legal_name = forms.CharField(
        label=gettext_lazy("Registered name"), max_length=200, required=False
    )
    registration_number = forms.CharField(
        label=gettext_lazy("Registration number"), max_length=32, required=False
    )
    vat_number = forms.CharField(
        label=gettext_lazy("VAT number"), max_length=32, required=False,
        help_text=gettext_lazy("Looked at for its form only, like DE123456789."),
    )  # fmt: skip
    billing_email = forms.EmailField(label=gettext_lazy("Billing e-mail"), required=False)
    address = forms.CharField(
        label=gettext_lazy("Address"), max_length=500, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    employees = _number(gettext_lazy("Employees"))
    tags = forms.CharField(
        label=gettext_lazy("Tags"), max_length=500, required=False,
        help_text=gettext_lazy("With commas between them. Rules can ask about them."),
    )  # fmt: skip
    manager = ManagerChoice(
        StaffMember.objects.none(), label=gettext_lazy("Account manager"), required=False,
        empty_label=gettext_lazy("Nobody"),
        help_text=gettext_lazy("Buyers see name, e-mail and phone of whom they turn to."),
    )  # fmt: skip
    most_at_once = _number(
        gettext_lazy("A buyer spends at once without asking"),
        gettext_lazy("In whole units. Empty: as many as they like."),
    )
    most_in_period = _number(
        gettext_lazy("And altogether"), gettext_lazy("Empty: as many as they like.")
    )
    period = forms.ChoiceField(
        label=gettext_lazy("Counted"), choices=Company.Period.choices, widget=forms.RadioSelect
    )
    answer_days = forms.IntegerField(
        label=gettext_lazy("Days that approvers have to answer"), min_value=1, max_value=90
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        manager = self.fields["manager"]
        assert isinstance(manager, forms.ModelChoiceField)
        manager.queryset = (
            StaffMember.objects.filter(user__is_active=True)
            .select_related("user")
            .order_by("user__name", "pk")
        )

    def clean_registration_number(self) -> str:
        return _read(clean_registration_number, self.cleaned_data["registration_number"])

    def clean_vat_number(self) -> str:
        return _read(clean_vat_number, self.cleaned_data["vat_number"])

    def clean_tags(self) -> tuple[str, ...]:
        text: str = self.cleaned_data["tags"]
        return tuple(tag.strip() for tag in text.split(",") if tag.strip())

    def details(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in DETAILS}

    def identity_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in IDENTITY]

    def limit_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in LIMITS]


def _read(read: Any, text: str) -> str:
    try:
        return str(read(text))
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error


class CompanyForm(PoolForm, DetailsForm):
    """A company that is there."""

    kind = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A company has buyers where a household has members.
        for name, label, choices in WORDS:
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.label, field.choices = label, choices

    @classmethod
    def of_company(cls, company: Company, data: Any) -> CompanyForm:
        initial = {name: getattr(company, name) for name in DETAILS}
        initial |= {name: getattr(company.pool, name) for name in TERMS}
        return cls(data, initial=initial | {"tags": ", ".join(company.tags)})

    def terms(self) -> PoolTerms:
        data = self.cleaned_data
        return PoolTerms(kind=Pool.Kind.COMPANY, **{name: data[name] for name in TERMS})

    def pool_changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in TERMS}


class NewCompanyForm(CompanyForm, NewPoolForm):
    """A company with its first owner."""

    def __init__(self, data: Any, *, programs: Any, member: Membership | None) -> None:
        super().__init__(data, programs=programs, member=member)
        program = member.program if member else programs.order_by("pk").first()
        begins = CompanyDetails()
        initial: dict[str, Any] = {"leaving": Pool.Leaving.STAYS, "period": begins.period,
                         "answer_days": begins.answer_days}  # fmt: skip
        if program is not None:
            initial |= company_terms_of(program).model_dump()
        self.initial.update(initial)
        if self.fields.get("owner"):
            self.fields["owner"].help_text = _("Who buys for it first, and decides.")

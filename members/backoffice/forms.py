"""What staff fill in. The services check the values; these forms ask for them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from members import audit
from members.choices import Choices, countries, languages
from members.genders import CHOICES
from members.languages import offered_languages
from members.models import AuditEntry, Customer, Job, StaffMember
from members.partner_scope import partner_choices
from members.phones import format_phone
from members.profile_answers_form import PREFIX, add_questions, said_in
from members.program_scope import program_names
from members.selectors.audit import SHORTEST_TEXT
from members.services.api_keys import SCOPES


class CustomerForm(forms.Form):
    given_name = forms.CharField(label=_l("Given name"), max_length=100, required=False)
    family_name = forms.CharField(label=_l("Family name"), max_length=100, required=False)
    email = forms.EmailField(
        label=_l("E-mail address"), max_length=254, required=False,
        help_text=_l("The customer signs in with it."),
    )  # fmt: skip
    phone = forms.CharField(
        label=_l("Phone"), max_length=40, required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )  # fmt: skip
    external_id = forms.CharField(
        label=_l("Customer number"), max_length=128, required=False,
        help_text=_l("The number under which your shop knows this person."),
    )  # fmt: skip
    birthday = forms.DateField(
        label=_l("Birthday"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    gender = forms.ChoiceField(label=_l("Gender"), required=False, choices=CHOICES)
    country = forms.ChoiceField(label=_l("Country"), required=False)
    locale = forms.ChoiceField(label=_l("Language"), required=False)
    tags = forms.CharField(
        label=_l("Tags"), required=False, help_text=_l("Separated by commas."), max_length=1000
    )

    def __init__(self, data: Any = None, *, customer: Customer | None = None) -> None:
        initial = _initial(customer) if customer else {}
        super().__init__(data, initial=initial, auto_id="customer_%s")
        self.fields["country"].choices = [("", "–"), *countries()]  # type: ignore[attr-defined]
        self.fields["locale"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *_languages(initial.get("locale", "")),
        ]
        add_questions(self, customer)
        for field in self.fields.values():
            # What was shown comes back with the form, to be told from what a colleague changed.
            field.show_hidden_initial = customer is not None

    def as_shown(self) -> SafeString:
        """Hidden fields with the values that the reader was shown."""
        return format_html_join(
            "", "{}", ((self[name].as_hidden(only_initial=True),) for name in self.fields)
        )

    def values(self) -> dict[str, Any]:
        """What was filled in, as the service takes it."""
        values = dict(self.cleaned_data)
        values["tags"] = [tag.strip() for tag in values["tags"].split(",")]
        values["answers"] = said_in(values, list(self.fields))
        return values

    def changes(self) -> dict[str, Any]:
        """Only what differs from what was shown."""
        values = self.values()
        changed = self.changed_data
        changes = {name: values[name] for name in changed if name in values}
        codes = {name.removeprefix(PREFIX) for name in changed if name.startswith(PREFIX)}
        if codes:
            changes["answers"] = {code: values["answers"][code] for code in codes}
        return changes

    def questions(self) -> list[forms.BoundField]:
        """What the merchant asks people about themselves."""
        return [self[name] for name in self.fields if name.startswith(PREFIX)]


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_l("New note"), max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": _l("Only staff can read it.")}),
    )  # fmt: skip


class MergeForm(forms.Form):
    reason = forms.CharField(
        label=_l("Reason"), max_length=300, required=False,
        help_text=_l("For colleagues who ask later, for example: wrote from both addresses."),
    )  # fmt: skip


PARTNER = StaffMember.Role.PARTNER


def add_partner(form: forms.Form, help_text: str) -> None:
    """A field to choose a partner, where there are any."""
    partners = [(item.key, item.name) for item in partner_choices().values()]
    if partners:
        form.fields["partner"] = forms.TypedChoiceField(
            label=_("Partner"), choices=[("", _("None")), *partners], coerce=int, required=False,
            empty_value=None, help_text=help_text,
        )  # fmt: skip


class RoleForm(forms.Form):
    """A role, and the programs it is limited to. That it is for all of them is said, and is not
    what remains when nothing is chosen."""

    ALL, ONLY = "all", "only"

    role = forms.ChoiceField(
        label=_l("Role"), choices=StaffMember.Role.choices, widget=forms.RadioSelect,
        initial=StaffMember.Role.SUPPORT_AGENT,
    )  # fmt: skip
    reach = forms.ChoiceField(
        label=_l("For which programs"), widget=forms.RadioSelect,
        choices=[(ALL, _l("All programs")), (ONLY, _l("Only these"))],
        help_text=_l("Administrators always see all."),
    )  # fmt: skip
    programs = forms.TypedMultipleChoiceField(
        label=_l("These programs"), coerce=int, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["programs"]
        assert isinstance(choice, forms.TypedMultipleChoiceField)
        choice.choices = list(program_names().items())
        if len(choice.choices) < 2:
            # With one program there is nothing to choose.
            del self.fields["programs"], self.fields["reach"]
        add_partner(self, _("Whom they work for, with the role “Partner”."))
        if "partner" not in self.fields:
            role = self.fields["role"]
            assert isinstance(role, forms.ChoiceField)
            role.choices = [item for item in StaffMember.Role.choices if item[0] != PARTNER]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        reach, programs = cleaned.pop("reach", None), cleaned.get("programs")
        if cleaned.get("role") == PARTNER:
            # What somebody of a partner sees follows from the partner.
            return {name: value for name, value in cleaned.items() if name != "programs"}
        cleaned.pop("partner", None)
        if reach == self.ONLY and programs == []:
            self.add_error("programs", _("Choose at least one program, or say: all programs."))
        if reach == self.ALL and programs:
            message = _("Programs are chosen below. Say: only these, or choose none of them.")
            self.add_error("reach", message)
        return cleaned


class RequiredTwoFactorForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label=_l("Who must have it"), choices=StaffMember.Role.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_l(
            "Who has none is led to setting it up and sees nothing of the back-office before. "
            "None chosen: everybody decides for themselves."
        ),
    )  # fmt: skip


class InviteForm(RoleForm):
    name = forms.CharField(label=_l("Name"), max_length=150)
    email = forms.EmailField(
        label=_l("E-mail address"), max_length=254, help_text=_l("The invitation goes there.")
    )

    field_order = ("name", "email", "role", "reach", "programs", "partner")


class StaffPhoneForm(forms.Form):
    phone = forms.CharField(
        label=_l("Phone"), max_length=40, required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_l("Companies whose account this person manages see it. Like +60 12-345 6789."),
    )  # fmt: skip


class ApiKeyForm(forms.Form):
    LASTING = (
        ("", _l("It does not expire")),
        ("30", _l("After 30 days")),
        ("90", _l("After 90 days")),
        ("365", _l("After one year")),
    )

    name = forms.CharField(
        label=_l("Name"), max_length=100, help_text=_l("Who uses it, for example: Web shop.")
    )
    scopes = forms.MultipleChoiceField(
        label=_l("What it may do"), choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    lasting = forms.ChoiceField(label=_l("Expires"), choices=LASTING, required=False)
    programs = forms.TypedMultipleChoiceField(
        label=_l("Only these programs"), coerce=int, required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_l("None: all. What belongs to others is not there for the key."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["programs"]
        assert isinstance(choice, forms.TypedMultipleChoiceField)
        choice.choices = list(program_names().items())
        if len(choice.choices) < 2:
            del self.fields["programs"]
        add_partner(
            self,
            _("What is told with the key was at this partner. It sees no more than its own."),
        )

    def limits(self) -> dict[str, Any]:
        """The programs and the partner that it is limited to."""
        partner = self.cleaned_data.get("partner")
        return {
            "programs": () if partner else self.cleaned_data.get("programs", ()),
            "partner": partner,
        }

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lasting"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class ApiKeyRotationForm(forms.Form):
    OVERLAPS = (
        ("24", _l("One day more")),
        ("1", _l("One hour more")),
        ("72", _l("Three days more")),
        ("168", _l("A week more")),
        ("0", _l("Not at all: it is known to somebody who should not know it")),
    )

    hours = forms.TypedChoiceField(
        label=_l("The key as it is now works"), choices=OVERLAPS, coerce=int,
        help_text=_l("Until then both work, so that the shop can change over without a break."),
    )  # fmt: skip


class AuditFilterForm(forms.Form):
    text = forms.CharField(
        label=_l("Text"), required=False, min_length=SHORTEST_TEXT, max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "class": "form-control"}),
    )  # fmt: skip
    person = forms.ChoiceField(
        label=_l("Person"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    action = forms.ChoiceField(
        label=_l("Action"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    way = forms.ChoiceField(
        label=_l("How"), required=False, choices=[("", _l("Any way")), *AuditEntry.Way.choices],
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    since = forms.DateField(
        label=_l("From"), required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )  # fmt: skip
    until = forms.DateField(
        label=_l("To"), required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )  # fmt: skip

    def __init__(self, data: Any, *, people: Choices) -> None:
        super().__init__(data)
        self.fields["person"].choices = [("", _("Everybody")), *people]  # type: ignore[attr-defined]
        actions = [("", _("Everything")), *audit.known_actions()]
        self.fields["action"].choices = actions  # type: ignore[attr-defined]

    def moments(self) -> tuple[datetime | None, datetime | None]:
        """The days as instants: from the first one's beginning to the last one's end."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        zone = timezone.get_current_timezone()
        start = datetime.combine(since, time.min, zone) if since else None
        end = datetime.combine(until + timedelta(days=1), time.min, zone) if until else None
        return start, end


class JobFilterForm(forms.Form):
    """Which jobs a list shows. What the URL says that is no choice is passed over."""

    STATES = (
        ("", _l("Every state")),
        ("open", _l("Running or waiting")),
        ("failed", _l("Failed")),
        ("cancelled", _l("Canceled")),
        ("succeeded", _l("Done")),
    )
    ORIGINS = (
        ("", _l("Everybody")),
        ("people", _l("People")),
        ("setia", _l("Setia by itself")),
    )

    state = forms.ChoiceField(
        label=_l("State"), choices=STATES, required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_l("Kind"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    by = forms.ChoiceField(
        label=_l("Started by"), choices=ORIGINS, required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip

    def __init__(self, data: Any, *, kinds: Choices) -> None:
        super().__init__(data)
        self.fields["kind"].choices = [("", _("Every kind")), *kinds]  # type: ignore[attr-defined]

    def chosen_from(self, jobs: QuerySet[Job]) -> QuerySet[Job]:
        self.is_valid()
        state = self.cleaned_data.get("state")
        if state == "open":
            jobs = jobs.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
        elif state:
            jobs = jobs.filter(state=state)
        if kind := self.cleaned_data.get("kind"):
            jobs = jobs.filter(kind=kind)
        if by := self.cleaned_data.get("by"):
            jobs = jobs.filter(created_by__isnull=by == "setia")
        return jobs


def _initial(customer: Customer) -> dict[str, Any]:
    values = {name: getattr(customer, name) for name in CustomerForm.base_fields}
    values["external_id"] = customer.external_id or ""
    values["phone"] = format_phone(customer.phone) if customer.phone else ""
    values["tags"] = ", ".join(customer.tags)
    return values


def _languages(own: str) -> Choices:
    """Those that are offered, and the one that they have already."""
    offered = {*offered_languages().codes, own}
    return [(code, name) for code, name in languages(also=own) if code in offered]

"""The forms of the wizard's steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.launch_forms import PhasesForm, launch_initial
from loyalty.backoffice.program_fields import at_times, plain
from loyalty.backoffice.question_fields import RowsField, question_field, shown_rows
from loyalty.backoffice.rule_forms import RuleForm
from loyalty.drafted_programs import PLAN_SHARE, answers_of, drafted_launch
from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Program, ProgramDraft
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.questions import AskedQuestion
from loyalty.rules.body_parts import BasePolicy
from members.choices import currencies
from members.errors import DomainError

# Questions that are asked with some answers to another alone.
AT_TIMES = {
    "expiry_months": "expiry", "plan_shipping_from": "plan_shipping",
    "company_at_once": "company_approval", "company_in_period": "company_approval",
    "company_period": "company_approval", "pledge_least": "pledge_event",
    "game_least": "game_plays", "game_price": "game_plays", "advocate_units": "advocate_gift",
    "advocate_percent": "advocate_gift", "friend_units": "friend_gift",
    "friend_percent": "friend_gift",
}  # fmt: skip
SITUATION = {"margin": "40", "simplicity": "balanced", "customers": "people"}
SIMPLICITY = (
    ("simple", _l("As simple as possible: one sentence explains it")),
    ("balanced", _l("Balanced")),
    ("rich", _l("Rich: there is always something to discover")),
)
CUSTOMERS = (
    ("people", _l("People")),
    ("both", _l("People and companies")),
    ("companies", _l("Companies")),
)
ENROLLMENT = (
    ("automatic", _l("Everybody, with their first order from then on")),
    ("explicit", _l("Only who is enrolled: at the till, by your shop, or by you")),
)
BEGINS = (
    ("at_once", _l("Everyone at once")),
    ("phases", _l("In phases: the best customers, then more by invitation, then everyone")),
)
STATUS = (
    ("draft", _l("Leave it a draft: nobody sees it, and it can be changed in every detail")),
    ("live", _l("Take it live now: orders earn from then on")),
)


def _number(label: Any, help_text: Any = "", most: str = "1000000000") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, help_text=help_text, max_digits=14, decimal_places=2,
        min_value=Decimal("0.01"), max_value=Decimal(most),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip


class StepForm(forms.Form):
    """What every step's form can do: begin with what was said, and say which part of the draft its
    answers belong to."""

    part = "answers"

    def kept(self) -> dict[str, Any]:
        """What the draft is to keep of a valid form."""
        return dict(self.cleaned_data)


class SituationForm(StepForm):
    """How the shop is. Estimates are asked only where there are no orders."""

    part = "situation"

    currency = forms.ChoiceField(
        label=_l("Currency"), help_text=_l("Orders in this currency will earn.")
    )
    margin = _number(
        _l("What is left of the price, in percent"),
        _l("Your gross margin: 40 where goods that cost 60 sell for 100. A guess will do."), "99",
    )  # fmt: skip
    simplicity = forms.ChoiceField(
        label=_l("How simple should it be?"), choices=SIMPLICITY, widget=forms.RadioSelect
    )
    customers = forms.ChoiceField(
        label=_l("Whom do you sell to?"), choices=CUSTOMERS, widget=forms.RadioSelect,
        required=False,
    )  # fmt: skip
    buyers = at_times(
        forms.IntegerField(
            label=_l("Buyers in a year"), min_value=1, max_value=100_000_000,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        )
    )  # fmt: skip
    orders_each = at_times(_number(_l("Orders of a typical buyer in a year"), most="365"))
    basket = at_times(_number(_l("What a typical order comes to")))

    def __init__(self, data: Any, *, draft: ProgramDraft, estimated: bool) -> None:
        said = draft.situation
        super().__init__(data, initial={**SITUATION, **said})
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = currencies(said["currency"])
        self.estimated = estimated

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.estimated:
            for name in ("buyers", "orders_each", "basket"):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, _("A guess will do; everything else is worked out from"
                                           " it."))  # fmt: skip
        return cleaned

    def kept(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class KindForm(StepForm):
    """Which kind of program, of those that are shown."""

    part = "template"

    template = forms.ChoiceField(
        label=_l("Kind of program"), widget=forms.RadioSelect,
        error_messages={"required": _l("Choose a kind of program."),
                        "invalid_choice": _l("Choose one of these kinds.")},
    )  # fmt: skip

    def __init__(
        self, data: Any, *, draft: ProgramDraft, templates: Sequence[ProgramTemplate],
        suggested: str = "", with_name: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(data, initial={"template": draft.template or suggested,
                                        "program_name": draft.name})  # fmt: skip
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(item.code, item.name) for item in templates]
        if with_name:
            self.fields["program_name"] = forms.CharField(
                label=_("What is the program called?"), max_length=120,
                help_text=_("Members read it everywhere."),
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )  # fmt: skip


class QuestionsForm(StepForm):
    """Some of a template's questions; what is right is decided where the answers are read."""

    def __init__(self, data: Any, *, draft: ProgramDraft, asked: Sequence[AskedQuestion]) -> None:
        initial = {item.name: _begun(draft.answers.get(item.name, item.default)) for item in asked}
        super().__init__(data, initial=initial)
        self.draft, self.asked = draft, asked
        for item in asked:
            self.fields[item.name] = question_field(item)
        for name, by in AT_TIMES.items():
            if name in self.fields and by in self.fields:
                at_times(self.fields[name])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                answers_of(self.draft, self._said(cleaned))
            except DomainError as wrong:
                self._place(wrong)
        return cleaned

    def kept(self) -> dict[str, Any]:
        return self._said(self.cleaned_data)

    def _said(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """A number that is not asked for with the choice that was made keeps its default; a day
        that is left empty is none."""
        return {
            name: value for name, value in cleaned.items()
            if value is not None or isinstance(self.fields[name], forms.DateField)
        }  # fmt: skip

    def _place(self, wrong: DomainError) -> None:
        for item in wrong.errors:
            name, _sep, place = item.field.partition("[")
            number = place.partition("]")[0]
            said = str(item.message)
            if number.isdecimal():
                said = _("Row %(number)s: %(message)s") % {
                    "number": int(number) + 1, "message": said,
                }  # fmt: skip
            self.add_error(name if name in self.fields else None, said)

    def rows(self, currency: str) -> dict[str, Any]:
        """By name of the field, its rows as they are shown."""
        return {
            name: shown_rows(name, field, self[name].value(), currency)
            for name, field in self.fields.items()
            if isinstance(field, RowsField)
        }


class BaseForm(StepForm):
    """What earns: the fields of the program form."""

    part = "base"

    def __init__(self, data: Any, *, draft: ProgramDraft) -> None:
        said = BasePolicy.model_validate(draft.base)
        super().__init__(data, initial=said.model_dump())
        for name in BasePolicy.model_fields:
            self.fields[name] = RuleForm.base_fields[name]


class CostForm(StepForm):
    """What the figures are worked out with."""

    part = "situation"

    margin = _number(_l("Your margin, in percent"), most="99")
    used = _number(
        _l("Of what is collected, how much is used, in percent"),
        _l("60–80 is usual. With 100 nothing is left to chance."), "100",
    )  # fmt: skip

    plan_share = at_times(
        _number(
            _l("Of your buyers, how many take the paid plan, in percent?"),
            _l("5–15 is usual in the first year. Those who spend most are taken to be those."),
            "100",
        )
    )  # fmt: skip

    def __init__(self, data: Any, *, draft: ProgramDraft, plans: bool) -> None:
        start = {"margin": "40", "used": "80", "plan_share": plain(PLAN_SHARE * 100)}
        super().__init__(data, initial={**start, **draft.situation})
        if not plans:
            del self.fields["plan_share"]

    def clean_plan_share(self) -> Decimal:
        """Without a number the usual one."""
        return self.cleaned_data["plan_share"] or PLAN_SHARE * 100


class LaunchForm(StepForm, PhasesForm):
    """Who takes part, whether it begins at once, and whether all may join from the first day."""

    part = "launch"
    field_order = ("enrollment", "status", "begins")

    enrollment = forms.ChoiceField(
        label=_l("Who takes part?"), choices=ENROLLMENT, widget=forms.RadioSelect
    )
    status = forms.ChoiceField(
        label=_l("When does it begin?"), choices=STATUS, widget=forms.RadioSelect
    )
    begins = forms.ChoiceField(
        label=_l("Who may join first?"), choices=BEGINS, widget=forms.RadioSelect, required=False,
    )  # fmt: skip

    def __init__(self, data: Any, *, draft: ProgramDraft) -> None:
        start = {
            "enrollment": Program.Enrollment.AUTOMATIC,
            "status": Program.Status.DRAFT,
            "begins": "phases" if draft.launch.get("phases") else "at_once",
            **launch_initial(drafted_launch(draft)),
        }
        super().__init__(data, initial={**start, **draft.launch})
        self.today = timezone.now().astimezone(ZoneInfo(draft.situation["time_zone"])).date()
        for name in PhasesForm.base_fields:
            at_times(self.fields[name])
            self.fields[name].help_text = ""
        self.planned: LaunchDefinition | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("begins") == "phases" and not self.errors:
            self._plan()
        return cleaned

    def _plan(self) -> None:
        for name in PhasesForm.base_fields:
            day = self.cleaned_data.get(name)
            if isinstance(day, dt.date) and day < self.today:
                self.add_error(name, _("A phase begins today at the earliest."))
        if self.cleaned_data.get("everyone_starts_on") is None:
            self.add_error("everyone_starts_on", _("Give the day from which everyone may join."))
        if not self.errors:
            self.planned = self.read_launch()

    def kept(self) -> dict[str, Any]:
        phases = self.planned.model_dump(mode="json")["phases"] if self.planned else []
        said = {name: self.cleaned_data[name] for name in ("enrollment", "status")}
        return {**said, "phases": phases}


def beside(asked: AskedQuestion, currency: str, plural: str) -> str:
    """What stands beside the field of a question: the currency, the units, a percent sign."""
    match asked.question.type:
        case "money":
            return currency
        case "percent":
            return "%"
        case "units":
            return "" if asked.name in ("stamp_each", "pledge_things", "pledge_budget") else plural
        case "factor":
            return "×"
    return ""


def _begun(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else value

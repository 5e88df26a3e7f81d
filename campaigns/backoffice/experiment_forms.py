"""What staff fill in about an experiment: its question, what decides, for whom, and its arms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from campaigns.experiment_definitions import (
    COLUMNS,
    MOST_ARMS,
    MOST_WEEKS,
    ArmDefinition,
    ExperimentDefinition,
    definition_of_experiment,
)
from campaigns.models import Experiment
from campaigns.selectors.experiments import messages_for_experiments, promotions_for_arms
from loyalty.models import Program
from members.backoffice.condition_builder import ConditionField
from members.conditions.scopes import OF_CUSTOMERS

LETTERS = "ABCD"


class ExperimentForm(forms.Form):
    """Itself; its arms are a formset beside it."""

    name = forms.CharField(label=_l("Name"), max_length=80)
    question = forms.CharField(
        label=_l("Question"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("As you would ask it: do members buy more if …?"),
    )  # fmt: skip
    measure = forms.ChoiceField(
        label=_l("What decides"),
        help_text=_l("One figure, chosen beforehand. More is better."),
    )  # fmt: skip
    smallest = forms.IntegerField(
        label=_l("Smallest difference that matters, in percent"), min_value=1, max_value=500,
        initial=10,
        help_text=_l("Of what they do now. The smaller it is, the more members it takes."),
    )  # fmt: skip
    weeks = forms.IntegerField(
        label=_l("Weeks"), min_value=1, max_value=MOST_WEEKS, required=False,
        help_text=_l("Empty: as long as the number of members asks for."),
    )  # fmt: skip
    audience = ConditionField(
        scopes=OF_CUSTOMERS, in_database=True, label=_l("For whom"),
        everything=_l("Every member."),
    )  # fmt: skip

    field_order = ["name", "question", "message", "measure"]

    def __init__(
        self, data: Any = None, *, compares: str, experiment: Experiment | None = None
    ) -> None:
        initial = {name: getattr(experiment, name) for name in COLUMNS} if experiment else {}
        super().__init__(data, initial=initial)
        self.compares = compares
        measures = list(Experiment.Measure.choices)
        if compares == Experiment.Compares.MESSAGES:
            self.fields["message"] = forms.ChoiceField(
                label=_("Message"), choices=_messages(),
                initial=experiment.occasion if experiment else "",
                help_text=_("Members are drawn when they are told it for the first time."),
            )  # fmt: skip
            self.order_fields(self.field_order)
        else:
            measures = [item for item in measures if item[0] != Experiment.Measure.CLICKED]
        field = self.fields["measure"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = measures

    def definition(self, arms: list[ArmDefinition]) -> ExperimentDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data = self.cleaned_data | {"compares": self.compares}
        said = {name: data[name] for name in COLUMNS} | {
            "audience": data["audience"] or {}, "message": data.get("message", ""),
        }  # fmt: skip
        try:
            return ExperimentDefinition.model_validate({**said, "arms": arms})
        except ValidationError as error:
            for item in error.errors(include_url=False):
                message = str(item["msg"]).removeprefix("Value error, ")
                place = str(item["loc"][0]) if item["loc"] else ""
                self.add_error(place if place in self.fields else None, message)
            return None


class ArmForm(forms.Form):
    """One arm; left empty it is none."""

    name = forms.CharField(label=_l("Name"), max_length=60, required=False)
    share = forms.IntegerField(label=_l("Percent"), min_value=1, max_value=99, required=False)
    promotion = forms.ChoiceField(label=_l("What they get"), required=False)
    silent = forms.BooleanField(label=_l("Not told at all"), required=False)

    def __init__(
        self, *args: Any, choices: list[tuple[str, str]] | None, is_first: bool, **kwargs: Any
    ) -> None:
        """`choices`: None where words are compared, which are written elsewhere."""
        super().__init__(*args, **kwargs)
        if choices is not None or not is_first:
            del self.fields["silent"]
        if choices is None:
            del self.fields["promotion"]
        for each in self.fields.values():
            # Needed of an arm, and no arm is needed.
            each.conditional = True  # type: ignore[attr-defined]
        if choices is not None:
            field = self.fields["promotion"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if any(data.get(name) for name in ("name", "share", "promotion")):
            if not data.get("name") and "name" not in self.errors:
                self.add_error("name", _("Give it a name."))
            if not data.get("share") and "share" not in self.errors:
                self.add_error("share", _("Say how many percent."))
        return data


class _Arms(forms.BaseFormSet):  # type: ignore[type-arg]
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"is_first": index == 0}


ArmFormSet = forms.formset_factory(
    ArmForm, formset=_Arms, extra=0, max_num=MOST_ARMS, absolute_max=MOST_ARMS
)


def arm_formset(data: Any, program: Program, experiment: Experiment | None, compares: str) -> Any:
    """All four of them, those that there are first."""
    known = definition_of_experiment(experiment).arms if experiment else ()
    shown: list[dict[str, Any]] = [arm.model_dump() for arm in known]
    if not shown:
        shown = [{"name": "A", "share": 50}, {"name": "B", "share": 50}]
    shown += [{} for _place in range(MOST_ARMS - len(shown))]
    choices = None
    if compares == Experiment.Compares.PROMOTIONS:
        choices = _promotions(program, experiment)
    return ArmFormSet(data, initial=shown, prefix="arms", form_kwargs={"choices": choices})


def _messages() -> list[tuple[str, str]]:
    return [(item.code, str(item.label)) for item in messages_for_experiments()]


def _promotions(program: Program, experiment: Experiment | None) -> list[tuple[str, str]]:
    drafts = promotions_for_arms(program, but_for=experiment)
    offered = {item.code: item.name for item in drafts}
    # One that cannot be an arm any more is shown, and refused with the reason: else the form would
    # quietly say something else.
    for arm in experiment.arms.all() if experiment else ():
        if arm.campaign:
            offered.setdefault(arm.campaign.code, arm.campaign.name)
    return [("", str(_l("As it is"))), *offered.items()]


def arms_said(
    formset: Any, experiment: Experiment | None, message: str = ""
) -> list[ArmDefinition]:
    """Those that are filled in, with the words that they have; those of another `message` than the
    draft was about are not its words."""
    same = experiment is not None and experiment.occasion == message
    known = definition_of_experiment(experiment).arms if experiment and same else ()
    return [
        ArmDefinition(
            name=data["name"], share=data["share"], promotion=data.get("promotion", ""),
            silent=data.get("silent", False),
            words=known[place].words if place < len(known) else (),
        )
        for place, data in enumerate(form.cleaned_data for form in formset)
        if data.get("name")
    ]  # fmt: skip

"""The form of a launch: three days, two shares, and what founding members get."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from loyalty.launch_definitions import ORDER, LaunchDefinition
from loyalty.models import Program

# Where a message of the definition belongs in the form.
FIELDS = {"units": "units", "days": "days", "most_members": "most_members"}


class PhasesForm(forms.Form):
    """A phase without a day is left out. Without the day for everyone there are no phases."""

    top_percent = forms.IntegerField(
        label=gettext_lazy("Best customers, in percent"), min_value=1, max_value=99, required=False
    )
    top_starts_on = forms.DateField(
        label=gettext_lazy("They may join from"), required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    invited_percent = forms.IntegerField(
        label=gettext_lazy("Invited customers, in percent"), min_value=1, max_value=99,
        required=False,
        help_text=gettext_lazy("Counted from the best one, those before among them."),
    )  # fmt: skip
    invited_starts_on = forms.DateField(
        label=gettext_lazy("These may join from"), required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    everyone_starts_on = forms.DateField(
        label=gettext_lazy("Everyone may join from"), required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Empty: there are no phases, and everyone may join at once."),
    )  # fmt: skip

    def read_launch(self, **more: Any) -> LaunchDefinition | None:
        """What the fields of a form describe; None, with errors added, if it cannot be."""
        data = self.cleaned_data
        phases = [
            {
                "kind": kind,
                "percent": data.get(f"{kind}_percent"),
                "starts_on": data[f"{kind}_starts_on"],
            }
            for kind in ORDER
            if data.get(f"{kind}_starts_on")
        ]
        try:
            return LaunchDefinition.model_validate({"phases": phases, **more})
        except ValidationError as error:
            for item in error.errors(include_url=False):
                named = [FIELDS[str(part)] for part in item["loc"] if str(part) in FIELDS]
                message = str(item["msg"]).removeprefix("Value error, ")
                self.add_error(named[-1] if named else None, message)
            return None


class LaunchForm(PhasesForm):
    """The phases, and what founding members get."""

    units = forms.DecimalField(
        label=gettext_lazy("Founding members get"), min_value=0, required=False,
        help_text=gettext_lazy("Empty: nothing."),
    )  # fmt: skip
    wallet_type = forms.ChoiceField(label=gettext_lazy("Of what"), required=False)
    days = forms.IntegerField(
        label=gettext_lazy("Who joins within so many days"), min_value=1, max_value=365,
        required=False, help_text=gettext_lazy("From the first day of the launch."),
    )  # fmt: skip
    most_members = forms.IntegerField(
        label=gettext_lazy("For so many members at most"), min_value=1, required=False,
        help_text=gettext_lazy("Empty: no limit."),
    )  # fmt: skip

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wallet_type = self.fields["wallet_type"]
        assert isinstance(wallet_type, forms.ChoiceField)
        units = program.wallet_types.filter(stored_value=False).order_by("pk")
        wallet_type.choices = [(item.code, item.plural) for item in units]

    def definition(self) -> LaunchDefinition | None:
        """What a valid form describes; None, with errors added, if it cannot be."""
        data = self.cleaned_data
        founding = None
        if data.get("units"):
            founding = {
                "wallet_type": data["wallet_type"],
                "units": data["units"],
                "days": data["days"] or 30,
                "most_members": data["most_members"],
            }
        return self.read_launch(founding=founding)


def launch_initial(launch: LaunchDefinition | None) -> dict[str, Any]:
    """What the form shows; for a program without a launch the usual shares."""
    values: dict[str, Any] = {"top_percent": 10, "invited_percent": 50, "days": 30}
    for phase in launch.phases if launch else ():
        values[f"{phase.kind}_starts_on"] = phase.starts_on
        if phase.percent:
            values[f"{phase.kind}_percent"] = phase.percent
    founding = launch.founding if launch else None
    if founding:
        values |= founding.model_dump() | {"units": f"{founding.units.normalize():f}"}
    return values

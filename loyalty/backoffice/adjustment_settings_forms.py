"""What administrators fill in about reasons and limits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _l

from loyalty.models import AdjustmentLimit, AdjustmentReason, Program
from loyalty.selectors.adjustment_limits import DEFAULTS
from members.models import StaffMember
from members.policy import roles_allowed


def role_choices() -> list[tuple[str, str]]:
    """The roles that adjust, the most powerful first."""
    labels = dict(StaffMember.Role.choices)
    return [(role, str(labels[role])) for role in roles_allowed("points.adjust")]


class ReasonForm(forms.Form):
    """A reason; its code is asked for once."""

    label = forms.CharField(label=_l("What it is called"), max_length=80)
    code = forms.CharField(
        label=_l("Short name"),
        max_length=64,
        help_text=_l("For files and the API, like till_error. It stays as it is."),
    )
    roles = forms.MultipleChoiceField(
        label=_l("Who may use it"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_l("Nobody: it is for the API only."),
    )
    note_required = forms.BooleanField(label=_l("A note is required"), required=False)
    told_to_members = forms.BooleanField(
        label=_l("Customers read it beside the movement"), required=False
    )
    is_active = forms.BooleanField(label=_l("It can be chosen"), required=False)

    def __init__(self, data: Any = None, *, reason: AdjustmentReason | None = None) -> None:
        names = ("label", "roles", "note_required", "told_to_members", "is_active")
        initial: dict[str, Any] = (
            {name: getattr(reason, name) for name in names}
            if reason
            else {
                "roles": roles_allowed("points.adjust"), "told_to_members": True, "is_active": True
            }
        )  # fmt: skip
        super().__init__(data, initial=initial, auto_id="reason_%s")
        roles = self.fields["roles"]
        assert isinstance(roles, forms.MultipleChoiceField)
        roles.choices = role_choices()
        if reason is not None:
            del self.fields["code"]


class LimitForm(forms.Form):
    """How far one role may go; empty: without limit."""

    most_at_once = forms.IntegerField(
        label=_l("At once"), min_value=0, required=False, help_text=_l("Empty: no limit.")
    )
    most_in_a_day = forms.IntegerField(
        label=_l("In a day"),
        min_value=0,
        required=False,
        help_text=_l("What one person moves on their own word. Empty: no limit."),
    )
    approval_above = forms.IntegerField(
        label=_l("Somebody else approves above"),
        min_value=0,
        required=False,
        help_text=_l("Larger adjustments wait for a second person. Empty: never."),
    )

    def __init__(self, data: Any = None, *, limit: AdjustmentLimit | None = None) -> None:
        initial = {name: getattr(limit, name) for name in LimitForm.base_fields} if limit else {}
        super().__init__(data, initial=initial, auto_id="limit_%s")


class NewLimitForm(LimitForm):
    """Limits of a role in one program, instead of those for every program."""

    program = forms.ModelChoiceField(Program.objects.none(), label=_l("Program"), empty_label=None)
    role = forms.ChoiceField(label=_l("Role"), choices=())
    field_order = ("program", "role")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        program, role = self.fields["program"], self.fields["role"]
        assert isinstance(program, forms.ModelChoiceField)
        assert isinstance(role, forms.ChoiceField)
        program.queryset = Program.objects.order_by("name")
        role.choices = [(key, label) for key, label in role_choices() if key in DEFAULTS]

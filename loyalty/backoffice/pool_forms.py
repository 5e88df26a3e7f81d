"""What staff fill in about pools."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.program_fields import at_times
from loyalty.models import Membership, Pool, PoolMember, Program
from loyalty.pool_roles import ROLES_OF
from loyalty.selectors.gifts import find_member
from loyalty.services.pools import CHANGEABLE_OF_MEMBERS, LONGEST_NAME, PoolTerms

WHO = gettext_lazy("Card number, e-mail address or customer number")
BRING = gettext_lazy("What they have goes into the pool too")


class PoolForm(forms.Form):
    """What a pool is called and how it works."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=Pool.Kind.choices, widget=forms.RadioSelect
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    contribution = forms.ChoiceField(
        label=gettext_lazy("What goes into the pool"),
        choices=Pool.Contribution.choices,
        widget=forms.RadioSelect,
    )
    share = at_times(
        forms.IntegerField(label=gettext_lazy("Share in percent"), min_value=1, max_value=100)
    )
    spending = forms.ChoiceField(
        label=gettext_lazy("Who may spend"),
        choices=Pool.Spending.choices,
        widget=forms.RadioSelect,
    )
    leaving = forms.ChoiceField(
        label=gettext_lazy("What members who leave get back"),
        choices=Pool.Leaving.choices,
        widget=forms.RadioSelect,
    )

    @classmethod
    def of(cls, pool: Pool, data: Any) -> PoolForm:
        names = PoolTerms.__dataclass_fields__
        return cls(data, initial={name: getattr(pool, name) for name in names})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        shared = cleaned.get("contribution") == Pool.Contribution.SHARE
        if shared and cleaned.get("share") is None and "share" not in self.errors:
            self.add_error("share", _("Say how much of it."))
        return cleaned

    def terms(self) -> PoolTerms:
        data = self.cleaned_data
        return PoolTerms(**{name: data[name] for name in PoolTerms.__dataclass_fields__})


class NewPoolForm(PoolForm):
    """A pool with its first owner: somebody who is typed, or whose page the dialog came from."""

    program = forms.ModelChoiceField(
        Program.objects.none(), label=gettext_lazy("Program"), empty_label=None
    )
    owner = forms.CharField(
        label=gettext_lazy("First owner: card number, e-mail address or customer number"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    bring = forms.BooleanField(
        label=gettext_lazy("What the owner has goes into the pool too"), required=False
    )

    field_order = ("program", "owner", "kind", "name")

    def __init__(self, data: Any, *, programs: Any, member: Membership | None) -> None:
        defaults = PoolTerms(name="")
        initial = {name: getattr(defaults, name) for name in PoolTerms.__dataclass_fields__}
        super().__init__(data, initial=initial)
        self.member = member
        program = self.fields["program"]
        assert isinstance(program, forms.ModelChoiceField)
        program.queryset = programs
        if member is not None:
            del self.fields["program"], self.fields["owner"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.member is None and cleaned.get("program") and cleaned.get("owner"):
            self.member = find_member(cleaned["program"], cleaned["owner"])
            if self.member is None:
                self.add_error("owner", _("Nobody in this program is known by this."))
        return cleaned


def offer_roles(field: forms.Field, pool: Pool) -> None:
    """Those that there are in pools of this kind."""
    assert isinstance(field, forms.ChoiceField)
    words = dict(PoolMember.Role.choices)
    field.choices = [(role, words[role]) for role in ROLES_OF[pool.kind]]


class AddMemberForm(forms.Form):
    """Who joins, and as what."""

    membership = forms.CharField(
        label=WHO,
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "data-focus": True}
        ),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect)
    may_spend = forms.BooleanField(label=gettext_lazy("May spend"), required=False)
    bring = forms.BooleanField(label=BRING, required=False)

    def __init__(self, *args: Any, pool: Pool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool = pool
        self.found: Membership | None = None
        offer_roles(self.fields["role"], pool)
        self.initial.setdefault("role", ROLES_OF[pool.kind][-1])
        if pool.spending != Pool.Spending.NAMED:
            del self.fields["may_spend"]
        if not pool.percent:
            del self.fields["bring"]

    def clean_membership(self) -> str:
        text: str = self.cleaned_data["membership"]
        self.found = find_member(self.pool.program, text)
        if self.found is None:
            raise forms.ValidationError(_("Nobody in this program is known by this."))
        return text


class MemberForm(forms.Form):
    """What a member is in the pool."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect)
    may_spend = forms.BooleanField(label=gettext_lazy("May spend"), required=False)
    contributes = forms.BooleanField(
        label=gettext_lazy("What they earn goes into the pool"), required=False
    )

    def __init__(self, data: Any, *, member: PoolMember) -> None:
        super().__init__(
            data, initial={name: getattr(member, name) for name in CHANGEABLE_OF_MEMBERS}
        )
        offer_roles(self.fields["role"], member.pool)
        if member.pool.spending != Pool.Spending.NAMED:
            del self.fields["may_spend"]
        if not member.pool.percent:
            del self.fields["contributes"]

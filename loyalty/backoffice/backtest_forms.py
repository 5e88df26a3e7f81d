"""What one fills in to try out rules on real orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _l

from loyalty.backtest_rules import with_changes
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.program_files import dump_rules, load_rules
from loyalty.selectors.programs import definition_of, definition_without_parts
from loyalty.selectors.tier_drafts import drafted_tiers, tier_draft_of
from loyalty.tier_definitions import TiersDefinition
from members.errors import DomainError

PRESETS = (30, 90, 365)


class BacktestForm(forms.Form):
    """Which orders, and which rules instead of the live ones."""

    name = forms.CharField(
        label=_l("Name"), max_length=120, required=False,
        help_text=_l("So that you find it again. Without one it is called by its days."),
    )  # fmt: skip
    since = forms.DateField(label=_l("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_l("Last day"), widget=forms.DateInput(attrs={"type": "date"}))
    tiers = forms.ChoiceField(
        label=_l("Tiers"), required=False, widget=forms.RadioSelect,
        choices=[("", _l("As they count now")), ("draft", _l("As the draft says"))],
        help_text=_l("From the first day on, with all that they bring."),
    )  # fmt: skip
    without = forms.MultipleChoiceField(
        label=_l("Leave out"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_l("Live rules that the draft does without."),
    )  # fmt: skip
    rules = forms.CharField(
        label=_l("The draft’s rules"),
        widget=forms.Textarea(attrs={"rows": 18, "class": "mono", "spellcheck": "false"}),
        strip=False,
        help_text=_l(
            "All rules as a program file has them. Change numbers, or add a rule; what you leave as"
            " it is counts as it was when the orders came."
        ),
    )

    def __init__(
        self, data: Any, *, program: Program, today: dt.date, days: int,
        drafts: Sequence[Any] = (), tiers: str = "",
    ) -> None:  # fmt: skip
        # Rules alone are shown.
        read = definition_of if data is not None else definition_without_parts
        self.program, self.definition = program, read(program, timezone.now())
        initial = {
            "since": today - dt.timedelta(days=days - 1),
            "until": today,
            "tiers": tiers,
            "rules": dump_rules(with_changes(self.definition, put=drafts)),
        }
        super().__init__(data, initial=initial)
        self.fields["without"].choices = [  # type: ignore[attr-defined]
            (rule.code, rule.name) for rule in self.definition.earning_rules
        ]
        if not self.definition.earning_rules:
            del self.fields["without"]
        self.tier_draft = tier_draft_of(program)
        if self.tier_draft is None:
            del self.fields["tiers"]

    def wanted_tiers(self) -> TiersDefinition | None:
        """Those of the draft, where they are to be tried."""
        if self.tier_draft is None or self.cleaned_data.get("tiers") != "draft":
            return None
        return drafted_tiers(self.tier_draft)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "rules" in cleaned:
            try:
                cleaned["draft"] = self._draft(cleaned["rules"], cleaned.get("without", []))
            except DomainError as error:
                for wrong in error.errors:
                    self.add_error("rules", f"{wrong.field}: {wrong.message}")
        return cleaned

    def _draft(self, text: str, without: Sequence[str]) -> ProgramDefinition:
        wanted = load_rules(text, self.definition)
        known = {rule.code for rule in wanted.earning_rules}
        return with_changes(wanted, without=[code for code in without if code in known])

"""What a tier or a plan brings, as fields of a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.tier_definitions import BenefitDefinition, plain
from loyalty.tier_words import KINDS

# Benefits that are words alone; one a line, and several of a kind.
IN_WORDS = (
    "exclusive_products", "service_line", "concierge", "gift", "invitation", "custom",
)  # fmt: skip


class BenefitsForm(forms.Form):
    factor = forms.DecimalField(
        label=gettext_lazy("Multiplier"), required=False, max_digits=8, decimal_places=4,
        help_text=gettext_lazy("1.5 gives half as much again on purchases."),
    )  # fmt: skip
    birthday = forms.DecimalField(
        label=gettext_lazy("Units for the birthday"), required=False, max_digits=14,
        decimal_places=4,
    )  # fmt: skip
    shipping = forms.BooleanField(label=gettext_lazy("Free shipping"), required=False)
    shipping_above = forms.DecimalField(
        label=gettext_lazy("Free shipping from"), required=False, min_value=0, max_digits=14,
        decimal_places=2, help_text=gettext_lazy("Of an order. Empty: always."),
    )  # fmt: skip
    returns = forms.BooleanField(label=gettext_lazy("Free returns"), required=False)
    early_access = forms.IntegerField(
        label=gettext_lazy("Hours of early access"), required=False, min_value=1, max_value=8760
    )
    more = forms.CharField(
        label=gettext_lazy("More benefits"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = ", ".join(str(KINDS[kind]) for kind in IN_WORDS if kind != "custom")
        self.fields["more"].help_text = (
            _(
                "One a line: what it is, and after a colon what members read. These the shop knows "
                "by kind: %s. Anything else is a perk of your own."
            )
            % known
        )

    def benefits(self, before: Sequence[BenefitDefinition]) -> Iterator[dict[str, Any]]:
        """As a definition has them. `before`: as they were, for what is not asked here."""
        values = self.cleaned_data
        units = {item.kind: item.wallet_type for item in before}
        if values["factor"]:
            kept = units.get("multiplier", "")
            yield {"kind": "multiplier", "factor": values["factor"], "wallet_type": kept}
        if values["birthday"]:
            kept = units.get("birthday_bonus", "")
            yield {"kind": "birthday_bonus", "units": values["birthday"], "wallet_type": kept}
        if values["shipping"]:
            yield {"kind": "free_shipping", "above": values["shipping_above"]}
        if values["returns"]:
            yield {"kind": "free_returns"}
        if values["early_access"]:
            yield {"kind": "early_access", "hours": values["early_access"]}
        yield from _from_lines(values["more"])


def benefits_initial(benefits: Sequence[BenefitDefinition]) -> dict[str, Any]:
    by_kind: Mapping[str, BenefitDefinition] = {item.kind: item for item in benefits}
    shipping = by_kind.get("free_shipping")
    return {
        "factor": _plain(by_kind, "multiplier", "factor"),
        "birthday": _plain(by_kind, "birthday_bonus", "units"),
        "shipping": shipping is not None,
        "shipping_above": plain(shipping.above) if shipping and shipping.above else "",
        "returns": "free_returns" in by_kind,
        "early_access": by_kind["early_access"].hours if "early_access" in by_kind else None,
        "more": "\n".join(_line(item) for item in benefits if item.kind in IN_WORDS),
    }


def _from_lines(text: str) -> Iterator[dict[str, Any]]:
    kinds = {str(KINDS[kind]).casefold(): kind for kind in IN_WORDS}
    for line in text.splitlines():
        name, _colon, words = (part.strip() for part in line.partition(":"))
        kind = kinds.get(name.casefold(), "custom")
        if name:
            named = {"name": name} if kind == "custom" else {}
            yield {"kind": kind, "text": words} | named


def _plain(by_kind: Mapping[str, BenefitDefinition], kind: str, name: str) -> str:
    found = by_kind.get(kind)
    return plain(getattr(found, name)) if found is not None else ""


def _line(item: BenefitDefinition) -> str:
    title = item.name if item.kind == "custom" else str(KINDS[item.kind])
    return f"{title}: {item.text}" if item.text else title

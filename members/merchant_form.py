"""What is asked of a merchant: name, look, currency, time zone and language."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _l

from members.choices import currencies, languages, time_zones
from members.models import Merchant


class MerchantForm(forms.Form):
    name = forms.CharField(label=_l("Name"), max_length=120)
    logo = forms.FileField(
        label=_l("Logo"), required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_l("PNG, JPEG or WebP, at most 512 kB, best at least 128 pixels high."),
    )  # fmt: skip
    remove_logo = forms.BooleanField(label=_l("Go without a logo"), required=False)
    accent_color = forms.CharField(
        label=_l("Accent color"), widget=forms.TextInput(attrs={"type": "color"}), max_length=7,
        help_text=_l("For buttons and links. Text on it stays readable whatever you choose."),
    )  # fmt: skip
    currency = forms.ChoiceField(
        label=_l("Currency"), help_text=_l("For new programs; each keeps its own.")
    )
    time_zone = forms.ChoiceField(
        label=_l("Time zone"), help_text=_l("Times on these pages are shown in it.")
    )
    languages = forms.MultipleChoiceField(
        label=_l("Languages that customers may choose"), widget=forms.CheckboxSelectMultiple,
        help_text=_l("Their pages, messages and the shop's script speak these."),
        error_messages={"required": _l("Choose one at least.")},
    )  # fmt: skip
    locale = forms.ChoiceField(
        label=_l("Default language"),
        help_text=_l("For whoever has chosen none, or one that you do not offer."),
    )

    def __init__(self, data: Any = None, files: Any = None, *, merchant: Merchant) -> None:
        names = ("name", "accent_color", "currency", "time_zone", "locale")
        initial = {name: getattr(merchant, name) for name in names}
        super().__init__(data, files, initial=initial)
        self.fields["currency"].choices = currencies(merchant.currency)  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = time_zones(merchant.time_zone)  # type: ignore[attr-defined]
        self.fields["locale"].choices = languages(merchant.locale)  # type: ignore[attr-defined]
        self.fields["languages"].choices = languages()  # type: ignore[attr-defined]
        self.initial["languages"] = merchant.languages or list(dict(languages()))
        if len(languages()) == 1:
            del self.fields["languages"]
        if not merchant.logo:
            del self.fields["remove_logo"]

    def changes(self) -> dict[str, Any]:
        changes = dict(self.cleaned_data)
        remove = changes.pop("remove_logo", False)
        logo = changes.pop("logo")
        if set(changes.get("languages", ())) == set(dict(languages())):
            # All, and those that are still to come.
            changes["languages"] = []
        if logo:
            changes["logo"] = logo
        elif remove:
            changes["logo"] = None
        return changes

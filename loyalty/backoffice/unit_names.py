"""The part of a program's form that says what units are called, and which picture they have."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.backoffice.program_fields import at_times
from loyalty.unit_definitions import UNIT_ICONS, PluralForms, WalletTypeDefinition
from loyalty.unit_names import ICON_NAMES, PLURAL_LANGUAGES

FORMS = ("zero", "two", "few", "many", "other")


def _form(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, max_length=40, required=False)


class UnitNamesForm(forms.Form):
    """Singular, plural, a picture; further plurals where the names' language has them."""

    singular = forms.CharField(label=gettext_lazy("One is called"), max_length=40)
    plural = forms.CharField(label=gettext_lazy("Several are called"), max_length=40)
    icon = at_times(
        forms.ChoiceField(
            label=gettext_lazy("Picture"), choices=[(icon, ICON_NAMES[icon]) for icon in UNIT_ICONS]
        )
    )
    plural_language = forms.ChoiceField(
        label=gettext_lazy("Language with several plurals"),
        required=False,
        help_text=gettext_lazy("By its rule the name for a number is chosen."),
    )
    plural_zero = _form(gettext_lazy("None are called"), gettext_lazy("In Arabic."))
    plural_two = _form(gettext_lazy("Two are called"), gettext_lazy("In Arabic or Slovenian."))
    plural_few = _form(gettext_lazy("A few are called"), gettext_lazy("In Russian: 2 to 4."))
    plural_many = _form(gettext_lazy("Many are called"), gettext_lazy("In Russian: 5 to 20."))
    plural_other = _form(gettext_lazy("Fractions are called"), gettext_lazy("In Russian: 1.5."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["plural_language"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = self._languages()

    def _languages(self) -> list[tuple[str, Any]]:
        """Those that have several, and one that a program file named."""
        known = list(PLURAL_LANGUAGES)
        also = str(self.initial.get("plural_language") or "")
        return known if also in dict(known) else [*known, (also, also)]

    def name_values(self) -> dict[str, Any]:
        """What the fields say, as the wallet type's definition takes it."""
        data = self.cleaned_data
        return {
            **{name: data[name] for name in ("singular", "plural")},
            "icon": data["icon"] or "coins",
            "plural_forms": {
                "language": data["plural_language"],
                **{form: data[f"plural_{form}"] for form in FORMS},
            },
        }


def names_initial(wallet_type: WalletTypeDefinition) -> dict[str, Any]:
    """What the form shows of a kind of units."""
    forms_given: PluralForms = wallet_type.plural_forms
    return {
        **{name: getattr(wallet_type, name) for name in ("singular", "plural", "icon")},
        "plural_language": forms_given.language,
        **{f"plural_{form}": getattr(forms_given, form) for form in FORMS},
    }

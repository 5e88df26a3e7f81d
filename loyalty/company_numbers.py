"""Numbers by which businesses are registered. Looked at for their form only: whether there is such
a business is for the registers to say."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

LONGEST_REGISTRATION = 32
_GAPS = re.compile(r"[\s.\-/]")
_REGISTRATION = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{1,31}")
_ANYWHERE = re.compile(r"[A-Z]{2}[0-9A-Z]{2,13}")
# By the letters that they begin with; Greece writes EL, Northern Ireland XI.
_VAT = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[0-9A-Z]\d{7}[0-9A-Z]",
    "FI": r"\d{8}", "FR": r"[0-9A-Z]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}",
    "IE": r"\d[0-9A-Z+*]\d{5}[A-Z]{1,2}", "IT": r"\d{11}", "LT": r"(\d{9}|\d{12})", "LU": r"\d{8}",
    "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}B\d{2}", "PL": r"\d{10}", "PT": r"\d{9}",
    "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}",
    "GB": r"(\d{9}|\d{12}|GD\d{3}|HA\d{3})", "XI": r"(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
    "NO": r"\d{9}(MVA)?", "CH": r"E\d{9}(MWST|TVA|IVA)?",
}  # fmt: skip


def clean_vat_number(text: str) -> str:
    """As it is kept: capitals without gaps. Raises ValueError with what is wrong."""
    number = _GAPS.sub("", text).upper()
    if not number:
        return ""
    form = _VAT.get(number[:2])
    fits = re.fullmatch(form, number[2:]) if form else _ANYWHERE.fullmatch(number)
    if not fits:
        raise ValueError(
            _("A VAT number begins with the country’s two letters, like DE123456789.")
            if form is None
            else _("VAT numbers of %s look different.") % number[:2]
        )
    return number


def clean_registration_number(text: str) -> str:
    """As it is kept. Raises ValueError with what is wrong."""
    number = " ".join(text.upper().split())
    if number and not _REGISTRATION.fullmatch(number):
        raise ValueError(
            _("Write 2 to %s letters and digits, with dots, dashes and slashes between them.")
            % LONGEST_REGISTRATION
        )
    return number

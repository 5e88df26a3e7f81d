"""What members read of the partners of a program: at whose they earn and spend as well."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.selectors.partners import partners_in
from loyalty.terms_panels import TermsItem, TermsPanel, register_terms_panel


def partner_terms(program: Program, now: dt.datetime) -> TermsPanel | None:
    found = partners_in(program, live=True)
    if not found:
        return None
    both = _("You earn and spend there as with us. Show your card.")
    items = [
        TermsItem(item.account.name, "", [item.summary, both] if item.summary else [both])
        for item in found
    ]
    return TermsPanel(_("Our partners"), "building-store", items)


def register() -> None:
    """Called once, when the application is ready."""
    register_terms_panel("partners", partner_terms)

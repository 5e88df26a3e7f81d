"""In which language somebody reads what is theirs."""

from __future__ import annotations

from django.utils import translation

from members.models import Customer


def language_of(customer: Customer) -> str:
    """The language of ours that is nearest to what the customer wants, or nothing."""
    try:
        return (
            translation.get_supported_language_variant(customer.locale) if customer.locale else ""
        )
    except LookupError:
        return ""

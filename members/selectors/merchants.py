from __future__ import annotations

from members.models import Merchant

# What an installation is called until somebody names it.
DEFAULT_NAME = "Setia"


def get_merchant() -> Merchant:
    """The one merchant of this installation; made with defaults on first use."""
    merchant = Merchant.objects.filter(pk=1).first()
    if merchant is None:
        merchant, _ = Merchant.objects.get_or_create(pk=1, defaults={"name": DEFAULT_NAME})
    return merchant

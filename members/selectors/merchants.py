from __future__ import annotations

from members.models import Merchant
from members.prepared import KeptQuery

# What an installation is called until somebody names it.
DEFAULT_NAME = "Setia"
_MERCHANT = KeptQuery(lambda pk: Merchant.objects.filter(pk=pk))


def get_merchant() -> Merchant:
    """The one merchant of this installation; made with defaults on first use."""
    merchant = _MERCHANT.first(1)
    if merchant is None:
        merchant, _ = Merchant.objects.get_or_create(pk=1, defaults={"name": DEFAULT_NAME})
    return merchant

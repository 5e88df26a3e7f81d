"""Passes in the wallets of phones, as phones ask for them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from loyalty.models import Membership, WalletPass
from loyalty.wallet_passes.contents import is_void


@dataclass(frozen=True, slots=True)
class Offered:
    """Into which wallets a member can take the card."""

    apple: bool
    google: bool


def wallets_offered(membership: Membership, now: dt.datetime) -> Offered:
    """None where the shop has set up none, or who has left would have no card."""
    apple, google = settings.APPLE_PASSES, settings.GOOGLE_PASSES
    apple_signs = apple is not None and apple.is_valid(now)
    if not (apple_signs or google) or is_void(membership, membership.customer):
        return Offered(False, False)
    return Offered(apple_signs, google is not None)


def find_pass(serial: str) -> WalletPass | None:
    """The one with this serial number; None: it was never made."""
    try:
        membership = uuid.UUID(serial)
    except ValueError:
        return None
    found = WalletPass.objects.select_related("membership")
    return found.filter(membership__public_id=membership).first()


def passes_of_device(device: str, since: dt.datetime | None) -> Sequence[WalletPass] | None:
    """Those that the device has and that changed after this moment; None: it has none at all."""
    found = WalletPass.objects.filter(devices__device=device).select_related("membership")
    rows = list(found.order_by("pk"))
    if not rows:
        return None
    return [one for one in rows if since is None or one.changed_at > since]

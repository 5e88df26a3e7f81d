"""What a cart keeps is not changed apart from it: it may be being paid."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from rewards.errors import RedemptionStateError
from rewards.models import Checkout, CheckoutReward, CheckoutVoucher, Redemption

OPEN = Q(checkout__status=Checkout.Status.RESERVED)


def refuse_kept(redemption: Redemption) -> None:
    """Raises RedemptionStateError where a cart that may still be paid keeps it, or its voucher. The
    caller holds the redemption's row."""
    kept = CheckoutReward.objects.filter(OPEN, redemption=redemption).exists()
    if not kept and redemption.voucher_id is not None:
        kept = CheckoutVoucher.objects.filter(OPEN, voucher=redemption.voucher_id).exists()
    if kept:
        raise RedemptionStateError(
            _("A cart keeps it until it is paid or given up."), code="kept_by_cart"
        )

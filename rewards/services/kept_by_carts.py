"""What a cart keeps is not changed apart from it: it may be being paid."""

from __future__ import annotations

from django.utils.translation import gettext as _

from members.prepared import run_prepared
from rewards.errors import RedemptionStateError
from rewards.models import Redemption

_KEPT = """
    SELECT EXISTS (
               SELECT FROM rewards_checkoutreward r
                 JOIN rewards_checkout c ON c.id = r.checkout_id AND c.status = 'reserved'
                WHERE r.redemption_id = %(redemption)s::bigint)
        OR EXISTS (
               SELECT FROM rewards_checkoutvoucher v
                 JOIN rewards_checkout c ON c.id = v.checkout_id AND c.status = 'reserved'
                WHERE v.voucher_id = %(voucher)s::bigint)
"""


def refuse_kept(redemption: Redemption) -> None:
    """Raises RedemptionStateError where a cart that may still be paid keeps it, or its voucher. The
    caller holds the redemption's row."""
    kept = run_prepared(_KEPT, {"redemption": redemption.pk, "voucher": redemption.voucher_id})
    if kept[0][0]:
        raise RedemptionStateError(
            _("A cart keeps it until it is paid or given up."), code="kept_by_cart"
        )

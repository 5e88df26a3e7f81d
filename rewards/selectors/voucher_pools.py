"""Lists of codes that came from elsewhere."""

from __future__ import annotations

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from loyalty.models import Program
from rewards.models import Voucher, VoucherPool


def pools_of(program: Program) -> QuerySet[VoucherPool]:
    """With how many codes are left in each (`left`). Only those are counted, by an index that has
    no others."""
    waiting = (
        Voucher.objects.filter(pool=OuterRef("pk"), status=Voucher.Status.WAITING)
        .order_by()
        .values("pool")
        .annotate(count=Count("pk"))
    )
    return program.voucher_pools.annotate(left=Coalesce(Subquery(waiting.values("count")), 0))

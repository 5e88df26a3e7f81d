"""Background work of this application: each loads what it needs and calls one service."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from loyalty.services import (
    adjustment_requests,
    import_files,
    join_requests,
    left_staging,
    order_payments,
    pass_telling,
    refunds,
    spend_requests,
    tallies,
)

# Well below the interval at which a broker would hand the task to another worker.
LONGEST_RUN = 60.0


@shared_task
def expire_adjustment_requests() -> int:
    """Write down which requests for approval nobody has answered in time."""
    return adjustment_requests.expire_requests(now=timezone.now())


@shared_task
def forget_join_requests() -> int:
    """Remove what people typed who wanted to join and never confirmed their address."""
    return join_requests.forget_requests(now=timezone.now())


@shared_task
def expire_spend_requests() -> int:
    """Write down which requests of companies' buyers nobody has answered in time."""
    return spend_requests.expire_spending(now=timezone.now())


@shared_task
def link_parked_refunds() -> int:
    """Bring refunds to orders that came in the same moment; nothing to do is the rule."""
    return refunds.link_parked_refunds(now=timezone.now())


@shared_task
def link_payments() -> int:
    """Bring what checkouts paid in units to orders without a buyer that came in the same moment."""
    return order_payments.link_payments(now=timezone.now())


@shared_task
def fold_tallies() -> int:
    """Make few rows of the many that each change has added to the tallies."""
    return tallies.fold_tallies()


@shared_task
def discard_old_files() -> None:
    """Remove uploaded files that are a week old and that no import still needs, and staged rows."""
    import_files.discard_old_files(now=timezone.now())
    left_staging.drop_left_staging()


@shared_task
def tell_passes() -> int:
    """Tell phones of passes that changed, piece after piece, and leave the rest to the next run."""
    started, told = time.monotonic(), 0
    while time.monotonic() - started < LONGEST_RUN:
        looked_at = pass_telling.tell_passes(now=timezone.now())
        told += looked_at
        if looked_at < pass_telling.PIECE:
            break
    return told


@shared_task
def look_over_passes() -> int:
    """Have all passes in phones looked at, and forget who had those that are void."""
    return pass_telling.look_over_passes(now=timezone.now())

"""Background work of this application: each loads what it needs and calls one service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from loyalty.services import (
    adjustment_requests,
    import_files,
    join_requests,
    order_payments,
    refunds,
    spend_requests,
    tallies,
)


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
    """Remove uploaded files that are a week old and that no import still needs."""
    import_files.discard_old_files(now=timezone.now())

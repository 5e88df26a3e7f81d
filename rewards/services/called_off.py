"""What a cart had taken comes back when its order is canceled."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import Order, Transfer
from members.errors import DomainError
from members.models import OutboxEvent
from members.models.changes import CHANGED
from members.outbox import register_consumer
from members.services.audit import SYSTEM
from rewards.models import Checkout
from rewards.services.checkouts import cancel_checkout

logger = logging.getLogger(__name__)


def register() -> None:
    """Follow the orders of customers; called once, when the application is ready."""
    register_consumer(CHANGED, follow_orders)


def follow_orders(events: Sequence[OutboxEvent]) -> None:
    """Outbox consumer of `customers.changed`: rewards and vouchers come back; what units paid the
    order itself has given back."""
    people = {pk for event in events for pk in event.payload["customers"]}
    canceled = Order.objects.filter(
        source=OuterRef("source"), external_id=OuterRef("order_external_id"),
        customer__in=people, status=Order.Status.CANCELLED,
    )  # fmt: skip
    found = Checkout.objects.filter(
        Exists(canceled), status=Checkout.Status.COMMITTED, membership__customer__in=people
    )
    for checkout in found.order_by("pk"):
        try:
            with transaction.atomic():
                cancel_checkout(
                    checkout=checkout, reason=_("Its order was canceled."),
                    source=Transfer.Source.JOB.value, actor=SYSTEM, now=timezone.now(),
                )  # fmt: skip
        except DomainError as error:
            # Others follow the same events; the shop may still cancel the checkout itself.
            logger.warning("checkout %s was not given back: %s", checkout.pk, error.code)

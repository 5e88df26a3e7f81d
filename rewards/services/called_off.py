"""What a cart or a sale at a till had taken comes back when its order is canceled."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import Order, Transfer
from loyalty.models.orders import CANCELED
from members.errors import DomainError
from members.models import OutboxEvent
from members.outbox import register_consumer
from members.selectors.merges import were_one
from members.services.audit import SYSTEM
from rewards.models import Checkout
from rewards.services.checkouts import cancel_checkout
from rewards.services.till_rewards import give_up_with_sale

logger = logging.getLogger(__name__)


def register() -> None:
    """Follow orders that are canceled; called once, when the application is ready."""
    register_consumer(CANCELED, follow_orders)


def follow_orders(events: Sequence[OutboxEvent]) -> None:
    """Outbox consumer of `orders.canceled`: rewards and vouchers come back, and what units paid
    that the order itself has not given back; also of an order that names no buyer."""
    orders = {pk for event in events for pk in event.payload["orders"]}
    for order in Order.objects.filter(pk__in=orders, status=Order.Status.CANCELED).order_by("pk"):
        checkout = Checkout.objects.select_related("membership").filter(
            source=order.source, order_external_id=order.external_id,
            status=Checkout.Status.COMMITTED,
        ).first()  # fmt: skip
        _follow_sale(order)
        if checkout is None:
            continue
        buyer, member = order.customer_id, checkout.membership
        if buyer is not None and not were_one(buyer, member.customer_id):
            continue
        try:
            with transaction.atomic():
                cancel_checkout(
                    checkout=checkout, reason=_("Its order was canceled."),
                    source=Transfer.Source.JOB.value, actor=SYSTEM, now=timezone.now(),
                )  # fmt: skip
        except DomainError as error:
            # Others follow the same events; the shop may still cancel the checkout itself.
            logger.warning("checkout %s was not given back: %s", checkout.pk, error.code)


def _follow_sale(order: Order) -> None:
    """Rewards that were taken with a sale; one of which something was used elsewhere stays."""
    sale, reason = f"{order.source}/{order.external_id}", _("Its order was canceled.")
    try:
        with transaction.atomic():
            give_up_with_sale(sale, reason, SYSTEM, timezone.now())
    except DomainError as error:
        logger.warning("rewards of sale %s were not given back: %s", order.pk, error.code)

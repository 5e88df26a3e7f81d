"""The demonstration's webhook: one that is off, for nobody listens at its address."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import WebhookEndpoint
from campaigns.services.webhook_endpoints import create_endpoint
from loyalty.demo.parts import register_demo_part
from loyalty.models import Program
from members.services.audit import SYSTEM

URL = "https://shop.example/setia/webhooks"


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part("webhooks", show_webhook)


def show_webhook(program: Program) -> None:
    """What a shop would be told; off, for its address is only an example."""
    if not WebhookEndpoint.objects.filter(url=URL).exists():
        create_endpoint(
            url=URL, description=_("Web shop: balances and tiers (an example)"), enabled=False,
            types=["balance.changed", "tier.changed", "redemption.issued"], program=program,
            actor=SYSTEM, now=timezone.now(),
        )  # fmt: skip

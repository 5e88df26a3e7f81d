"""The demonstration's connections: a shop that tells now and then, and a tool for reviews."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.connectors.kinds import Envelope
from campaigns.models import Connection
from campaigns.services.connections import create_connection
from campaigns.services.inbound import CAME, keep_content, receive, take_in
from campaigns.services.mappings import save_mapping
from loyalty.demo.parts import register_demo_part
from loyalty.models import ActivityType, Program
from members.models import OutboxEvent
from members.services.audit import SYSTEM

SHOP, REVIEWS = "shopify-example", "reviews-example"


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part("connections", show_connections)


def show_connections(program: Program) -> None:
    """Nothing that they tell moves the demonstration's figures."""
    if Connection.objects.filter(source=SHOP).exists():
        return
    with transaction.atomic():
        _show_shop()
        _show_reviews()
        take_in(list(OutboxEvent.objects.filter(kind=CAME, delivered_at=None)))


def _show_shop() -> None:
    now = timezone.now()
    shop = create_connection(
        kind=Connection.Kind.SHOPIFY, name=_("Online shop (an example)"), source=SHOP,
        customer_prefix="example-", actor=SYSTEM, now=now,
    )  # fmt: skip
    at = now.isoformat(timespec="seconds")
    order = {
        "id": 5521001, "test": True, "created_at": at, "updated_at": at, "currency": "USD",
        "total_price": "18.40", "financial_status": "paid", "line_items": [],
    }  # fmt: skip
    _tell(shop, "orders/create", order, 1)
    # An app of the shop that writes orders has left something out.
    broken = order | {"id": 5521002, "test": False}
    broken.pop("total_price")
    _tell(shop, "orders/updated", broken, 2)
    _tell(shop, "products/update", {"id": 632910392, "title": "Espresso"}, 3)
    headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Hmac-Sha256": "c29tZWJvZHk="}
    receive(connection=shop, body=b"{}", headers=headers, content_type="", now=now)


def _show_reviews() -> None:
    tool = create_connection(
        kind=Connection.Kind.MAPPED, name=_("Reviews (an example)"), source=REVIEWS, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    if ActivityType.objects.filter(code="review", active=True).exists():
        mapping = {
            "what": "activity", "fixed": {"type": "review"}, "keep": ["rating"],
            "fields": {
                "number": "review_id", "occurred_at": "created_at", "subject": "product.sku",
                "subject_name": "product.name", "customer_email": "reviewer.email",
            },
        }  # fmt: skip
        save_mapping(connection=tool, mapping=mapping, actor=SYSTEM)
    review = {
        "review_id": "r-1007", "rating": 5, "created_at": "2026-03-01T10:00:00Z",
        "product": {"sku": "ESPRESSO", "name": "Espresso"},
        "reviewer": {"email": "somebody@example.com"},
    }  # fmt: skip
    _tell(tool, "", review, 1)


def _tell(connection: Connection, topic: str, payload: dict[str, Any], number: int) -> None:
    keep_content(
        connection=connection, envelope=Envelope(topic, f"example-{number}"),
        content=json.dumps(payload), content_type="application/json", now=timezone.now(),
    )  # fmt: skip

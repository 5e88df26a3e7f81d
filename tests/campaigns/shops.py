"""Messages of shops as their documentation shows them, and short ways to send them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.utils import timezone

from campaigns.models import Connection
from campaigns.services.connections import create_connection, set_secret
from campaigns.services.inbound import receive
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting

SECRET = "hush-0f3a"
Send = Callable[[Connection, bytes, dict[str, str]], int]


def connect(kind: str = "shopify", **how: Any) -> Connection:
    """A connection whose secret is `SECRET`."""
    given = {"name": kind.title(), "source": kind} | how
    connection = create_connection(kind=kind, actor=SYSTEM, now=timezone.now(), **given)
    return set_secret(connection=connection, secret=SECRET, actor=SYSTEM)


def signature(body: bytes, secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def post(connection: Connection, body: bytes, headers: dict[str, str]) -> int:
    """What the shop does; returns the status."""
    url = f"/connections/{connection.public_id}/"
    kind = headers.pop("Content-Type", "application/json")
    return Client().post(url, body, content_type=kind, headers=headers).status_code


def hand_over(connection: Connection, body: bytes, headers: dict[str, str]) -> int:
    """The same as the address does it, for many that are told one after the other."""
    kind = headers.pop("Content-Type", "application/json")
    return receive(
        connection=connection, body=body, headers=headers, content_type=kind, now=timezone.now()
    )


def shopify(
    connection: Connection, topic: str, payload: dict[str, Any], *, number: str = "",
    secret: str = SECRET, send: Send = post, **more: str,
) -> int:  # fmt: skip
    body = json.dumps(payload).encode()
    number = number or hashlib.sha256(topic.encode() + body).hexdigest()[:32]
    headers = {
        "X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature(body, secret),
        "X-Shopify-Shop-Domain": "beans.myshopify.com", "X-Shopify-API-Version": "2026-01",
        "X-Shopify-Webhook-Id": number, "X-Shopify-Triggered-At": "2024-03-16T12:00:00.123Z",
    } | more  # fmt: skip
    return send(connection, body, headers)


def woocommerce(
    connection: Connection, topic: str, payload: dict[str, Any], *, number: str = "d1",
    secret: str = SECRET, send: Send = post,
) -> int:  # fmt: skip
    body = json.dumps(payload).encode()
    resource, _dot, event = topic.partition(".")
    headers = {
        "X-WC-Webhook-Topic": topic, "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event, "X-WC-Webhook-ID": "3",
        "X-WC-Webhook-Source": "https://beans.example/",
        "X-WC-Webhook-Signature": signature(body, secret), "X-WC-Webhook-Delivery-ID": number,
    }  # fmt: skip
    return send(connection, body, headers)


def work() -> None:
    """What a worker does, until nothing waits."""
    while deliver_waiting():
        pass


# --- Shopify ------------------------------------------------------------------------------------


def amount_set(amount: str, currency: str = "USD") -> dict[str, Any]:
    money = {"amount": amount, "currency_code": currency}
    return {"shop_money": money, "presentment_money": money}


def shopify_line(number: int, sku: str, price: str, quantity: int = 1, **more: Any) -> Any:
    return {
        "id": number, "admin_graphql_api_id": f"gid://shopify/LineItem/{number}",
        "current_quantity": quantity, "fulfillable_quantity": quantity,
        "fulfillment_service": "manual", "fulfillment_status": None, "gift_card": False,
        "grams": 250, "name": f"{sku} - Whole beans", "price": price,
        "price_set": amount_set(price), "product_exists": True, "product_id": 632910392,
        "properties": [], "quantity": quantity, "requires_shipping": True, "sku": sku,
        "taxable": True, "title": sku.title(), "total_discount": "0.00",
        "total_discount_set": amount_set("0.00"), "variant_id": number + 1,
        "variant_inventory_management": "shopify", "variant_title": "Whole beans",
        "vendor": "Beans & Co", "tax_lines": [], "duties": [], "discount_allocations": [],
    } | more  # fmt: skip


def shopify_tip(amount: str) -> Any:
    """Shopify lists a tip among the lines."""
    more = {"taxable": False, "requires_shipping": False, "tip_payment_gateway": None,
            "tip_payment_method": None}  # fmt: skip
    return shopify_line(55, "", amount, **more) | {
        "sku": None,
        "title": "Tip",
        "name": "Tip",
        "product_id": None,
        "variant_id": None,
    }


def shopify_order(number: int = 820982911946154508, *, updated: str, **more: Any) -> Any:
    """A paid order of 30.00 in goods, 2.00 off, and 5.00 for the parcel."""
    off = [{"amount": "2.00", "discount_application_index": 0, "amount_set": amount_set("2.00")}]
    return {
        "id": number, "admin_graphql_api_id": f"gid://shopify/Order/{number}", "app_id": 580111,
        "cancel_reason": None, "cancelled_at": None, "closed_at": None, "confirmed": True,
        "created_at": "2024-03-15T08:00:00-04:00", "currency": "USD",
        "current_total_price": "33.00", "customer_locale": "en", "email": "bob@example.com",
        "discount_codes": [{"code": "SPRING", "amount": "2.00", "type": "fixed_amount"}],
        "financial_status": "paid", "fulfillment_status": None, "location_id": None,
        "name": "#1001", "note": None, "number": 1, "order_number": 1001,
        "payment_gateway_names": ["shopify_payments"], "phone": None,
        "presentment_currency": "USD", "processed_at": "2024-03-15T08:00:00-04:00",
        "source_name": "web", "subtotal_price": "28.00", "tags": "", "taxes_included": True,
        "tax_lines": [], "test": False, "total_discounts": "2.00",
        "total_line_items_price": "30.00", "total_price": "33.00", "total_tax": "2.00",
        "total_tip_received": "0.00", "updated_at": updated, "fulfillments": [], "refunds": [],
        "customer": {
            "id": 207119551, "email": "Bob@example.com", "first_name": "Bob",
            "last_name": "Norman", "phone": "+16135551111", "state": "enabled",
            "verified_email": True, "currency": "USD", "tags": "",
        },
        "line_items": [
            shopify_line(866550311766439020, "ESPRESSO", "10.00", 2, discount_allocations=off),
            shopify_line(141249953214522974, "CUP", "10.00"),
        ],
        "shipping_lines": [
            {"id": 271878346596884015, "code": "Standard", "price": "5.00",
             "discounted_price": "5.00", "title": "Standard", "tax_lines": [],
             "discount_allocations": []}
        ],
    } | more  # fmt: skip


def shopify_refund(number: int = 890088186047892319, *, of: int = 820982911946154508,
                   at: str = "2024-03-18T08:00:00-04:00") -> Any:  # fmt: skip
    """The cup came back: 10.00."""
    return {
        "id": number, "admin_graphql_api_id": f"gid://shopify/Refund/{number}", "order_id": of,
        "created_at": at, "processed_at": at, "note": "Chipped", "user_id": 548380009,
        "restock": True, "duties": [], "order_adjustments": [],
        "refund_line_items": [
            {"id": 487817672276298627, "line_item_id": 141249953214522974, "quantity": 1,
             "location_id": 24826418, "restock_type": "return", "subtotal": 10.0,
             "subtotal_set": amount_set("10.00"), "total_tax": 0.0,
             "total_tax_set": amount_set("0.00"),
             "line_item": shopify_line(141249953214522974, "CUP", "10.00")}
        ],
        "transactions": [
            {"id": 245135271310201194, "order_id": of, "kind": "refund", "status": "success",
             "gateway": "shopify_payments", "amount": "10.00", "currency": "USD",
             "created_at": at, "processed_at": at, "test": False}
        ],
    }  # fmt: skip


def shopify_customer(number: int = 207119551, *, updated: str, **more: Any) -> Any:
    return {
        "id": number, "admin_graphql_api_id": f"gid://shopify/Customer/{number}",
        "email": "bob@example.com", "created_at": "2024-03-14T08:00:00-04:00",
        "updated_at": updated, "first_name": "Bob", "last_name": "Norman", "state": "enabled",
        "note": None, "verified_email": True, "multipass_identifier": None, "tax_exempt": False,
        "phone": "+16135551111", "currency": "USD", "tags": "", "addresses": [],
        "default_address": {"id": 1, "country": "Canada", "country_code": "CA"},
    } | more  # fmt: skip


# --- WooCommerce --------------------------------------------------------------------------------


def woo_line(number: int, sku: str, subtotal: str, total: str, quantity: int = 1) -> Any:
    return {
        "id": number, "name": sku.title(), "product_id": 93, "variation_id": 0,
        "quantity": quantity, "tax_class": "", "subtotal": subtotal, "subtotal_tax": "0.00",
        "total": total, "total_tax": "0.00", "taxes": [], "meta_data": [], "sku": sku,
        "price": float(total) / quantity,
    }  # fmt: skip


def woo_order(number: int = 727, *, status: str = "processing", modified: str, **more: Any) -> Any:
    """An order of 30.00 in goods, 2.00 off, 5.00 for the parcel and 1.00 in tax."""
    return {
        "id": number, "parent_id": 0, "number": str(number), "order_key": "wc_order_58d2d042d1d",
        "created_via": "checkout", "version": "9.4.2", "status": status, "currency": "USD",
        "date_created": "2024-03-15T08:00:00", "date_created_gmt": "2024-03-15T12:00:00",
        "date_modified": modified, "date_modified_gmt": modified, "discount_total": "2.00",
        "discount_tax": "0.00", "shipping_total": "5.00", "shipping_tax": "0.00",
        "cart_tax": "1.00", "total": "34.00", "total_tax": "1.00", "prices_include_tax": False,
        "customer_id": 26, "customer_note": "", "payment_method": "bacs",
        "payment_method_title": "Bank transfer", "transaction_id": "",
        "date_paid": "2024-03-15T08:05:00", "date_paid_gmt": "2024-03-15T12:05:00",
        "date_completed": None, "date_completed_gmt": None, "cart_hash": "", "meta_data": [],
        "billing": {
            "first_name": "John", "last_name": "Doe", "email": "john@example.com",
            "phone": "(555) 555-5555", "country": "US", "city": "San Francisco",
        },
        "line_items": [
            woo_line(315, "ESPRESSO", "20.00", "18.00", 2), woo_line(316, "CUP", "10.00", "10.00"),
        ],
        "tax_lines": [], "shipping_lines": [{"id": 317, "method_id": "flat_rate", "total": "5.00"}],
        "fee_lines": [], "coupon_lines": [{"id": 318, "code": "spring", "discount": "2.00"}],
        "refunds": [], "currency_symbol": "$",
    } | more  # fmt: skip


def woo_customer(number: int = 26, *, modified: str, **more: Any) -> Any:
    return {
        "id": number, "date_created": "2024-03-14T08:00:00",
        "date_created_gmt": "2024-03-14T12:00:00", "date_modified": modified,
        "date_modified_gmt": modified, "email": "john@example.com", "first_name": "John",
        "last_name": "Doe", "role": "customer", "username": "john", "is_paying_customer": True,
        "billing": {"first_name": "John", "last_name": "Doe", "phone": "+14155552671",
                    "country": "US", "email": "john@example.com"},
    } | more  # fmt: skip


BOB = "207119551"


FIELDS = {"number": "id", "given_name": "name"}


def tool_with(fields: dict[str, str], rows: str = "") -> Connection:
    tool = connect("mapped")
    tool.mapping = {"what": "customer", "fields": fields, "rows": rows}
    tool.save(update_fields=["mapping"])
    return tool

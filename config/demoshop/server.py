"""What the shop's own server does: it speaks to the API over HTTP with a key, as any shop would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from members.models import ApiKey
from members.services.api_keys import create_api_key, revoke_api_key
from members.services.audit import SYSTEM

KEY_NAME = "Demonstration shop"
KEPT_AS = "demo-shop-key"
SCOPES = (
    "member_tokens:write", "customers:read", "customers:write", "memberships:write", "orders:write",
    "vouchers:write", "quotes:read",
)  # fmt: skip
TIMEOUT = 10
UNAUTHORIZED = 401


class ShopError(Exception):
    """The API refused; the message is for people."""


class ShopServer:
    """One request's worth of it."""

    def __init__(self, request: HttpRequest) -> None:
        self.base = request.build_absolute_uri("/api/v1")
        self.language = request.headers.get("Accept-Language", "en")

    def sign_up(self, *, name: str, email: str, program: str) -> str:
        """Make an account, and its owner a member where they want that; their number."""
        number = f"WEB-{uuid.uuid4().hex[:10]}"
        given, _space, family = name.strip().partition(" ")
        self._call(
            "/customers",
            {"external_id": number, "email": email, "given_name": given, "family_name": family},
        )
        if program:
            body = {"program": program, "customer": {"external_id": number}, "detail": "demo-shop"}
            self._call("/memberships", body)
        return number

    def member_token(self, number: str) -> dict[str, Any]:
        return self._call("/member-tokens", {"customer": {"external_id": number}, "minutes": 10})

    def badges(self, numbers: list[str]) -> list[str]:
        found = self._call("/tier-badges", {"customers": numbers})["results"]
        return [row["badge"] for row in found if row["badge"]]

    def place_order(
        self, number: str | None, lines: list[dict[str, str]], code: str
    ) -> tuple[str, Decimal]:
        """Record the basket as a paid order, with what a code takes off; its number and total."""
        order_number = f"WEB-{uuid.uuid4().hex[:8].upper()}"
        lines = self._as_members_pay(number, lines) if number else lines
        total = sum((Decimal(line["total"]) for line in lines), Decimal(0))
        if code:
            used = self._call(
                "/vouchers/use",
                {"code": code, "checkout": order_number,
                 "order": {"currency": "USD", "total": str(total), "lines": lines}},
            )  # fmt: skip
            total -= Decimal(used["discount"] or 0)
            lines = _less(lines, Decimal(used["discount"] or 0))
        body: dict[str, Any] = {
            "source": "demo-shop", "external_id": order_number, "currency": "USD",
            "placed_at": timezone.now().isoformat(), "total": str(total), "lines": lines,
        }  # fmt: skip
        if number:
            body["customer"] = {"external_id": number}
        self._call("/orders", body)
        return order_number, total

    def _as_members_pay(self, number: str, lines: list[dict[str, str]]) -> list[dict[str, str]]:
        """The lines at what is left of them when a program has taken off what it does."""
        numbered = [{**line, "line_no": place} for place, line in enumerate(lines, start=1)]
        total = str(sum((Decimal(line["total"]) for line in lines), Decimal(0)))
        asked = {"currency": "USD", "total": total, "customer": {"external_id": number},
                 "lines": numbered}  # fmt: skip
        for quote in self._call("/quotes", asked)["programs"]:
            if quote["membership"] and quote["discounted"]:
                left = {line["line_no"]: line for line in quote["discounted"]["lines"]}
                return [
                    line | {name: left[place][name] for name in ("total", "discount")}
                    for place, line in enumerate(lines, start=1)
                ]
        return lines

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        status, answer = self._send(path, body, _key())
        if status == UNAUTHORIZED:
            # Somebody revoked it.
            cache.delete(KEPT_AS)
            status, answer = self._send(path, body, _key())
        if status >= 300:
            said = [item["message"] for item in answer.get("errors", ())]
            raise ShopError(said[0] if said else answer.get("detail", "That did not work."))
        return answer

    def _send(self, path: str, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            self.base + path,
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json",
             "Accept-Language": self.language},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError as error:
            raise ShopError("The loyalty program cannot be reached now.") from error


def _key() -> str:
    """The shop's API key; made anew, in place of the one before, when it is not known any more."""
    known: str | None = cache.get(KEPT_AS)
    if known is None:
        for former in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
            revoke_api_key(actor=SYSTEM, key=former)
        _key_row, known = create_api_key(actor=SYSTEM, name=KEY_NAME, scopes=SCOPES)
        cache.set(KEPT_AS, known, timeout=None)
    return known


def _less(lines: list[dict[str, str]], off: Decimal) -> list[dict[str, str]]:
    """The lines at what is left to pay: the first ones bear the discount."""
    found = []
    for line in lines:
        total = Decimal(line["total"])
        part = min(total, off)
        off -= part
        before = Decimal(line.get("discount", "0"))
        found.append(line | {"total": str(total - part), "discount": str(before + part)})
    return found

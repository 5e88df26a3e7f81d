"""/storefront: what the shop's pages show to everybody; kept by browsers and caches."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

from django.core.cache import cache
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.order_bodies import CENT, PositiveMoney, Quantity, Text64, Text128
from loyalty.models import Program, Tier
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from members.api.bodies import Answer, Body, Currency, Query, answer, read_body, read_query
from members.api.member_views import PUBLIC, PublicView
from members.api.public_answers import kept_answer
from members.api.schema import query_parameters
from members.selectors.merchants import get_merchant
from members.services.member_tokens import customers_of_badges
from rewards.models import Element, Storefront
from rewards.selectors.storefront import (
    Earned,
    get_storefront,
    shown_program,
    tiers_of,
    values_of,
)
from rewards.services.storefront import earned_in
from rewards.storefront_words import texts_of, theme_of

# How long browsers keep what they were told: settings and prices change seldom.
KEPT = 300
# The answer is worked out this often for each language.
WORKED_OUT_FOR = 60
MOST_BADGES = 50


class ThemeOut(Answer):
    accent: str
    hover: str
    on: str = Field(description="What is written on the accent color.")
    text: str = Field(description="The accent color where it is text on a light page.")


class StorefrontOut(Answer):
    program: str | None = Field(description="Its code. Null: nothing is shown.")
    name: str
    language: str
    elements: list[Element]
    joinable: bool = Field(description="Whether somebody can join by themselves.")
    values: list[str] = Field(description="What members get, in a few sentences.")
    texts: dict[str, str]
    theme: ThemeOut
    join_url: str
    account_url: str
    popup_seconds: int


class StorefrontEarnedOut(Answer):
    wallet_type: str
    decimals: int
    units: Units
    words: str


class EarningsOut(Answer):
    earns: list[StorefrontEarnedOut] = Field(
        description="By somebody who joins with it; none: nothing."
    )
    words: str = Field(description="All of it in words; empty: nothing.")


class EarnQuery(Query):
    price: PositiveMoney = Field(description="Of one, as it is charged.")
    currency: Currency | None = Field(None, description="By default the program's.")
    quantity: Annotated[Quantity, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")] = "1"
    sku: Text128 = ""
    category: Text128 = ""


class StorefrontLine(Body):
    total: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$")]
    quantity: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")] = "1"
    sku: Text128 = ""
    category: Text128 = ""


class StorefrontBasket(Body):
    """What is in a basket; who buys is not said here."""

    currency: Currency | None = Field(None, description="By default the program's.")
    lines: tuple[StorefrontLine, ...] = Field(min_length=1, max_length=100)
    codes: tuple[Text64, ...] = Field((), max_length=10, description="Codes that were typed in.")


class TierQuery(Query):
    badges: Annotated[str, Field(min_length=1, max_length=8_000)] = Field(
        description=f"Up to {MOST_BADGES} of them, separated by commas."
    )


class BadgeTierOut(Answer):
    badge: str
    name: str
    color: str
    icon: str


class BadgeTiersOut(Answer):
    results: list[BadgeTierOut] = Field(description="Who has no tier, or is not known, is not in.")


class StorefrontSettings(PublicView):
    scopes = {"GET": PUBLIC}

    @extend_schema(operation_id="getStorefront", responses={200: StorefrontOut})
    def get(self, request: Request) -> HttpResponse:
        """Read what the storefront script shows and says, in the language of Accept-Language."""
        storefront, merchant = get_storefront(), get_merchant()
        language = translation.get_language() or ""
        marks = f"{storefront.updated_at.timestamp()}:{merchant.updated_at.timestamp()}"
        found = cache.get_or_set(
            f"storefront:{request.get_host()}:{language}:{marks}",
            lambda: _settings(storefront, merchant.accent_color, language, request),
            WORKED_OUT_FOR,
        )
        assert isinstance(found, StorefrontOut)
        return kept_answer(request, found, seconds=KEPT)


class StorefrontEarn(PublicView):
    scopes = {"GET": PUBLIC}

    @extend_schema(
        operation_id="previewEarnings",
        parameters=query_parameters(EarnQuery),
        responses={200: EarningsOut},
    )
    def get(self, request: Request) -> HttpResponse:
        """Say what buying a product earns for somebody who joins with it."""
        query, now = read_query(request, EarnQuery), timezone.now()
        total = (Decimal(query.price) * Decimal(query.quantity)).quantize(CENT)
        line = LineInput(
            1, total, quantity=Decimal(query.quantity), unit_price=Decimal(query.price),
            sku=query.sku, category=query.category,
        )  # fmt: skip
        program = public_program(Element.EARN, now)
        found = _visitor_earns(program, query.currency, (line,), now)
        return kept_answer(request, earnings_out(found), seconds=KEPT)


class StorefrontBaskets(PublicView):
    scopes = {"POST": PUBLIC}

    @extend_schema(
        operation_id="previewBasket", request=StorefrontBasket, responses={200: EarningsOut}
    )
    def post(self, request: Request) -> HttpResponse:
        """Say what a basket earns for somebody who joins with it. Nothing is written."""
        body, now = read_body(request, StorefrontBasket), timezone.now()
        program = public_program(Element.BASKET, now)
        return answer(earnings_out(_visitor_earns(program, body.currency, basket_lines(body), now)))


class StorefrontTiers(PublicView):
    scopes = {"GET": PUBLIC}

    @extend_schema(
        operation_id="readTierBadges",
        parameters=query_parameters(TierQuery),
        responses={200: BadgeTiersOut},
    )
    def get(self, request: Request) -> HttpResponse:
        """Read the tiers behind badges, which `POST /tier-badges` makes: to stand beside
        reviews."""
        asked = read_query(request, TierQuery).badges.split(",")[:MOST_BADGES]
        now = timezone.now()
        program, people = public_program(Element.TIER, now), customers_of_badges(asked)
        tiers = tiers_of(list(people.values()), program, now) if program else {}
        rows = [
            _badge_out(badge, tiers[people[badge]])
            for badge in asked
            if badge in people and people[badge] in tiers
        ]
        return kept_answer(request, BadgeTiersOut(results=rows), seconds=KEPT)


def public_program(element: Element, now: dt.datetime) -> Program | None:
    """The program that is shown, if this element is."""
    storefront = get_storefront()
    return shown_program(storefront, now) if storefront.shows(element) else None


def basket_lines(body: StorefrontBasket) -> tuple[LineInput, ...]:
    return tuple(
        LineInput(
            number, Decimal(line.total), quantity=Decimal(line.quantity),
            unit_price=_unit_price(line), sku=line.sku, category=line.category,
        )
        for number, line in enumerate(body.lines, start=1)
    )  # fmt: skip


def preview_order(
    program: Program,
    currency: str | None,
    lines: tuple[LineInput, ...],
    now: dt.datetime,
    customer: CustomerRef | None = None,
    codes: tuple[str, ...] = (),
) -> OrderInput:
    """A basket as an order that would be placed now. Nobody named: by who joins with it."""
    return OrderInput(
        external_id="storefront",
        placed_at=now,
        currency=currency or program.currency,
        total=sum((line.total for line in lines), Decimal(0)),
        customer=customer,
        lines=lines,
        enroll=customer is None,
        coupons=codes,
    )


def earnings_out(found: list[Earned]) -> EarningsOut:
    return EarningsOut(
        earns=[
            StorefrontEarnedOut(
                wallet_type=item.wallet_type.code, decimals=item.wallet_type.scale,
                units=units_text(item.units, item.wallet_type.scale), words=item.words,
            )
            for item in found
        ],
        words=", ".join(item.words for item in found),
    )  # fmt: skip


def _visitor_earns(
    program: Program | None, currency: str | None, lines: tuple[LineInput, ...], now: dt.datetime
) -> list[Earned]:
    if program is None:
        return []
    return earned_in(program, preview_order(program, currency, lines, now))


def _unit_price(line: StorefrontLine) -> Decimal:
    quantity = Decimal(line.quantity)
    return (Decimal(line.total) / quantity).quantize(CENT) if quantity else Decimal(0)


def _badge_out(badge: str, tier: Tier) -> BadgeTierOut:
    return BadgeTierOut(badge=badge, name=tier.name, color=tier.color, icon=tier.icon)


def _settings(
    storefront: Storefront, accent: str, language: str, request: Request
) -> StorefrontOut:
    now = timezone.now()
    program = shown_program(storefront, now)
    joining = reverse("programs:program", args=[program.code]) if program else ""
    return StorefrontOut(
        program=program.code if program else None,
        name=program.name if program else "",
        language=language,
        elements=[Element(item) for item in storefront.elements] if program else [],
        joinable=bool(program and program.joinable),
        values=values_of(program, now) if program else [],
        texts=texts_of(program) if program else {},
        theme=ThemeOut(**theme_of(accent)),
        join_url=storefront.join_url or request.build_absolute_uri(joining),
        account_url=storefront.account_url or request.build_absolute_uri(reverse("mypage:home")),
        popup_seconds=storefront.popup_seconds,
    )

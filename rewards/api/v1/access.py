"""/access: whether a member may enter something, and the windows before a sale."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, model_validator
from rest_framework.request import Request

from loyalty.api.v1.pools import member_named
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    PublicId,
    Query,
    answer,
    read_body,
    read_query,
)
from members.api.schema import query_parameters
from members.api.views import ApiView
from rewards.selectors.access_windows import OwnWindow, shown_to
from rewards.services.access import Access, check_benefit, check_product, check_reward, check_window

Named = Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)]


class AccessCheckIn(Body):
    """Exactly one of reward, benefit, window, and product (sku, category or both)."""

    membership: PublicId
    reward: Named | None = Field(None, description="Code of a reward that opens something.")
    benefit: Named | None = Field(
        None,
        description="A benefit of tiers or plans: its kind, as free_returns, or a perk's name.",
    )
    window: Named | None = Field(None, description="Code of a window before a sale.")
    sku: Named | None = Field(
        None, description="A product: whether a sale that has not opened yet holds it back."
    )
    category: Named | None = Field(None, description="Of the product, or all of a category.")

    @property
    def of_product(self) -> bool:
        return self.sku is not None or self.category is not None

    @model_validator(mode="after")
    def asks_for_one_thing(self) -> Self:
        named = sum(item is not None for item in (self.reward, self.benefit, self.window))
        if named + self.of_product != 1:
            raise ValueError(_("Give one of reward, benefit, window, and sku or category."))
        return self


class AccessOut(Answer):
    allowed: bool
    code: str = Field(
        description="Stable: allowed, program_not_live, not_active, not_taken, expired,"
        " no_benefit, not_yet, over, not_for_you."
    )
    message: str
    opens_at: dt.datetime | None = Field(description="Of a window: from when on, for this member.")
    until: dt.datetime | None = Field(description="Null: as long as nothing changes.")


class WindowOut(Answer):
    code: str
    name: str
    teaser: str
    link: str
    open: bool
    opens_at: dt.datetime
    closes_at: dt.datetime
    skus: list[str] = Field(description="What is held back until it opens.")
    categories: list[str]
    why: str = Field(
        description="The tier, plan or segment that lets them in earlier, if one does."
    )


class WindowsOut(Answer):
    results: list[WindowOut]


class WindowsQuery(Query):
    membership: PublicId = Field(description="As this member finds them.")


class AccessCheck(ApiView):
    scopes = {"POST": "rewards:read"}

    @extend_schema(operation_id="checkAccess", request=AccessCheckIn, responses={200: AccessOut})
    def post(self, request: Request) -> HttpResponse:
        """Say whether a member may enter now, and why not. Nothing is written."""
        body = read_body(request, AccessCheckIn)
        member, now = member_named(body.membership, "membership"), timezone.now()
        if body.reward is not None:
            found = check_reward(member, body.reward, now)
        elif body.of_product:
            categories = [body.category] if body.category else []
            found = check_product(member, body.sku or "", categories, now)
        elif body.benefit is not None:
            found = check_benefit(member, body.benefit, now)
        else:
            found = check_window(member, body.window or "", now)
        return answer(_access_out(found))


class AccessWindows(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(
        operation_id="listAccessWindows",
        parameters=query_parameters(WindowsQuery),
        responses={200: WindowsOut},
    )
    def get(self, request: Request) -> HttpResponse:
        """List the windows that are open for a member or will be, soonest first."""
        query = read_query(request, WindowsQuery)
        now = timezone.now()
        found = shown_to(member_named(query.membership, "membership"), now)
        return answer(WindowsOut(results=[_window_out(item, now) for item in found]))


def _access_out(found: Access) -> AccessOut:
    return AccessOut(
        allowed=found.allowed, code=found.code, message=found.words, opens_at=found.opens_at,
        until=found.until,
    )  # fmt: skip


def _window_out(item: OwnWindow, now: dt.datetime) -> WindowOut:
    assert item.opens_at is not None
    same = ("code", "name", "teaser", "link", "closes_at", "skus", "categories")
    return WindowOut(
        open=item.is_open(now), opens_at=item.opens_at, why=item.why,
        **{name: getattr(item.window, name) for name in same},
    )  # fmt: skip

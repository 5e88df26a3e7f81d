"""Tiers with a real browser: each page and dialog is read, on a phone too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership
from loyalty.services.tier_drafts import ask_to_publish_tiers, save_tier_draft
from loyalty.tier_definitions import TiersDefinition
from members.services.audit import Actor
from tests.factories import UserFactory
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500, "color": "azure", "icon": "star",
     "benefits": [{"kind": "free_returns"}, {"kind": "multiplier", "factor": "1.25"}]},
    {"code": "gold", "name": "Gold", "threshold": 1500, "color": "yellow", "icon": "crown"},
]  # fmt: skip


@pytest.fixture
def silver(transactional_db: None) -> Membership:
    ago = timezone.now() - dt.timedelta(days=340)
    make_program(at=ago, tiers={"tiers": LADDER, "window": "rolling_12_months"})
    record(order("A", "673", at=ago), now=timezone.now())
    return Membership.objects.select_related("customer", "program").get()


def test_each_page_is_read_and_fits(
    silver: Membership,
    sign_in: Callable[[str], Any],
    assert_all_in_order: Callable[..., None],
) -> None:
    wanted = TiersDefinition.model_validate({"tiers": LADDER[:2]})
    writer = Actor.of_user(UserFactory())
    program = silver.program
    save_tier_draft(program=program, tiers=wanted, actor=writer, now=timezone.now())
    ask_to_publish_tiers(program=program, actor=writer, now=timezone.now())
    page = sign_in("marketing_manager")
    said = {
        url("approval_list"): "Tiers",
        url("tier_set_page", "club"): "Draft of the tiers",
        url("tier_draft_publish", "club"): "Publish the tiers",
        url("tier_draft_send_back", "club"): "Why not",
        url("tier_set_edit", "club"): "Look at the effect",
        url("tier_falls", "club"): "Silver",
        url("tier_give", silver.public_id): "They have at least this tier",
    }
    assert_all_in_order(page, said)

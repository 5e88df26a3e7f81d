"""What members read of their tier."""

from collections.abc import Callable

from django.test import Client
from django.utils import timezone

from loyalty.models import Membership
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.tier_definitions import TiersDefinition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Shop
from tests.loyalty.account.reading import text_of

SignIn = Callable[[Customer], Client]
TIERS = {
    "window": "lifetime",
    "tiers": [
        {"code": "base", "name": "Member", "benefits": [{"kind": "free_returns"}]},
        {"code": "gold", "name": "Gold", "threshold": 1500, "color": "yellow", "icon": "crown",
         "benefits": [{"kind": "early_access", "hours": 24}]},
    ],
}  # fmt: skip


def test_a_member_reads_their_tier_what_is_missing_and_what_it_brings(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    now = timezone.now()
    said = definition_of(shop.program, now)
    tiers = TiersDefinition.model_validate(TIERS)
    apply_definition(said.model_copy(update={"tiers": tiers}), actor=SYSTEM, now=now)
    text = text_of(sign_in(maya), "/me/")
    assert "Your tier" in text
    assert "more to reach Gold." in text
    assert "Free returns" in text
    assert "What Gold brings" in text
    assert "24 hours of early access" in text


def test_without_tiers_there_is_no_word_of_them(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    assert Membership.objects.filter(customer=maya).exists()
    assert "Your tier" not in text_of(sign_in(maya), "/me/")

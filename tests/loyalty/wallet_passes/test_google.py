"""The link by which a card is saved at Google."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from django.utils import timezone

from loyalty.card_numbers import grouped
from loyalty.models import Membership, WalletPass
from loyalty.services.leaving import leave_program
from loyalty.services.wallet_passes import google_link
from loyalty.wallet_passes.google import SAVE
from loyalty.wallet_passes.keys import GooglePassKeys
from members.errors import NotFoundError
from members.models import Customer, Merchant
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import define_program
from tests.loyalty.account.test_tiers import TIERS
from tests.loyalty.wallet_passes.authority import ACCOUNT, ISSUER, rsa_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all")]
# What Google says that browsers bear.
LONGEST_LINK = 1_800


def claims_of(link: str) -> dict[str, Any]:
    token = link.removeprefix(SAVE)
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    found: dict[str, Any] = jwt.decode(
        token, rsa_key("Google").public_key(), algorithms=["RS256"], audience="google"
    )
    return found


def test_the_token_is_signed_by_the_account_and_has_program_and_card(
    google: GooglePassKeys, member: Membership, settings: Any
) -> None:
    settings.SITE_URL = "https://club.example"
    Merchant.objects.update(accent_color="#0f766e")
    now = timezone.now()
    link = google_link(member, now)
    assert urlsplit(link).hostname == "pay.google.com"
    claims = claims_of(link)
    assert (claims["iss"], claims["typ"]) == (ACCOUNT, "savetowallet")
    assert claims["iat"] == int(now.timestamp())
    assert claims["origins"] == ["https://club.example"]
    (program,), (card,) = claims["payload"]["loyaltyClasses"], claims["payload"]["loyaltyObjects"]
    assert program["id"] == card["classId"] == f"{ISSUER}.beans"
    assert (program["issuerName"], program["programName"]) == ("Corner Coffee", "Bean Club")
    assert program["hexBackgroundColor"] == "#0f766e"
    assert program["reviewStatus"] == "UNDER_REVIEW"
    logo = program["programLogo"]["sourceUri"]["uri"]
    assert logo.startswith("https://club.example/app-icon-512.png?v=")
    assert card["id"] == f"{ISSUER}.{member.public_id}"
    assert (card["state"], card["accountName"]) == ("ACTIVE", "Maya Lim")
    assert card["barcode"] == {"type": "QR_CODE", "value": member.card_number}
    assert card["accountId"] == grouped(member.card_number)
    assert card["loyaltyPoints"] == {"label": "Beans", "balance": {"string": "151"}}
    assert "secondaryLoyaltyPoints" not in card
    assert WalletPass.objects.get().linked_at == now


def test_the_logo_is_there_for_google_to_fetch(
    google: GooglePassKeys, member: Membership, client: Any
) -> None:
    (program,) = claims_of(google_link(member, timezone.now()))["payload"]["loyaltyClasses"]
    found = urlsplit(program["programLogo"]["sourceUri"]["uri"])
    picture = client.get(f"{found.path}?{found.query}")
    assert picture["Content-Type"] == "image/png"


def test_the_tier_is_said_in_the_members_language(
    google: GooglePassKeys, maya: Customer, member: Membership
) -> None:
    Customer.objects.filter(pk=maya.pk).update(locale="en-GB")
    define_program(tiers=TIERS)
    member.refresh_from_db()
    (card,) = claims_of(google_link(member, timezone.now()))["payload"]["loyaltyObjects"]
    assert card["textModulesData"] == [{"id": "tier", "header": "Tier", "body": "Member"}]


def test_the_link_is_short_enough_however_long_the_names(
    google: GooglePassKeys, member: Membership, settings: Any
) -> None:
    base, gold = TIERS["tiers"]
    tiers = {**TIERS, "tiers": [{**base, "name": "Φίλοι του καφέ από παλιά"}, gold]}
    define_program(name="Λέσχη φίλων του καφέ " * 5, tiers=tiers)
    Merchant.objects.update(name="Καφεκοπτείο " * 8)
    Customer.objects.update(given_name="Αλεξάνδρα", family_name="Παπακωνσταντίνου" * 3, locale="el")
    settings.SITE_URL = "https://members.the-name-of-a-shop.example"
    found = Membership.objects.get(pk=member.pk)
    assert len(google_link(found, timezone.now())) < LONGEST_LINK


def test_there_is_none_for_who_has_left_or_without_an_account(
    google: GooglePassKeys, member: Membership, settings: Any
) -> None:
    leave_program(membership=member, actor=SYSTEM, now=timezone.now())
    member.refresh_from_db()
    with pytest.raises(NotFoundError):
        google_link(member, timezone.now())
    settings.GOOGLE_PASSES = None
    with pytest.raises(NotFoundError):
        google_link(member, timezone.now())
    assert not WalletPass.objects.exists()

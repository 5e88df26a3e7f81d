"""A customer's tier on their page, by hand, and the list of who is about to lose one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.menu import tier_facts
from loyalty.models import ManualTier, Membership, MemberTier
from loyalty.timeline import membership_events
from members.models import AuditEntry
from members.timeline import list_timeline
from tests.loyalty.backoffice.conftest import queries_of, url
from tests.loyalty.factories import make_program, order, record

LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500, "color": "azure", "icon": "star",
     "benefits": [{"kind": "free_returns"}]},
    {"code": "gold", "name": "Gold", "threshold": 1500, "color": "yellow", "icon": "crown"},
]  # fmt: skip


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


@pytest.fixture
def silver(db: None) -> Membership:
    make_program(at=ago(900), tiers={"tiers": LADDER, "window": "rolling_12_months"})
    record(order("A", "673", at=ago(340)), now=timezone.now())
    return Membership.objects.select_related("customer", "program").get()


def text(client: Client, address: str, values: dict[str, Any] | None = None) -> str:
    response = client.get(address, values or {})
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_panel_says_the_tier_what_is_missing_and_the_history(
    agent: Client, client_of: Callable[[str], Client], silver: Membership
) -> None:
    panel, giving = url("tier_panel", silver.customer.public_id), url("tier_give", silver.public_id)
    said = text(agent, panel)
    assert giving in said
    assert giving not in text(client_of("analyst"), panel)
    for words in (
        "Silver", "Spend $827.00 more by", "to reach Gold.", "to keep Silver.",
        "Without anything more it is Member from", "Free returns", "Reached",
    ):  # fmt: skip
        assert words in said


def test_the_customers_header_says_the_tier_as_of_now(agent: Client, silver: Membership) -> None:
    [fact] = tier_facts(silver.customer)
    assert (fact.value, fact.icon) == ("Silver", "star")
    assert "Silver" in text(agent, reverse("backoffice:customer", args=[silver.customer.public_id]))
    # A row that nobody has renewed since its tier was lost is not believed.
    row = MemberTier.objects.get()
    base = row.tier.tier_set.tiers.get(code="gold")
    MemberTier.objects.update(tier=base, changes_at=ago(1))
    [fact] = tier_facts(silver.customer)
    assert fact.value == "Silver"


def test_in_a_program_without_tiers_the_panel_says_so(agent: Client, db: None) -> None:
    make_program()
    record(order("A", "10"))
    customer = Membership.objects.get().customer
    assert "In no program that has tiers." in text(agent, url("tier_panel", customer.public_id))


def test_a_tier_is_given_with_a_reason_and_an_end(agent: Client, silver: Membership) -> None:
    address = url("tier_give", silver.public_id)
    assert "Gold" in text(agent, address)
    last = (timezone.now() + dt.timedelta(days=30)).date()
    refused = agent.post(address, {"tier": "gold", "until": last.isoformat(), "reason": ""})
    assert refused.status_code == 422
    past = {"tier": "gold", "until": "2020-01-01", "reason": "Fair"}
    assert agent.post(address, past).status_code == 422
    given = {"tier": "gold", "until": last.isoformat(), "reason": "Speaks at our fair"}
    for _twice in range(2):
        assert agent.post(address, given).status_code == 302
    assert ManualTier.objects.count() == 1
    assert MemberTier.objects.get().tier.code == "gold"
    entry = AuditEntry.objects.get(action="tier.given")
    assert (entry.reason, entry.actor) == ("Speaks at our fair", ManualTier.objects.get().given_by)
    said = text(agent, url("tier_panel", silver.customer.public_id))
    assert "Gold was given by hand, to the end of" in said
    assert "Speaks at our fair" in said


def test_a_tier_by_hand_is_ended(agent: Client, silver: Membership) -> None:
    agent.post(url("tier_give", silver.public_id), {"tier": "gold", "reason": "Fair", "until": ""})
    given = ManualTier.objects.get()
    address = url("tier_end", given.public_id)
    assert "Without it they have what they reached: Silver." in text(agent, address)
    assert agent.post(address, {"reason": "By mistake"}).status_code == 302
    assert MemberTier.objects.get().tier.code == "silver"
    assert agent.get(address).status_code == 404


def test_who_is_about_to_lose_a_tier_is_a_list_and_a_file(
    manager: Client, silver: Membership
) -> None:
    address = url("tier_falls", "club")
    said = text(manager, address)
    assert "to keep Silver." in said
    assert "to keep Silver." in text(manager, address, {"days": "366"})
    MemberTier.objects.update(lost_at=ago(-61))
    assert "Nobody is about to lose a tier" in text(manager, address)
    file = manager.get(url("tier_falls_csv", "club"), {"days": "90"})
    lines = b"".join(file.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "customer,name,email,tier,falls_to,last_day,what_keeps_it"
    assert lines[1].startswith("c1,")
    assert ",Silver,Member," in lines[1]


def test_the_list_takes_as_many_queries_for_one_as_for_many(
    manager: Client, silver: Membership
) -> None:
    address = url("tier_falls", "club")
    manager.get(address)
    one = queries_of(manager, address)
    for number in range(3):
        buyer = f"d{number}"
        record(order(f"B{number}", "600", at=ago(330), buyer=buyer), now=timezone.now())
    assert queries_of(manager, address) == one


def test_a_program_without_tiers_has_an_empty_list(manager: Client, db: None) -> None:
    make_program()
    assert "This program has no tiers" in text(manager, url("tier_falls", "club"))


def test_the_timeline_says_when_the_tier_changed_and_why(silver: Membership) -> None:
    record(order("more", "2000", at=ago(1)), now=timezone.now())
    [became_gold, became_silver] = [
        event for event in list_timeline(silver.customer) if event.icon == "trophy"
    ]
    assert (became_gold.title, became_gold.text) == ("Gold instead of Silver", "Reached")
    assert became_silver.title == "Silver instead of Member"
    assert became_silver.moment < became_gold.moment
    older = membership_events(silver.customer, before=became_gold.moment, limit=5)
    assert older[0].title == "Silver instead of Member"

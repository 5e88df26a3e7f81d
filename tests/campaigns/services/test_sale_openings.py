"""The promotions of a sale that opens for some earlier."""

from __future__ import annotations

import pytest

from campaigns.selectors.campaigns import audience_of
from campaigns.services.campaigns import publish_campaign
from campaigns.services.sale_openings import draft_promotions
from members.errors import ConflictError
from members.models import Customer, Segment, SegmentMember
from members.services.audit import SYSTEM
from rewards.services.access_windows import WindowTerms, save_window
from tests.campaigns.campaigns import DAY
from tests.loyalty.factories import NOW, make_program, make_wallet

pytestmark = pytest.mark.django_db


def test_each_who_comes_at_another_time_has_its_own_until_it_opens_for_all():
    program = make_program(tiers={"window": "calendar_year", "tiers": [
        {"code": code, "name": code, "threshold": number * 100}
        for number, code in enumerate(("base", "silver", "gold"))
    ]})  # fmt: skip
    Segment.objects.create(code="vip", name="VIP", kind="static")
    terms = WindowTerms(
        "Sale", NOW + 9 * DAY, opens_at=NOW + 5 * DAY, skus=("COAT",), teaser="Wait for it",
        tiers={"gold": NOW + 2 * DAY, "silver": NOW + 4 * DAY}, segments={"vip": NOW + 2 * DAY},
    )  # fmt: skip
    window = save_window(program=program, code="sale", terms=terms, actor=SYSTEM)
    first, second, last = draft_promotions(window=window, actor=SYSTEM, now=NOW)
    gold = {"field": "membership.tier", "op": "is", "value": "gold"}
    vip = {"field": "customer.segments", "op": "has_any", "value": ["vip"]}
    assert sorted(first.audience["any"], key=str) == sorted([gold, vip], key=str)
    silver = gold | {"value": "silver"}
    assert second.audience["all"][0] == silver
    assert sorted(second.audience["all"][1]["not"]["any"], key=str) == sorted([gold, vip], key=str)
    assert last.audience == {}
    assert [(row.starts_at, row.ends_at) for row in (first, second, last)] == [
        (NOW + 2 * DAY, NOW + 5 * DAY), (NOW + 4 * DAY, NOW + 5 * DAY),
        (NOW + 5 * DAY, NOW + 9 * DAY),
    ]  # fmt: skip
    assert [row.teaser for row in (first, last)] == ["Wait for it"] * 2
    assert last.offer["skus"] == ["COAT"]
    for row in (first, second, last):
        assert publish_campaign(campaign=row, actor=SYSTEM, now=NOW).status == "scheduled"
    with pytest.raises(ConflictError):
        draft_promotions(window=window, actor=SYSTEM, now=NOW)


def test_a_sale_for_some_only_has_promotions_for_them_only():
    program = make_program()
    Segment.objects.create(code="vip", name="VIP", kind="static")
    terms = WindowTerms("Sale", NOW + 9 * DAY, segments={"vip": NOW - DAY})
    window = save_window(program=program, code="sale", terms=terms, actor=SYSTEM)
    [only] = draft_promotions(window=window, actor=SYSTEM, now=NOW)
    assert (only.starts_at, only.ends_at) == (NOW, NOW + 9 * DAY)


def test_who_comes_with_two_groups_is_in_the_earliest_alone():
    program = make_program(tiers={"window": "calendar_year", "tiers": [
        {"code": code, "name": code, "threshold": number * 100}
        for number, code in enumerate(("base", "silver"))
    ]})  # fmt: skip
    make_wallet(program)
    vip = Segment.objects.create(code="vip", name="VIP", kind="static")
    SegmentMember.objects.create(
        segment=vip, customer=Customer.objects.get(external_id="c1"), since=NOW
    )
    terms = WindowTerms(
        "Sale", NOW + 9 * DAY, opens_at=NOW + 5 * DAY,
        tiers={"base": NOW + 4 * DAY}, segments={"vip": NOW + 2 * DAY},
    )  # fmt: skip
    window = save_window(program=program, code="sale", terms=terms, actor=SYSTEM)
    found = draft_promotions(window=window, actor=SYSTEM, now=NOW)
    assert [audience_of(row, NOW).count() for row in found] == [1, 0, 1]

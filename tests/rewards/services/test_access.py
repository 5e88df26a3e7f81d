"""Who may enter: by what they took, by their tier, by a window that opens for some earlier."""

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from loyalty.models import Membership
from members.errors import DomainError
from members.models import Segment, SegmentMember
from members.segment_uses import segment_uses
from members.services.audit import SYSTEM
from rewards.selectors.access_windows import shown_to
from rewards.services.access import (
    check_benefit,
    check_product,
    check_reward,
    check_window,
    held_back,
)
from rewards.services.access_windows import (
    WindowTerms,
    archive_window,
    save_window,
    terms_of,
    tiers_by_hours,
)
from rewards.services.redemptions import cancel_redemption
from rewards.services.shared_codes import create_shared_code
from rewards.services.vouchers import use_voucher
from tests.loyalty.factories import NOW, make_program
from tests.rewards.factories import make_member, offer, take
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR = dt.timedelta(hours=1)


_made_once, member = of_each_test(lambda: make_member(1000))


@pytest.fixture
def friends(member):
    segment = Segment.objects.create(code="friends", name="Friends", kind="static")
    SegmentMember.objects.create(segment=segment, customer=member.customer, since=NOW)
    return segment


def window(member, **terms):
    said = {"name": "Sale", "closes_at": NOW + 9 * HOUR, "opens_at": NOW + 5 * HOUR} | terms
    return save_window(program=member.program, code="sale", terms=WindowTerms(**said), actor=SYSTEM)


def test_a_window_opens_for_all_and_earlier_for_those_of_a_segment(member, friends):
    window(member, segments={"friends": NOW + HOUR})
    other = make_member(0, "c2", member.program)
    found = check_window(member, "sale", NOW)
    assert (found.allowed, found.code, found.opens_at) == (False, "not_yet", NOW + HOUR)
    assert check_window(member, "sale", NOW + HOUR).allowed
    assert check_window(other, "sale", NOW + HOUR).opens_at == NOW + 5 * HOUR
    assert check_window(other, "sale", NOW + 5 * HOUR).allowed
    assert check_window(other, "sale", NOW + 9 * HOUR).code == "over"


def test_a_window_for_some_does_not_open_for_others(member, friends):
    window(member, opens_at=None, segments={"friends": NOW})
    other = make_member(0, "c2", member.program)
    assert check_window(member, "sale", NOW).allowed
    assert check_window(other, "sale", NOW).code == "not_for_you"
    assert [item.why for item in shown_to(member, NOW)] == ["Friends"]
    assert shown_to(other, NOW) == []
    assert [use.label for use in segment_uses()["friends"]] == ["Sale"]


def test_a_window_that_was_put_away_is_not_there(member):
    archive_window(window=window(member), actor=SYSTEM, now=NOW)
    with pytest.raises(DomainError):
        check_window(member, "sale", NOW)
    assert shown_to(member, NOW) == []


@pytest.mark.parametrize(
    "terms",
    [
        {"closes_at": NOW + 5 * HOUR},
        {"opens_at": None},
        {"tiers": {"nothing": NOW}},
        {"segments": {"nobody": NOW}},
    ],
)
def test_a_window_that_makes_no_sense_is_refused(member, terms):
    with pytest.raises(DomainError):
        window(member, **terms)


def test_a_reward_opens_something_while_it_is_kept_and_its_code_lasts(member):
    reward = offer(member.program, "lounge", kind="access", price=100, valid_days=1)
    assert check_reward(member, "lounge", NOW).code == "not_taken"
    taken = take(member, reward, at=NOW)
    found = check_reward(member, "lounge", NOW)
    assert (found.allowed, found.until) == (True, taken.voucher.expires_at)
    late = check_reward(member, "lounge", taken.voucher.expires_at)
    assert (late.allowed, late.code) == (False, "expired")
    cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=NOW)
    assert check_reward(member, "lounge", NOW).code == "not_taken"
    with pytest.raises(DomainError):
        check_reward(member, "nothing", NOW)


def test_nobody_enters_whose_membership_rests(member):
    window(member, opens_at=NOW)
    Membership.objects.filter(pk=member.pk).update(status="suspended")
    member.refresh_from_db()
    assert check_window(member, "sale", NOW).code == "not_active"
    assert check_benefit(member, "free_returns", timezone.now()).code == "not_active"


def test_a_benefit_that_no_tier_brings_is_said_so(member):
    assert check_benefit(member, "free_returns", NOW).code == "no_benefit"


def test_a_reward_that_was_drawn_or_whose_shared_code_was_used_opens_it(member):
    lounge = offer(member.program, "lounge", kind="access")
    offer(member.program, "box", kind="mystery", prizes={"lounge": 1})
    assert check_reward(member, "lounge", NOW).code == "not_taken"
    box = member.program.rewards.get(code="box")
    drawn = take(member, box, at=NOW)
    assert check_reward(member, "lounge", NOW).allowed
    cancel_redemption(redemption=drawn, reason="", source="api", actor=SYSTEM, now=NOW)
    assert not check_reward(member, "lounge", NOW).allowed
    code = create_shared_code(
        reward=lounge, written="LOUNGE26", most_uses=5, expires_at=NOW + HOUR, actor=SYSTEM, now=NOW
    )  # fmt: skip
    use_voucher(voucher=code, checkout="x", occasion=None, actor=SYSTEM, now=NOW, member=member)
    assert check_reward(member, "lounge", NOW).until == NOW + HOUR
    assert check_reward(member, "lounge", NOW + HOUR).code == "expired"


def test_what_a_sale_names_waits_for_the_members_own_time(member, friends):
    other = make_member(0, "c2", member.program)
    window(member, segments={"friends": NOW + HOUR}, skus=("A",), categories=("SHOES",))
    for sku, categories in (("A", []), ("B", ["SHOES"])):
        found = check_product(member, sku, categories, NOW)
        assert (found.allowed, found.code, found.opens_at) == (False, "not_yet", NOW + HOUR)
        assert check_product(member, sku, categories, NOW + HOUR).allowed
        assert check_product(other, sku, categories, NOW + HOUR).code == "not_yet"
        assert check_product(other, sku, categories, NOW + 5 * HOUR).allowed
    assert check_product(other, "B", ["HATS"], NOW).allowed
    assert check_product(other, "A", [], NOW + 10 * HOUR).allowed


def test_what_is_for_some_only_nobody_else_buys_until_it_is_over(member, friends):
    other = make_member(0, "c2", member.program)
    window(member, opens_at=None, segments={"friends": NOW}, skus=("A",))
    assert check_product(member, "A", [], NOW).allowed
    assert check_product(other, "A", [], NOW).code == "not_for_you"
    assert check_product(other, "A", [], NOW + 9 * HOUR).allowed


def test_a_sale_that_names_nothing_holds_nothing_back(member, django_assert_num_queries):
    window(member)
    with django_assert_num_queries(2):
        assert held_back(member, [("A", [])], NOW) == {}


def test_tiers_come_by_the_hours_of_their_benefit():
    early = {"kind": "early_access", "hours": 48}
    program = make_program(tiers={"window": "calendar_year", "tiers": [
        {"code": "base", "name": "Base"},
        {"code": "gold", "name": "Gold", "threshold": 100, "benefits": [early]},
    ]})  # fmt: skip
    assert tiers_by_hours(program, NOW + 5 * HOUR) == {"gold": NOW - 43 * HOUR}
    terms = WindowTerms(name="Sale", closes_at=NOW + 9 * HOUR, opens_at=NOW + 5 * HOUR,
                        tiers={"gold": NOW - 43 * HOUR}, skus=("B", "A", "A"))  # fmt: skip
    row = save_window(program=program, code="sale", terms=terms, actor=SYSTEM)
    assert terms_of(row) == replace(terms, skus=("A", "B"))

"""Who pays for a plan with early access comes earlier, wherever members of a tier with it do."""

import datetime as dt

import pytest

from campaigns.services.post_access import access_of, members_allowed
from campaigns.services.sale_openings import draft_promotions
from loyalty.services.plan_refunds import cancel_now, preview_refund
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.services.access import check_benefit, check_window
from rewards.services.access_windows import WindowTerms, plans_by_hours, save_window, terms_of
from rewards.services.eligibility import offers_for
from tests.campaigns.community import make_post
from tests.loyalty.factories import NOW, adjust, wallet_of
from tests.loyalty.planning import join, make_club, member, pay, plan
from tests.rewards.factories import offer
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR = dt.timedelta(hours=1)
EARLY = plan(
    benefits=[
        {"kind": "early_access", "hours": 48}, {"kind": "free_returns"},
        {"kind": "custom", "name": "tea"},
    ]
)  # fmt: skip


def make_payer():
    """A member who has the plan."""
    found = member(make_club(EARLY))
    pay(join(found), NOW)
    adjust(wallet_of(found.account_id), 1000, "start")
    return found


_made_once, payer = of_each_test(make_payer)


@pytest.fixture
def other(payer):
    found = member(payer.program, "c2")
    adjust(wallet_of(found.account_id), 1000, "start-2")
    return found


def sale(payer, **terms):
    said = {"name": "Sale", "closes_at": NOW + 90 * HOUR, "opens_at": NOW + 72 * HOUR} | terms
    return save_window(program=payer.program, code="sale", terms=WindowTerms(**said), actor=SYSTEM)


def codes_of(reward, membership, now):
    return [refusal.code for refusal in offers_for([reward], membership, now)[0].refusals]


def test_a_reward_is_theirs_so_many_hours_earlier(payer, other):
    reward = offer(payer.program, starts_at=NOW + 72 * HOUR)
    just_before = NOW + 24 * HOUR - dt.timedelta(seconds=1)
    assert codes_of(reward, payer, just_before) == ["not_yet"]
    assert codes_of(reward, payer, NOW + 24 * HOUR) == []
    assert codes_of(reward, other, NOW + 71 * HOUR) == ["not_yet"]


def test_a_post_is_read_so_many_hours_earlier(payer, other):
    post = make_post(payer.program, opens_at=NOW + 72 * HOUR)
    assert access_of(post, payer, NOW + 24 * HOUR).allowed
    assert access_of(post, payer, NOW).opens_at == NOW + 24 * HOUR
    assert members_allowed(post, [payer, other], NOW + 24 * HOUR) == {payer.pk}


def test_the_shop_is_told_of_what_the_plan_brings(payer, other):
    for benefit in ("early_access", "free_returns", "tea"):
        assert check_benefit(payer, benefit, NOW).allowed
        assert check_benefit(other, benefit, NOW).code == "no_benefit"
    assert check_benefit(payer, "concierge", NOW).code == "no_benefit"


def test_with_the_plan_its_benefits_end(payer):
    own = payer.subscriptions.get()
    cancel_now(
        subscription=own, refund=preview_refund(own.charges.get(), now=NOW + HOUR), actor=SYSTEM,
        source="backoffice", now=NOW + HOUR,
    )  # fmt: skip
    assert check_benefit(payer, "free_returns", NOW + 2 * HOUR).code == "no_benefit"
    reward = offer(payer.program, starts_at=NOW + 72 * HOUR)
    assert codes_of(reward, payer, NOW + 30 * HOUR) == ["not_yet"]


def test_a_sale_opens_for_a_plan_earlier(payer, other):
    window = sale(payer, plans=plans_by_hours(payer.program, NOW + 72 * HOUR))
    assert terms_of(window).plans == {"plus": NOW + 24 * HOUR}
    assert check_window(payer, "sale", NOW).opens_at == NOW + 24 * HOUR
    assert check_window(payer, "sale", NOW + 24 * HOUR).allowed
    assert check_window(other, "sale", NOW + 24 * HOUR).opens_at == NOW + 72 * HOUR


def test_a_sale_for_a_plan_that_is_not_there_is_refused(payer):
    with pytest.raises(DomainError) as refused:
        sale(payer, plans={"gold": NOW})
    assert [error.field for error in refused.value.errors] == ["plans"]


def test_the_sales_promotion_for_those_who_come_earlier_asks_for_the_plan(payer):
    window = sale(payer, skus=("B-1",), plans={"plus": NOW + HOUR})
    early, usual = draft_promotions(window=window, actor=SYSTEM, now=NOW)
    assert early.audience == {"field": "membership.plan", "op": "is", "value": "plus"}
    assert usual.audience == {}

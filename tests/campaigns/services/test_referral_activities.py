"""A friend who was brought is an activity of who brought them, for rules and pledges to count."""

import pytest

from campaigns.models import Referral
from loyalty.models import Activity
from tests.campaigns.factories import follow
from tests.campaigns.referrals import DAY, bring, buy, make_link, promise, settle
from tests.loyalty.factories import NOW, give_back, make_program, make_type, moves, refund
from tests.loyalty.factories import reward as for_activity

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger")]
TYPE = "friend-brought"


def paid(**program: object) -> Referral:
    made = make_program(**program)
    promise(made)
    referral = bring(make_link(made, "ann"), "ben")
    buy("ben")
    return settle(referral, NOW + 40 * DAY)


def told() -> list[tuple[str, str, str]]:
    rows = Activity.objects.order_by("pk")
    return list(rows.values_list("customer__external_id", "state", "subject"))


def test_it_is_told_once_and_a_rule_gives_for_it() -> None:
    make_type(TYPE)
    referral = paid(earning_rules=[for_activity(TYPE, 50)])
    assert referral.status == Referral.Status.PAID
    follow()
    settle(referral, NOW + 41 * DAY)
    follow()
    assert told() == [("ann", "approved", referral.program.code)]
    assert moves("ann").count(("accrual", 50)) == 1


def test_with_the_referral_it_is_taken_back() -> None:
    make_type(TYPE)
    referral = paid(earning_rules=[for_activity(TYPE, 50)])
    follow()
    give_back(refund("R", "50", of="ben-1", at=NOW + 45 * DAY))
    assert settle(referral, NOW + 45 * DAY).status == Referral.Status.TAKEN_BACK
    follow()
    assert [state for _who, state, _of in told()] == ["reversed"]
    follow()
    assert sum(units for _kind, units in moves("ann")) == 0


def test_without_such_a_type_nothing_is_told() -> None:
    paid()
    follow()
    assert told() == []


def test_what_is_not_paid_yet_is_not_told() -> None:
    make_type(TYPE)
    made = make_program()
    promise(made)
    bring(make_link(made, "ann"), "ben")
    follow()
    assert told() == []


def test_what_waits_for_approval_is_rejected_with_the_referral() -> None:
    make_type(TYPE, approval=True)
    referral = paid(earning_rules=[for_activity(TYPE, 50)])
    follow()
    assert [state for _who, state, _of in told()] == ["pending"]
    give_back(refund("R", "50", of="ben-1", at=NOW + 45 * DAY))
    settle(referral, NOW + 45 * DAY)
    follow()
    assert [state for _who, state, _of in told()] == ["rejected"]

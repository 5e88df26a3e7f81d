"""Whoever may spend from a pool hears before its units expire, and some expire only then."""

import pytest

from campaigns.models import Message
from loyalty.models import Membership, PoolMember, Program
from loyalty.selectors.pools import pool_wallets
from tests.campaigns.factories import switch_on, work
from tests.campaigns.services.test_told_expiry import YEAR, goes_on, journey, told
from tests.loyalty.factories import NOW, adjust, day, make_program, wallet_of
from tests.loyalty.services.pooling import add, found_pool, in_pool, join, leave, place

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("awake"),
    pytest.mark.usefixtures("coherent_ledger"),
]  # fmt: skip


def household(**terms):
    """Ana and ben share the 250 points that ana brought."""
    program = make_program(unit={"unit_value": "0.01", "expiry": YEAR | terms.pop("expiry", {})})
    ana, ben = join(program, "ana"), join(program, "ben")
    adjust(wallet_of(ana.account_id), 250, "start")
    pool = found_pool(ana, bring=True, **terms)
    add(pool, ben)
    return pool


def hearing() -> list[str]:
    rows = Message.objects.order_by("customer__external_id")
    return list(rows.values_list("customer__external_id", flat=True))


def test_everybody_who_may_spend_is_told_once() -> None:
    household()
    switch_on("expiring", at=NOW)
    assert work("expiry_warnings", day(330)) == 2
    assert work("expiry_warnings", day(331)) == 0
    assert hearing() == ["ana", "ben"]
    subject, text = told()[0]
    assert subject == "250 points of “The Harts” expire soon"
    assert text == "They are worth $2.50. The last day to use them is Mar 14, 2025."


def test_who_may_not_spend_is_not_told() -> None:
    household(spending="owners")
    switch_on("expiring", at=NOW)
    assert work("expiry_warnings", day(330)) == 1
    assert hearing() == ["ana"]


def test_who_was_named_is_told() -> None:
    household(spending="named")
    PoolMember.objects.filter(membership__customer__external_id="ben").update(may_spend=True)
    switch_on("expiring", at=NOW)
    work("expiry_warnings", day(330))
    assert hearing() == ["ana", "ben"]


def test_of_a_company_owners_and_approvers_are_told() -> None:
    program = make_program(unit={"expiry": YEAR})
    ana, ben, cleo = (join(program, number) for number in ("ana", "ben", "cleo"))
    adjust(wallet_of(ana.account_id), 250, "start")
    firm = found_pool(ana, bring=True, kind="company")
    add(firm, ben, role="buyer")
    add(firm, cleo, role="approver")
    switch_on("expiring", at=NOW)
    work("expiry_warnings", day(330))
    assert hearing() == ["ana", "cleo"]


def test_who_has_left_or_is_suspended_is_not_told() -> None:
    pool = household()
    cleo = join(Program.objects.get(), "cleo")
    add(pool, cleo)
    leave(place("ben"), day(1))
    Membership.objects.filter(pk=cleo.pk).update(status=Membership.Status.SUSPENDED)
    switch_on("expiring", at=NOW)
    work("expiry_warnings", day(330))
    assert hearing() == ["ana"]


def test_units_that_must_be_warned_of_expire_only_after_somebody_was_told() -> None:
    pool = household(expiry={"warned_days": 14})
    assert in_pool(pool, day(500)) == (250, 0)
    switch_on("expiring", at=NOW)
    work("expiry_warnings", day(306))
    assert in_pool(pool, day(500)) == (0, 0)


def test_a_journey_tells_everybody_who_may_spend_and_the_occasion_does_not_repeat_it() -> None:
    pool = household()
    journey(pool_wallets(pool)[0], distances=[60])
    switch_on("expiring", at=NOW)
    assert goes_on(306) == 2
    assert hearing() == ["ana", "ben"]
    assert work("expiry_warnings", day(306)) == 0
    assert goes_on(307) == 0


def test_a_journey_tells_each_of_what_wants_a_longer_notice() -> None:
    pool = household(expiry={"warned_days": 30})
    journey(pool_wallets(pool)[0], distances=[7])
    assert goes_on(334) + goes_on(335) + goes_on(336) == 2
    assert hearing() == ["ana", "ben"]
    assert len({text for _subject, text in told()}) == 1

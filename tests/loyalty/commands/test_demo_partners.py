"""The coffee shop of the demonstration."""

from django.utils import timezone

from loyalty.demo.partners import people_drink_coffee
from loyalty.models import Order, Partner, PartnerSettlement, Transfer
from members.models import StaffMember
from tests.loyalty.factories import day, make_program, make_wallet, order, record


def test_the_demonstration_has_a_coffee_shop_with_some_settled_months(db):
    program = make_program(unit={"unit_value": "0.01"})
    for number in range(6):
        make_wallet(program, f"c{number}", at=day(0))
        record(order(f"A{number}", "500", buyer=f"c{number}"))
    for _time in range(2):
        people_drink_coffee(program)
    partner = Partner.objects.get()
    assert Order.objects.filter(partner=partner).count() == 30
    assert Transfer.objects.filter(to_account=partner.pk, kind="redemption").count() == 2
    settled = PartnerSettlement.objects.filter(partner=partner)
    assert 2 <= settled.count() <= 3
    assert all(row.until < timezone.now().date() for row in settled)
    assert StaffMember.objects.get(role="partner").partner == partner.pk

"""Joining a program."""

import pytest

from loyalty.models import Membership, Wallet
from loyalty.services.memberships import enroll_customer, luhn_digit, new_card_number
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, day, make_program


@pytest.mark.parametrize(
    ("body", "digit"), [("7992739871", "3"), ("411111111111111", "1"), ("0", "0"), ("18", "2")]
)
def test_the_check_digit_is_luhns(body, digit):
    assert luhn_digit(body) == digit


def test_card_numbers_have_sixteen_digits_and_catch_typing_errors():
    numbers = {new_card_number() for _ in range(200)}
    assert len(numbers) == 200
    for number in numbers:
        assert (len(number), number[0], luhn_digit(number[:-1])) == (16, "9", number[-1])
        wrong = number[:5] + str((int(number[5]) + 1) % 10) + number[6:]
        assert luhn_digit(wrong[:-1]) != wrong[-1]


def test_joining_twice_is_joining_once(db):
    program = make_program(wallet_types=[{}, {"code": "stars"}])
    customer = Customer.objects.create(external_id="c1")

    def join(at):
        return enroll_customer(
            customer=customer, program=program, source="staff", at=at, actor=SYSTEM
        )

    (first, new), (second, again) = join(NOW), join(day(9))
    assert (first, new, again) == (second, True, False)
    assert first.enrolled_at == NOW
    assert (Membership.objects.count(), Wallet.objects.count()) == (1, 2)
    assert AuditEntry.objects.filter(action="membership.enrolled").count() == 1

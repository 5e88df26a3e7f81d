"""Fifty shoppers in three processes want the same few things: as many get them as there are."""

from __future__ import annotations

from collections import Counter

import pytest

from loyalty.ledger.checks import verify_ledger
from loyalty.models import Membership, Transfer
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from rewards.models import Redemption, Reward, VoucherUse
from rewards.services.shared_codes import create_shared_code
from tests.api.crowds import Asked, ask_at_once
from tests.loyalty.factories import NOW, day, make_program, spendable
from tests.rewards.factories import make_member, offer

pytestmark = pytest.mark.django_db(transaction=True)
SHOPPERS, USES, EACH = 50, 3, 100


@pytest.mark.timeout(300)
def test_of_fifty_in_three_processes_as_many_get_it_as_there_is() -> None:
    program = make_program()
    shoppers = [make_member(EACH, f"m{number}", program) for number in range(SHOPPERS)]
    poor = make_member(EACH + 50, "poor", program)
    last, plain = offer(program, "last", price=EACH, stock=1), offer(program, "plain", price=EACH)
    code = create_shared_code(
        reward=plain, written="SUMMER-26", most_uses=USES, expires_at=None, actor=SYSTEM, now=NOW
    )
    scopes = ["vouchers:write", "redemptions:write", "rewards:read"]
    _key, secret = create_api_key(actor=SYSTEM, name="shop", scopes=scopes)

    found = Counter(ask_at_once(secret, [
        _wishes(number, member, poor, last, plain, code.written)
        for number, member in enumerate(shoppers)
    ]))  # fmt: skip

    assert {(item.about, item.status, item.code): count for item, count in found.items()} == {
        ("voucher", 200, ""): USES, ("voucher", 409, "voucher_used"): SHOPPERS - USES,
        ("stock", 201, ""): 1, ("stock", 409, "sold_out"): SHOPPERS - 1,
        ("wallet", 201, ""): 1, ("wallet", 409, "insufficient_balance"): SHOPPERS - 1,
    }  # fmt: skip
    assert sorted(VoucherUse.objects.values_list("slot", "state")) == [
        (slot, "used") for slot in range(1, USES + 1)
    ]
    code.refresh_from_db()
    last.refresh_from_db()
    assert (code.status, last.taken, Redemption.objects.count()) == ("used", 1, 2)
    # Of all units those of two rewards are gone, from whoever got them.
    winner = Redemption.objects.get(reward=last).membership
    has = {member.pk: spendable(f"m{number}") for number, member in enumerate(shoppers)}
    assert has.pop(winner.pk) == 0
    assert set(has.values()) == {EACH}
    assert spendable("poor") == 50
    assert Transfer.objects.filter(kind="redemption").count() == 2
    assert verify_ledger(day(1)) == []


def _wishes(
    number: int, member: Membership, poor: Membership, last: Reward, plain: Reward, code: str
) -> list[Asked]:
    """What one of them asks for, in an order that others do not have."""
    voucher = {"code": code, "checkout": f"A{number}", "membership": str(member.public_id)}
    wishes = [
        Asked("voucher", "/vouchers/use", voucher),
        Asked("stock", "/reward-redemptions", _of(member, last), f"s{number}"),
        Asked("wallet", "/reward-redemptions", _of(poor, plain), f"w{number}"),
    ]
    turn = number % len(wishes)
    return wishes[turn:] + wishes[:turn]


def _of(member: Membership, reward: Reward) -> dict[str, str]:
    return {"membership": str(member.public_id), "reward": str(reward.public_id)}

"""Mystery gifts: what is in them is drawn once, by weight, among what is left."""

import datetime as dt
from collections import Counter

import pytest
from django.db import DatabaseError, transaction

from loyalty.ledger.checks import check_rule
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.api.v1.redemptions import redemption_out
from rewards.checks import CHECKS
from rewards.errors import RewardRefusedError
from rewards.models import Redemption, Reward, RewardPrize
from rewards.selectors.rewards import definition_of
from rewards.services.eligibility import offers_for
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption, issue_redemption
from rewards.services.rewards import change_reward
from rewards.words import conditions_of
from tests.loyalty.factories import NOW, make_program, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


_made_once, member = of_each_test(lambda: make_member(100_000))


@pytest.fixture
def gift(member):
    offer(member.program, "cup", kind="free_product", skus=["CUP"], name="A cup", status="draft")
    offer(member.program, "five", name="5 off", stock=2)
    return offer(
        member.program, "gift", kind="mystery", name="Surprise", price=50,
        prizes={"cup": 3, "five": 1},
    )  # fmt: skip


def agrees():
    return [name for name in CHECKS if check_rule(name, NOW) is not None] == []


def test_what_is_drawn_is_kept_and_its_code_does_what_it_does(member, gift):
    taken = take(member, gift, at=NOW)
    taken.refresh_from_db()
    assert taken.drawn.code in {"cup", "five"}
    assert taken.draw["weights"] == [["cup", 3], ["five", 1]]
    assert 0 <= taken.draw["number"] < 4
    voucher = voucher_of(taken)
    assert (voucher.reward, voucher.terms["kind"]) == (taken.drawn, taken.drawn.kind)
    assert spendable() == 100_000 - 50
    assert agrees()


def test_the_same_key_and_another_look_draw_nothing_anew(member, gift):
    held = take(member, gift, at=NOW, hold=dt.timedelta(hours=1))
    # It is kept for them, and they are not told.
    assert redemption_out(held).drawn is None
    first = issue_redemption(redemption=held, actor=SYSTEM, now=NOW)
    again = issue_redemption(redemption=held, actor=SYSTEM, now=NOW)
    assert (first.drawn, first.draw) == (again.drawn, again.draw) == (held.drawn, held.draw)
    assert redemption_out(first).drawn == held.drawn.public_id
    assert take(member, gift, at=NOW).drawn == first.drawn
    with pytest.raises(DatabaseError), transaction.atomic():
        Redemption.objects.update(drawn=None)


def test_weights_are_kept_to_and_what_is_gone_is_not_drawn(member, gift):
    for number in range(40):
        take(member, gift, f"k{number}", at=NOW)
    drawn = Counter(Redemption.objects.values_list("drawn__code", flat=True))
    five = Reward.objects.get(code="five")
    assert drawn["five"] == five.taken <= 2
    assert drawn["cup"] >= 38
    assert agrees()
    Reward.objects.filter(code="five").update(taken=2)
    [words] = [text for text in conditions_of(gift, for_members=True) if "chance" in text]
    assert "A cup (100%)" in words or "A cup (75%), 5 off (25%)" in words


def test_honest_odds_are_said_and_change_with_what_is_left(member, gift):
    said = next(iter(conditions_of(gift, for_members=True)))
    assert said == "One of these by chance: A cup (75%), 5 off (25%). What is gone is not drawn."
    Reward.objects.filter(code="cup").update(status="archived")
    gift = change_reward(reward=gift, definition=definition_of(gift), actor=SYSTEM)
    fresh = Reward.objects.get(pk=gift.pk)
    assert "5 off (100%)" in next(iter(conditions_of(fresh, for_members=True)))


def test_nothing_left_in_it_is_sold_out(member, gift):
    Reward.objects.filter(code="cup").update(status="archived")
    Reward.objects.filter(code="five").update(stock=0)
    fresh = Reward.objects.get(pk=gift.pk)
    assert [item.code for item in offers_for([fresh], member, NOW)[0].refusals] == ["sold_out"]
    with pytest.raises(RewardRefusedError):
        take(member, gift, at=NOW)
    assert (spendable(), Redemption.objects.count()) == (100_000, 0)


def test_giving_it_up_gives_back_the_stock_of_both(member, gift):
    Reward.objects.filter(code="cup").update(status="archived")
    Reward.objects.filter(code="gift").update(stock=5)
    taken = take(member, gift, at=NOW)
    assert dict(Reward.objects.values_list("code", "taken")) == {"cup": 0, "five": 1, "gift": 1}
    cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=NOW)
    assert dict(Reward.objects.values_list("code", "taken")) == {"cup": 0, "five": 0, "gift": 0}
    assert (spendable(), agrees()) == (100_000, True)


def test_what_cannot_be_in_it_is_refused(member, gift):
    with pytest.raises(DomainError):
        offer(member.program, "second", kind="mystery", prizes={"gift": 1})
    with pytest.raises(DomainError):
        offer(member.program, "third", kind="mystery", prizes={"nothing": 1})
    other = offer(make_program(code="other"), "cup", kind="free_product", skus=["CUP"])
    for reward, prize in ((gift, other), (gift, gift), (Reward.objects.get(code="five"), other)):
        with pytest.raises(DatabaseError), transaction.atomic():
            RewardPrize.objects.create(reward=reward, prize=prize, weight=1)


def test_what_is_in_it_can_be_read_back(member, gift):
    assert definition_of(gift).prizes == {"cup": 3, "five": 1}


def test_a_mystery_gift_that_is_given_is_drawn_as_well(member, gift):
    given, _replayed = give_reward(
        membership=member, reward=gift, gift="staff", message="", key="g", source="backoffice",
        actor=SYSTEM, now=NOW,
    )  # fmt: skip
    assert voucher_of(given).reward == given.drawn
    assert (spendable(), agrees()) == (100_000, True)
    cancel_redemption(redemption=given, reason="", source="api", actor=SYSTEM, now=NOW)
    assert (spendable(), agrees()) == (100_000, True)


def test_what_is_in_it_cannot_become_something_that_is_sent(member, gift):
    cup = offer(member.program, "mug", kind="experience", status="draft")
    offer(member.program, "box", kind="mystery", prizes={"mug": 1})
    sent = definition_of(cup).model_copy(update={"sent": True})
    with pytest.raises(DomainError) as error:
        change_reward(reward=cup, definition=sent, actor=SYSTEM)
    assert [wrong.field for wrong in error.value.errors] == ["sent"]

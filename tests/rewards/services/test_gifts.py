"""Rewards that members are given: by staff, to a segment, on a day of the year."""

import datetime as dt
import uuid

import pytest
from django.db import DatabaseError, transaction

from loyalty.errors import KeyReusedError, LedgerError
from loyalty.models import AdjustmentLimit
from members.errors import ConflictError, DomainError
from members.models import Customer, Job, StaffMember
from members.services.audit import SYSTEM, Actor
from members.services.customers import erase_customer_details
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers
from members.services.segments import add_to_list, create_segment
from rewards.errors import RewardRefusedError
from rewards.models import GiftOccasion, Redemption, Reward
from rewards.services.gift_days import (
    find_gift_days,
    gift_day_words,
    give_gift_days,
    start_gift_day,
    stop_gift_day,
)
from rewards.services.gifts import give_by_staff, give_reward
from rewards.services.gifts_for_many import (
    gift_for_many_words,
    run_gift_for_many,
    start_gift_for_many,
)
from rewards.services.redemptions import cancel_redemption
from tests.loyalty.factories import NOW, day, make_program, moves, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services.test_redemptions import TIERS
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


_made_once, member = of_each_test(lambda: make_member(100))


def give(member, reward, key="g1", at=NOW, **how):
    return give_reward(
        membership=member, reward=reward, gift="staff", message=" Thank you ", key=key,
        source="api", actor=SYSTEM, now=at, **how,
    )[0]  # fmt: skip


def test_what_is_given_costs_nothing_and_has_a_code(member):
    given = give(member, offer(member.program, price=5000, on_shelf=False))
    assert (given.status, given.units, given.spent, given.message) == (
        "issued", 0, None, "Thank you",
    )  # fmt: skip
    assert voucher_of(given).status == "issued"
    assert (spendable(), moves()) == (100, [("adjustment", 100)])


def test_the_same_key_gives_it_once(member):
    reward = offer(member.program)
    assert give(member, reward) == give(member, reward, at=day(1))
    take(member, reward, "taken", at=NOW)
    with pytest.raises(KeyReusedError):
        give(member, reward, "taken")
    assert Redemption.objects.count() == 2


def test_conditions_and_limits_do_not_count_for_what_is_given_nor_it_for_them(member):
    vip = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    give(member, offer(member.program, "vip", when=vip))
    limited = offer(member.program, "one", per_member=1)
    give(member, limited, "g2")
    assert take(member, limited, at=NOW).status == "issued"
    assert give(member, limited, "g3").status == "issued"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"stock": 0}, "sold_out"), ({"status": "draft"}, "not_offered")],
)
def test_what_is_not_there_cannot_be_given(member, changes, code):
    with pytest.raises(RewardRefusedError) as refused:
        give(member, offer(member.program, **changes))
    assert refused.value.code == code
    assert not Redemption.objects.exists()


def test_what_is_only_given_cannot_be_taken(member):
    with pytest.raises(RewardRefusedError) as refused:
        take(member, offer(member.program, on_shelf=False), at=NOW)
    assert refused.value.code == "not_offered"


def test_taking_a_gift_back_gives_back_its_stock_and_calls_its_code_back(member):
    reward = offer(member.program, stock=1)
    given = give(member, reward)
    canceled = cancel_redemption(
        redemption=given, reason="By mistake", source="backoffice", actor=SYSTEM, now=day(1)
    )
    reward.refresh_from_db()
    assert (canceled.status, canceled.returned, reward.taken) == ("cancelled", None, 0)
    assert voucher_of(given).status == "void"


def test_the_database_knows_what_was_taken_from_what_was_given(member):
    given = give(member, offer(member.program))
    with pytest.raises(DatabaseError), transaction.atomic():
        Redemption.objects.filter(pk=given.pk).update(units=5)
    with pytest.raises(DatabaseError), transaction.atomic():
        Redemption.objects.filter(pk=given.pk).update(gift="")


# --- By staff -------------------------------------------------------------------------------------


@pytest.fixture
def agent(django_user_model):
    user = django_user_model.objects.create(email="agent@example.com", is_active=True)
    StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    return Actor.of_user(user)


def by_staff(member, reward, agent, reason="Late delivery"):
    return give_by_staff(
        membership=member, reward=reward, message="", reason=reason, key="s1", actor=agent, now=NOW
    )[0]


def test_staff_give_with_a_reason_what_their_role_may_move_at_once(member, agent):
    AdjustmentLimit.objects.update_or_create(
        role=StaffMember.Role.SUPPORT_AGENT, program=None,
        defaults={"most_at_once": 100, "most_in_a_day": 200, "approval_above": None},
    )  # fmt: skip
    with pytest.raises(DomainError):
        by_staff(member, offer(member.program), agent, reason=" ")
    with pytest.raises(LedgerError) as refused:
        by_staff(member, offer(member.program, "dear", price=101), agent)
    assert refused.value.code == "limit_exceeded"
    given = by_staff(member, offer(member.program, "fair"), agent)
    assert (given.gift, given.staff) == ("staff", agent.user)


# --- To many --------------------------------------------------------------------------------------


@pytest.fixture
def crowd(member):
    """Three members in a segment, with one who is in no program."""
    numbers = ["c1", "c2", "c3"]
    for number in numbers[1:]:
        make_member(0, number, member.program)
    Customer.objects.create(external_id="c4")
    segment = create_segment(name="Loyal", code="loyal", kind="static", actor=SYSTEM, now=NOW)
    for customer in Customer.objects.all():
        add_to_list(segment=segment, customer=customer, actor=SYSTEM, now=NOW)
    return segment


def to_many(reward, segment, key):
    return start_gift_for_many(
        reward=reward, segment=segment, message="Ten years!", reason="Birthday of the shop",
        key=key, actor=SYSTEM,
    )  # fmt: skip


def test_everybody_in_a_segment_who_is_a_member_is_given_one(member, crowd):
    key, reward = uuid.uuid4(), offer(member.program)
    job = to_many(reward, crowd, key)
    assert to_many(reward, crowd, key).pk == job.pk
    done = run_gift_for_many(job.pk)
    assert done is not None
    assert gift_for_many_words(done) == "3 members were given it."
    assert to_many(reward, crowd, key).pk == job.pk
    assert Redemption.objects.filter(gift="many", message="Ten years!").count() == 3


def test_a_job_that_was_stopped_gives_the_others_and_nobody_two(member, crowd, monkeypatch):
    reward = offer(member.program)
    job = to_many(reward, crowd, uuid.uuid4())
    give(member, reward, f"many:{job.pk}:{member.pk}")
    monkeypatch.setattr("rewards.services.gifts_for_many.PIECE", 1)
    run_gift_for_many(job.pk)
    assert Redemption.objects.count() == 3


def test_fewer_than_there_are_members_are_not_given_at_all(member, crowd):
    with pytest.raises(ConflictError, match="2 are left, for 3 members"):
        to_many(offer(member.program, stock=2), crowd, uuid.uuid4())
    assert not Job.objects.exists()


def test_those_who_come_when_none_is_left_are_counted(member, crowd):
    reward = offer(member.program, stock=3)
    job = to_many(reward, crowd, uuid.uuid4())
    take(member, reward, at=NOW)
    done = run_gift_for_many(job.pk)
    assert done is not None
    assert gift_for_many_words(done) == "2 members were given it. 1 had to be left out."


# --- On a day of the year -------------------------------------------------------------------------
# NOW is 15 March 2024.


def born(member, birthday):
    Customer.objects.filter(pk=member.customer_id).update(birthday=birthday)
    return member


def yearly(reward, what="birthday", ahead=0, tiers=(), at=NOW):
    return start_gift_day(
        reward=reward, day=what, days_before=ahead, tiers=tiers, message="Happy birthday",
        actor=SYSTEM, now=at,
    )  # fmt: skip


def test_a_birthday_brings_a_reward_once_a_year(member):
    born(member, "1990-03-20")
    yearly(offer(member.program, on_shelf=False))
    assert [give_gift_days(day(number)) for number in (4, 5, 5.1, 6)] == [0, 1, 0, 0]
    given = Redemption.objects.get()
    assert (given.gift, given.message, given.created_at) == (
        "birthday", "Happy birthday", day(5),
    )  # fmt: skip
    assert give_gift_days(day(5 + 365)) == 1


def test_it_may_come_some_days_ahead_and_days_that_were_missed_are_made_up_for(member):
    born(member, "1990-03-20")
    yearly(offer(member.program), ahead=3)
    assert give_gift_days(day(1)) == 0
    assert give_gift_days(day(20)) == 1
    assert GiftOccasion.objects.get().day == dt.date(2024, 3, 20)


def test_days_from_before_it_was_begun_bring_nothing(member):
    born(member, "1990-03-14")
    yearly(offer(member.program))
    assert give_gift_days(day(3)) == 0


def test_only_the_tiers_that_have_it_are_given_it():
    from tests.loyalty.factories import order, record

    program = make_program(tiers=TIERS)
    born(make_member(0, program=program), "1990-03-20")
    gold = born(make_member(0, "c2", program), "1990-03-20")
    record(order(total="50", buyer="c2", at=day(0.1)))
    yearly(offer(program), tiers=["gold"])
    assert give_gift_days(day(5)) == 1
    assert Redemption.objects.get().membership == gold
    assert GiftOccasion.objects.filter(redemption=None).count() == 1
    with pytest.raises(DomainError, match="no tier"):
        yearly(offer(program, "other"), tiers=["silver"])


def test_where_none_is_left_the_day_waits_for_more(member):
    born(member, "1990-03-20")
    reward = offer(member.program, stock=0)
    yearly(reward)
    assert give_gift_days(day(5)) == 0
    assert find_gift_days(day(5)) is None
    Reward.objects.filter(pk=reward.pk).update(stock=1)
    assert give_gift_days(day(7)) == 1


def test_it_is_stopped_and_goes_on_without_giving_twice(member):
    born(member, "1990-03-20")
    reward = offer(member.program)
    gift_day = yearly(reward)
    with pytest.raises(DomainError, match="already"):
        yearly(reward)
    give_gift_days(day(5))
    stop_gift_day(gift_day=gift_day, actor=SYSTEM, now=day(5.2))
    assert yearly(reward, at=day(5.3)) == gift_day
    assert give_gift_days(day(5.4)) == 0


def test_two_who_are_one_person_have_one_birthday(member):
    born(member, "1990-03-20")
    other = born(make_member(0, "c2", member.program), "1990-03-20")
    yearly(offer(member.program))
    give(other, offer(member.program, "other"))
    assert give_gift_days(day(5)) == 2
    merge_customers(
        kept=member.customer, merged=other.customer, actor=SYSTEM, source="api", now=day(5.1)
    )
    assert give_gift_days(day(5.2)) == 0


def test_the_schedule_makes_a_job_only_where_somebody_is_due(member):
    born(member, "1990-03-20")
    yearly(offer(member.program))
    assert run_scheduled(kind="gift_days", now=day(4)) is None
    job = run_scheduled(kind="gift_days", now=day(5))
    assert job is not None
    assert gift_day_words(job) == "1 member was given a reward."


def test_who_was_erased_is_given_nothing_in_any_way_and_a_repeat_is_answered(member, agent):
    reward = offer(member.program, price=100)
    given, by_hand = give(member, reward), by_staff(member, reward, agent)
    Customer.objects.filter(pk=member.customer_id).update(given_name="Ana")
    segment = create_segment(name="Loyal", code="loyal", kind="static", actor=SYSTEM, now=NOW)
    add_to_list(segment=segment, customer=member.customer, actor=SYSTEM, now=NOW)
    erase_customer_details(customer=member.customer, actor=SYSTEM)
    with pytest.raises(RewardRefusedError, match="erased meanwhile") as error:
        give(member, reward, "g2")
    assert error.value.code == "customer_erased"
    assert (give(member, reward), by_staff(member, reward, agent)) == (given, by_hand)
    run_gift_for_many(to_many(reward, segment, uuid.uuid4()).pk)
    assert Redemption.objects.count() == 2

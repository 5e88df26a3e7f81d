"""Figures of rewards: right with every change, whoever writes it, and however lines are brought
together."""

import datetime as dt
import importlib
from pathlib import Path

import pytest
from django.db import connection

from loyalty.ledger.checks import check_rule
from loyalty.models import Program
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from rewards import migrations
from rewards.checks import CHECKS
from rewards.models import Redemption, RewardTally, Voucher, VoucherPool
from rewards.selectors.rewards import rewards, taken_by_month, with_figures
from rewards.services.redemptions import cancel_redemption, reissue_redemption, use_redemption
from rewards.services.shared_codes import create_shared_code
from rewards.services.tallies import KIND, gather_tallies
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers
from rewards.services.vouchers import hold_voucher
from tests.loyalty.factories import NOW, day
from tests.rewards.factories import make_member, offer, take
from tests.rewards.services.racing import at_once
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
USES, CODES, FIGURES = (
    next(name for name in CHECKS if words in name)
    for words in ("a shared code", "as were put in", "figures")
)
HOUR = dt.timedelta(hours=1)


_made_once, member = of_each_test(lambda: make_member(10_000))


@pytest.fixture
def reward(member):
    return offer(member.program)


def figures(at=NOW):
    [found] = with_figures(rewards(), Program.objects.get(), at)
    return found.taken_ever, found.taken_lately, found.used_ever, found.units_ever


def wrong():
    return [name for name in CHECKS if check_rule(name, NOW) is not None]


def test_they_follow_what_becomes_of_a_reward(member, reward):
    held = take(member, reward, "held", at=NOW, hold=HOUR)
    assert figures() == (0, 0, 0, 0)
    first, second = take(member, reward, "a", at=NOW), take(member, reward, "b", at=NOW)
    assert figures() == (2, 2, 0, 200)
    use_redemption(redemption=first, actor=SYSTEM, now=NOW)
    assert figures() == (2, 2, 1, 200)
    reissue_redemption(redemption=first, actor=SYSTEM, now=NOW)
    assert figures() == (2, 2, 0, 200)
    for item in (held, second):
        cancel_redemption(redemption=item, reason="", source="api", actor=SYSTEM, now=NOW)
    assert figures() == (1, 1, 0, 100)
    assert figures(day(31)) == (1, 0, 0, 100)
    assert wrong() == []


def test_lines_are_brought_together_and_say_the_same(member, reward):
    for number in range(3):
        take(member, reward, f"a{number}", at=day(number % 2))
    last = take(member, reward, "gone", at=day(40))
    before = (figures(day(40)), taken_by_month(reward, day(40)))
    assert before[0] == (4, 1, 0, 400)
    assert run_scheduled(kind=KIND, now=day(40)).result == {"count": 4}
    assert run_scheduled(kind=KIND, now=day(40)) is None
    assert (figures(day(40)), taken_by_month(reward, day(40))) == before
    assert RewardTally.objects.filter(gathered=True).count() == 3
    cancel_redemption(redemption=last, reason="", source="api", actor=SYSTEM, now=day(41))
    assert (gather_tallies(), RewardTally.objects.count(), wrong()) == (1, 3, [])
    assert sum(taken_by_month(reward, day(41)).values()) == 3


@pytest.mark.django_db(transaction=True)
def test_many_take_while_lines_are_brought_together(member, reward):
    def act(number):
        if number % 5 == 0:
            gather_tallies()
        else:
            take(member, reward, f"k{number}", at=NOW)

    assert set(at_once(act)) == {"done"}
    assert (figures(), wrong()) == ((40, 40, 0, 4000), [])
    gather_tallies()
    assert (figures(), RewardTally.objects.count()) == ((40, 40, 0, 4000), 1)


def test_a_day_is_one_of_the_program(member, reward):
    Program.objects.update(time_zone="Pacific/Auckland")
    late = NOW.replace(month=12, day=31, hour=20)
    take(member, reward, at=late)
    assert RewardTally.objects.get().day.isoformat() == f"{late.year + 1}-01-01"


def test_the_self_check_finds_figures_that_are_wrong(member, reward):
    take(member, reward, at=NOW)
    RewardTally.objects.update(used=1)
    assert wrong() == [FIGURES]


def test_what_was_there_before_is_counted_once(member, reward):
    for number in range(3):
        take(member, reward, f"a{number}", at=NOW)
    use_redemption(redemption=Redemption.objects.first(), actor=SYSTEM, now=NOW)
    pool = create_voucher_pool(program=member.program, code="films", name="Films", actor=SYSTEM)
    import_vouchers(pool=pool, lines=["FILM-1", "FILM-2"], actor=SYSTEM)
    code = create_shared_code(
        reward=reward, written="SUMMER-26", most_uses=2, expires_at=None, now=NOW, actor=SYSTEM
    )
    hold_voucher(voucher=code, checkout="A", occasion=None, now=NOW, member=member)
    RewardTally.objects.all().delete()
    Voucher.objects.update(uses_taken=0)
    VoucherPool.objects.update(codes=0)
    assert wrong() == [USES, CODES, FIGURES]
    [path] = Path(*migrations.__path__).glob("*_reward_figures.py")
    migration = importlib.import_module(f"rewards.migrations.{path.stem}")
    with connection.cursor() as cursor:
        for fill in (migration.FIGURES, migration.USES, migration.CODES):
            cursor.execute(fill)
    assert (wrong(), figures()) == ([], (3, 3, 1, 300))

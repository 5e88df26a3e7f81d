"""What is asked often reads few rows, however much members have taken and used already."""

import pytest
from django.db import connection
from django.urls import reverse

from members.services.audit import SYSTEM
from rewards.models import AutoTake, Redemption, Voucher, VoucherUse
from rewards.selectors.checkouts import checkouts_of
from rewards.selectors.events import waits_of
from rewards.selectors.fulfillment import sent_to
from rewards.selectors.redemptions import open_vouchers, taken_by
from rewards.selectors.rewards import rewards, taken_by_month, with_figures
from rewards.selectors.voucher_pools import pools_of
from rewards.services.access import check_reward
from rewards.services.auto_takes import find_auto_takes
from rewards.services.eligibility import offers_for
from rewards.services.shared_codes import create_shared_code
from rewards.services.tallies import gather_tallies
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers
from rewards.services.vouchers import check_voucher, hold_voucher, use_voucher
from tests.loyalty.factories import NOW, adjust, day, make_wallet
from tests.plans import rows_read
from tests.rewards.factories import make_member, offer, take

pytestmark = pytest.mark.django_db
CROWD = 400
# Of a table that it knows nothing of, the database takes it that there is something in it.
JOINED = (
    "rewards_reward", "rewards_event", "rewards_contentitem", "rewards_voucher", "rewards_giftcard",
    "loyalty_membership", "loyalty_transfer", "loyalty_wallet", "members_user",
)  # fmt: skip


@pytest.fixture
def member():
    return make_member()


@pytest.fixture
def reward(member):
    """Somebody else was given very many of it."""
    reward = offer(member.program, per_member=3)
    other = make_member(0, "c2", member.program)
    Redemption.objects.bulk_create(
        Redemption(
            reward=reward, membership=other, status="issued", units=0, gift="many", stocked=False,
            key=f"many-{number}", source="job", created_at=NOW, issued_at=NOW,
        )
        for number in range(CROWD)
    )  # fmt: skip
    analyze("rewards_redemption", *JOINED)
    return reward


def analyze(*tables):
    """What is there now is known to the database, as it is in life."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


ASKED = {
    "limits": lambda member, reward: offers_for([reward], member, NOW),
    "usable vouchers": lambda member, _reward: list(open_vouchers(member, NOW)),
    "taken": lambda member, _reward: list(taken_by([member]).order_by("-created_at", "-pk")[:6]),
    "access": lambda member, reward: check_reward(member, reward.code, NOW),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_one_member_took_is_found_without_reading_what_others_took(member, reward, what):
    take(member, reward, at=NOW)
    read = rows_read(lambda: ASKED[what](member, reward))
    assert 0 < read["rewards_redemption"] < 10


@pytest.mark.parametrize("found", [checkouts_of, sent_to, waits_of, taken_by])
def test_what_belongs_to_a_member_is_looked_for_by_their_key(member, found):
    plan = found([member]).explain()
    assert "membership_id = " in plan
    assert "merged_into" not in plan


@pytest.mark.parametrize("status", ["", "issued", "cancelled"])
def test_a_page_of_the_list_reads_what_it_shows(agent, ana, reward, status):
    address = f"{reverse('rewards_backoffice:redemption_list')}?status={status}"
    assert agent.get(address).status_code == 200
    read = rows_read(lambda: agent.get(address), 'FROM "rewards_redemption"')
    assert read["rewards_redemption"] <= 26


def test_figures_of_rewards_read_no_redemptions(member, reward):
    gather_tallies()
    found = list(with_figures(rewards(), member.program, NOW))
    assert [item.taken_ever for item in found] == [CROWD]
    read = rows_read(lambda: list(with_figures(rewards(), member.program, NOW)))
    read += rows_read(lambda: taken_by_month(reward, NOW))
    assert read["rewards_redemption"] == 0
    assert read["rewards_rewardtally"] <= 4


def test_of_a_list_of_codes_only_those_that_are_left_are_counted(member):
    pool = create_voucher_pool(program=member.program, code="films", name="Films", actor=SYSTEM)
    import_vouchers(pool=pool, lines=[f"FILM-{n:04}" for n in range(CROWD)], actor=SYSTEM)
    gone = Voucher.objects.order_by("pk").values_list("pk")[: CROWD - 5]
    Voucher.objects.filter(pk__in=gone).update(status="void", closed_at=NOW)
    read = rows_read(lambda: list(pools_of(member.program)))
    assert read["rewards_voucher"] == 5
    [found] = pools_of(member.program)
    assert (found.left, found.codes) == (5, CROWD)


def test_a_use_of_a_shared_code_does_not_count_those_before(member, reward):
    code = create_shared_code(
        reward=reward, written="SUMMER-26", most_uses=CROWD + 5, expires_at=None, now=NOW,
        actor=SYSTEM,
    )  # fmt: skip
    VoucherUse.objects.bulk_create(
        VoucherUse(
            voucher=code, slot=number, checkout=f"shop-{number}", state="used", created_at=NOW,
            closed_at=NOW,
        )
        for number in range(1, CROWD + 1)
    )  # fmt: skip
    analyze("rewards_voucheruse")
    code.refresh_from_db()
    assert code.uses_taken == CROWD

    def come():
        check_voucher(code, None, checkout="A", now=NOW, member=member)
        hold_voucher(voucher=code, checkout="A", occasion=None, now=NOW, member=member)
        use_voucher(voucher=code, checkout="A", occasion=None, actor=SYSTEM, now=NOW, member=member)

    # A look, a hold and a use ask some dozen questions that find nothing or one row.
    assert rows_read(come)["rewards_voucheruse"] < 30
    code.refresh_from_db()
    assert code.uses_taken == CROWD + 1


def test_of_those_who_wait_for_a_balance_only_who_came_to_it_is_read(member):
    wanted = [offer(member.program, f"r{number}") for number in range(20)]
    AutoTake.objects.bulk_create(
        AutoTake(membership=who, reward=each, balance=50, armed=True, chosen_at=NOW)
        for who in [make_member(0, f"d{number}", member.program) for number in range(20)]
        for each in wanted
    )
    assert AutoTake.objects.count() == 400
    analyze("rewards_autotake", "loyalty_membership", "loyalty_account", "loyalty_wallet")
    found = []
    read = rows_read(lambda: found.append(find_auto_takes(day(1))))
    assert found == [None]
    # Not even the others' rows.
    assert (read["rewards_autotake"], read["loyalty_wallet"]) == (0, 0)
    adjust(make_wallet(member.program, "d7"), 60, key="d7", now=NOW)
    read = rows_read(lambda: found.append(find_auto_takes(day(1))))
    assert found[-1] is not None
    assert 0 < read["rewards_autotake"] <= len(wanted)
    assert read["loyalty_wallet"] == 0

"""Two customers who are one person: their ledgers merge, and can be parted again."""

import pytest
from django.apps import apps
from django.db.models import ForeignKey

from loyalty.ledger.checks import verify_ledger
from loyalty.models import (
    Lot,
    Membership,
    Transfer,
    Wallet,
)
from loyalty.selectors.transfers import history_of
from loyalty.services.expiry import write_down_expired
from members.models import CustomerMerge
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    make_program,
    spendable,
)
from tests.loyalty.services.merging import (
    MONTH,
    YEAR,
    buy,
    customer,
    holds,
    membership,
    merge,
    owe,
    part,
    times_of_lots,
    wallet,
)


@pytest.fixture
def both(program):
    """Two records of one person: 100 units and 40."""
    buy("A1", "100", "c1")
    buy("B1", "40", "c2")


# --- One wallet -------------------------------------------------------------------------------


def test_pain_17_both_ledgers_become_one_and_both_cards_lead_to_it(both):
    merge()
    assert (holds("c1"), holds("c2")) == ((140, 0, 0), (0, 0, 0))
    theirs = membership("c2")
    assert (theirs.status, theirs.merged_into) == ("merged", membership("c1"))
    assert wallet("c2").merged_into == wallet("c1")
    assert Wallet.objects.filter(merged_into=None).count() == 1


def test_parting_them_brings_back_what_each_had(both):
    part(merge())
    assert (holds("c1"), holds("c2")) == ((100, 0, 0), (40, 0, 0))
    theirs = membership("c2")
    assert (theirs.status, theirs.merged_into, wallet("c2").merged_into) == ("active", None, None)


def test_merging_and_parting_again_and_again_changes_nothing_more(both):
    first = merge()
    again, replayed = merge_customers(
        kept=customer("c1"), merged=customer("c2"), actor=SYSTEM, source="api", now=day(1)
    )
    assert (again, replayed, holds("c1")) == (first, True, (140, 0, 0))
    part(first)
    _merge, replayed = undo_merge(merge=first, actor=SYSTEM, source="api", now=day(1))
    assert (replayed, holds("c1"), holds("c2")) == (True, (100, 0, 0), (40, 0, 0))
    second = merge(now=day(2))
    assert holds("c1", day(2)) == (140, 0, 0)
    part(second, now=day(3))
    assert (holds("c1", day(3)), holds("c2", day(3))) == ((100, 0, 0), (40, 0, 0))


def test_units_keep_origin_maturity_and_expiry(db):
    make_program(unit={"pending_days": 10, "expiry": YEAR})
    buy("A1", "100", "c1")
    buy("B1", "40", "c2", at=-30)
    buy("B2", "25", "c2", at=-5)
    before = times_of_lots(wallet("c2"))
    merge()
    own = Lot.objects.filter(wallet=wallet("c1"), parent=None).values_list("origin", flat=True)
    after = times_of_lots(wallet("c1"))
    assert {pk: after[pk] for pk in after if pk not in own} == before
    assert holds("c1") == (40, 125, 0)
    part(CustomerMerge.objects.get())
    assert times_of_lots(wallet("c2")) == before
    assert (holds("c1"), holds("c2")) == ((0, 100, 0), (40, 25, 0))


def test_what_had_expired_stays_behind(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-40)
    buy("B2", "25", "c2")
    buy("A1", "10", "c1")
    merge()
    assert (holds("c1"), holds("c2")) == ((35, 0, 0), (0, 0, 0))
    write_down_expired(NOW)
    assert Transfer.objects.get(kind="expiry").wallet == wallet("c2")


def test_units_that_an_activity_renews_keep_the_later_end_of_both(db):
    make_program(unit={"expiry": {"kind": "inactivity", "length": 2, "last_day": "start_of_day"}})
    buy("A1", "10", "c1", at=-50)
    buy("B1", "40", "c2", at=-5)
    merge()
    assert wallet("c1").active_until == wallet("c2").active_until > day(50)
    assert holds("c1", day(40)) == (50, 0, 0)
    assert holds("c1", day(60)) == (0, 0, 0)


def test_what_had_expired_by_inactivity_stays_behind(db):
    make_program(unit={"expiry": {"kind": "inactivity", "length": 2, "last_day": "start_of_day"}})
    buy("B1", "40", "c2", at=-90)
    buy("A1", "10", "c1")
    merge()
    assert (holds("c1"), holds("c2"), verify_ledger(NOW)) == ((10, 0, 0), (0, 0, 0), [])


# --- Debts ------------------------------------------------------------------------------------


def test_debts_add_up_and_are_not_repaid_by_the_merge(program):
    owe("c1", 30)
    buy("B1", "40", "c2")
    done = merge()
    assert (holds("c1"), spendable("c1")) == ((40, 0, 30), 10)
    part(done)
    assert (holds("c1"), holds("c2")) == ((0, 0, 30), (40, 0, 0))


def test_a_debt_that_came_goes_back_as_far_as_it_is_still_owed(program):
    buy("A1", "5", "c1")
    owe("c2", 30)
    done = merge()
    assert (holds("c1"), holds("c2"), spendable("c1")) == ((5, 0, 30), (0, 0, 0), 0)
    buy("A2", "12", "c1", at=1)
    assert holds("c1", day(1)) == (5, 0, 18)
    part(done, now=day(2))
    assert (holds("c1", day(2)), holds("c2", day(2))) == ((5, 0, 0), (0, 0, 18))


def test_a_debt_that_blocks_goes_on_blocking(db):
    make_program(debt_policy="refuse_redemption_only")
    buy("A1", "50", "c1")
    owe("c2", 30)
    merge()
    assert (holds("c1"), spendable("c1")) == ((50, 0, 30), 0)


# --- Histories --------------------------------------------------------------------------------


def shown(number: str) -> list[tuple[str, int]]:
    found = history_of([membership(number)]).order_by("pk")
    return [(transfer.kind, transfer.signed_amount) for transfer in found]


def test_both_histories_read_as_one_and_the_old_one_stays_readable(both):
    done = merge()
    buy("A2", "5", "c1", at=1)
    assert shown("c1") == [("accrual", 100), ("accrual", 40), ("accrual", 5)]
    assert shown("c2") == [("accrual", 40), ("merge", -40)]
    adjust(wallet("c1"), -130, "spent", now=day(1))
    part(done, now=day(2))
    assert shown("c1") == [
        ("accrual", 100), ("merge", 40), ("accrual", 5), ("adjustment", -130), ("merge", -10)
    ]  # fmt: skip
    assert shown("c2") == [("accrual", 40), ("merge", -40), ("merge", 10)]


# --- Nothing is forgotten ---------------------------------------------------------------------


# What points to a membership, and what a merge does to it.
MEMBERSHIP_FIELDS = {
    "loyalty.manualtier.membership": "stays: what was given under either name counts",
    "loyalty.membertier.membership": "derived: worked out anew for who is kept",
    "loyalty.tiercheckpoint.membership": "derived: dropped, because other facts are told then",
    "loyalty.tierchange.membership": "stays: what was said of either stays said",
    "loyalty.membership.merged_into": "points to the one that counts",
    "loyalty.absence.membership": "stays: it says when that one took no part",
    "loyalty.orderevaluation.membership": "stays: it says in which the order was judged",
    "loyalty.capcounter.membership": "is counted over both",
    "loyalty.poolmember.membership": "an open pool refuses the merge; past ones stay as history",
    "loyalty.activityaward.membership": "stays: it says for which the activity counted",
    "loyalty.occasiongrant.membership": "stays: days of a duplicate are those of the other, too",
    "rewards.giftoccasion.membership": "stays: days of a duplicate are those of the other, too",
    "rewards.checkout.membership": "stays: it is read with the one that counts",
    "rewards.redemption.membership": "stays: what was taken under either name counts",
    "rewards.voucher.membership": "stays with what it was taken for",
    "rewards.voucheruse.membership": "stays: a shared code used under either name counts",
    "rewards.rewardgoal.membership": "stays, unseen: the one that counts has the newest",
    "rewards.autotake.membership": "stays, and rests: the one that counts has the newest",
    "rewards.fulfillmenttask.membership": "stays: it is read with the one that counts",
    "rewards.eventwait.membership": "stays: it is read with the one that counts",
    "rewards.contentdownload.membership": "stays: who fetched it under either name fetched it",
    "loyalty.foundinggrant.membership": "stays: who had it under either name has had it",
    "loyalty.windowaward.membership": "counts towards the window of the one that counts",
    "loyalty.charityentry.membership": "stays: it is told of the one that counts",
    "loyalty.pledgeevent.membership": "stays: it says for whom it was counted",
    "loyalty.standinggift.membership": "stays, and rests: only an active member gives a share",
    "loyalty.subscription.membership": "stays: it is read with the one that counts",
    "loyalty.riskcase.membership": "is closed; while one is held, no merge is made",
    "loyalty.riskscore.membership": "gives what was let pass to the one that counts",
    "loyalty.walletpass.membership": "stays: in the phone it shows the one that counts",
    "campaigns.surveyresponse.membership": "stays: who answered under either name has answered",
    "campaigns.message.membership": "stays: it was told about that one",
    "campaigns.campaignmember.membership": "stays: it says who was compared when it began",
    "campaigns.experimentmember.membership": "stays: it says who was compared when it began",
    "campaigns.boardname.membership": "stays: who is not seen is not seen by a merge either",
    "campaigns.boardscore.membership": "worked out anew, for both",
    "campaigns.broadcastrecipient.membership": "stays: it says who was written to",
    "campaigns.challengeentry.membership": "goes to the one that counts, unless that has its own",
    "campaigns.promocodeuse.membership": "stays: a code used under either name counts",
    "campaigns.gameplay.membership": "stays: whoever counts plays them",
    "campaigns.gamedraw.membership": "stays: it says who drew",
    "campaigns.referrallink.membership": "stays: whoever comes by it came by the one that counts",
    "campaigns.passage.membership": "stays, and ends: only an active member is led on",
    "campaigns.personaloffer.membership": "goes to the one that counts, once of each campaign",
    "campaigns.surpriseticket.membership": "stays: who was drawn under either name gets it once",
    "campaigns.postreading.membership": "goes to the one that counts, once of each post",
    "campaigns.postcomment.membership": "goes to the one that counts",
    "campaigns.commentreport.membership": "goes to the one that counts, once of each comment",
    "campaigns.communityname.membership": "goes to the one that counts, unless that has its own",
    "campaigns.forummember.membership": "goes to the one that counts, unless that has its own",
}
WALLET_FIELDS = {
    "loyalty.wallet.merged_into": "points to the one that counts",
    "campaigns.expirynotice.wallet": "stays, unseen: what goes on is told of the one that counts",
    "loyalty.transfer.wallet": "stays: it is history",
    "loyalty.lot.wallet": "stays: what is left goes on as a child lot",
    "loyalty.adjustmentrequest.wallet": "stays: once approved it is for the wallet that counts",
    "loyalty.bulkrow.wallet": "stays: what is posted is for the wallet that counts",
}


@pytest.mark.parametrize(
    ("model", "known"), [(Membership, MEMBERSHIP_FIELDS), (Wallet, WALLET_FIELDS)]
)
def test_whatever_points_to_a_member_or_a_wallet_has_its_place_in_a_merge(model, known):
    found = {
        f"{other._meta.label_lower}.{field.name}"
        for other in apps.get_models()
        for field in other._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is model and not other._meta.proxy
    }
    assert found == set(known)

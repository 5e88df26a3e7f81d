"""Referrals among everything else: told to members, in program files, in merges, forgotten with a
person; rewards instead of units; and the demonstration."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from django.utils import timezone

from campaigns.demo.referrals import FRIENDS, show_referrals
from campaigns.models import (
    Affiliate,
    Message,
    Referral,
    ReferralAsk,
    ReferralPayment,
    ReferralProgram,
    ReferralTrace,
    ReferralVisit,
)
from campaigns.referral_definitions import ReferralDefinition
from campaigns.referral_traces import Place, note_traces
from campaigns.selectors.referral_results import results_of
from campaigns.selectors.referrals import advocate_of, brought_by, own_figures, visits_of
from campaigns.services import referral_links
from campaigns.services.referral_links import MOST_VISITS, SIGNS, find_link, note_ask, note_visit
from campaigns.services.referral_programs import write_terms
from campaigns.tasks import prune_referral_asks, sum_up_referral_visits
from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers, undo_merge
from members.services.outbox import deliver_waiting
from rewards.models import Redemption
from tests.campaigns.factories import switch_on
from tests.campaigns.referrals import DAY, bring, buy, make_link, make_member, promise, settle
from tests.loyalty.factories import NOW, day, give_back, make_program, moves, refund
from tests.rewards.factories import offer
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
Status = Referral.Status
HOW = {"actor": SYSTEM, "source": "api", "reason": "same"}


made_once = shared(lambda: make_program(unit={"unit_value": "0.01"}, earning_rules=[]))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def deliver() -> None:
    while deliver_waiting():
        pass


def test_a_reward_is_given_once_and_called_back_while_nobody_used_it(club: Program) -> None:
    reward = offer(club, cost="2.50")
    promise(club, friend={"kind": "reward", "reward": reward.code}, wait_days=0)
    found = bring(make_link(club))
    buy(at=day(1))
    assert settle(found, day(1)).status == Status.PAID
    given = Redemption.objects.get()
    assert (given.gift, given.status) == ("referral", "issued")
    assert given.membership.customer.external_id == "ben"
    payment = ReferralPayment.objects.get(side="friend")
    assert (payment.redemption, payment.units, str(payment.money)) == (given, 0, "2.5000")
    give_back(refund("R", "50", of="ben-1", at=day(2)))
    assert settle(found, day(2)).status == Status.TAKEN_BACK
    given.refresh_from_db()
    assert given.status == "cancelled"
    assert results_of(club).cost == 0


def test_a_reward_that_is_gone_is_looked_at(club: Program) -> None:
    reward = offer(club, stock=1)
    promise(club, friend={"kind": "reward", "reward": reward.code}, wait_days=0)
    link = make_link(club)
    for name, status in (("ben", Status.PAID), ("cat", Status.IN_REVIEW)):
        found = bring(link, name)
        buy(name, at=day(1))
        found = settle(found, day(1))
        assert found.status == status
    assert found.reasons == ["no_reward"]
    # Nothing of the second was given: neither the reward nor the units of the other side.
    assert moves("ann") == [("accrual", 300)]
    assert Redemption.objects.count() == 1


def test_members_are_told_each_step_once(club: Program) -> None:
    now = timezone.now()
    for code in ("friend_joined", "friend_bought", "friend_paid", "referral_gift"):
        switch_on(code, "inbox", at=now - DAY)
    promise(club, wait_days=0)
    found = bring(make_link(club), at=now, given_name="Ben")
    deliver()
    buy(at=now)
    settle(found, now)
    deliver()
    deliver()
    told = {
        (row.customer.external_id, row.occasion): {
            name: str(value).replace("\xa0", " ") for name, value in row.values.items()
        }
        for row in Message.objects.select_related("customer")
    }
    assert told.keys() == {
        ("ann", "friend_joined"), ("ann", "friend_paid"), ("ben", "referral_gift"),
    }  # fmt: skip
    assert told["ann", "friend_paid"]["friend"] == "Ben"
    assert told["ann", "friend_paid"]["gift"] == "300 points"
    assert told["ben", "referral_gift"]["gift"] == "100 points"


def test_what_is_exported_makes_the_same_elsewhere(club: Program) -> None:
    promise(club, steps=[{"friends": 3, "gift": {"kind": "units", "units": 500}}], least="20.5")
    text = dump_program(club, NOW)
    elsewhere = load_program(text.replace("code: club\n", "code: elsewhere\n", 1))
    applied = apply_definition(elsewhere, actor=SYSTEM, now=NOW)
    assert "New: what bringing friends brings" in applied.changes
    other = Program.objects.get(code="elsewhere")
    first, second = definition_of(club, NOW), definition_of(other, NOW)
    assert first.referrals == second.referrals
    assert len(second.referrals) == 1
    assert apply_definition(second, actor=SYSTEM, now=NOW).changes == []
    [item] = second.referrals
    rests = item.model_copy(update={"state": "paused"})
    apply_definition(second.model_copy(update={"referrals": (rests,)}), actor=SYSTEM, now=NOW)
    assert ReferralProgram.objects.get(program=other).status == "paused"
    back = item.model_copy(update={"state": "draft"})
    with pytest.raises(ConflictError) as refused:
        apply_definition(second.model_copy(update={"referrals": (back,)}), actor=SYSTEM, now=NOW)
    assert [error.field for error in refused.value.errors] == ["referrals[0].state"]
    # A file that says nothing of it leaves it as it is.
    apply_definition(second.model_copy(update={"referrals": ()}), actor=SYSTEM, now=NOW)
    assert ReferralProgram.objects.get(program=other).terms.count() == 1


def test_a_file_that_has_it_rest_publishes_nothing_that_somebody_else_writes(
    club: Program,
) -> None:
    promise(club)
    said = definition_of(club, NOW)
    unfinished = ReferralDefinition.model_validate({"friend": {"kind": "units", "units": 9000}})
    write_terms(program=club, definition=unfinished, actor=SYSTEM, now=NOW)
    for state in ("paused", "live"):
        [item] = (item.model_copy(update={"state": state}) for item in said.referrals)
        apply_definition(said.model_copy(update={"referrals": (item,)}), actor=SYSTEM, now=NOW)
        row = ReferralProgram.objects.get()
        assert (row.status, row.terms.count()) == (state, 1)
        assert row.draft == {"friend": {"kind": "units", "units": "9000"}}


def test_what_is_wrong_in_a_file_is_named(club: Program) -> None:
    promise(club)
    text = dump_program(club, NOW)
    assert "kind: units" in text
    with pytest.raises(DomainError) as refused:
        load_program(text.replace("kind: units", "kind: gold", 1))
    assert "referrals[0]" in str(refused.value.errors[0])


def test_in_a_merge_one_person_came_once_and_both_links_go_on(club: Program) -> None:
    promise(club, wait_days=0)
    link, other = make_link(club, "ann"), make_link(club, "zoe")
    first, second = bring(link, "ben"), bring(other, "ben2")
    kept, merged = (Customer.objects.get(external_id=name) for name in ("ben", "ben2"))
    merge_customers(kept=kept, merged=merged, now=day(1), **HOW)
    second.refresh_from_db()
    assert (second.status, second.refusal) == (Status.REFUSED, "second")
    buy("ben", at=day(2))
    assert settle(first, day(2)).status == Status.PAID
    # Of who brings: zoe turns out to be ann.
    cat = bring(other, "cat", at=day(3))
    ann, zoe = (Customer.objects.get(external_id=name) for name in ("ann", "zoe"))
    merge_customers(kept=ann, merged=zoe, now=day(4), **HOW)
    again = find_link(other.code)
    assert again is not None
    member = advocate_of(again)
    assert member is not None
    assert member.customer == ann
    assert {item.pk for item in brought_by(member)} == {first.pk, second.pk, cat.pk}
    assert own_figures(member).friends == 2
    buy("cat", at=day(5))
    assert settle(cat, day(5)).status == Status.PAID
    assert [units for _kind, units in moves("ann")] == [300, 300]


def test_what_the_duplicate_came_by_goes_to_the_one_who_is_kept_and_back(club: Program) -> None:
    promise(club)
    found = bring(make_link(club), "ben2")
    kept = make_member(club, "ben").customer
    merged = Customer.objects.get(external_id="ben2")
    merge, _before = merge_customers(kept=kept, merged=merged, now=day(1), **HOW)
    found.refresh_from_db()
    assert found.friend == kept
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=day(2))
    found.refresh_from_db()
    assert (found.friend, found.status) == (merged, Status.JOINED)


def test_who_turns_out_to_have_brought_themselves_gets_nothing(club: Program) -> None:
    promise(club)
    found = bring(make_link(club), "ben")
    ann, ben = (Customer.objects.get(external_id=name) for name in ("ann", "ben"))
    merge_customers(kept=ann, merged=ben, now=day(1), **HOW)
    found.refresh_from_db()
    assert (found.status, found.refusal) == (Status.REFUSED, "same_customer")


def test_by_what_somebody_was_known_is_forgotten_with_them(club: Program) -> None:
    promise(club)
    link = make_link(club, email="ann@shop.test")
    customer = link.membership.customer
    note_traces(customer, {"device": "phone", "address": "1 High St"}, NOW)
    kept = make_member(club, "zoe").customer
    note_traces(kept, {"device": "other"}, NOW)
    erase_customer_details(customer=customer, actor=SYSTEM)
    assert [row.customer for row in ReferralTrace.objects.all()] == [kept]


def test_where_somebody_asked_who_never_confirmed_is_forgotten(club: Program) -> None:
    promise(club)
    link = make_link(club)
    note_ask(link, "old@shop.test", Place("phone", "1.2.3.4"), timezone.now() - 3 * DAY)
    note_ask(link, "new@shop.test", Place("phone", "1.2.3.4"), timezone.now())
    assert prune_referral_asks() == 1
    assert ReferralAsk.objects.count() == 1


def test_the_results_are_by_month(club: Program) -> None:
    promise(club, wait_days=0)
    link = make_link(club)
    for name, at in (("ben", day(1)), ("cat", day(40))):
        found = bring(link, name, at=at)
        buy(name, at=at)
        settle(found, at)
    found = results_of(club)
    assert (found.joined, found.bought, found.paid, str(found.cost)) == (2, 2, 2, "8.0000")
    assert [(item.first, item.paid, str(item.cost)) for item in found.months] == [
        (dt.date(2024, 4, 1), 1, "4.0000"), (dt.date(2024, 3, 1), 1, "4.0000"),
    ]  # fmt: skip


def test_the_demonstration_shows_friends_at_every_stage(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.demo.referrals.MEMBERS_EACH", 1)
    began = timezone.now() - 200 * DAY
    for number in range(len(FRIENDS)):
        make_member(club, f"guide{number}", at=began)
    show_referrals(club)
    assert Referral.objects.count() == len(FRIENDS)
    assert set(Referral.objects.values_list("status", flat=True)) == {
        "paid", "pending", "joined", "lapsed", "in_review",
    }  # fmt: skip
    assert Affiliate.objects.count() == 1
    show_referrals(club)
    assert Referral.objects.count() == len(FRIENDS)


def test_of_one_place_only_so_many_visits_are_kept_and_later_their_number(club: Program) -> None:
    promise(club)
    link = make_link(club)
    now = timezone.now()
    for number in range(MOST_VISITS + 5):
        note_visit(link, Place(f"10.0.0.1|{number}", "10.0.0.1"), now)
    assert ReferralVisit.objects.count() == MOST_VISITS
    note_visit(link, Place("10.0.0.2|1", "10.0.0.2"), now)
    ReferralVisit.objects.filter(pk__in=ReferralVisit.objects.values("pk")[:10]).update(
        day=(now - 500 * DAY).date()
    )
    assert sum_up_referral_visits() == 10
    assert sum_up_referral_visits() == 0
    link.refresh_from_db()
    assert ReferralVisit.objects.count() == MOST_VISITS - 9
    assert (visits_of(link), results_of(club).invited) == (MOST_VISITS + 1, MOST_VISITS + 1)


def test_a_code_that_is_drawn_again_is_nobody_elses(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter("A" * SIGNS + "A" * SIGNS + "B" * SIGNS)
    chance = SimpleNamespace(choice=lambda _signs: next(drawn))
    monkeypatch.setattr(referral_links, "secrets", chance)
    promise(club)
    assert [make_link(club, who).code for who in ("ann", "ben")] == ["A" * SIGNS, "B" * SIGNS]

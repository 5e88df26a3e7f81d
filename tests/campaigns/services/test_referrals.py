"""Referrals: who came by whose link, what is given for it, once, and what goes back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.models import (
    Referral,
    ReferralAsk,
    ReferralLink,
    ReferralPayment,
    ReferralProgram,
    ReferralTerms,
    ReferralTrace,
)
from campaigns.referral_definitions import ReferralDefinition
from campaigns.referral_traces import Place, note_traces
from campaigns.selectors.referrals import own_figures, spent_of
from campaigns.services.affiliates import change_affiliate
from campaigns.services.referral_following import (
    find_due,
    follow_joined,
    follow_orders,
    use_join_code,
)
from campaigns.services.referral_links import find_link, note_ask
from campaigns.services.referral_programs import (
    discard_draft,
    pause_referrals,
    publish_terms,
    resume_referrals,
    write_terms,
)
from campaigns.services.referrals import bring_friend, bring_up_to_date
from loyalty.explanations import explain_transfer
from loyalty.join_codes import JoinCode
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Program, Transfer, Wallet, WalletType
from loyalty.services.memberships import enroll_customer
from loyalty.services.rules import set_four_eyes
from members.errors import ConflictError, DomainError
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_scheduled
from tests.campaigns.referrals import (
    UNITS,
    bring,
    brought_friend,
    buy,
    make_link,
    make_member,
    promise,
    settle,
)
from tests.factories import StaffMemberFactory
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import NOW, day, give_back, make_program, moves, order, record, refund
from tests.rewards.services.racing import at_once, in_the_way_of
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
Status = Referral.Status


made_once = shared(lambda: make_program(unit={"unit_value": "0.01"}, earning_rules=[]))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    """A unit is worth a cent, and orders earn nothing, so that all there is was given."""
    return anew(made_once)


@pytest.fixture
def link(club: Program) -> ReferralLink:
    promise(club)
    return make_link(club)


def test_both_are_given_what_was_promised_once_the_friend_has_kept_what_they_bought(
    link: ReferralLink,
) -> None:
    found = bring(link)
    assert (found.status, found.joined_at) == (Status.JOINED, NOW)
    buy(at=day(2))
    found = settle(found, day(2))
    assert (found.status, found.due_at) == (Status.PENDING, day(16))
    assert settle(found, day(15.9)).status == Status.PENDING
    assert moves("ann") == moves("ben") == []
    found = settle(found, day(16))
    assert found.status == Status.PAID
    assert (moves("ann"), moves("ben")) == ([("accrual", 300)], [("accrual", 100)])
    titles = [explain_transfer(row).title for row in Transfer.objects.order_by("-amount")]
    assert titles == ["Brought a friend", "Came by a friend"]
    # The units can be used at once, and again changes nothing.
    settle(found, day(17))
    assert Transfer.objects.count() == 2
    figures = own_figures(link.membership)
    assert (figures.friends, figures.bought, figures.paid) == (1, 1, 1)
    assert spent_of([link.referral_program.program_id])[
        link.referral_program.program_id
    ].money == Decimal("4.0000")


def test_what_went_back_within_its_time_brings_nothing(link: ReferralLink) -> None:
    found = bring(link)
    buy(at=day(1))
    settle(found, day(1))
    give_back(refund("R", "50", of="ben-1", at=day(5)))
    found = settle(found, day(5))
    assert (found.status, found.refusal) == (Status.REFUSED, "refunded")
    assert settle(found, day(30)).status == Status.REFUSED
    assert not Transfer.objects.exists()


def test_what_goes_back_later_takes_back_all_that_was_given(link: ReferralLink) -> None:
    found = bring(link)
    buy(at=day(1))
    assert settle(found, day(20)).status == Status.PAID
    give_back(refund("R", "50", of="ben-1", at=day(25)))
    assert settle(found, day(25)).status == Status.TAKEN_BACK
    settle(found, day(26))
    assert moves("ann") == [("accrual", 300), ("clawback", -300)]
    assert moves("ben") == [("accrual", 100), ("clawback", -100)]
    assert {explain_transfer(row).title for row in Transfer.objects.filter(kind="clawback")} == {
        "Taken back: Brought a friend", "Taken back: Came by a friend",
    }  # fmt: skip


def test_a_share_of_the_first_purchase_follows_what_is_left_of_it(club: Program) -> None:
    promise(club, advocate={"kind": "percent", "percent": 10}, friend={}, wait_days=0)
    found = bring(make_link(club))
    buy(at=day(1), total="49.99")
    settle(found, day(1))
    # Ten percent of 49.99 are 4.999, at a cent each 499 units.
    assert moves("ann") == [("accrual", 499)]
    give_back(refund("R1", "20", of="ben-1", at=day(3)))
    assert settle(found, day(3)).status == Status.PAID
    assert moves("ann") == [("accrual", 499), ("clawback", -200)]
    give_back(refund("R2", "29.99", of="ben-1", at=day(4)))
    assert settle(found, day(4)).status == Status.TAKEN_BACK
    assert moves("ann")[-1] == ("clawback", -299)


@pytest.mark.parametrize("worth", ["0.02", "0.005", "0"])
def test_what_a_unit_is_worth_later_takes_nothing_back(club: Program, worth: str) -> None:
    promise(club, advocate={"kind": "percent", "percent": 10}, friend={}, wait_days=0)
    found = bring(make_link(club))
    buy(at=day(1))
    settle(found, day(1))
    assert moves("ann") == [("accrual", 500)]
    WalletType.objects.filter(program=club).update(unit_value=worth)
    assert settle(found, day(2)).status == Status.PAID
    assert moves("ann") == [("accrual", 500)]
    give_back(refund("R", "20", of="ben-1", at=day(3)))
    assert settle(found, day(3)).status == Status.PAID
    assert moves("ann")[1:] == [("clawback", -200)]
    payment = ReferralPayment.objects.get()
    assert (str(payment.money), str(payment.money_back)) == ("5.0000", "2.0000")


def test_what_an_affiliate_gets_later_takes_nothing_back(club: Program) -> None:
    promise(club, wait_days=0, friend={})
    _referral, affiliate = brought_friend(club)
    promise(club, wait_days=0)
    found = bring(affiliate.link)
    buy(at=day(1))
    assert settle(found, day(1)).status == Status.PAID
    payment = ReferralPayment.objects.get(side="affiliate")
    # 5 for the friend, and 10 % of 50.
    assert str(payment.money) == "10.0000"
    change_affiliate(
        affiliate=affiliate, name=affiliate.name, email="", per_friend=Decimal(1),
        percent=Decimal(0), actor=SYSTEM,
    )  # fmt: skip
    assert settle(found, day(2)).status == Status.PAID
    payment.refresh_from_db()
    assert payment.money_back == 0
    give_back(refund("R", "20", of="ben-1", at=day(3)))
    settle(found, day(3))
    payment.refresh_from_db()
    assert str(payment.money_back) == "2.0000"


def test_more_friends_bring_more(club: Program) -> None:
    steps = [
        {"friends": 2, "gift": {"kind": "units", "units": 500}},
        {"friends": 3, "gift": {"kind": "units", "units": 900}},
    ]
    promise(club, steps=steps, friend={}, wait_days=0)
    link = make_link(club)
    for number in ("ben", "cat", "dan", "eve"):
        found = bring(link, number)
        buy(number, at=day(1))
        settle(found, day(1))
    assert [units for _kind, units in moves("ann")] == [300, 500, 900, 900]


def test_only_an_order_of_the_minimum_in_time_counts(club: Program) -> None:
    promise(club, least=20, within_days=10)
    found = bring(make_link(club))
    buy(at=day(1), total="19.99", name="small")
    assert settle(found, day(1)).status == Status.JOINED
    assert settle(found, day(10)).status == Status.LAPSED
    # Told late, and placed in time.
    buy(at=day(9), total="20", name="told-late")
    found = settle(found, day(11))
    assert (found.status, found.order.external_id) == (Status.PENDING, "told-late")
    other = bring(make_link(club, "zoe"), "cat")
    buy("cat", at=day(11), total="20")
    assert settle(other, day(11)).status == Status.LAPSED


def test_who_has_bought_before_is_no_new_friend_unless_all_count(club: Program) -> None:
    promise(club)
    buy("ben", at=day(-30))
    found = bring(make_link(club))
    assert (found.status, found.refusal) == (Status.REFUSED, "not_new")
    long = make_member(club, "old", at=day(-60))
    buy("old", at=day(-2))
    late, _again = bring_friend(link=make_link(club), friend=long.customer, via="api", now=NOW)
    assert late.refusal == "not_new"
    promise(club, newcomers_only=False)
    buy("cat", at=day(-30))
    assert bring(make_link(club), "cat").status == Status.JOINED


def test_who_has_bought_before_is_no_new_friend_whatever_else_speaks_against_them(
    club: Program,
) -> None:
    promise(club)
    buy("ben", at=day(-30))
    link = make_link(club)
    assert link.membership is not None
    note_traces(link.membership.customer, {"device": "phone"}, NOW)
    found = bring(link, traces={"device": "phone"})
    assert (found.status, found.refusal) == (Status.REFUSED, "not_new")


def test_one_person_comes_once(link: ReferralLink) -> None:
    found = bring(link)
    again, known = bring_friend(link=link, friend=found.friend, via="api", now=day(1))
    assert (again, known) == (found, True)
    other = make_link(link.referral_program.program, "zoe")
    with pytest.raises(ConflictError) as refused:
        bring_friend(link=other, friend=found.friend, via="api", now=day(1))
    assert refused.value.code == "already_brought"
    with pytest.raises(IntegrityError), transaction.atomic():
        Referral.objects.create(
            program=found.program, terms=found.terms, link=other, friend=found.friend, via="api",
            status="invited", came_at=NOW,
        )  # fmt: skip


def test_the_terms_of_the_day_they_came_hold(link: ReferralLink) -> None:
    found = bring(link)
    promise(link.referral_program.program, at=day(1), advocate={"kind": "units", "units": 1})
    buy(at=day(2))
    settle(found, day(30))
    assert moves("ann") == [("accrual", 300)]
    assert [row.number for row in ReferralTerms.objects.all()] == [2, 1]


def test_terms_are_written_published_and_paused(club: Program) -> None:
    with pytest.raises(ConflictError):
        publish_terms(program=club, actor=SYSTEM, now=NOW)
    empty = ReferralDefinition(title="Friends")
    write_terms(program=club, definition=empty, actor=SYSTEM, now=NOW)
    with pytest.raises(DomainError) as refused:
        publish_terms(program=club, actor=SYSTEM, now=NOW)
    assert refused.value.errors[0].field == "advocate.kind"
    for gift, field in (
        ({"kind": "reward", "reward": "none"}, "friend.reward"),
        ({"kind": "units", "units": 5, "unit": "gold"}, "friend.unit"),
    ):
        said = ReferralDefinition.model_validate(UNITS | {"friend": gift})
        write_terms(program=club, definition=said, actor=SYSTEM, now=NOW)
        with pytest.raises(DomainError) as refused:
            publish_terms(program=club, actor=SYSTEM, now=NOW)
        assert [error.field for error in refused.value.errors] == [field]
    assert discard_draft(program=club, actor=SYSTEM, now=NOW).draft == {}
    promise(club)
    link = make_link(club)
    pause_referrals(program=club, actor=SYSTEM, now=NOW)
    with pytest.raises(ConflictError) as closed:
        bring(link)
    assert closed.value.code == "referrals_closed"
    resume_referrals(program=club, actor=SYSTEM, now=NOW)
    assert bring(link).status == Status.JOINED


def test_where_two_look_at_rules_the_writer_does_not_publish(club: Program) -> None:
    one, other = (Actor.of_user(StaffMemberFactory().user) for _ in range(2))
    set_four_eyes(program=club, on=True, actor=SYSTEM)
    club.refresh_from_db()
    said = ReferralDefinition.model_validate(UNITS)
    write_terms(program=club, definition=said, actor=one, now=NOW)
    with pytest.raises(ConflictError) as refused:
        publish_terms(program=club, actor=one, now=NOW)
    assert refused.value.code == "second_person"
    assert publish_terms(program=club, actor=other, now=NOW).number == 1


def test_who_joins_by_the_link_and_buys_is_followed_by_itself(link: ReferralLink) -> None:
    now = timezone.now()
    note_ask(link, "Ben@Shop.test", Place("phone", "1.2.3.4"), now)
    customer = Customer.objects.create(external_id="ben", email="ben@shop.test")
    enroll_customer(
        customer=customer, program=link.referral_program.program, at=now, actor=SYSTEM,
        source=Membership.Source.LINK, detail=f"ref-{link.code}",
    )  # fmt: skip
    follow_joined(list(OutboxEvent.objects.filter(kind="membership.joined")))
    found = Referral.objects.get(friend=customer)
    assert (found.status, found.via) == (Status.JOINED, "link")
    assert {row.kind for row in ReferralTrace.objects.filter(customer=customer)} == {
        "device", "network",
    }  # fmt: skip
    assert not ReferralAsk.objects.exists()
    buy(at=now)
    follow_orders(list(OutboxEvent.objects.filter(kind="customers.changed")))
    assert Referral.objects.get().status == Status.PENDING


def test_a_code_at_the_checkout_brings_a_friend(link: ReferralLink) -> None:
    now = timezone.now()
    code = f"{link.code[:4].lower()}-{link.code[4:]}"
    record(order("C1", "30", at=now, buyer="new", coupons=(code,)))
    follow_orders(list(OutboxEvent.objects.filter(kind="customers.changed")))
    found = Referral.objects.get()
    assert (found.via, found.order.external_id, found.status) == ("checkout", "C1", Status.PENDING)


def test_a_code_of_an_order_that_came_as_nothing_counts_once_it_is_good(
    link: ReferralLink,
) -> None:
    now = timezone.now()
    for status, far in (("cancelled", Status.JOINED), ("completed", Status.PENDING)):
        record(order("C1", "30", at=now, buyer="new", coupons=(link.code,), status=status))
        follow_orders(list(OutboxEvent.objects.filter(kind="customers.changed")))
        assert Referral.objects.get().status == far


def test_the_code_of_a_friend_is_given_at_the_till(link: ReferralLink) -> None:
    program = link.referral_program.program
    member = make_member(program, "ben")
    code = JoinCode(program, member.customer, f" {link.code.lower()} ", "till", NOW, SYSTEM)
    use_join_code(code)
    assert Referral.objects.get().via == "till"
    assert find_link("NOBODY99") is None
    with pytest.raises(DomainError) as refused:
        use_join_code(JoinCode(program, member.customer, "NOBODY99", "till", NOW, SYSTEM))
    assert refused.value.errors[0].field == "referral_code"


def test_the_job_pays_what_is_due_and_lapses_what_nobody_bought(link: ReferralLink) -> None:
    paid, lapsed = bring(link), bring(link, "cat")
    assert find_due(day(1)) is None
    buy(at=day(1))
    settle(paid, day(1))
    run_scheduled(kind="referrals", now=day(100))
    states = dict(Referral.objects.values_list("friend__external_id", "status"))
    assert states == {"ben": Status.PAID, "cat": Status.LAPSED}
    assert lapsed.pk
    assert find_due(day(100)) is None


@pytest.mark.django_db(transaction=True)
def test_a_referral_is_paid_once_however_many_do_it_at_once() -> None:
    club = make_program(unit={"unit_value": "0.01"}, earning_rules=[])
    promise(club, budget_units=1200)
    link = make_link(club)
    found = [bring(link, name) for name in ("ben", "cat", "dan", "eve")]
    for item in found:
        buy(item.friend.external_id, at=day(1))
        settle(item, day(1))

    paid = at_once(lambda number: bring_up_to_date(found[number // 4].pk, day(20)), 16)
    assert paid == {"done": 16}
    # 400 for each: three are in the budget of 1200, and the fourth waits for somebody.
    states = sorted(Referral.objects.values_list("status", flat=True))
    assert states == ["in_review", "paid", "paid", "paid"]
    assert ReferralPayment.objects.count() == Transfer.objects.count() == 6
    assert sum(units for _kind, units in moves("ann")) == 900
    assert_ledger_coherent()


def to_be_handled(how: str) -> Callable[[], object]:
    """What handles the friends ben and cat of two members in one transaction."""
    club = make_program(unit={"unit_value": "0.01"}, earning_rules=[])
    promise(club, wait_days=0)
    pairs = [(make_link(club, by), name) for by, name in (("ann", "ben"), ("zoe", "cat"))]
    for link, name in pairs:
        if how == "joined":
            enroll_customer(
                customer=Customer.objects.create(external_id=name), program=club, at=NOW,
                actor=SYSTEM, source=Membership.Source.LINK, detail=f"ref-{link.code}",
            )  # fmt: skip
        else:
            bring(link, name)
        buy(name, at=day(1))
    if how == "job":
        Referral.objects.update(due_at=day(2))
        return lambda: run_scheduled(kind="referrals", now=day(3))
    kind = {"joined": "membership.joined", "orders": "customers.changed"}[how]
    events = list(OutboxEvent.objects.filter(kind=kind))
    return transaction.atomic(lambda: (follow_joined if how == "joined" else follow_orders)(events))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["job", "orders", "joined"])
@pytest.mark.parametrize("who", ["ben", "zoe", "cat"])
def test_all_wallets_of_a_batch_are_locked_before_the_first_referral(how: str, who: str) -> None:
    handle = to_be_handled(how)
    own = Wallet.objects.filter(account__membership__customer__external_id=who)
    in_the_way_of(
        handle,
        lock=lambda: lock_wallets(list(own.values_list("pk", flat=True))),
        act=lambda: list(ReferralProgram.objects.select_for_update(nowait=True)),
    )
    states = Referral.objects.values_list("status", flat=True)
    assert list(states) == [Status.PAID] * 2
    assert_ledger_coherent()


def test_a_purchase_in_another_currency_is_what_it_was_converted_to(club: Program) -> None:
    promise(club, advocate={"kind": "percent", "percent": 10}, friend={}, least="55")
    make_program("home", name="Home", currency="EUR", earning_rules=[])
    link = make_link(club)
    found, without = bring(link), bring(link, "cem")
    rates = (("USD", Decimal("1.2")),)
    record(order("ben-1", "50", at=day(1), buyer="ben", currency="EUR", rates=rates))
    # This one would be enough, and does not count here: there is no rate.
    record(order("cem-1", "90", at=day(1), buyer="cem", currency="EUR"))
    assert settle(without, day(2)).status == Status.JOINED
    settle(found, day(2))
    assert settle(found, day(20)).status == Status.PAID
    assert moves("ann") == [("accrual", 600)]
    give_back(refund("R", "10", of="ben-1", currency="EUR", at=day(21)))
    settle(found, day(21))
    assert sum(units for _kind, units in moves("ann")) == 0

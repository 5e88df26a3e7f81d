"""What is decided about a case, and what it does."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction
from django.db.utils import DatabaseError, IntegrityError
from django.utils import timezone

from loyalty.models import (
    Activity,
    AdjustmentLimit,
    AdjustmentRequest,
    Membership,
    Program,
    RiskCase,
    Transfer,
)
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back, takings_of, undue_of
from loyalty.services.risk_policies import write_policy
from loyalty.services.suspensions import suspend_membership
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM, Actor
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import order, record, spendable
from tests.loyalty.risks import bonus_club, follow, join, look, open_case, redeem

pytestmark = pytest.mark.usefixtures("coherent_ledger")


@pytest.fixture
def club(db: None) -> Program:
    return bonus_club()


@pytest.fixture
def case(club: Program) -> RiskCase:
    return open_case(club)


@pytest.fixture
def agent(db: None) -> Actor:
    return Actor.of_user(StaffMemberFactory(role="support_agent").user)


def status(case: RiskCase) -> str:
    return Membership.objects.get(pk=case.membership_id).status


def hold(case: RiskCase, actor: Actor = SYSTEM) -> RiskCase:
    return hold_case(case=case, note="Two accounts", actor=actor, now=timezone.now())


def release(case: RiskCase, actor: Actor = SYSTEM) -> RiskCase:
    return release_case(case=case, note="Twins", actor=actor, now=timezone.now())


def take(case: RiskCase, actor: Actor = SYSTEM, **how: object) -> RiskCase:
    given = {"facts": None, "resume": False, "note": "Farmed", **how}
    return claw_back(case=case, actor=actor, now=timezone.now(), **given).case  # type: ignore[arg-type]


def test_who_is_held_earns_and_spends_nothing_until_released(case: RiskCase, agent: Actor) -> None:
    held = hold(case, agent)
    assert (held.state, held.suspended, status(case)) == ("held", True, "suspended")
    record(order("A1", "10", buyer="f2", at=timezone.now()))
    assert spendable("f2", timezone.now()) == 100
    released = release(case, agent)
    assert (released.state, released.decided_by, status(case)) == ("released", agent.user, "active")
    actions = AuditEntry.objects.filter(action__startswith="risk.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "risk.opened", "risk.held", "risk.released",
    ]  # fmt: skip


def test_whom_a_colleague_suspended_before_stays_so_when_released(case: RiskCase) -> None:
    suspend_membership(membership=case.membership, reason="Else", actor=SYSTEM, now=timezone.now())
    assert hold(case).suspended is False
    release(case)
    assert status(case) == "suspended"


def test_the_same_again_changes_nothing_and_another_decision_is_refused(case: RiskCase) -> None:
    assert hold(case).held_at == hold(case).held_at
    release(case)
    assert release(case).state == "released"
    for act in (hold, take):
        with pytest.raises(ConflictError) as refused:
            act(case)
        assert refused.value.code == "already_decided"
    with pytest.raises(DomainError):
        release_case(case=case, note=" ", actor=SYSTEM, now=timezone.now()) and hold(case)


def test_what_was_released_opens_no_case_again_and_something_new_does(
    club: Program, case: RiskCase
) -> None:
    release(case)
    assert look(case.membership).points == 0
    join(
        club, "f3", given_name="Fay", family_name="Farmerf", email="fay.f@three.example",
        birthday=case.membership.customer.birthday,
    )  # fmt: skip
    follow()
    found = look(case.membership)
    assert {item["key"] for item in found.signals} == {"duplicates"}
    join(
        club, "f4", given_name="Fay", family_name="Farmerf", email="fay.f@four.example",
        birthday=case.membership.customer.birthday,
    )  # fmt: skip
    follow()
    assert look(case.membership).points == 65
    assert RiskCase.objects.filter(membership=case.membership, state="open").count() == 1


def test_a_waiting_case_takes_up_what_is_new(club: Program, case: RiskCase) -> None:
    look(case.membership)
    case.refresh_from_db()
    assert case.grown_at is None
    join(
        club, "f3", given_name="Fay", family_name="Farmerf", email="fay.f@three.example",
        birthday=case.membership.customer.birthday,
    )  # fmt: skip
    follow()
    look(case.membership)
    case.refresh_from_db()
    assert case.grown_at is not None
    assert RiskCase.objects.filter(membership=case.membership).count() == 1


def test_the_bonus_is_taken_back_as_the_activity_it_was(case: RiskCase, agent: Actor) -> None:
    [undue] = undue_of(case)
    assert (undue.units, undue.key.partition(":")[0]) == (100, "activity")
    [taking] = takings_of([undue], now=timezone.now())
    assert (taking.by_activities, taking.by_adjustment, taking.missing) == (100, 0, 0)
    done = take(case, agent)
    assert (done.state, done.note, spendable("f2", timezone.now())) == ("clawed_back", "Farmed", 0)
    assert spendable("f1", timezone.now()) == 100
    own = Activity.objects.get(customer=case.membership.customer)
    assert (own.state, own.decision_note) == ("reversed", "Farmed")
    moved = Transfer.objects.count()
    assert take(case, agent).state == "clawed_back"
    assert Transfer.objects.count() == moved
    assert undue_of(RiskCase.objects.get(pk=case.pk)) == []


def test_a_bonus_that_was_spent_is_owed_or_written_off_as_the_program_says(
    club: Program, case: RiskCase
) -> None:
    redeem("f2", 60)
    take(case)
    wallet = case.membership.account.wallets.get()
    Program.objects.get(pk=club.pk)
    assert spendable("f2", timezone.now()) == 0
    assert (wallet.balance, wallet.owed) in [(0, 60), (0, 0)]


@pytest.fixture
def rushed(club: Program) -> RiskCase:
    """Ten orders in an hour, with all that is suspicious weighing enough."""
    write_policy(
        program=club, values={"signals": {"velocity": {"weight": 70}}}, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    member = join(club, "r")
    record(*[order(f"V{n}", "10", buyer="r", at=timezone.now()) for n in range(10)])
    follow()
    look(member)
    return RiskCase.objects.get(membership=member)


def test_what_orders_earned_is_taken_by_one_adjustment_and_what_was_spent_is_said(
    rushed: RiskCase, agent: Actor
) -> None:
    before = spendable("r", timezone.now())
    redeem("r", before - 30)
    [taking] = takings_of(undue_of(rushed), now=timezone.now())
    assert (taking.by_adjustment, taking.taken, taking.missing) == (100, 30, 70)
    take(rushed, agent)
    moved = Transfer.objects.get(kind="adjustment")
    assert (moved.amount, moved.reason, moved.note) == (30, "fraud", "Farmed")
    assert moved.key.startswith(f"risk:{rushed.public_id}:")


def test_only_what_was_chosen_is_taken(rushed: RiskCase, agent: Actor) -> None:
    chosen = [one.key for one in undue_of(rushed)][:2]
    take(rushed, agent, facts=chosen)
    assert Transfer.objects.get(kind="adjustment").amount == 20
    with pytest.raises(ConflictError):
        hold(rushed)


def test_nothing_chosen_is_refused_and_changes_nothing(rushed: RiskCase) -> None:
    with pytest.raises(DomainError):
        take(rushed, facts=["order:0"])
    rushed.refresh_from_db()
    assert rushed.state == "open"


def test_above_the_limit_a_second_person_is_asked(rushed: RiskCase, agent: Actor) -> None:
    AdjustmentLimit.objects.filter(role="support_agent").update(approval_above=50)
    done = claw_back(
        case=rushed, facts=None, resume=False, note="Farmed", actor=agent, now=timezone.now()
    )
    assert (done.asked, done.case.state) == (1, "clawed_back")
    assert AdjustmentRequest.objects.get().units == -100
    assert not Transfer.objects.filter(kind="adjustment").exists()


def test_what_the_role_may_not_move_at_all_is_refused_as_a_whole(
    rushed: RiskCase, agent: Actor
) -> None:
    AdjustmentLimit.objects.filter(role="support_agent").update(most_at_once=50)
    with pytest.raises(DomainError):
        take(rushed, agent)
    rushed.refresh_from_db()
    assert rushed.state == "open"


def test_who_was_held_takes_part_again_only_if_it_is_said(case: RiskCase) -> None:
    hold(case)
    take(case)
    assert status(case) == "suspended"
    other = open_case(Program.objects.get(), "g")
    hold(other)
    take(other, resume=True)
    assert status(other) == "active"


def test_the_database_holds_one_waiting_case_and_lets_nobody_change_a_decision(
    case: RiskCase,
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RiskCase.objects.create(
            membership=case.membership, points=5, opened_at=timezone.now(), public_id=uuid.uuid4()
        )
    release(case)
    with pytest.raises(DatabaseError), transaction.atomic():
        RiskCase.objects.filter(pk=case.pk).update(note="Otherwise")

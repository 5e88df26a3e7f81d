"""What is decided about a case, and what it does."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import NamedTuple

import pytest
from django.db import transaction
from django.db.models import F
from django.db.utils import DatabaseError, IntegrityError
from django.utils import timezone

from loyalty.errors import OverCorrectedError
from loyalty.models import (
    Activity,
    AdjustmentLimit,
    AdjustmentReason,
    Membership,
    Program,
    RiskCase,
    Transfer,
)
from loyalty.selectors.risk_takings import Taking, Undue, takings_of, undue_of
from loyalty.services.adjustments import undo_transfer
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back
from loyalty.services.risk_policies import write_policy
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.program_scope import limited_to
from members.services.audit import SYSTEM, Actor
from members.services.merging import merge_customers
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import adjust, order, record, spendable, wallet_of
from tests.loyalty.risks import (
    bonus_club,
    follow,
    join,
    join_twice,
    look,
    open_case,
    redeem,
    rushed_case,
)
from tests.sharing import of_each_test

pytestmark = pytest.mark.usefixtures("coherent_ledger")


class World(NamedTuple):
    club: Program
    # Of "f2", the second account of "f1".
    case: RiskCase
    agent: Actor


def make_world() -> World:
    club, agent = bonus_club(), StaffMemberFactory(role="support_agent")
    return World(club, open_case(club), Actor.of_user(agent.user))


_made_once, world = of_each_test(make_world)


@pytest.fixture
def club(world: World) -> Program:
    return world.club


@pytest.fixture
def case(world: World) -> RiskCase:
    return world.case


@pytest.fixture
def agent(world: World) -> Actor:
    return world.agent


def status(case: RiskCase) -> str:
    return Membership.objects.get(pk=case.membership_id).status


def hold(case: RiskCase, actor: Actor = SYSTEM) -> RiskCase:
    return hold_case(case=case, note="Two accounts", actor=actor, now=timezone.now())


def release(case: RiskCase, actor: Actor = SYSTEM) -> RiskCase:
    return release_case(case=case, note="Twins", actor=actor, now=timezone.now())


def take(case: RiskCase, actor: Actor = SYSTEM, **how: object) -> RiskCase:
    given = {"facts": None, "resume": False, "note": "Farmed", **how}
    return claw_back(case=case, actor=actor, now=timezone.now(), **given).case  # type: ignore[arg-type]


def undue(case: RiskCase) -> list[Undue]:
    return undue_of(RiskCase.objects.get(pk=case.pk), now=timezone.now())


def later(seconds: int) -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=seconds)


def takings(case: RiskCase) -> list[Taking]:
    return takings_of(case, undue(case), now=timezone.now())


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
    [found] = undue(case)
    assert (found.units, found.key.partition(":")[0]) == (100, "activity")
    [taking] = takings(case)
    assert (taking.by_activities, taking.by_adjustment, taking.missing) == (100, 0, 0)
    done = take(case, agent)
    assert (done.state, done.note, spendable("f2", timezone.now())) == ("clawed_back", "Farmed", 0)
    assert spendable("f1", timezone.now()) == 100
    own = Activity.objects.get(customer=case.membership.customer)
    assert (own.state, own.decision_note) == ("reversed", "Farmed")
    moved = Transfer.objects.count()
    assert take(case, agent).state == "clawed_back"
    assert Transfer.objects.count() == moved
    assert undue(case) == []


@pytest.mark.parametrize(("policy", "owed"), [("carry", 60), ("write_off", 0)])
def test_a_bonus_that_was_spent_is_owed_or_written_off_as_the_program_says(
    club: Program, case: RiskCase, policy: str, owed: int
) -> None:
    Program.objects.filter(pk=club.pk).update(debt_policy=policy, revision=F("revision") + 1)
    redeem("f2", 60)
    take(case)
    wallet = case.membership.account.wallets.get()
    assert spendable("f2", timezone.now()) == 0
    assert (wallet.balance, wallet.owed) == (0, owed)


@pytest.fixture
def rushed(club: Program) -> RiskCase:
    return rushed_case(club)


def test_what_orders_earned_is_taken_by_one_adjustment_and_what_was_spent_is_said(
    rushed: RiskCase, agent: Actor
) -> None:
    before = spendable("r", timezone.now())
    redeem("r", before - 30)
    [taking] = takings(rushed)
    assert (taking.by_adjustment, taking.taken, taking.missing) == (100, 30, 70)
    take(rushed, agent)
    moved = Transfer.objects.get(kind="adjustment")
    assert (moved.amount, moved.reason, moved.note) == (30, "fraud", "Farmed")
    assert moved.key.startswith(f"risk:{rushed.public_id}:")


def test_only_what_was_chosen_is_taken(rushed: RiskCase, agent: Actor) -> None:
    chosen = [one.key for one in undue(rushed)][:2]
    take(rushed, agent, facts=chosen)
    assert Transfer.objects.get(kind="adjustment").amount == 20
    with pytest.raises(ConflictError):
        hold(rushed)


def test_nothing_chosen_is_refused_and_changes_nothing(rushed: RiskCase) -> None:
    with pytest.raises(DomainError):
        take(rushed, facts=["order:0"])
    rushed.refresh_from_db()
    assert rushed.state == "open"


def test_nothing_is_called_taken_back_of_which_nothing_is_left(rushed: RiskCase) -> None:
    redeem("r", spendable("r", timezone.now()))
    with pytest.raises(DomainError):
        take(rushed)
    rushed.refresh_from_db()
    assert rushed.state == "open"


@pytest.fixture
def given(club: Program) -> RiskCase:
    """50 given by hand five times, which weighs enough."""
    write_policy(
        program=club, values={"signals": {"adjustments": {"weight": 70}}}, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    member = join(club, "h")
    colleague = Actor.of_user(StaffMemberFactory(role="administrator").user)
    for number in range(5):
        adjust(
            wallet_of(member.account_id), 50, key=f"g{number}", actor=colleague,
            now=timezone.now(),
        )  # fmt: skip
    follow()
    look(member)
    return RiskCase.objects.get(membership=member)


def test_what_was_given_by_hand_is_undone_and_not_taken_a_second_time(given: RiskCase) -> None:
    take(given)
    assert spendable("h", timezone.now()) == 100
    moved = Transfer.objects.filter(kind="adjustment").first()
    assert moved is not None
    with pytest.raises(OverCorrectedError), transaction.atomic():
        undo_transfer(transfer=moved, actor=SYSTEM, source="api", now=timezone.now())
    assert spendable("h", timezone.now()) == 100


def test_of_what_was_given_by_hand_only_what_is_there_whole_is_undone(given: RiskCase) -> None:
    redeem("h", 230)
    [taking] = takings(given)
    assert (taking.by_undoing, taking.missing) == (100, 150)
    take(given)
    assert spendable("h", timezone.now()) == 20


def test_a_suspension_that_somebody_made_since_outlives_the_case(case: RiskCase) -> None:
    held = hold(case)
    resume_membership(membership=held.membership, reason="Mistake", actor=SYSTEM, now=later(1))
    suspend_membership(membership=held.membership, reason="Else", actor=SYSTEM, now=later(2))
    release(case)
    assert status(case) == "suspended"


def test_who_was_let_in_again_is_held_again(case: RiskCase) -> None:
    held = hold(case)
    resume_membership(membership=held.membership, reason="Mistake", actor=SYSTEM, now=later(1))
    assert hold(case).suspended is True
    assert status(case) == "suspended"
    release(case)
    assert status(case) == "active"


def test_what_nobody_has_seen_is_not_let_pass(case: RiskCase) -> None:
    case.refresh_from_db()
    RiskCase.objects.filter(pk=case.pk).update(grown_at=timezone.now())
    with pytest.raises(ConflictError) as refused:
        release_case(case=case, note="Twins", actor=SYSTEM, now=timezone.now(), seen=None)
    assert refused.value.code == "changed"
    case.refresh_from_db()
    done = release_case(
        case=case, note="Twins", actor=SYSTEM, now=timezone.now(), seen=case.grown_at
    )
    assert done.state == "released"


def test_what_a_merged_duplicate_earned_is_taken_as_well(club: Program) -> None:
    first, second = join_twice(club, "m")
    look(first)
    merge_customers(
        kept=first.customer, merged=second.customer, actor=SYSTEM, source="backoffice",
        now=timezone.now(),
    )  # fmt: skip
    case = RiskCase.objects.get(membership=first)
    assert sum(one.by_activities for one in takings(case)) == 200
    take(case)
    assert spendable("m1", timezone.now()) == 0


def test_who_does_not_see_a_program_takes_back_nothing_that_it_gave(case: RiskCase) -> None:
    [found] = undue(case)
    assert found.is_seen(None)
    assert not found.is_seen([0])
    with limited_to([0]), pytest.raises(ConflictError) as refused:
        take(case)
    assert refused.value.code == "other_program"


def test_a_reason_that_is_switched_off_is_named(rushed: RiskCase) -> None:
    AdjustmentReason.objects.filter(code="fraud").update(is_active=False)
    with pytest.raises(ConflictError) as refused:
        take(rushed)
    assert refused.value.code == "reason_not_usable"


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

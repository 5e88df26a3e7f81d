"""What a case takes back above a limit: asked of a second person first."""

from __future__ import annotations

import pytest
from django.utils import timezone

from loyalty.backoffice.risk_forms import ClawBackForm
from loyalty.models import AdjustmentLimit, AdjustmentRequest, RiskCase, Transfer
from loyalty.selectors.risk_takings import takings_of, undue_of
from loyalty.services.adjustment_requests import approve_request
from loyalty.services.risk_cases import release_case
from loyalty.services.risk_claw_backs import claw_back
from members.errors import ConflictError
from members.services.audit import Actor
from tests.factories import StaffMemberFactory
from tests.loyalty.risks import bonus_club, rushed_case

pytestmark = pytest.mark.usefixtures("coherent_ledger")


@pytest.fixture
def rushed(db: None) -> RiskCase:
    return rushed_case(bonus_club())


@pytest.fixture
def agent(db: None) -> Actor:
    AdjustmentLimit.objects.filter(role="support_agent").update(approval_above=50)
    return Actor.of_user(StaffMemberFactory(role="support_agent").user)


def take(case: RiskCase, actor: Actor, facts: list[str] | None = None) -> RiskCase:
    return claw_back(
        case=case, facts=facts, resume=False, note="Farmed", actor=actor, now=timezone.now()
    ).case


def release(case: RiskCase, actor: Actor) -> RiskCase:
    return release_case(case=case, note="Twins", actor=actor, now=timezone.now())


def test_above_the_limit_the_case_waits_for_a_second_person_and_is_closed_after(
    rushed: RiskCase, agent: Actor
) -> None:
    done = claw_back(
        case=rushed, facts=None, resume=False, note="Farmed", actor=agent, now=timezone.now()
    )
    assert (done.asked, done.case.state) == (1, "open")
    asked = AdjustmentRequest.objects.get()
    assert asked.units == -100
    assert not Transfer.objects.filter(kind="adjustment").exists()
    for act in (take, release):
        with pytest.raises(ConflictError) as refused:
            act(rushed, agent)
        assert refused.value.code == "approval_waits"
    second = Actor.of_user(StaffMemberFactory(role="administrator").user)
    approve_request(request=asked, actor=second, note="", now=timezone.now())
    now = timezone.now()
    assert [one.taken for one in takings_of(rushed, undue_of(rushed, now=now), now=now)] == [0]
    assert take(rushed, agent).state == "clawed_back"
    assert Transfer.objects.get(kind="adjustment").amount == 100


def test_what_was_left_out_when_a_second_person_was_asked_stays_left_out(
    rushed: RiskCase, agent: Actor
) -> None:
    left_out, *chosen = [one.key for one in undue_of(rushed, now=timezone.now())]
    take(rushed, agent, facts=chosen)
    second = Actor.of_user(StaffMemberFactory(role="administrator").user)
    approve_request(
        request=AdjustmentRequest.objects.get(), actor=second, note="", now=timezone.now()
    )
    rushed.refresh_from_db()
    assert left_out not in rushed.chosen
    form = ClawBackForm(None, case=rushed, undue=undue_of(rushed, now=timezone.now()))
    assert sorted(form.initial["facts"]) == sorted(chosen)
    assert take(rushed, agent).state == "clawed_back"
    assert Transfer.objects.get(kind="adjustment").amount == 90

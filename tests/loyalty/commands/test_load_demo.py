"""The demonstration: real history of a few households, loaded once however often asked for."""

import pytest
from django.db import transaction
from django.utils import timezone

from loyalty.demo import history
from loyalty.demo.duplicates import guest_order
from loyalty.demo.load import needs_demo
from loyalty.models import (
    Activity,
    EconomicScenario,
    Membership,
    Order,
    OrderConversion,
    Program,
    RiskCase,
    SelfCheck,
    Transfer,
)
from loyalty.selectors.liability import liability_now
from loyalty.selectors.risk_takings import takings_of, undue_of
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back
from members.models import (
    Customer,
    CustomerNote,
    CustomerTask,
    PersonalPackage,
    StaffMember,
)
from members.selectors.duplicates import likely_duplicates
from members.services.audit import SYSTEM
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_few_households_load_once(db, run, monkeypatch, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    # Four households, the guide's among them.
    monkeypatch.setattr(history, "SHARE", 600)
    monkeypatch.setattr(history, "REMAINDER", 1609 % 600)
    assert needs_demo()
    out, _err = run("load_demo", "--if-empty")
    assert "orders of" in out
    assert Program.objects.get().code == "harvest-club"
    assert StaffMember.objects.count() == 7
    misleading = Membership.objects.filter(customer__external_id__startswith="RISK-")
    assert misleading.count() == 5
    assert 1 <= Membership.objects.exclude(pk__in=misleading).count() <= 6
    assert Customer.objects.get(external_id="H01609").email == "olivia.hart@example.com"
    assert_cases_can_be_tried()
    kinds = set(Transfer.objects.values_list("kind", flat=True))
    assert {"accrual", "adjustment", "reversal", "gift", "donation", "pool"} <= kinds
    guide, duplicate = Customer.objects.filter(family_name="Hart").order_by("external_id")
    assert [hit.customer for hit in likely_duplicates(guide)] == [duplicate]
    assert guest_order().customer is None
    assert SelfCheck.objects.get().findings.count() == 0
    wallet_type = Program.objects.get().wallet_types.first()
    assert liability_now(wallet_type, timezone.now()).units > 0
    assert {"pending", "approved"} <= set(Activity.objects.values_list("state", flat=True))
    left = CustomerTask.objects.exclude(released_from="")
    assert (left.count(), set(left.values_list("released_from", flat=True))) == (3, {"Noor Haddad"})
    packages = PersonalPackage.objects.filter(customer=guide, made_at__isnull=False)
    assert set(packages.values_list("for_staff", flat=True)) == {True, False}
    reckoned = EconomicScenario.objects.get(name="As it is")
    assert reckoned.spend_with > reckoned.spend_without > 0
    assert reckoned.reward_rate > 0
    assert OrderConversion.objects.filter(order__currency="EUR").count() == 3
    counted = (
        Order, Transfer, Customer, CustomerNote, Activity, CustomerTask, PersonalPackage,
        EconomicScenario,
    )  # fmt: skip
    counts = [kind.objects.count() for kind in counted]
    assert not needs_demo()
    assert "left out" in run("load_demo", "--if-empty")[0]
    run("load_demo")
    assert [kind.objects.count() for kind in counted] == counts


def assert_cases_can_be_tried() -> None:
    """Somebody who tries the demonstration can hold, release and take back to the end."""
    now = timezone.now()
    case = RiskCase.objects.get(membership__customer__external_id="RISK-2", state="open")
    how = {"note": "Two accounts", "actor": SYSTEM, "now": now}
    before = sum(one.taken for one in takings_of(case, undue_of(case, now=now), now=now))
    assert before > 0
    for end in ("release", "take"):
        with transaction.atomic():
            assert hold_case(case=case, **how).suspended
            if end == "release":
                assert release_case(case=case, **how).state == "released"
            else:
                done = claw_back(case=case, facts=None, resume=True, **how)
                assert done.case.state == "clawed_back"
                taken = Transfer.objects.filter(key__startswith=f"risk:{case.public_id}:")
                assert sum(taken.values_list("amount", flat=True)) == before
            transaction.set_rollback(True)


def test_an_installation_in_use_is_left_alone(db, run):
    make_program()
    assert "left out" in run("load_demo", "--if-empty")[0]
    assert Program.objects.get().code == "club"
